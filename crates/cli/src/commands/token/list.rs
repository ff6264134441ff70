//! `hallpass token list`, and the pages of a list.

use super::PATH;
use crate::{
    arguments::List,
    client::Client,
    commands::{now, sign_in},
    exit::{Exit, Failure},
    limits::PAGES_MAX,
    output::{self, Screen, tokens},
};
use form_urlencoded::Serializer;
use hallpass_domain::limits::PAGE_ROWS_MAX;
use hallpass_wire::{PersonalAccessToken, PersonalAccessTokenList};

/// Prints the caller's tokens.
pub(super) fn run(arguments: &List) -> Result<Exit, Failure> {
    let signed_in = sign_in(&arguments.asking.server)?;
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
    let items = all(&signed_in.client, &filters)?;
    if arguments.asking.form.json {
        output::print_json(&PersonalAccessTokenList {
            items,
            next_cursor: None,
        })?;
    } else {
        let filtered = filters
            .iter()
            .any(|(name, value)| value.is_some() && *name != "sort");
        output::print(&tokens::table(&items, filtered, now, Screen::of_process()))?;
    }
    Ok(Exit::Done)
}

/// All tokens that the filters let through, page by page.
pub(super) fn all(
    client: &Client,
    filters: &[(&str, Option<&str>)],
) -> Result<Vec<PersonalAccessToken>, Failure> {
    let mut items = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let page: PersonalAccessTokenList = client.get(&address(filters, cursor.as_deref()))?;
        items.extend(page.items);
        match page.next_cursor {
            Some(next) if cursor.as_ref() != Some(&next) => cursor = Some(next),
            _ => return Ok(items),
        }
    }
    Err(
        Failure::usage(format!("there are more than {} tokens", items.len()))
            .next("Ask for fewer with --state or --search."),
    )
}

fn address(filters: &[(&str, Option<&str>)], cursor: Option<&str>) -> String {
    let mut query = Serializer::new(String::new());
    query.append_pair("limit", &PAGE_ROWS_MAX.to_string());
    for (name, value) in filters.iter().chain(&[("cursor", cursor)]) {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    format!("{PATH}?{}", query.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_encoded() {
        assert_eq!(
            address(
                &[
                    ("state", None),
                    ("search", Some("a&b=ü +")),
                    ("sort", Some("-lastUsed"))
                ],
                Some("c=")
            ),
            "/v1/personal-access-tokens?limit=100&search=a%26b%3D%C3%BC+%2B&sort=-lastUsed&cursor=c%3D"
        );
    }
}
