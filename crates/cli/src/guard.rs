//! A secret is never an argument: arguments stay in the shell's history and every user of the machine can see them.

use crate::exit::Failure;
use hallpass_domain::token::{
    Brand, Prefix,
    plain::{PREFIX_CHARS, TOKEN_CHARS, find_in, looks_like_one},
};

/// Letters and digits after the underscore from which on a text in another brand than our own is a token and not
/// a word such as `app_database`: the prefix's six and sixty bits of the secret.
const TELLING_CHARS: usize = 16;

/// Refuses `arguments` (without the program's name) when one of them holds what looks like a token. The text itself
/// is not repeated, its public prefix is.
///
/// # Errors
/// What happened, and that the token is to be revoked.
pub(crate) fn check(arguments: impl Iterator<Item = String>) -> Result<(), Failure> {
    for argument in arguments {
        if let Some(prefix) = find(&argument) {
            let what = kind(&prefix);
            return Err(Failure::usage(format!("an argument looks like a token ({prefix}…); a secret is never an argument"))
                .next("It is now in your shell's history, and other users of this machine may have seen it: revoke it.")
                .next(format!("To revoke it, name its prefix: hallpass {what} revoke {prefix}"))
                .next("To hand a token over, use standard input: hallpass login --with-token < FILE, hallpass verify - < FILE"));
        }
    }
    Ok(())
}

/// What the commands call it: the third letter says what it is, in every brand.
fn kind(prefix: &Prefix) -> &'static str {
    match prefix.as_str().as_bytes().get(2) {
        Some(b'k') => "key",
        _ => "token",
    }
}

fn find(argument: &str) -> Option<Prefix> {
    let whole =
        find_in(argument).and_then(|range| argument.get(range.start..range.start + PREFIX_CHARS));
    let begun = || {
        argument
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .find(|piece| is_telling(piece))
            .map(|piece| &piece[..PREFIX_CHARS])
    };
    whole
        .or_else(begun)
        .and_then(|text| Prefix::parse(text).ok())
}

fn is_telling(piece: &str) -> bool {
    let Some((head, rest)) = piece.split_at_checked(4) else {
        return false;
    };
    let run = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
    looks_like_one(piece)
        && (head.starts_with(Brand::DEFAULT.as_str())
            || run >= TELLING_CHARS
            || piece.len() == TOKEN_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token with a good checksum is not needed: what is cut or mistyped is as telling.
    const CUT: &str = "hpp_7Kd2mQv9XwB4nT1";

    fn checked(argument: &str) -> Result<(), Failure> {
        check(std::iter::once(argument.to_owned()))
    }

    #[test]
    fn a_token_is_refused_wherever_it_stands_and_not_repeated() {
        for argument in [
            CUT.to_owned(),
            format!("--token={CUT}"),
            format!("Authorization: Bearer {CUT}"),
            format!("http://x:{CUT}@127.0.0.1:4377"),
            format!("-{CUT}"),
            "acp_7Kd2mQv9XwB4nT1cRz8LpY3s".to_owned(),
            format!("hpk_{}", "0".repeat(7)),
        ] {
            let failure = checked(&argument).unwrap_err();
            assert_eq!(failure.exit.code(), 2, "{argument}");
            let told = failure.to_string();
            assert!(
                !told.contains(&argument) && !told.contains("v9XwB4nT1"),
                "{told}"
            );
            assert!(told.contains("revoke it"), "{told}");
            let command = if told.contains("(hpk_") {
                "hallpass key revoke hpk_000000\n"
            } else {
                "hallpass token revoke "
            };
            assert!(told.contains(command), "{told}");
        }
    }

    #[test]
    fn a_whole_token_is_found_inside_a_longer_word() {
        struct Zero;
        impl hallpass_domain::Entropy for Zero {
            fn fill(&self, bytes: &mut [u8]) {
                bytes.fill(7);
            }
        }
        let token = hallpass_domain::token::PlainToken::generate(
            Brand::DEFAULT,
            hallpass_domain::token::Kind::PersonalAccessToken,
            &Zero,
        );
        assert!(checked(&format!("see_{}_", token.expose())).is_err());
    }

    #[test]
    fn prefixes_names_and_paths_are_no_tokens() {
        for argument in [
            "hpp_7Kd2mQ",
            "token",
            "revoke",
            "--data=app_database",
            "app_releases",
            "./hallpass-data",
            "postgres://u@h/app_production",
            "ci",
            "",
        ] {
            assert_eq!(checked(argument), Ok(()), "{argument}");
        }
    }
}
