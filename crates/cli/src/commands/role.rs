//! `hallpass role …`.

use super::{desk::Office, pages};
use crate::{
    arguments::roles::{RoleChange, RoleCommand, RoleCreate, RoleDelete},
    exit::{Exit, Failure, clean},
    output::rows::{self, count, joined},
    prompt,
};
use hallpass_wire::{Role, RoleDeleted, WriteRole};

/// Does what was asked.
pub(super) fn run(command: RoleCommand) -> Result<Exit, Failure> {
    match command {
        RoleCommand::List(within) => {
            let office = Office::enter(&within)?;
            let items: Vec<Role> = pages::whole(&office.desk.client, &office.path("/roles"))?;
            rows::list(
                &items,
                "There are no roles.",
                within.report,
                office.desk.now,
            )
        }
        RoleCommand::Show(arguments) => {
            let office = Office::enter(&arguments.within)?;
            let role = office.role(&arguments.role)?;
            rows::one(&role, arguments.within.report, office.desk.now)
        }
        RoleCommand::Create(arguments) => create(arguments),
        RoleCommand::Change(arguments) => change(&arguments),
        RoleCommand::Delete(arguments) => delete(&arguments),
    }
}

fn create(arguments: RoleCreate) -> Result<Exit, Failure> {
    let office = Office::enter(&arguments.within)?;
    let wish = WriteRole {
        name: arguments.name,
        description: arguments.description,
        permissions: arguments.permissions,
        tokens_by_default: arguments.tokens.said(),
    };
    let made: Role = office.desk.client.post(&office.path("/roles"), &wish)?;
    let told = format!(
        "Made the role “{}”. It holds: {}.",
        clean(&made.name),
        clean(&joined(&made.permissions))
    );
    rows::made(&made, &told, arguments.within.report)
}

fn path(office: &Office, role: &Role) -> String {
    office.path(&format!("/roles/{}", pages::segment(&role.id)))
}

/// Who has a role, in a sentence.
fn users(role: &Role) -> String {
    format!(
        "{} and {}",
        count(role.members, "member"),
        count(role.keys, "API key")
    )
}

fn change(arguments: &RoleChange) -> Result<Exit, Failure> {
    let office = Office::enter(&arguments.within)?;
    let role = office.role(&arguments.role)?;
    let wish = changed(&role, arguments)?;
    let gone: Vec<String> = arguments
        .remove
        .iter()
        .filter(|text| !wish.permissions.contains(text))
        .cloned()
        .collect();
    if !gone.is_empty() && role.members + role.keys > 0 {
        prompt::consent(
            arguments.consent.yes,
            &format!(
                "{} have “{}”. They and their tokens lose at once: {}.",
                users(&role),
                clean(&role.name),
                clean(&joined(&gone))
            ),
            "Change the role?",
        )?;
    }
    let after: Role = office.desk.client.put(&path(&office, &role), &wish)?;
    let told = format!(
        "Changed the role “{}”. It holds: {}.",
        clean(&after.name),
        clean(&joined(&after.permissions))
    );
    rows::changed(&after, &told, arguments.within.report)
}

/// What the role is to be: what it is, with what was asked for.
fn changed(role: &Role, arguments: &RoleChange) -> Result<WriteRole, Failure> {
    let name = clean(&role.name);
    let Some(named) = &role.named else {
        return Err(Failure::usage(format!(
            "“{name}” is built in and holds what there is; it cannot be changed"
        ))
        .next("Make a role of your own: hallpass role create NAME --permission PERMISSION"));
    };
    let mut permissions = named.clone();
    for text in &arguments.remove {
        let before = permissions.len();
        permissions.retain(|held| held != text);
        if permissions.len() == before {
            return Err(
                Failure::usage(format!("“{name}” does not name {}", clean(text)))
                    .next(format!("It names: {}", clean(&joined(named)))),
            );
        }
    }
    for text in &arguments.add {
        if !permissions.contains(text) {
            permissions.push(text.clone());
        }
    }
    let wish = WriteRole {
        name: arguments.name.clone().unwrap_or_else(|| role.name.clone()),
        description: arguments
            .description
            .clone()
            .unwrap_or_else(|| role.description.clone()),
        permissions,
        tokens_by_default: Some(arguments.tokens.said().unwrap_or(role.tokens_by_default)),
    };
    let same = wish.name == role.name
        && wish.description == role.description
        && wish.permissions == *named
        && wish.tokens_by_default == Some(role.tokens_by_default);
    if same {
        return Err(Failure::usage(format!("“{name}” is like that already"))
            .next("Say what is to change: --add, --remove, --name, --description, --tokens or --no-tokens."));
    }
    Ok(wish)
}

