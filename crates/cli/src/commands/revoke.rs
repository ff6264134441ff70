//! `hallpass revoke`: many at once.

use super::{desk::Office, inventory};
use crate::{
    arguments::inventory::{Filter, RevokeMany},
    exit::{Exit, Failure},
    output::{
        self, Screen,
        rows::{self, count},
    },
    prompt,
};
use hallpass_wire::{Caller, Revocation, RevocationOutcome};

/// Shows what would be revoked, asks, and revokes just that.
pub(super) fn run(arguments: &RevokeMany) -> Result<Exit, Failure> {
    if arguments.user.is_none() && !arguments.everything && arguments.filter == Filter::default() {
        return Err(Failure::usage("say what is to be revoked").next(
            "--user USER, --made-before WHEN, a filter such as --unused-since 90d, or --everything",
        ));
    }
    let office = Office::enter(&arguments.within)?;
    let mut wish = wish(&office, arguments)?;
    if !arguments.consent.yes {
        let preview = ask(
            &office,
            &Revocation {
                preview: Some(true),
                ..wish.clone()
            },
        )?;
        if arguments.dry_run && arguments.within.report.json {
            output::print_json(&preview)?;
            return Ok(Exit::Done);
        }
        show(&office, &preview)?;
        if arguments.dry_run || preview.count == Some(0) {
            return Ok(Exit::Done);
        }
        prompt::consent(
            false,
            "What uses them stops working at once, and this cannot be undone.",
            &format!("Revoke {}?", tokens(&preview)),
        )?;
        wish.expected = preview.count;
    }
    let outcome = ask(&office, &wish)?;
    if arguments.within.report.json {
        output::print_json(&outcome)?;
    }
    let told = match outcome.count {
        Some(_) => format!("Revoked {}.", tokens(&outcome)),
        None => "Revoked all that is meant, however many they were.".to_owned(),
    };
    rows::say(&told, arguments.within.report);
    if let Err(failure) = office.desk.client.get::<Caller>("/v1/caller")
        && failure.exit == Exit::NotSignedIn
    {
        output::tell(
            "The token of this command line was one of them: sign in again with `hallpass login`.",
        );
    }
    Ok(Exit::Done)
}

fn ask(office: &Office, wish: &Revocation) -> Result<RevocationOutcome, Failure> {
    office.desk.client.post(&office.path("/revocations"), wish)
}

/// The one of the four ways that was meant.
fn wish(office: &Office, arguments: &RevokeMany) -> Result<Revocation, Failure> {
    if arguments.everything {
        return Ok(Revocation {
            everything: Some(true),
            ..Revocation::default()
        });
    }
    if let Some(user) = &arguments.user {
        let user = Some(office.member_id(user)?);
        return Ok(Revocation {
            user,
            ..Revocation::default()
        });
    }
    let filter = inventory::filter(office, &arguments.filter)?;
    let only_age = Filter {
        made_before: arguments.filter.made_before,
        ..Filter::default()
    };
    // That way takes one step, however many there are.
    Ok(if arguments.filter == only_age {
        Revocation {
            made_before: filter.made_before,
            ..Revocation::default()
        }
    } else {
        Revocation {
            filter: Some(filter),
            ..Revocation::default()
        }
    })
}

fn tokens(outcome: &RevocationOutcome) -> String {
    count(outcome.count.unwrap_or_default(), "token or key")
        .replace("token or keys", "tokens and keys")
}

fn show(office: &Office, preview: &RevocationOutcome) -> Result<(), Failure> {
    let shown = preview.items.len() as u64;
    if shown > 0 {
        output::print(&rows::table(
            &preview.items,
            office.desk.now,
            Screen::of_process(),
        ))?;
    }
    let total = preview.count.unwrap_or(shown);
    let more = if total > shown && shown > 0 {
        format!(", the latest {shown} of them above")
    } else {
        String::new()
    };
    output::tell(&format!("This concerns {}{more}.", tokens(preview)));
    Ok(())
}
