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
use hallpass_domain::permission as domain;
use hallpass_wire::{CatalogueEntry, PersonalAccessToken, PutPermission};

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
    let is_new = now.is_none();
    let verb = if is_new { "Added" } else { "Changed" };
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
    rows::changed(&entry, &told, desk.report)?;
    if is_new {
        tell_added(&desk, &[entry.name]);
    }
    Ok(Exit::Done)
}

/// The token of this login names what there was when somebody signed in.
fn tell_added(desk: &Desk, added: &[String]) {
    if !desk.client.is_by_login() {
        return;
    }
    let own = desk
        .client
        .get::<PersonalAccessToken>("/v1/personal-access-tokens/self")
        .ok()
        .and_then(|token| token.scope)
        .and_then(|own| domain::PermissionSet::parse(own.iter().map(String::as_str)).ok());
    let Some(own) = own else {
        return;
    };
    let is_held = |name: &String| {
        domain::Permission::parse(name).is_ok_and(|permission| own.covers(&permission))
    };
    let missing: Vec<String> = added
        .iter()
        .filter(|name| !is_held(name))
        .map(|name| clean(name))
        .collect();
    if !missing.is_empty() {
        rows::say(
            &format!(
                "This login does not hold {} yet: run `hallpass login` again.",
                missing.join(", ")
            ),
            desk.report,
        );
    }
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
    if entry.source == "product" {
        return Err(Failure::new(
            Exit::Conflict,
            format!("{name} belongs to the product and cannot be deleted"),
        ));
    }
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
