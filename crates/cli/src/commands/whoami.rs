//! `hallpass whoami`.

use crate::{
    arguments::Asking,
    commands::{now, sign_in},
    exit::{Exit, Failure},
    output::{self, Screen, Tone, tokens},
};
use hallpass_wire::{Caller, PersonalAccessToken};

/// Says who is signed in, where, and what they may do.
pub(super) fn run(arguments: &Asking) -> Result<Exit, Failure> {
    let signed_in = sign_in(&arguments.server)?;
    let caller: Caller = signed_in.client.get("/v1/caller")?;
    if arguments.form.json {
        output::print_json(&caller)?;
        return Ok(Exit::Done);
    }
    let who = match &caller.email {
        Some(email) => format!("{} <{email}>", caller.owner.name),
        None => caller.owner.name.clone(),
    };
    let token: PersonalAccessToken = signed_in.client.get("/v1/personal-access-tokens/self")?;
    let permissions = if caller.permissions.is_empty() {
        "none".to_owned()
    } else {
        caller.permissions.join(", ")
    };
    let rows = [
        ("user", who, Tone::Plain),
        (
            "organization",
            caller.organization.name.clone(),
            Tone::Plain,
        ),
        ("role", caller.role.clone(), Tone::Plain),
        ("role allows", permissions, Tone::Plain),
        ("server", signed_in.client.host().to_string(), Tone::Plain),
        (
            "token",
            format!(
                "{} “{}” from {}",
                signed_in.prefix, token.name, signed_in.place
            ),
            Tone::Plain,
        ),
        (
            "token allows",
            tokens::permissions(&token, None),
            Tone::Plain,
        ),
        ("token ends", tokens::expires(&token, now()).0, Tone::Plain),
    ];
    output::print(&tokens::key_values(&rows, Screen::of_process()))?;
    Ok(Exit::Done)
}
