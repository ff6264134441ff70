//! The text of a token, in the one type that may hold it.

use super::Kind;
use crate::Entropy;
use std::fmt;
use zeroize::Zeroize;

/// Characters of a token.
pub const TOKEN_CHARS: usize = 48;
/// Characters of the public prefix.
pub const PREFIX_CHARS: usize = 10;
const CHECKSUM_CHARS: usize = 6;
const CHECKED_CHARS: usize = TOKEN_CHARS - CHECKSUM_CHARS;
const SEPARATOR_AT: usize = 3;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The two characters every token of a deployment begins with: lower-case letters or digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brand([u8; 2]);

impl Brand {
    /// `hp`, unless the deployment says otherwise.
    pub const DEFAULT: Self = Self(*b"hp");

    /// Parses two lower-case letters or digits.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 2] = text.as_bytes().try_into().ok()?;
        bytes
            .iter()
            .all(|byte| is_brand(*byte))
            .then_some(Self(bytes))
    }

    /// The two characters.
    pub fn as_str(&self) -> &str {
        ascii(&self.0)
    }
}

const fn is_brand(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// The first 10 characters of a token: public, unique in the deployment, safe in lists and logs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix([u8; PREFIX_CHARS]);

impl Prefix {
    /// Parses a prefix by itself.
    ///
    /// # Errors
    /// [`MalformedToken`] when it is not how a token begins.
    pub fn parse(text: &str) -> Result<Self, MalformedToken> {
        let bytes: [u8; PREFIX_CHARS] = text
            .as_bytes()
            .try_into()
            .map_err(|_| MalformedToken::Length)?;
        has_prefix_shape(&bytes)?;
        Ok(Self(bytes))
    }

    /// The 10 characters.
    pub fn as_str(&self) -> &str {
        ascii(&self.0)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text is no token. None of these needed a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedToken {
    /// It has not 48 characters.
    #[error("a token has {TOKEN_CHARS} characters")]
    Length,
    /// It does not begin as a token does, or has a character no token has.
    #[error("not the shape of a token")]
    Shape,
    /// Its last 6 characters do not fit the rest: it was mistyped or cut.
    #[error("the checksum does not fit: the token was mistyped or cut")]
    Checksum,
}

/// The whole text of a token. It is shown once, in the answer that creates it; it has no `Display` and no
/// `Serialize`, its `Debug` prints the prefix alone, and it is zeroed when dropped.
#[derive(Clone)]
pub struct PlainToken([u8; TOKEN_CHARS]);

impl PlainToken {
    /// Draws a new token.
    pub fn generate(brand: Brand, kind: Kind, entropy: &impl Entropy) -> Self {
        let mut text = [0; TOKEN_CHARS];
        text[..2].copy_from_slice(&brand.0);
        text[2] = kind.letter();
        text[SEPARATOR_AT] = b'_';
        fill_base62(&mut text[SEPARATOR_AT + 1..CHECKED_CHARS], entropy);
        let checksum = checksum(&text);
        text[CHECKED_CHARS..].copy_from_slice(&checksum);
        Self(text)
    }

    /// Parses a text by shape and checksum. This refuses typos and noise without any lookup; it proves
    /// nothing, since anyone can compute a checksum.
    ///
    /// # Errors
    /// [`MalformedToken`], by the first thing that is wrong.
    pub fn parse(text: &[u8]) -> Result<Self, MalformedToken> {
        let text: [u8; TOKEN_CHARS] = text.try_into().map_err(|_| MalformedToken::Length)?;
        let this = Self(text);
        has_prefix_shape(&this.0[..PREFIX_CHARS])?;
        if !this.0[PREFIX_CHARS..].iter().all(u8::is_ascii_alphanumeric) {
            return Err(MalformedToken::Shape);
        }
        if checksum(&this.0) != this.0[CHECKED_CHARS..] {
            return Err(MalformedToken::Checksum);
        }
        Ok(this)
    }

    /// The public prefix.
    pub fn prefix(&self) -> Prefix {
        let mut prefix = [0; PREFIX_CHARS];
        prefix.copy_from_slice(&self.0[..PREFIX_CHARS]);
        Prefix(prefix)
    }

    /// What the third character says the credential is.
    pub fn kind(&self) -> Kind {
        Kind::from_letter(self.0[2]).unwrap_or(Kind::ShortLived)
    }

    /// The one door to the secret: search for `expose(` to audit every use.
    pub fn expose(&self) -> &str {
        ascii(&self.0)
    }
}

impl Drop for PlainToken {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for PlainToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", self.prefix())
    }
}

/// Where in `text` something with the shape and checksum of a token stands, if anywhere: what must never be
/// logged or taken from an address.
pub fn find_in(text: &str) -> Option<std::ops::Range<usize>> {
    let bytes = text.as_bytes();
    bytes
        .windows(TOKEN_CHARS)
        .position(|window| PlainToken::parse(window).is_ok())
        .map(|start| start..start + TOKEN_CHARS)
}

/// Whether `text` begins as a token does, be it whole or not: enough to refuse it as a command's argument.
pub fn looks_like_one(text: &str) -> bool {
    text.len() > PREFIX_CHARS
        && text
            .as_bytes()
            .get(..PREFIX_CHARS)
            .is_some_and(|head| has_prefix_shape(head).is_ok())
}

fn has_prefix_shape(prefix: &[u8]) -> Result<(), MalformedToken> {
    let good = prefix[..2].iter().all(|byte| is_brand(*byte))
        && Kind::from_letter(prefix[2]).is_some()
        && prefix[SEPARATOR_AT] == b'_'
        && prefix[SEPARATOR_AT + 1..]
            .iter()
            .all(u8::is_ascii_alphanumeric);
    if good {
        Ok(())
    } else {
        Err(MalformedToken::Shape)
    }
}

/// CRC-32 (the one of IEEE 802.3) of all but the checksum, in base62, most significant digit first.
fn checksum(text: &[u8; TOKEN_CHARS]) -> [u8; CHECKSUM_CHARS] {
    let mut rest = crc32fast::hash(&text[..CHECKED_CHARS]);
    let mut digits = [b'0'; CHECKSUM_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

/// Draws base62 digits, each as likely as any other: bytes past the last multiple of 62 are thrown away.
fn fill_base62(digits: &mut [u8], entropy: &impl Entropy) {
    const FAIR_BELOW: u8 = 248;
    let mut drawn = [0_u8; 64];
    let mut filled = 0;
    while filled < digits.len() {
        entropy.fill(&mut drawn);
        for byte in drawn.iter().filter(|byte| **byte < FAIR_BELOW) {
            if filled < digits.len() {
                digits[filled] = BASE62[usize::from(byte % 62)];
                filled += 1;
            }
        }
    }
    drawn.zeroize();
}

fn ascii(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or("")
}

#[cfg(test)]
mod tests;
