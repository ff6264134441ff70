//! How a command ends: its exit code, and what it says when it did not do as asked.

mod words;

use hallpass_domain::limits::PERMISSION_DESCRIPTION_BYTES_MAX;
use hallpass_wire::Problem;
use std::fmt;

/// The exit codes. Scripts rely on them: a code never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// Refused: a verdict that says no, something the caller may not do, a question answered with no.
    Refused,
    /// The command was not understood, or asked for something that cannot be.
    Usage,
    /// The server cannot be reached.
    Unreachable,
    /// Nobody is signed in, or the credential does not work.
    NotSignedIn,
    /// There is no such thing.
    NotFound,
    /// It contradicts what is there.
    Conflict,
    /// The server, or this machine, failed.
    Trouble,
}

impl Exit {
    /// Every code, in order.
    pub(crate) const ALL: [Self; 8] = [
        Self::Done,
        Self::Refused,
        Self::Usage,
        Self::Unreachable,
        Self::NotSignedIn,
        Self::NotFound,
        Self::Conflict,
        Self::Trouble,
    ];

    /// The number the process ends with.
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }

    /// What help texts say about it.
    const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done; `verify`: the token may do it",
            Self::Refused => "refused; `verify`: the token may not do it",
            Self::Usage => "the command was not understood, or a value in it is not valid",
            Self::Unreachable => "the server cannot be reached",
            Self::NotSignedIn => "nobody is signed in, or the credential was refused",
            Self::NotFound => "there is no such thing",
            Self::Conflict => "it contradicts what is there, such as a name that is taken",
            Self::Trouble => "the server or this machine is in trouble; try again later",
        }
    }

    /// The paragraph of the help text.
    pub(crate) fn help() -> String {
        let mut text = String::from("Exit codes:\n");
        for exit in Self::ALL {
            text.push_str(&format!("  {}  {}\n", exit.code(), exit.meaning()));
        }
        text
    }

    /// What an HTTP status of a refusal means for the exit code.
    pub(crate) const fn of_status(status: u16) -> Self {
        match status {
            401 => Self::NotSignedIn,
            403 => Self::Refused,
            404 | 410 => Self::NotFound,
            409 | 412 | 422 => Self::Conflict,
            429 | 500.. => Self::Trouble,
            _ => Self::Usage,
        }
    }
}

/// Why a command did not do as asked, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) exit: Exit,
    /// What happened, without a full stop.
    pub(crate) what: String,
    /// Further lines: single fields, the way out.
    pub(crate) more: Vec<String>,
    /// The stable code of the server's problem, if it came from there.
    pub(crate) code: Option<String>,
}

impl Failure {
    /// A failure by its code and what happened.
    pub(crate) fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self {
            exit,
            what: what.into(),
            more: Vec::new(),
            code: None,
        }
    }

    /// The command cannot be obeyed as it was given.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what)
    }

    /// The same, with one more line that says what to do next.
    #[must_use]
    pub(crate) fn next(mut self, line: impl Into<String>) -> Self {
        self.more.push(line.into());
        self
    }

    /// Whether the server's problem has this code.
    pub(crate) fn has_code(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// What a problem document says. `by_login`: it answers the token of `hallpass login`.
    pub(crate) fn of_problem(status: u16, problem: &Problem, by_login: bool) -> Self {
        let told = |text: &str| words::in_flags(&without_stop(text));
        let mut what =
            words::ours(&problem.code).map_or_else(|| told(&problem.detail), str::to_owned);
        if what.is_empty() {
            what = without_stop(&problem.title);
        }
        let mut failure = Self::new(Exit::of_status(status), what);
        for field in &problem.errors {
            let is_told = field.code == problem.code && words::ours(&field.code).is_some();
            if !is_told && told(&field.detail) != failure.what {
                let detail = words::in_flags(&clean(&field.detail));
                let name = clean(words::flag(&field.field));
                failure.more.push(format!("{name}: {detail}"));
            }
        }
        failure.code = Some(problem.code.clone());
        let ways = words::way_out(&problem.code, by_login);
        failure
            .more
            .extend(ways.iter().map(|&line| line.to_owned()));
        if let (500.., Some(request)) = (status, &problem.request) {
            failure.more.push(format!(
                "Request {} in the server's log says more.",
                clean(request)
            ));
        }
        failure
    }
}

fn without_stop(text: &str) -> String {
    clean(text.trim().trim_end_matches('.'))
}

