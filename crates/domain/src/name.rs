//! Names that people give: of tokens, of themselves, of organizations; and their e-mail addresses.

use crate::limits::{DISPLAY_NAME_CHARS_MAX, EMAIL_BYTES_MAX, NAME_CHARS_MAX};
use std::fmt;
use unicode_normalization::UnicodeNormalization;

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedName {
    /// Nothing but blanks.
    #[error("give it a name")]
    Empty,
    /// Too long.
    #[error("at most {max} characters; this has {found}")]
    TooLong {
        /// Characters allowed.
        max: usize,
        /// Characters found.
        found: usize,
    },
    /// It holds a character that cannot be seen, or that reorders the others.
    #[error("no control characters, line breaks or invisible characters; U+{:04X} is one", *.0 as u32)]
    Character(char),
}

/// Characters that draw nothing or reorder what is drawn: Unicode's controls, bidirectional marks, zero-width
/// characters, separators of lines, private use and tags. The zero-width joiner stays: emoji are made with it.
pub const fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}')
}

fn parse(text: &str, max: usize) -> Result<Box<str>, MalformedName> {
    // Normalizing first would let a hostile length cost more than it should.
    let found = text.chars().count();
    if found > max * 4 {
        return Err(MalformedName::TooLong { max, found });
    }
    if let Some(hidden) = text.chars().find(|c| is_hidden(*c)) {
        return Err(MalformedName::Character(hidden));
    }
    let composed: String = text.trim().nfc().collect();
    let found = composed.chars().count();
    if found == 0 {
        return Err(MalformedName::Empty);
    }
    if found > max {
        return Err(MalformedName::TooLong { max, found });
    }
    Ok(composed.into_boxed_str())
}

/// What two names have in common when people would call them the same: compatibility forms and case folded.
fn fold(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

/// The name of a token: 1 to 80 characters, normalized to NFC, none of them hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenName(Box<str>);

impl TokenName {
    /// Parses a name; blanks around it are dropped.
    ///
    /// # Errors
    /// [`MalformedName`].
    pub fn parse(text: &str) -> Result<Self, MalformedName> {
        parse(text, NAME_CHARS_MAX).map(Self)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What must be unique: the name without regard to case.
    pub fn key(&self) -> String {
        fold(&self.0)
    }
}

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Folds a search as names are folded, so that what is looked for is found without regard to case.
pub fn fold_search(text: &str) -> String {
    fold(text.trim())
}

/// The name of a person or an organization: 1 to 120 characters, NFC, none of them hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayName(Box<str>);

impl DisplayName {
    /// Parses a name; blanks around it are dropped.
    ///
    /// # Errors
    /// [`MalformedName`].
    pub fn parse(text: &str) -> Result<Self, MalformedName> {
        parse(text, DISPLAY_NAME_CHARS_MAX).map(Self)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl DisplayName {
    /// What must be unique where names are: the name without regard to case.
    pub fn key(&self) -> String {
        fold(&self.0)
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address such as ada@acme.example")]
pub struct MalformedEmail;

/// An e-mail address: something, one `@`, a host. Whether it can be written to is for a mail to find out.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(Box<str>);

impl Email {
    /// Parses an address; blanks around it are dropped. Only printable characters without blanks or
    /// delimiters are taken, so that it can stand in a mail's header as it is.
    ///
    /// # Errors
    /// [`MalformedEmail`].
    pub fn parse(text: &str) -> Result<Self, MalformedEmail> {
        let text: String = text.trim().nfc().collect();
        let (local, host) = text.rsplit_once('@').ok_or(MalformedEmail)?;
        let clean = |part: &str| {
            !part.is_empty()
                && !part.chars().any(|c| {
                    c.is_whitespace()
                        || is_hidden(c)
                        || c == '\u{200d}'
                        || "<>()[]\\,;:\"@".contains(c)
                })
        };
        let good = text.len() <= EMAIL_BYTES_MAX
            && clean(local)
            && clean(host)
            && host
                .split('.')
                .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'))
            && !local.starts_with('.')
            && !local.ends_with('.');
        if good {
            Ok(Self(text.into_boxed_str()))
        } else {
            Err(MalformedEmail)
        }
    }

    /// The address as its owner writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What must be unique: the address without regard to case. RFC 5321 lets a host tell `Ada@` from
    /// `ada@`; none does, and two people who differ in that alone would be a trap.
    pub fn key(&self) -> String {
        fold(&self.0)
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_composed_and_trimmed() {
        let decomposed = TokenName::parse("  cafe\u{301} ").unwrap();
        assert_eq!(decomposed.as_str(), "café");
        assert_eq!(decomposed, TokenName::parse("café").unwrap());
        assert_eq!(TokenName::parse("CAFÉ").unwrap().key(), decomposed.key());
        assert_eq!(
            TokenName::parse("ＣＩ").unwrap().key(),
            TokenName::parse("ci").unwrap().key()
        );
    }

    #[test]
    fn the_length_is_counted_in_characters() {
        assert!(TokenName::parse(&"é".repeat(80)).is_ok());
        assert!(TokenName::parse(&"e\u{301}".repeat(80)).is_ok());
        assert_eq!(
            TokenName::parse(&"é".repeat(81)),
            Err(MalformedName::TooLong { max: 80, found: 81 })
        );
        assert!(matches!(
            TokenName::parse(&"a".repeat(1_000_000)),
            Err(MalformedName::TooLong { .. })
        ));
        assert_eq!(TokenName::parse(" \u{a0} "), Err(MalformedName::Empty));
    }

    #[test]
    fn hidden_characters_are_refused_by_name() {
        for hidden in [
            '\0',
            '\n',
            '\r',
            '\t',
            '\u{1b}',
            '\u{7f}',
            '\u{85}',
            '\u{200b}',
            '\u{200f}',
            '\u{202e}',
            '\u{2066}',
            '\u{2028}',
            '\u{feff}',
            '\u{e0041}',
        ] {
            let text = format!("a{hidden}b");
            assert_eq!(
                TokenName::parse(&text),
                Err(MalformedName::Character(hidden))
            );
        }
        for seen in [
            "👩‍💻 laptop",
            "日本語",
            "שלום",
            "مفتاح",
            "a\u{301}",
            "</script><svg onload=1>",
            "=cmd()",
        ] {
            assert!(TokenName::parse(seen).is_ok(), "{seen}");
        }
    }

    #[test]
    fn addresses() {
        assert_eq!(
            Email::parse(" Ada@Acme.Example ").unwrap().key(),
            "ada@acme.example"
        );
        for bad in [
            "",
            "ada",
            "@acme.example",
            "ada@",
            "ada@@acme.example",
            "a da@acme.example",
            "ada@acme..example",
            "ada@-acme.example",
            "ada@acme.example\nBcc: x@y",
            "<ada@acme.example>",
            ".ada@acme.example",
        ] {
            assert_eq!(Email::parse(bad), Err(MalformedEmail), "{bad}");
        }
        assert!(Email::parse(&format!("{}@acme.example", "a".repeat(250))).is_err());
    }
}
