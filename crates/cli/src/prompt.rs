//! What is asked of the person at the terminal, and secrets from standard input.

use crate::{
    exit::{Exit, Failure},
    limits::SECRET_INPUT_BYTES_MAX,
};
use std::io::{self, BufRead as _, IsTerminal as _, Read, Write as _};
use zeroize::Zeroizing;

/// Whether somebody can be asked.
pub(crate) fn somebody_is_there() -> bool {
    io::stdin().is_terminal()
}

/// Asks for a line; an empty one is `default`.
///
/// # Errors
/// Standard input that ended.
pub(crate) fn ask(question: &str, default: Option<&str>) -> Result<String, Failure> {
    let shown = default.map_or_else(String::new, |default| format!(" [{default}]"));
    write!(io::stderr(), "{question}{shown}: ").ok();
    let mut line = String::new();
    let read = io::stdin()
        .lock()
        .take(SECRET_INPUT_BYTES_MAX)
        .read_line(&mut line)
        .map_err(|error| unreadable(&error))?;
    if read == 0 {
        return Err(Failure::usage(
            "standard input ended before the question was answered",
        ));
    }
    let line = line.trim();
    Ok(if line.is_empty() {
        default.unwrap_or("").to_owned()
    } else {
        line.to_owned()
    })
}

/// Asks a question that only `y` or `yes` answers with yes.
///
/// # Errors
/// Standard input that ended.
pub(crate) fn confirm(question: &str) -> Result<bool, Failure> {
    let answer = ask(&format!("{question} [y/N]"), None)?;
    Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
}

/// Goes on only if somebody agrees, or `unasked`. `what_happens` is told before the question.
///
/// # Errors
/// Nobody there, or a no.
pub(crate) fn consent(unasked: bool, what_happens: &str, question: &str) -> Result<(), Failure> {
    if unasked {
        return Ok(());
    }
    if !somebody_is_there() {
        return Err(
            Failure::usage("this asks first, and nobody can be asked here")
                .next(what_happens)
                .next("Give --yes to do it without a question."),
        );
    }
    crate::output::tell(what_happens);
    if confirm(question)? {
        Ok(())
    } else {
        Err(Failure::new(Exit::Refused, "nothing was changed"))
    }
}

/// Asks for a secret, which is not shown.
///
/// # Errors
/// A terminal that cannot be read.
pub(crate) fn ask_secret(question: &str) -> Result<Zeroizing<String>, Failure> {
    rpassword::prompt_password(format!("{question}: "))
        .map(Zeroizing::new)
        .map_err(|error| unreadable(&error))
}

/// The secret on standard input: its first line.
///
/// # Errors
/// Nothing there, or more than a secret has.
pub(crate) fn read_secret(what: &str) -> Result<Zeroizing<String>, Failure> {
    first_line(io::stdin().lock(), what)
}

fn first_line(input: impl Read, what: &str) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::with_capacity(
        usize::try_from(SECRET_INPUT_BYTES_MAX).unwrap_or(0) + 1,
    ));
    input
        .take(SECRET_INPUT_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|error| unreadable(&error))?;
    if text.len() as u64 > SECRET_INPUT_BYTES_MAX {
        return Err(Failure::usage(format!(
            "standard input holds more than {SECRET_INPUT_BYTES_MAX} bytes; expected was {what}"
        )));
    }
    let body = text.trim_end_matches(['\r', '\n']);
    if body.is_empty() {
        return Err(Failure::usage(format!(
            "standard input is empty; expected was {what}"
        )));
    }
    if body.contains(['\r', '\n']) {
        return Err(Failure::usage(format!(
            "standard input has more than one line; expected was {what}"
        )));
    }
    Ok(Zeroizing::new(body.to_owned()))
}

fn unreadable(error: &io::Error) -> Failure {
    Failure::new(
        Exit::Trouble,
        format!("standard input cannot be read: {error}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_one_line() {
        let read =
            |text: &str| first_line(text.as_bytes(), "a password").map(|secret| secret.to_string());
        assert_eq!(read("correct horse\n").unwrap(), "correct horse");
        assert_eq!(read("  blanks count  \r\n").unwrap(), "  blanks count  ");
        assert_eq!(read("no end of line").unwrap(), "no end of line");
        for bad in ["", "\n", "a\nb", &"x".repeat(5_000)] {
            let failure = read(bad).unwrap_err();
            assert!(failure.exit == Exit::Usage && failure.to_string().contains("a password"));
        }
    }
}