fn delete(arguments: &RoleDelete) -> Result<Exit, Failure> {
    let office = Office::enter(&arguments.within)?;
    let role = office.role(&arguments.role)?;
    let name = clean(&role.name);
    let to = arguments.move_members_to.as_deref();
    let members = match to {
        Some(to) => format!(
            "{} of “{name}” get “{}”",
            count(role.members, "member"),
            clean(to)
        ),
        None => format!("“{name}” has {}", count(role.members, "member")),
    };
    prompt::consent(
        arguments.consent.yes,
        &format!(
            "{members}; {} with it are revoked, which cannot be undone.",
            count(role.keys, "API key")
        ),
        &format!("Delete the role “{name}”?"),
    )?;
    let address = pages::address(&path(&office, &role), &[("moveMembersTo", to)]);
    let deleted: RoleDeleted = office.desk.client.delete_told(&address)?;
    if arguments.within.report.json {
        crate::output::print_json(&deleted)?;
    }
    let told = format!(
        "Deleted the role “{name}”; {} revoked.",
        count(deleted.keys_revoked, "API key")
    );
    rows::say(&told, arguments.within.report);
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Arguments, Command};
    use clap::Parser as _;

    fn wanted(line: &str) -> RoleChange {
        let words = ["hallpass", "role", "change", "Crew"];
        let parsed =
            Arguments::try_parse_from(words.into_iter().chain(line.split_whitespace())).unwrap();
        match parsed.command {
            Command::Role(RoleCommand::Change(change)) => change,
            other => panic!("{other:?}"),
        }
    }

    fn crew() -> Role {
        Role {
            id: "r".into(),
            name: "Crew".into(),
            description: "Releases.".into(),
            built_in: false,
            named: Some(vec!["repo:*".into(), "deploy:run".into()]),
            permissions: Vec::new(),
            tokens_by_default: true,
            members: 1,
            keys: 0,
        }
    }

    #[test]
    fn what_is_not_named_stays() {
        let wish = changed(&crew(), &wanted("--add user:read --remove deploy:run")).unwrap();
        assert_eq!(wish.permissions, ["repo:*", "user:read"]);
        assert_eq!(
            (wish.name.as_str(), wish.description.as_str()),
            ("Crew", "Releases.")
        );
        assert_eq!(wish.tokens_by_default, Some(true));
        let wish = changed(&crew(), &wanted("--name Hands --no-tokens")).unwrap();
        assert_eq!(
            (wish.name.as_str(), wish.tokens_by_default),
            ("Hands", Some(false))
        );
        assert_eq!(wish.permissions, ["repo:*", "deploy:run"]);
    }

    #[test]
    fn what_changes_nothing_or_cannot_be_is_said() {
        for line in ["", "--add repo:*", "--name Crew", "--tokens"] {
            let failure = changed(&crew(), &wanted(line)).unwrap_err();
            assert!(failure.to_string().contains("like that already"), "{line}");
        }
        let failure = changed(&crew(), &wanted("--remove repo:read")).unwrap_err();
        assert!(
            failure.to_string().contains("It names: repo:*, deploy:run"),
            "{failure}"
        );
        let built_in = Role {
            named: None,
            ..crew()
        };
        assert!(changed(&built_in, &wanted("--add a:b")).is_err());
    }
}
