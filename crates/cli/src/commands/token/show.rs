//! `hallpass token show`.

use super::find::find;
use crate::{
    arguments::tokens::Show,
    commands::{now, sign_in},
    exit::{Exit, Failure, clean},
    output::{self, Screen, tokens},
};

/// Prints everything about one token.
pub(super) fn run(arguments: &Show) -> Result<Exit, Failure> {
    let signed_in = sign_in(&arguments.server)?;
    let token = find(&signed_in.client, &arguments.token)?;
    if arguments.report.json {
        output::print_json(&token)?;
    } else if arguments.report.quiet {
        output::print(&format!("{}\n", clean(&token.id)))?;
    } else {
        output::print(&tokens::card(&token, now(), Screen::of_process()))?;
    }
    Ok(Exit::Done)
}
