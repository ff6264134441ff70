//! `hallpass token revoke`.

use super::{PATH, find::find};
use crate::{
    arguments::tokens::Revoke,
    commands::{now, sign_in, stored_credentials},
    credentials::Place,
    exit::{Exit, Failure, clean},
    output::{self, tokens},
    prompt,
};
use hallpass_domain::time::Timestamp;
use hallpass_wire::PersonalAccessToken;

/// Revokes one token, after a question that names it and its last use.
pub(super) fn run(arguments: &Revoke) -> Result<Exit, Failure> {
    let signed_in = sign_in(&arguments.server)?;
    let client = &signed_in.client;
    let say = |text: &str| {
        if !arguments.quiet {
            output::tell(text);
        }
    };
    let token: PersonalAccessToken = match &arguments.token {
        Some(text) => find(client, text)?,
        None => client.get(&format!("{PATH}/self"))?,
    };
    let named = format!("“{}” ({})", clean(&token.name), clean(&token.prefix));
    if token.state == "revoked" {
        let when = token
            .revoked
            .as_deref()
            .map_or_else(String::new, |at| format!(" {}", tokens::told(at, now())));
        say(&format!("The token {named} was revoked{when}."));
        return Ok(Exit::Done);
    }
    if !arguments.yes && !agreed(&token, &named, now())? {
        return Err(Failure::new(Exit::Refused, "nothing was revoked"));
    }
    let own = token.prefix == signed_in.prefix.as_str();
    client.delete(&if own {
        format!("{PATH}/self")
    } else {
        format!("{PATH}/{}", token.id)
    })?;
    say(&format!(
        "Revoked the token {named}. It is refused from now on."
    ));
    if own && signed_in.place != Place::Environment {
        stored_credentials()?.forget(client.host())?;
        output::tell(
            "It was the one that this command line works with: sign in again with `hallpass login`.",
        );
    }
    Ok(Exit::Done)
}

fn agreed(token: &PersonalAccessToken, named: &str, now: Timestamp) -> Result<bool, Failure> {
    if !prompt::somebody_is_there() {
        return Err(
            Failure::usage("revoking cannot be undone, and nobody can be asked here")
                .next("Give --yes to revoke without a question."),
        );
    }
    output::tell(&format!(
        "The token {named} was last used: {}.",
        tokens::last_used(token, now, true)
    ));
    prompt::confirm("Revoke it? What uses it stops working at once, and this cannot be undone.")
}
