//! `hallpass permission apply`.

use super::{catalogue, path};
use crate::{
    arguments::roles::PermissionApply,
    commands::desk::Desk,
    exit::{Exit, Failure, clean},
    limits::PERMISSIONS_FILE_BYTES_MAX,
    output::{self, rows},
    prompt,
};
use hallpass_wire::{CatalogueEntry, PutPermission};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::Path,
};

/// What of the file matters: it may be a whole hallpass.toml.
#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    permission: Vec<Wanted>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default = "low")]
    risk: String,
}

fn low() -> String {
    "low".to_owned()
}

/// What has to be done to the catalogue.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Difference {
    /// What is new or said differently.
    set: Vec<Step>,
    /// What goes.
    delete: Vec<String>,
}

/// One permission that is set.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Step {
    name: String,
    description: String,
    risk: String,
    /// What is said of it now; null when it is new.
    was: Option<(String, String)>,
}

/// Shows what the file changes, asks, and does it.
pub(super) fn run(arguments: &PermissionApply) -> Result<Exit, Failure> {
    let from_standard_input = arguments.file.as_os_str() == "-";
    if from_standard_input && !arguments.consent.yes && !arguments.dry_run {
        return Err(
            Failure::usage("the file comes from standard input, so nobody can be asked")
                .next("Give --yes, or --dry-run to see the difference."),
        );
    }
    let wanted = parse(&read(&arguments.file, from_standard_input)?)?;
    let desk = Desk::of_deployment(&arguments.deployment)?;
    let difference = difference(&wanted, &catalogue(&desk)?, arguments.prune)?;
    if desk.report.json {
        output::print_json(&difference)?;
    } else if !desk.report.quiet {
        output::print(&told(&difference))?;
    }
    let none = difference.set.is_empty() && difference.delete.is_empty();
    if none {
        return Ok(Exit::Done);
    }
    if arguments.dry_run {
        return Ok(Exit::Refused);
    }
    prompt::consent(
        arguments.consent.yes,
        "It acts at once in every organization; what is deleted nobody holds any more.",
        "Change the catalogue?",
    )?;
    apply(&desk, &difference)
}

fn apply(desk: &Desk, difference: &Difference) -> Result<Exit, Failure> {
    let half_way = |failure: Failure| {
        failure.next(
            "What comes before it in the list above is done; repeat the command to do the rest.",
        )
    };
    for step in &difference.set {
        let wish = PutPermission {
            description: step.description.clone(),
            risk: Some(step.risk.clone()),
        };
        desk.client
            .put::<CatalogueEntry>(&path(&step.name), &wish)
            .map_err(half_way)?;
    }
    for name in &difference.delete {
        desk.client.delete(&path(name)).map_err(half_way)?;
    }
    rows::say(
        &format!(
            "Set {} and deleted {}.",
            rows::count(difference.set.len() as u64, "permission"),
            difference.delete.len()
        ),
        desk.report,
    );
    Ok(Exit::Done)
}

