//! Passwords: how good they must be, how they are kept, how they are compared.

use super::gate::Gate;
use crate::error::ServiceError;
use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::{Error, phc::PasswordHash},
};
use hallpass_domain::{
    Entropy,
    limits::{
        PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, PASSWORD_HASHES_AT_ONCE_MAX,
        PASSWORD_HASHES_WAITING_MAX,
    },
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// Memory of one hash in KiB: 46 MiB with one pass, the first of OWASP's and ASVS 11.4.2's equal choices.
const MEMORY_KIB: u32 = 46 * 1024;
const PASSES: u32 = 1;
const LANES: u32 = 1;

/// Common passwords of at least the least length, normalized and in lower case. Shorter ones are refused for
/// their length, so they need no list.
const COMMON: &str = include_str!("common_passwords.txt");

/// A password as typed. No `Debug` of its text, zeroed when dropped.
pub struct Password(Zeroizing<String>);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Too short.
    #[error(
        "at least {PASSWORD_CHARS_MIN} characters; a few words are easier to remember than one with odd signs"
    )]
    TooShort,
    /// Too long to be worth its time.
    #[error("at most {PASSWORD_BYTES_MAX} bytes")]
    TooLong,
    /// On the list.
    #[error("this is one of the first that would be tried; choose another")]
    Common,
}

impl WeakPassword {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooShort => "password_too_short",
            Self::TooLong => "password_too_long",
            Self::Common => "password_common",
        }
    }
}

impl Password {
    /// Takes a password as typed. Unicode has several ways to write one character and keyboards differ in which
    /// they send, so it is normalized (NFKC, NIST SP 800-63B section 3.1.1.2); blanks and case stay as they are.
    ///
    /// # Errors
    /// [`WeakPassword::TooLong`].
    pub fn typed(text: &str) -> Result<Self, WeakPassword> {
        if text.len() > PASSWORD_BYTES_MAX {
            return Err(WeakPassword::TooLong);
        }
        Ok(Self(Zeroizing::new(text.nfkc().collect())))
    }

    /// Whether it may be chosen by someone whose name, address or organization are `personal`.
    ///
    /// # Errors
    /// [`WeakPassword`].
    pub fn check(&self, personal: &[&str]) -> Result<(), WeakPassword> {
        if self.0.chars().count() < PASSWORD_CHARS_MIN {
            return Err(WeakPassword::TooShort);
        }
        let folded = Zeroizing::new(self.0.to_lowercase());
        let is_own = personal
            .iter()
            .any(|own| !own.is_empty() && own.to_lowercase() == *folded);
        if is_own || COMMON.lines().any(|common| common == *folded) {
            return Err(WeakPassword::Common);
        }
        Ok(())
    }
}

/// Hashes passwords by argon2id, few at a time.
#[derive(Debug)]
pub struct Passwords {
    gate: Gate,
    /// A hash that no password has: compared where there is no account, so that it takes as long.
    nobody: String,
    compared: Arc<AtomicU64>,
}

impl Passwords {
    /// Ready to hash.
    pub fn new(entropy: &impl Entropy) -> Self {
        let mut random = [0; 32];
        entropy.fill(&mut random);
        let [salt, output] = [&random[..16], &random[..]].map(|bytes| {
            base64::Engine::encode(&base64::engine::general_purpose::STANDARD_NO_PAD, bytes)
        });
        let nobody = format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${output}");
        Self {
            gate: Gate::new(PASSWORD_HASHES_AT_ONCE_MAX, PASSWORD_HASHES_WAITING_MAX),
            nobody,
            compared: Arc::default(),
        }
    }

    /// Comparisons that were worked through to their end since the start, whatever they found.
    pub fn compared(&self) -> u64 {
        self.compared.load(Ordering::Relaxed)
    }

    /// The hash of `password` as a PHC string.
    ///
    /// # Errors
    /// Busy, or a fault of the library.
    pub async fn hash(
        &self,
        password: Password,
        entropy: &impl Entropy,
    ) -> Result<String, ServiceError> {
        let mut salt = [0; 16];
        entropy.fill(&mut salt);
        let hashed = self.gate.run(move || {
            argon2()?
                .hash_password_with_salt(password.0.as_bytes(), &salt)
                .map(|hash: PasswordHash| hash.to_string())
                .map_err(|error| error.to_string())
        });
        hashed.await?.map_err(ServiceError::Internal)
    }

