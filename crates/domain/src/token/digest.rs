//! What is stored of a token: a digest that verifies nothing without a key that lives elsewhere.

use super::PlainToken;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// How the stored digest was made from the token's text. Closed: a scheme is added here or nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `HMAC-SHA-256(pepper, text)`: found by the digest itself, in about a microsecond. The text has 190
    /// random bits, so nothing slower would add anything (NIST SP 800-63B section 3.1.2.2).
    #[default]
    HmacSha256,
    /// bcrypt of the text, found by prefix. The first use of each token after a start is slow.
    Bcrypt,
}

impl Scheme {
    /// The word used in the database and in settings.
    pub const fn word(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmac-sha256",
            Self::Bcrypt => "bcrypt",
        }
    }

    /// The scheme that `word` names, if it names one.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::HmacSha256, Self::Bcrypt]
            .into_iter()
            .find(|scheme| scheme.word() == word)
    }
}

/// `HMAC-SHA-256(pepper, text)`, 32 bytes. Without the pepper it can neither be checked nor forged.
#[derive(Clone, Copy)]
pub struct Digest([u8; Digest::BYTES]);

impl Digest {
    /// Bytes of a digest.
    pub const BYTES: usize = 32;

    /// The digest with these bytes, as read from the database.
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Digest {}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}{:02x}…", self.0[0], self.0[1])
    }
}

/// The name of a pepper: 1 to 16 lower-case letters, digits and `-`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PepperId(Box<str>);

