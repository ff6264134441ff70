//! Hiding tokens in texts that others wrote: log lines, addresses, names of programs.

use super::{Kind, plain::PREFIX_CHARS};
use std::{borrow::Cow, ops::Range};

/// Letters and digits after the `_` of a token's beginning from which on it is taken for one, be it whole,
/// cut or mistyped: the prefix alone is public and has 6.
const REST_CHARS_MIN: usize = 12;
/// Characters of brand and kind, before the `_`.
const HEAD_CHARS: usize = 3;
/// How often percent-encoding is undone in search of a token: an address that passes on an address has it twice.
pub const DECODINGS_MAX: usize = 2;

/// `text` with everything that looks like a token cut down to its public prefix, percent-encoded ones too. Wider
/// than the parser of tokens on purpose: a path may have cut a token, and a person mistyped it.
pub fn hide_in(text: &str) -> Cow<'_, str> {
    let mut secrets: Vec<Range<usize>> = secrets_in(text.as_bytes()).collect();
    if text.contains('%') {
        let mut reading = Reading::new(text);
        for _ in 0..DECODINGS_MAX {
            reading = reading.decoded();
            secrets.extend(secrets_in(&reading.bytes).map(|secret| reading.source(&secret)));
        }
    }
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    secrets.sort_by_key(|secret| secret.start);
    let mut hidden = String::with_capacity(text.len());
    let mut kept_to = 0;
    for secret in secrets {
        if secret.start >= kept_to {
            hidden.push_str(&text[kept_to..secret.start]);
            hidden.push('…');
        }
        kept_to = kept_to.max(secret.end);
    }
    hidden.push_str(&text[kept_to..]);
    Cow::Owned(hidden)
}

/// What must not be seen of each token in `bytes`: all after its prefix.
fn secrets_in(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let separators = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_');
    separators.filter_map(move |(at, _)| {
        let start = at.checked_sub(HEAD_CHARS)?;
        let head = &bytes[start..at];
        let brand = head[..2]
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let rest = bytes[at + 1..]
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric())
            .count();
        (brand && Kind::from_letter(head[2]).is_some() && rest >= REST_CHARS_MIN)
            .then(|| start + PREFIX_CHARS..at + 1 + rest)
    })
}

/// A text with its percent-encoding undone, and where in it each byte stood. What is no encoding stays.
struct Reading {
    bytes: Vec<u8>,
    /// One more than there are bytes: the last is the end of the text.
    starts: Vec<usize>,
}

impl Reading {
    fn new(text: &str) -> Self {
        Self {
            bytes: text.as_bytes().to_vec(),
            starts: (0..=text.len()).collect(),
        }
    }

    fn decoded(&self) -> Self {
        let mut decoded = Self {
            bytes: Vec::with_capacity(self.bytes.len()),
            starts: Vec::with_capacity(self.starts.len()),
        };
        let mut at = 0;
        while let Some(first) = self.bytes.get(at) {
            let (byte, width) = encoded(&self.bytes[at..]).map_or((*first, 1), |byte| (byte, 3));
            decoded.bytes.push(byte);
            decoded.starts.push(self.starts[at]);
            at += width;
        }
        decoded.starts.extend(self.starts.last());
        decoded
    }

    fn source(&self, range: &Range<usize>) -> Range<usize> {
        self.starts[range.start]..self.starts[range.end]
    }
}

/// The byte that `%XX` at the beginning of `bytes` stands for.
fn encoded(bytes: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = bytes else {
        return None;
    };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests;