    /// Whether `password` is the one behind `hash`. Without a hash the answer is no, after the same work.
    ///
    /// # Errors
    /// Busy.
    pub async fn matches(
        &self,
        password: Password,
        hash: Option<&str>,
    ) -> Result<bool, ServiceError> {
        let known = hash.is_some();
        let hash = hash.unwrap_or(&self.nobody).to_owned();
        let compared = Arc::clone(&self.compared);
        let same = self.gate.run(move || {
            let parsed = PasswordHash::new(&hash).map_err(|error| error.to_string())?;
            let found = argon2()?.verify_password(password.0.as_bytes(), &parsed);
            if matches!(found, Ok(()) | Err(Error::PasswordInvalid)) {
                compared.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, String>(found.is_ok())
        });
        Ok(same.await?.map_err(ServiceError::Internal)? && known)
    }

    /// Whether a hash was made with other costs than today's.
    pub fn is_outdated(hash: &str) -> bool {
        !hash.starts_with(&format!(
            "$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}$"
        ))
    }
}

fn argon2() -> Result<Argon2<'static>, String> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| error.to_string())?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
impl Passwords {
    /// Never has room for anything.
    pub(crate) fn busy(entropy: &impl Entropy) -> Self {
        Self {
            gate: Gate::new(0, 0),
            ..Self::new(entropy)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    fn check(text: &str) -> Result<(), WeakPassword> {
        Password::typed(text)?.check(&["ada@acme-rockets.example", "Acme Rockets Inc"])
    }

    #[test]
    fn length_and_the_list_decide_and_nothing_else() {
        for good in [
            "correct horse battery",
            "aaaaaaaaaaaaaaaa",
            "ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑ wide",
            "🐴🐴🐴🐴🐴🐴🐴🐴🐴🐴🐴🐴🐴🐴🐴",
            " fourteen chars ",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for short in ["", "P@ssw0rd", "fourteen chars"] {
            assert_eq!(check(short), Err(WeakPassword::TooShort), "{short}");
        }
        for common in [
            "passwordpassword",
            "PasswordPassword",
            "123456789012345",
            "qwertyuiopasdfghjkl",
            "ada@acme-rockets.example",
            "acme rockets inc",
        ] {
            assert_eq!(check(common), Err(WeakPassword::Common), "{common}");
        }
        assert_eq!(check(&"a".repeat(1_025)), Err(WeakPassword::TooLong));
        assert_eq!(check(&"a".repeat(1_024)), Ok(()));
    }

    #[test]
    fn the_list_is_as_the_check_needs_it() {
        for line in COMMON.lines() {
            assert!(
                line.chars().count() >= PASSWORD_CHARS_MIN && line == line.to_lowercase(),
                "{line}"
            );
        }
    }

    #[tokio::test]
    async fn nobodys_hash_costs_what_a_real_one_costs() {
        let entropy = SystemEntropy::seeded(1);
        let passwords = Passwords::new(&entropy);
        let password = || Password::typed("correct horse battery").unwrap();
        let real = passwords.hash(password(), &entropy).await.unwrap();
        let shape = |text: &str| {
            let hash = PasswordHash::new(text).unwrap();
            (
                hash.algorithm.as_str().to_owned(),
                hash.version,
                hash.params.to_string(),
                hash.salt.map(|salt| salt.len()),
                hash.hash.map(|output| output.len()),
            )
        };
        assert_eq!(shape(&passwords.nobody), shape(&real));
        assert_eq!(passwords.compared(), 0);
        assert!(!passwords.matches(password(), None).await.unwrap());
        assert_eq!(passwords.compared(), 1, "worked through, not given up");
        assert!(passwords.matches(password(), Some(&real)).await.unwrap());
        assert_eq!(passwords.compared(), 2);
    }

    #[tokio::test]
    async fn a_hash_knows_its_password() {
        let entropy = SystemEntropy::seeded(1);
        let passwords = Passwords::new(&entropy);
        let typed = |text| Password::typed(text).unwrap();
        let hash = passwords
            .hash(typed("cafe\u{301} correct horse "), &entropy)
            .await
            .unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"),
            "{hash}"
        );
        assert!(
            !Passwords::is_outdated(&hash)
                && Passwords::is_outdated("$argon2id$v=19$m=19456,t=2,p=1$x$y")
        );
        assert!(
            passwords
                .matches(typed("café correct horse "), Some(&hash))
                .await
                .unwrap(),
            "composed and decomposed are one"
        );
        assert!(
            !passwords
                .matches(typed("café correct horse"), Some(&hash))
                .await
                .unwrap(),
            "a blank at the end counts"
        );
        assert!(
            !passwords
                .matches(typed("Café correct horse "), Some(&hash))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .matches(typed("anything at all"), None)
                .await
                .unwrap()
        );
    }
}
