//! `hallpass token list`.

use super::PATH;
use crate::{
    arguments::tokens::List,
    commands::{now, pages, sign_in},
    exit::{Exit, Failure, clean},
    output::{self, Screen, tokens},
};
use hallpass_wire::PersonalAccessTokenList;

/// Prints the caller's tokens.
pub(super) fn run(arguments: &List) -> Result<Exit, Failure> {
    let signed_in = sign_in(&arguments.server)?;
    let now = now();
    let since = arguments
        .unused_since
        .map(|since| since.before(now).to_string());
    let filters = [
        ("state", arguments.state.as_deref()),
        ("search", arguments.search.as_deref()),
        ("sort", arguments.sort.as_deref()),
        ("lastUsedBefore", since.as_deref()),
    ];
    let items = pages::all(&signed_in.client, PATH, &filters)?;
    if arguments.report.json {
        output::print_json(&PersonalAccessTokenList {
            items,
            next_cursor: None,
        })?;
    } else if arguments.report.quiet {
        let ids: String = items
            .iter()
            .map(|item| format!("{}\n", clean(&item.id)))
            .collect();
        output::print(&ids)?;
    } else {
        let filtered = filters
            .iter()
            .any(|(name, value)| value.is_some() && *name != "sort");
        output::print(&tokens::table(&items, filtered, now, Screen::of_process()))?;
    }
    Ok(Exit::Done)
}