fn read(file: &Path, from_standard_input: bool) -> Result<String, Failure> {
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

fn parse(text: &str) -> Result<Vec<Wanted>, Failure> {
    let written: Written = toml::from_str(text).map_err(|error| {
        // The parser's own text quotes the line, and a settings file may hold a password.
        let line = error
            .span()
            .map_or(1, |span| 1 + text[..span.start].matches('\n').count());
        Failure::usage(format!(
            "the file is not understood: {} (line {line})",
            clean(error.message())
        ))
        .next("Write each permission as [[permission]] with name, description and risk.")
    })?;
    let mut seen = std::collections::BTreeSet::new();
    for wanted in &written.permission {
        if !seen.insert(&wanted.name) {
            return Err(Failure::usage(format!(
                "the file lists {} twice",
                clean(&wanted.name)
            )));
        }
    }
    if written.permission.is_empty() {
        return Err(Failure::usage("the file lists no permission")
            .next("Write each permission as [[permission]] with name, description and risk."));
    }
    Ok(written.permission)
}

/// What is to be done so that the catalogue says what is wanted.
fn difference(
    wanted: &[Wanted],
    now: &[CatalogueEntry],
    prune: bool,
) -> Result<Difference, Failure> {
    let now: BTreeMap<&str, &CatalogueEntry> = now
        .iter()
        .map(|entry| (entry.name.as_str(), entry))
        .collect();
    let mut difference = Difference::default();
    for entry in wanted {
        let found = now.get(entry.name.as_str()).copied();
        if found.is_some_and(|found| {
            found.description == entry.description.trim() && found.risk == entry.risk
        }) {
            continue;
        }
        if let Some(found) = found.filter(|found| found.source != "api") {
            let whose = if found.source == "file" {
                "the server's hallpass.toml"
            } else {
                "the product"
            };
            return Err(Failure::new(
                Exit::Conflict,
                format!(
                    "{} is set by {whose}, and the file says something else of it",
                    clean(&entry.name)
                ),
            )
            .next(format!(
                "Take it out of the file, or make it say: “{}”, risk {}.",
                clean(&found.description),
                clean(&found.risk)
            )));
        }
        difference.set.push(Step {
            name: entry.name.clone(),
            description: entry.description.trim().to_owned(),
            risk: entry.risk.clone(),
            was: found.map(|found| (found.description.clone(), found.risk.clone())),
        });
    }
    if prune {
        difference.delete = now
            .values()
            .filter(|entry| {
                entry.source == "api" && wanted.iter().all(|wanted| wanted.name != entry.name)
            })
            .map(|entry| entry.name.clone())
            .collect();
    }
    Ok(difference)
}

/// The difference as people read it: `+` is new, `~` is said differently, `-` goes.
fn told(difference: &Difference) -> String {
    let mut text = String::new();
    for step in &difference.set {
        let (name, new) = (clean(&step.name), clean(&step.description));
        match &step.was {
            None => text.push_str(&format!("+ {name} ({}): {new}\n", clean(&step.risk))),
            Some((description, risk)) => text.push_str(&format!(
                "~ {name} ({} → {}): {} → {new}\n",
                clean(risk),
                clean(&step.risk),
                clean(description)
            )),
        }
    }
    for name in &difference.delete {
        text.push_str(&format!("- {}\n", clean(name)));
    }
    if text.is_empty() {
        text.push_str("The catalogue says that already.\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "listen = \"127.0.0.1:1\"\n[[permission]]\nname = \"repo:read\"\ndescription = \"Read.\"\n\
                        [[permission]]\nname = \"repo:push\"\nrisk = \"high\"\n";

    fn entry(name: &str, description: &str, risk: &str, source: &str) -> CatalogueEntry {
        CatalogueEntry {
            name: name.into(),
            description: description.into(),
            risk: risk.into(),
            source: source.into(),
            held: true,
        }
    }

    #[test]
    fn the_difference_is_what_is_new_other_and_gone() {
        let now = [
            entry("repo:read", "Look.", "low", "api"),
            entry("repo:old", "", "low", "api"),
            entry("repo:file", "", "low", "file"),
            entry("hallpass:audit", "", "low", "product"),
        ];
        let wanted = parse(FILE).unwrap();
        let kept = difference(&wanted, &now, false).unwrap();
        assert_eq!(
            told(&kept),
            "~ repo:read (low → low): Look. → Read.\n+ repo:push (high): \n"
        );
        let pruned = difference(&wanted, &now, true).unwrap();
        assert_eq!(pruned.delete, ["repo:old"]);
        let there = [
            entry("repo:read", "Read.", "low", "file"),
            entry("repo:push", "", "high", "api"),
        ];
        let none = difference(&wanted, &there, true).unwrap();
        assert_eq!(told(&none), "The catalogue says that already.\n");
    }

    #[test]
    fn what_the_settings_say_is_not_overruled() {
        let now = [entry("repo:read", "Look.", "low", "file")];
        let failure = difference(&parse(FILE).unwrap(), &now, false).unwrap_err();
        assert_eq!(failure.exit, Exit::Conflict);
        assert!(failure.to_string().contains("hallpass.toml"), "{failure}");
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
