//! Lists of the REST interface, page by page, and addresses with what is searched for.

use crate::{
    client::Client,
    exit::{Exit, Failure, clean},
    limits::PAGES_MAX,
};
use form_urlencoded::Serializer;
use hallpass_domain::limits::PAGE_ROWS_MAX;
use serde::{Deserialize, de::DeserializeOwned};

/// What every list answers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", bound = "T: DeserializeOwned")]
struct Page<T> {
    items: Vec<T>,
    #[serde(default)]
    next_cursor: Option<String>,
}

/// All that the filters let through, page by page.
pub(super) fn all<T: DeserializeOwned>(
    client: &Client,
    path: &str,
    filters: &[(&str, Option<&str>)],
) -> Result<Vec<T>, Failure> {
    let most = PAGE_ROWS_MAX.to_string();
    let mut items = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let mut asked = vec![("limit", Some(most.as_str()))];
        asked.extend_from_slice(filters);
        asked.push(("cursor", cursor.as_deref()));
        let page: Page<T> = client.get(&address(path, &asked))?;
        items.extend(page.items);
        match page.next_cursor {
            Some(next) if cursor.as_ref() != Some(&next) => cursor = Some(next),
            _ => return Ok(items),
        }
    }
    Err(
        Failure::usage(format!("there are more than {} of them", items.len()))
            .next("Ask for fewer, with --search or what else the command has."),
    )
}

/// The first `most` of a list.
pub(super) fn some<T: DeserializeOwned>(
    client: &Client,
    path: &str,
    filters: &[(&str, Option<&str>)],
    most: usize,
) -> Result<Vec<T>, Failure> {
    let mut items = Vec::new();
    let mut cursor: Option<String> = None;
    while items.len() < most {
        let limit = PAGE_ROWS_MAX
            .min(u32::try_from(most - items.len()).unwrap_or(PAGE_ROWS_MAX))
            .to_string();
        let mut asked = vec![("limit", Some(limit.as_str()))];
        asked.extend_from_slice(filters);
        asked.push(("cursor", cursor.as_deref()));
        let page: Page<T> = client.get(&address(path, &asked))?;
        items.extend(page.items);
        match page.next_cursor {
            Some(next) if cursor.as_ref() != Some(&next) => cursor = Some(next),
            _ => break,
        }
    }
    Ok(items)
}

/// All of a list that has no pages.
pub(super) fn whole<T: DeserializeOwned>(client: &Client, path: &str) -> Result<Vec<T>, Failure> {
    client.get::<Page<T>>(path).map(|page| page.items)
}

/// `path` with the parameters that have a value.
pub(super) fn address(path: &str, parameters: &[(&str, Option<&str>)]) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in parameters {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

/// A text as one segment of a path.
pub(super) fn segment(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~:".contains(&byte) {
            written.push(char::from(byte));
        } else {
            written.push_str(&format!("%{byte:02X}"));
        }
    }
    written
}

/// The one that was meant; `what` and `hint` are for when there is none.
pub(super) fn meant<T>(
    mut items: Vec<T>,
    text: &str,
    what: &str,
    hint: &str,
    is_it: impl Fn(&T) -> bool,
) -> Result<T, Failure> {
    match items.iter().position(is_it) {
        Some(index) => Ok(items.swap_remove(index)),
        None => Err(Failure::new(
            Exit::NotFound,
            format!("there is no {what} “{}”", clean(text)),
        )
        .next(hint)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_and_segments_are_encoded() {
        assert_eq!(
            address(
                "/v1/x",
                &[
                    ("state", None),
                    ("search", Some("a&b=ü +")),
                    ("cursor", Some("c="))
                ],
            ),
            "/v1/x?search=a%26b%3D%C3%BC+%2B&cursor=c%3D"
        );
        assert_eq!(address("/v1/x", &[("state", None)]), "/v1/x");
        assert_eq!(segment("repo:read"), "repo:read");
        assert_eq!(segment("../a?b#c%ü"), "..%2Fa%3Fb%23c%25%C3%BC");
    }

    #[test]
    fn what_is_not_there_is_named_and_a_way_out_with_it() {
        let failure = meant(vec![1, 2], "x\u{1b}", "role", "Look.", |item| *item == 3).unwrap_err();
        assert_eq!(failure.exit, Exit::NotFound);
        assert_eq!(failure.to_string(), "there is no role “x\u{fffd}”\n  Look.");
        assert_eq!(meant(vec![1, 2], "2", "role", "", |item| *item == 2), Ok(2));
    }
}
