//! `hallpass permission …`.

use super::{
    desk::{Desk, is_name},
    pages,
};
use crate::{
    arguments::roles::{PermissionCommand, PermissionDelete, PermissionSet},
    exit::{Exit, Failure, clean},
    output::rows,
    prompt,
};
use hallpass_wire::{CatalogueEntry, PutPermission};

mod apply;

const PATH: &str = "/v1/permissions";

/// Does what was asked.
pub(super) fn run(command: PermissionCommand) -> Result<Exit, Failure> {
    match command {
        PermissionCommand::List(deployment) => {
            let desk = Desk::of_deployment(&deployment)?;
            let items = catalogue(&desk)?;
            rows::list(&items, "There are no permissions.", desk.report, desk.now)
        }
        PermissionCommand::Set(arguments) => set(arguments),
        PermissionCommand::Delete(arguments) => delete(&arguments),
        PermissionCommand::Apply(arguments) => apply::run(&arguments),
    }
}

fn catalogue(desk: &Desk) -> Result<Vec<CatalogueEntry>, Failure> {
    pages::whole(&desk.client, PATH)
}

fn path(name: &str) -> String {
    format!("{PATH}/{}", pages::segment(name))
}

/// What is not said stays as it is.
fn set(arguments: PermissionSet) -> Result<Exit, Failure> {
    let desk = Desk::of_deployment(&arguments.deployment)?;
    let now = catalogue(&desk)?
        .into_iter()
        .find(|entry| entry.name == arguments.name);
    let verb = if now.is_some() { "Changed" } else { "Added" };
    let (description, risk) = now.map_or_else(
        || (String::new(), None),
        |entry| (entry.description, Some(entry.risk)),
    );
    let wish = PutPermission {
        description: arguments.description.unwrap_or(description),
        risk: arguments.risk.or(risk),
    };
    let entry: CatalogueEntry = desk.client.put(&path(&arguments.name), &wish)?;
    let told = format!(
        "{verb} {} ({} risk).",
        clean(&entry.name),
        clean(&entry.risk)
    );
    rows::changed(&entry, &told, desk.report)
}

fn delete(arguments: &PermissionDelete) -> Result<Exit, Failure> {
    let desk = Desk::of_deployment(&arguments.deployment)?;
    let entry = pages::meant(
        catalogue(&desk)?,
        &arguments.name,
        "permission",
        "`hallpass permission list` shows those there are.",
        |entry: &CatalogueEntry| is_name(&entry.name, &arguments.name),
    )?;
    let name = clean(&entry.name);
    prompt::consent(
        arguments.consent.yes,
        &format!(
            "From then on nobody holds {name}, whatever their role or token names, in every organization."
        ),
        &format!("Delete {name} from the catalogue?"),
    )?;
    desk.client.delete(&path(&entry.name))?;
    rows::say(
        &format!("Deleted {name}. Nobody holds it now."),
        desk.report,
    );
    Ok(Exit::Done)
}
