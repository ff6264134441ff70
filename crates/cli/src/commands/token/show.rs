//! `hallpass token show`.

use super::find::find;
use crate::{
    arguments::Show,
    commands::{now, sign_in},
    exit::{Exit, Failure},
    output::{self, Screen, tokens},
};

/// Prints everything about one token.
pub(super) fn run(arguments: &Show) -> Result<Exit, Failure> {
    let signed_in = sign_in(&arguments.asking.server)?;
    let token = find(&signed_in.client, &arguments.token)?;
    if arguments.asking.form.json {
        output::print_json(&token)?;
    } else {
        output::print(&tokens::card(&token, now(), Screen::of_process()))?;
    }
    Ok(Exit::Done)
}