impl PepperId {
    /// Parses a pepper's name.
    pub fn parse(text: &str) -> Option<Self> {
        let good = (1..=16).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        good.then(|| Self(text.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PepperId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A key that never enters the database.
#[derive(Clone)]
pub struct Pepper {
    id: PepperId,
    /// HMAC with the key already mixed in: half the cost of a digest is saved by doing it once.
    prepared: Hmac<Sha256>,
}

impl Pepper {
    /// Bytes of a pepper.
    pub const BYTES: usize = 32;

    /// The pepper `id` with this key.
    pub fn new(id: PepperId, key: &Zeroizing<[u8; Self::BYTES]>) -> Self {
        let mut block = Zeroizing::new([0; 64]);
        block[..Self::BYTES].copy_from_slice(&key[..]);
        // RFC 2104 pads a shorter key with zeros to the block, so this is HMAC under the 32 bytes.
        let prepared = Hmac::new(&(*block).into());
        Self { id, prepared }
    }

    /// The pepper's name.
    pub const fn id(&self) -> &PepperId {
        &self.id
    }

    /// The digest of `token` under this pepper.
    pub fn digest(&self, token: &PlainToken) -> Digest {
        self.mac(&[token.expose().as_bytes()])
    }

    /// A keyed hash of `message` for the purpose `label`, for what is no token: sessions, cursors, checks of
    /// the key itself. No label begins as a token does, so none of these is ever a token's digest.
    pub fn seal(&self, label: &'static str, message: &[u8]) -> Digest {
        self.mac(&[b"hallpass/", label.as_bytes(), b"/", message])
    }

    fn mac(&self, parts: &[&[u8]]) -> Digest {
        let mut mac = self.prepared.clone();
        for part in parts {
            mac.update(part);
        }
        Digest(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pepper({:?})", self.id)
    }
}

/// The pepper in use and those retired, which still verify until they are removed.
#[derive(Clone, Debug)]
pub struct Peppers {
    current: Pepper,
    retired: Vec<Pepper>,
}

impl Peppers {
    /// `current` for what is made from now on, `retired` for what was made before.
    pub const fn new(current: Pepper, retired: Vec<Pepper>) -> Self {
        Self { current, retired }
    }

    /// The pepper in use.
    pub const fn current(&self) -> &Pepper {
        &self.current
    }

    /// The retired ones.
    pub fn retired(&self) -> &[Pepper] {
        &self.retired
    }

    /// All, the current one first.
    pub fn iter(&self) -> impl Iterator<Item = &Pepper> {
        std::iter::once(&self.current).chain(&self.retired)
    }
}

/// A bcrypt hash in its usual 60 characters.
#[derive(Clone, PartialEq, Eq)]
pub struct BcryptHash(Box<str>);

impl BcryptHash {
    /// bcrypt's cost for new tokens: 2^10 rounds, the least OWASP and ASVS 11.4.2 accept.
    pub const COST: u32 = 10;

    /// Hashes `token` with 16 random bytes of salt. Slow on purpose: about 60 ms.
    pub fn of(token: &PlainToken, salt: [u8; 16]) -> Option<Self> {
        // 48 characters, below the 72 that bcrypt reads.
        let parts = bcrypt::hash_with_salt(token.expose().as_bytes(), Self::COST, salt).ok()?;
        Self::parse(&parts.format_for_version(bcrypt::Version::TwoB))
    }

    /// Takes a stored hash.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 60 && text.is_ascii() && text.starts_with("$2")).then(|| Self(text.into()))
    }

    /// Whether `token` is the one that was hashed. Slow on purpose: about 60 ms.
    pub fn matches(&self, token: &PlainToken) -> bool {
        bcrypt::verify(token.expose().as_bytes(), &self.0).unwrap_or(false)
    }

    /// The 60 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BcryptHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$2b$…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Entropy,
        token::{Brand, Kind},
    };

    struct Repeating(u8);
    impl Entropy for Repeating {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }
    fn token(byte: u8) -> PlainToken {
        PlainToken::generate(Brand::DEFAULT, Kind::PersonalAccessToken, &Repeating(byte))
    }
    fn pepper(byte: u8) -> Pepper {
        Pepper::new(PepperId::parse("p1").unwrap(), &Zeroizing::new([byte; 32]))
    }

    /// RFC 4231 test case 2 uses a 4-byte key and test case 1 a 20-byte one; both are padded as ours is.
    #[test]
    fn the_digest_is_hmac_sha_256() {
        let mut key = Zeroizing::new([0; 32]);
        key[..4].copy_from_slice(b"Jefe");
        let digest = Pepper::new(PepperId::parse("p1").unwrap(), &key)
            .mac(&[b"what do ya want ", b"for nothing?"]);
        assert_eq!(
            digest.bytes()[..8],
            [0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e]
        );
        assert_eq!(digest.bytes()[28..], [0x64, 0xec, 0x38, 0x43]);
    }

    #[test]
    fn another_pepper_or_another_token_gives_another_digest() {
        assert_eq!(pepper(1).digest(&token(1)), pepper(1).digest(&token(1)));
        assert_ne!(pepper(1).digest(&token(1)), pepper(2).digest(&token(1)));
        assert_ne!(pepper(1).digest(&token(1)), pepper(1).digest(&token(2)));
    }

    #[test]
    fn a_seal_is_never_a_digest_of_the_same_bytes() {
        let token = token(1);
        assert_ne!(
            pepper(1).digest(&token),
            pepper(1).seal("", token.expose().as_bytes())
        );
        assert_ne!(pepper(1).seal("a", b"x"), pepper(1).seal("b", b"x"));
    }

    #[test]
    fn bcrypt_knows_its_token_and_no_other() {
        let hash = BcryptHash::of(&token(1), [9; 16]).unwrap();
        assert!(hash.as_str().starts_with("$2b$10$"));
        assert!(hash.matches(&token(1)));
        assert!(!hash.matches(&token(2)));
        assert_eq!(format!("{hash:?}"), "$2b$…");
    }

    #[test]
    fn nothing_prints_a_key_or_a_digest() {
        let printed = format!("{:?} {:?}", pepper(0x41), pepper(0x41).digest(&token(1)));
        assert!(
            !printed.contains("41, 41") && printed.len() < 40,
            "{printed}"
        );
    }
}
