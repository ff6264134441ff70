//! `hallpass permission apply`.

mod file;

use super::{catalogue, path, tell_added};
use crate::{
    arguments::roles::PermissionApply,
    commands::desk::Desk,
    exit::{Exit, Failure, clean},
    output::{self, rows},
    prompt,
};
use file::Wanted;
use hallpass_domain::{limits::CATALOGUE_PERMISSIONS_MAX, permission::OWN_RESOURCE};
use hallpass_wire::{CatalogueEntry, PutPermission};
use serde::Serialize;
use std::collections::BTreeMap;

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
    let wanted = file::parse(&file::read(&arguments.file, from_standard_input)?)?;
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
    // What only comes in takes nothing from anybody.
    let only_new =
        difference.delete.is_empty() && difference.set.iter().all(|one| one.was.is_none());
    let unasked = arguments.consent.yes || only_new;
    if from_standard_input && !unasked {
        return Err(
            Failure::usage("the file comes from standard input, so nobody can be asked")
                .next("Give --yes, or --dry-run to see the difference."),
        );
    }
    prompt::consent(
        unasked,
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
    let added: Vec<String> = difference
        .set
        .iter()
        .filter(|step| step.was.is_none())
        .map(|step| step.name.clone())
        .collect();
    tell_added(desk, &added);
    Ok(Exit::Done)
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
        check_source(entry, found)?;
        difference.set.push(Step {
            name: entry.name.clone(),
            description: entry.description.trim().to_owned(),
            risk: entry.risk.clone(),
            was: found.map(|found| (found.description.clone(), found.risk.clone())),
        });
    }
    check_room(&difference, now.len())?;
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

/// What the settings file or the product says is not said otherwise here.
fn check_source(entry: &Wanted, found: Option<&CatalogueEntry>) -> Result<(), Failure> {
    let Some(found) = found else {
        let is_own = entry.name.split(':').next() == Some(OWN_RESOURCE);
        return match is_own {
            true => {
                Err(entry.refused("hallpass:… belongs to the product: choose another resource"))
            }
            false => Ok(()),
        };
    };
    let whose = match found.source.as_str() {
        "api" => return Ok(()),
        "file" => "the server's hallpass.toml",
        _ => "the product",
    };
    Err(Failure::new(
        Exit::Conflict,
        format!(
            "{} is set by {whose}, and the file says something else of it (line {})",
            clean(&entry.name),
            entry.line
        ),
    )
    .next(format!(
        "Take it out of the file, or make it say: “{}”, risk {}.",
        clean(&found.description),
        clean(&found.risk)
    )))
}

/// What is new comes in before anything goes.
fn check_room(difference: &Difference, now: usize) -> Result<(), Failure> {
    let steps = difference.set.iter();
    let all = now + steps.filter(|step| step.was.is_none()).count();
    if all > CATALOGUE_PERMISSIONS_MAX {
        return Err(Failure::new(
            Exit::Conflict,
            format!(
                "there would be {all} permissions, and there may be {CATALOGUE_PERMISSIONS_MAX}"
            ),
        ));
    }
    Ok(())
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
        let wanted = file::parse(FILE).unwrap();
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
    fn what_belongs_to_the_product_is_left_to_it() {
        let own = "[[permission]]\nname = \"hallpass:audit\"\ndescription = \"Own.\"\n";
        let wanted = file::parse(own).unwrap();
        let there = [entry("hallpass:audit", "Own.", "low", "product")];
        assert_eq!(
            difference(&wanted, &there, true).unwrap(),
            Difference::default()
        );
        let failure = difference(&wanted, &[], false).unwrap_err();
        assert!(
            failure.exit == Exit::Usage && failure.to_string().contains("hallpass:audit (line 1)"),
            "{failure}"
        );
    }

    #[test]
    fn there_is_an_end_to_what_comes_in() {
        let new = Difference {
            set: vec![Step {
                name: "a:b".into(),
                description: String::new(),
                risk: "low".into(),
                was: None,
            }],
            delete: Vec::new(),
        };
        assert_eq!(check_room(&new, CATALOGUE_PERMISSIONS_MAX - 1), Ok(()));
        let full = check_room(&new, CATALOGUE_PERMISSIONS_MAX).unwrap_err();
        assert_eq!(full.exit, Exit::Conflict);
    }

    #[test]
    fn what_the_settings_say_is_not_overruled() {
        let now = [entry("repo:read", "Look.", "low", "file")];
        let failure = difference(&file::parse(FILE).unwrap(), &now, false).unwrap_err();
        assert_eq!(failure.exit, Exit::Conflict);
        assert!(failure.to_string().contains("hallpass.toml"), "{failure}");
    }
}
