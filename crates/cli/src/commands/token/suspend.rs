//! `hallpass token suspend` and `resume`, and the same of keys.

use super::{PATH, find::find};
use crate::{
    arguments::{
        keys::{KeyNamed, KeySuspend},
        tokens::{TokenResume, TokenSuspend},
    },
    client::Client,
    commands::{desk::Office, inventory, key, pages, this_second},
    exit::{Exit, Failure, clean},
    moment::Moment,
    output::{rows, tokens::exact},
};
use hallpass_wire::{SuspendToken, Suspension};

/// A token or key, and where its rest is begun and ended.
struct Resting {
    /// What it is called in a sentence: `the token “ci” (hpp_…)`.
    named: String,
    path: String,
    /// It works, so there is nothing to end.
    active: bool,
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
            named: format!(
                "the token “{}” ({})",
                clean(&token.name),
                clean(&token.prefix)
            ),
            path: format!("{PATH}/{}/suspension", pages::segment(&token.id)),
            active: token.state == "active",
        });
    }
    let item = inventory::find(office, text)?;
    let what = match item.kind.as_str() {
        "api_key" => "API key",
        _ => "token",
    };
    Ok(Resting {
        named: format!(
            "the {what} “{}” ({}) of {}",
            clean(&item.name),
            clean(&item.prefix),
            clean(&item.owner.name)
        ),
        path: of_any(office, &item.id),
        active: item.state == "active",
    })
}

fn of_any(office: &Office, id: &str) -> String {
    office.path(&format!("/tokens/{}/suspension", pages::segment(id)))
}

fn locate_key(office: &Office, text: &str) -> Result<Resting, Failure> {
    let key = key::find(office, text)?;
    Ok(Resting {
        named: format!("the API key {}", key::named(&key)),
        path: of_any(office, &key.id),
        active: key.state == "active",
    })
}

/// Lets a token rest: refused, but not destroyed.
pub(super) fn suspend(arguments: &TokenSuspend) -> Result<Exit, Failure> {
    let office = Office::enter(&arguments.within)?;
    let of_others = arguments.within.organization.is_some();
    let resting = locate(&office, &arguments.token, of_others)?;
    begin(&office, &resting, &arguments.reason, arguments.until)
}

/// Lets it work again.
pub(super) fn resume(arguments: &TokenResume) -> Result<Exit, Failure> {
    let office = Office::enter(&arguments.within)?;
    let of_others = arguments.within.organization.is_some();
    let resting = locate(&office, &arguments.token, of_others)?;
    end(&office, &resting)
}

/// Lets a key rest.
pub(in crate::commands) fn suspend_key(arguments: &KeySuspend) -> Result<Exit, Failure> {
    let office = Office::enter(&arguments.within)?;
    let resting = locate_key(&office, &arguments.key)?;
    begin(&office, &resting, &arguments.reason, arguments.until)
}

/// Lets it work again.
pub(in crate::commands) fn resume_key(arguments: &KeyNamed) -> Result<Exit, Failure> {
    let office = Office::enter(&arguments.within)?;
    let resting = locate_key(&office, &arguments.key)?;
    end(&office, &resting)
}

fn begin(
    office: &Office,
    resting: &Resting,
    reason: &str,
    until: Option<Moment>,
) -> Result<Exit, Failure> {
    let report = office.desk.report;
    let wish = SuspendToken {
        reason: reason.to_owned(),
        until: until.map(|until| until.after(this_second()).to_string()),
    };
    let rest: Suspension = office.desk.client.post(&resting.path, &wish)?;
    if report.json {
        crate::output::print_json(&rest)?;
    }
    let until = rest
        .until
        .as_deref()
        .map_or_else(|| "somebody resumes it".to_owned(), exact);
    let told = format!("Suspended {}. It is refused until {until}.", resting.named);
    rows::say(&told, report);
    Ok(Exit::Done)
}

fn end(office: &Office, resting: &Resting) -> Result<Exit, Failure> {
    // Even so it is asked for: what was read may be a moment old.
    office.desk.client.delete(&resting.path)?;
    let told = if resting.active {
        format!("Nothing changed: {} is not suspended.", resting.named)
    } else {
        format!(
            "Resumed {}: it works again, as far as this goes.",
            resting.named
        )
    };
    rows::say(&told, office.desk.report);
    Ok(Exit::Done)
}
