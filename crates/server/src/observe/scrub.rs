//! Nothing secret and nothing that breaks a line gets into the log, whoever wrote it.

use hallpass_domain::token::{Kind, plain::PREFIX_CHARS};
use std::{borrow::Cow, fmt::Write as _, io};

/// Letters and digits after the `_` of a token's beginning from which on it is taken for one, be it whole,
/// cut or mistyped: the prefix alone is public and has 6.
const REST_CHARS_MIN: usize = 12;
/// Characters of brand and kind, before the `_`.
const HEAD_CHARS: usize = 3;

/// `text` with everything that looks like a token cut down to its public prefix, and with characters that
/// end a line, move a terminal's cursor or reorder what is read written as `\u{…}`.
pub fn scrub(text: &str) -> Cow<'_, str> {
    match hide_tokens(text) {
        Cow::Borrowed(text) => escape(text, Escape::Braces),
        Cow::Owned(text) => Cow::Owned(escape(&text, Escape::Braces).into_owned()),
    }
}

/// How a character that must not stand in a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    /// `\u{2028}`.
    Braces,
    /// `\u2028`, as JSON has it.
    Json,
    /// Only what no terminal's colours need: the escape character stays. What values hold has been scrubbed
    /// before the colours were added.
    KeepColours,
}

/// Cuts everything that looks like a token down to its prefix. Wider than the parser of tokens on purpose: a
/// path may have cut a token, and a person mistyped it.
pub(super) fn hide_tokens(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut hidden = String::new();
    let mut kept_to = 0;
    for (at, _) in text.match_indices('_') {
        let Some(start) = at.checked_sub(HEAD_CHARS) else {
            continue;
        };
        let head = &bytes[start..at];
        let brand = head[..2]
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let rest = bytes[at + 1..]
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric())
            .count();
        if brand && Kind::from_letter(head[2]).is_some() && rest >= REST_CHARS_MIN {
            hidden.push_str(&text[kept_to..start + PREFIX_CHARS]);
            hidden.push('…');
            kept_to = at + 1 + rest;
        }
    }
    if kept_to == 0 {
        return Cow::Borrowed(text);
    }
    hidden.push_str(&text[kept_to..]);
    Cow::Owned(hidden)
}

/// Controls, separators of lines and paragraphs, marks that reorder or draw nothing.
const fn breaks_a_line(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Writes every character that breaks a line as an escape.
pub(super) fn escape(text: &str, how: Escape) -> Cow<'_, str> {
    let bad = |c: char| breaks_a_line(c) && !(c == '\u{1b}' && how == Escape::KeepColours);
    if !text.contains(bad) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        // Writing to a String does not fail.
        let _ = match c {
            c if !bad(c) => escaped.write_char(c),
            c if how == Escape::Json => c
                .encode_utf16(&mut [0; 2])
                .iter()
                .try_for_each(|unit| write!(escaped, "\\u{unit:04x}")),
            '\n' => escaped.write_str("\\n"),
            '\r' => escaped.write_str("\\r"),
            '\t' => escaped.write_str("\\t"),
            c => write!(escaped, "\\u{{{:x}}}", u32::from(c)),
        };
    }
    Cow::Owned(escaped)
}

/// Where finished log lines go: each write is one event, and comes out as one line without secrets.
#[derive(Debug)]
pub(super) struct ScrubbedWriter<W> {
    pub(super) inner: W,
    pub(super) how: Escape,
}

impl<W: io::Write> io::Write for ScrubbedWriter<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let hidden = hide_tokens(text.trim_end_matches('\n'));
        let mut line = escape(&hidden, self.how).into_owned();
        line.push('\n');
        self.inner.write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
