//! Nothing secret and nothing that breaks a line gets into the log, whoever wrote it.

pub(super) use hallpass_domain::token::mask::hide_in as hide_tokens;
use std::{borrow::Cow, fmt::Write as _, io};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_token_reaches_no_line() {
        let mut lines = ScrubbedWriter {
            inner: Vec::new(),
            how: Escape::Json,
        };
        for secret in ["hpp%5F7Kd2mQv9XwB4nT1c", "hpp%255f7Kd2mQv9%2558wB4nT1c"] {
            assert!(!scrub(secret).contains("wB4"), "{secret}");
            io::Write::write_all(&mut lines, format!("at /{secret}/\n").as_bytes()).unwrap();
        }
        assert_eq!(
            String::from_utf8(lines.inner).unwrap(),
            "at /hpp%5F7Kd2mQ…/\nat /hpp%255f7Kd2mQ…/\n"
        );
    }
}
