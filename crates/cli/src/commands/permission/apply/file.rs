//! A file of permissions: what it says, and whether all of it can be.

use crate::{
    exit::{Failure, clean},
    limits::PERMISSIONS_FILE_BYTES_MAX,
};
use hallpass_domain::{
    limits::PERMISSION_DESCRIPTION_BYTES_MAX,
    permission::{Permission, Risk},
};
use serde::Deserialize;
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};
use toml::Spanned;

/// What of the file matters: it may be a whole hallpass.toml.
#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    permission: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default = "low")]
    risk: String,
}

fn low() -> String {
    "low".to_owned()
}

/// One permission of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) risk: String,
    /// Where it stands.
    pub(super) line: usize,
}

impl Wanted {
    /// It cannot stand in a catalogue.
    pub(super) fn refused(&self, why: &str) -> Failure {
        Failure::usage(format!(
            "{} (line {}): {}",
            clean(&self.name),
            self.line,
            clean(why)
        ))
        .next("Nothing was changed.")
    }

    /// What the server would say of it, before anything is changed.
    fn check(&self) -> Result<(), Failure> {
        let permission =
            Permission::parse(&self.name).map_err(|error| self.refused(&error.to_string()))?;
        if permission.is_wildcard() {
            return Err(self.refused(
                "a wildcard is no permission of its own: list each action; roles may then hold the wildcard",
            ));
        }
        if Risk::from_word(&self.risk).is_none() {
            return Err(self.refused("the risk is one of low, medium, high"));
        }
        let too_long = self.description.len() > PERMISSION_DESCRIPTION_BYTES_MAX;
        if too_long || self.description.chars().any(char::is_control) {
            return Err(self.refused(&format!(
                "the description has at most {PERMISSION_DESCRIPTION_BYTES_MAX} bytes in one line"
            )));
        }
        Ok(())
    }
}

/// The file, or standard input.
///
/// # Errors
/// A file that cannot be read, or is too long.
pub(super) fn read(file: &Path, from_standard_input: bool) -> Result<String, Failure> {
    let mut text = String::new();
    let limit = PERMISSIONS_FILE_BYTES_MAX + 1;
    let read = if from_standard_input {
        io::stdin().lock().take(limit).read_to_string(&mut text)
    } else {
        File::open(file).and_then(|file| file.take(limit).read_to_string(&mut text))
    };
    let shown = clean(&file.to_string_lossy());
    read.map_err(|error| Failure::usage(format!("{shown} cannot be read: {error}")))?;
    if text.len() as u64 > PERMISSIONS_FILE_BYTES_MAX {
        return Err(Failure::usage(format!(
            "{shown} is longer than {PERMISSIONS_FILE_BYTES_MAX} bytes"
        )));
    }
    Ok(text)
}

/// What the file lists, each of which can stand in a catalogue.
///
/// # Errors
/// Which does not, and where.
pub(super) fn parse(text: &str) -> Result<Vec<Wanted>, Failure> {
    let line_of = |at: usize| 1 + text[..at].matches('\n').count();
    let written: Written = toml::from_str(text).map_err(|error| {
        // The parser's own text quotes the line, and a settings file may hold a password.
        let line = error.span().map_or(1, |span| line_of(span.start));
        Failure::usage(format!(
            "the file is not understood: {} (line {line})",
            clean(error.message())
        ))
        .next("Write each permission as [[permission]] with name, description and risk.")
    })?;
    if written.permission.is_empty() {
        return Err(Failure::usage("the file lists no permission")
            .next("Write each permission as [[permission]] with name, description and risk."));
    }
    let mut all: Vec<Wanted> = Vec::new();
    for entry in written.permission {
        let line = line_of(entry.span().start);
        let entry = entry.into_inner();
        let wanted = Wanted {
            name: entry.name,
            description: entry.description,
            risk: entry.risk,
            line,
        };
        wanted.check()?;
        if let Some(before) = all.iter().find(|other| other.name == wanted.name) {
            let why = format!("the file lists it twice, first in line {}", before.line);
            return Err(wanted.refused(&why));
        }
        all.push(wanted);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn the_whole_file_is_checked_and_what_is_wrong_is_named_with_its_line() {
        let good = "[[permission]]\nname = \"a:b\"\n\n";
        let long = "x".repeat(PERMISSION_DESCRIPTION_BYTES_MAX + 1);
        for (bad, why) in [
            ("name = \"a\"", "a (line 4): "),
            ("name = \"c:*\"", "c:* (line 4): a wildcard"),
            (
                "name = \"c:d\"\nrisk = \"huge\"",
                "c:d (line 4): the risk is one of low",
            ),
            (
                "name = \"a:b\"",
                "a:b (line 4): the file lists it twice, first in line 1",
            ),
            (
                "name = \"c:d\"\ndescription = \"a\\nb\"",
                "c:d (line 4): the description",
            ),
            (
                &format!("name = \"c:d\"\ndescription = \"{long}\""),
                "c:d (line 4): the description",
            ),
        ] {
            let failure = parse(&format!("{good}[[permission]]\n{bad}\n")).unwrap_err();
            assert_eq!(failure.exit, Exit::Usage);
            assert!(failure.to_string().starts_with(why), "{failure}");
        }
        let all = parse(&format!("{good}[[permission]]\nname = \"c:d\"\n")).unwrap();
        let lines: Vec<usize> = all.iter().map(|one| one.line).collect();
        assert_eq!(lines, [1, 4]);
    }

    #[test]
    fn a_file_that_is_not_understood_is_not_repeated() {
        for bad in [
            "",
            "permission = 1",
            "[[permission]]\nrisk = \"low\"",
            "[[permission]]\nname = \"a:b\"\nrisks = \"low\"",
            "[[permission]]\nname = \"a:b\"\n[[permission]]\nname = \"a:b\"",
            "database = \"postgres://u:canary@h/d\n",
        ] {
            let failure = parse(bad).unwrap_err();
            assert_eq!(failure.exit, Exit::Usage, "{bad}");
            assert!(!failure.to_string().contains("canary"), "{failure}");
        }
    }
}
