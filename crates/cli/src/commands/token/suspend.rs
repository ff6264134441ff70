//! `hallpass token suspend` and `hallpass token resume`.

use super::{PATH, find::find};
use crate::{
    arguments::suspension::{TokenResume, TokenSuspend},
    client::Client,
    commands::{desk::Office, inventory, pages, this_second},
    exit::{Exit, Failure, clean},
    output::rows,
};
use hallpass_wire::{SuspendToken, Suspension};

/// A token, and where its rest is begun and ended.
struct Resting {
    named: String,
    path: String,
}

/// One of the caller's own tokens, else one of the organization.
fn locate(office: &Office, text: &str, of_others: bool) -> Result<Resting, Failure> {
    let client: &Client = &office.desk.client;
    let own = match of_others {
        true => None,
        false => match find(client, text) {
            Ok(token) => Some(token),
            Err(failure) if failure.exit == Exit::NotFound => None,
            Err(failure) => return Err(failure),
        },
    };
    if let Some(token) = own {
        return Ok(Resting {
            named: format!("“{}” ({})", clean(&token.name), clean(&token.prefix)),
            path: format!("{PATH}/{}/suspension", pages::segment(&token.id)),
        });
    }
    let item = inventory::find(office, text)?;
    Ok(Resting {
        named: format!(
            "“{}” ({}) of {}",
            clean(&item.name),
            clean(&item.prefix),
            clean(&item.owner.name)
        ),
        path: office.path(&format!("/tokens/{}/suspension", pages::segment(&item.id))),
    })
}

/// Lets a token rest: refused, but not destroyed.
pub(super) fn suspend(arguments: &TokenSuspend) -> Result<Exit, Failure> {
    let office = Office::enter(&arguments.within)?;
    let resting = locate(
        &office,
        &arguments.token,
        arguments.within.organization.is_some(),
    )?;
    let wish = SuspendToken {
        reason: arguments.reason.clone(),
        until: arguments
            .until
            .map(|until| until.after(this_second()).to_string()),
    };
    let rest: Suspension = office.desk.client.post(&resting.path, &wish)?;
    if arguments.within.report.json {
        crate::output::print_json(&rest)?;
    }
    let until = rest
        .until
        .as_deref()
        .map_or_else(|| "somebody resumes it".to_owned(), clean);
    rows::say(
        &format!(
            "Suspended the token {}. It is refused until {until}.",
            resting.named
        ),
        arguments.within.report,
    );
    Ok(Exit::Done)
}

/// Lets it work again.
pub(super) fn resume(arguments: &TokenResume) -> Result<Exit, Failure> {
    let office = Office::enter(&arguments.within)?;
    let resting = locate(
        &office,
        &arguments.token,
        arguments.within.organization.is_some(),
    )?;
    office.desk.client.delete(&resting.path)?;
    rows::say(
        &format!(
            "The token {} works again, as far as this goes.",
            resting.named
        ),
        arguments.within.report,
    );
    Ok(Exit::Done)
}