/// Text from elsewhere, fit for a terminal: what could move the cursor or hide text is replaced, and what
/// is longer than anything the server says is cut.
pub(crate) fn clean(text: &str) -> String {
    const CHARS_MAX: usize = 4 * PERMISSION_DESCRIPTION_BYTES_MAX;
    let replaced = |c: char| {
        if c.is_control() || is_bidi(c) {
            '\u{fffd}'
        } else {
            c
        }
    };
    text.chars().take(CHARS_MAX).map(replaced).collect()
}

const fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        for line in &self.more {
            write!(f, "\n  {line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_wire::FieldProblem;

    #[test]
    fn the_codes_are_what_scripts_rely_on() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7]);
        for (status, exit) in [
            (400, Exit::Usage),
            (401, Exit::NotSignedIn),
            (403, Exit::Refused),
            (404, Exit::NotFound),
            (409, Exit::Conflict),
            (422, Exit::Conflict),
            (429, Exit::Trouble),
            (500, Exit::Trouble),
            (503, Exit::Trouble),
        ] {
            assert_eq!(Exit::of_status(status), exit, "{status}");
        }
        assert!(Exit::help().contains("\n  4  nobody is signed in"));
    }

    #[test]
    fn a_problem_says_what_happened_and_what_to_do() {
        let field = |field: &str, detail: &str| FieldProblem {
            field: field.into(),
            code: "x".into(),
            detail: detail.into(),
        };
        let problem = Problem {
            code: "name_required".into(),
            detail: "A name is needed.".into(),
            errors: vec![
                field("name", "A name is needed."),
                field("scope", "“x” is no permission."),
            ],
            ..Problem::default()
        };
        assert_eq!(
            Failure::of_problem(400, &problem, false).to_string(),
            "A name is needed\n  --permission: “x” is no permission."
        );

        let problem = Problem {
            code: "invalid_token".into(),
            detail: "It is revoked.".into(),
            ..Problem::default()
        };
        let failure = Failure::of_problem(401, &problem, false);
        assert_eq!(failure.exit, Exit::NotSignedIn);
        assert_eq!(
            failure.to_string(),
            "It is revoked\n  Sign in again with `hallpass login`."
        );

        let problem = Problem {
            code: "internal".into(),
            detail: "It failed.".into(),
            request: Some("r-1".into()),
            ..Problem::default()
        };
        assert!(
            Failure::of_problem(500, &problem, false)
                .to_string()
                .contains("r-1")
        );
    }

    fn told(code: &str, detail: &str, field: Option<&str>, by_login: bool) -> String {
        let errors = field.map(|field| FieldProblem {
            field: field.into(),
            code: code.into(),
            detail: detail.into(),
        });
        let problem = Problem {
            code: code.into(),
            detail: detail.into(),
            errors: errors.into_iter().collect(),
            ..Problem::default()
        };
        Failure::of_problem(409, &problem, by_login).to_string()
    }

    #[test]
    fn nothing_is_said_twice_and_flags_are_called_by_their_name() {
        let late = "expirationDate must lie in the future.";
        let field = Some("expirationDate");
        assert_eq!(
            told("expiration_not_in_future", late, field, false),
            "--expires must lie in the future"
        );
        assert_eq!(
            told(
                "expiration_above_policy",
                "Choose an earlier expirationDate.",
                field,
                false
            ),
            "Choose an earlier --expires"
        );
        let in_use = told("role_in_use", "Move them (moveMembersTo).", None, false);
        assert!(in_use.contains("--move-members-to ROLE") && !in_use.contains("moveMembersTo"));
        assert_eq!(
            told(
                "set_by_file",
                "The settings file names a:b: change it there.",
                None,
                true
            ),
            "The settings file names a:b: change it there"
        );
        assert_eq!(
            told(
                "last_superuser",
                "Make somebody else one first.",
                None,
                true
            ),
            "Make somebody else one first\n  `hallpass member role USER Superuser` does that."
        );
        for code in ["above_your_role", "permission_missing", "wider_than_asker"] {
            assert!(
                told(code, "No.", None, true).contains("signed in; run `hallpass login` again")
            );
            assert!(!told(code, "No.", None, false).contains("when you signed in"));
        }
    }

    #[test]
    fn a_server_cannot_move_the_cursor() {
        assert_eq!(
            clean("a\u{1b}[2Jb\r\u{202e}c"),
            "a\u{fffd}[2Jb\u{fffd}\u{fffd}c"
        );
        assert_eq!(clean(&"x".repeat(100_000)).len(), 1_200);
    }
}
