//! What a list of tokens is asked for, and its cursor.

use crate::{
    error::{InvalidField, ServiceError},
    service::access_tokens::RECENT_USES_DAYS,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hallpass_domain::{
    access_token::TokenState,
    id::TokenId,
    limits::{CURSOR_BYTES_MAX, PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX, SEARCH_CHARS_MAX},
    name::fold_search,
    time::Timestamp,
};
use hallpass_store::{TokenQuery, TokenSort};
use std::collections::BTreeMap;
use utoipa::IntoParams;

/// The parameters of a list, for the description.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "read by the description of the API alone; the values are parsed one by one, so that each error names its parameter"
)]
pub(super) struct ListParameters {
    /// Only tokens in this state: `active`, `expired`, `revoked` or `suspended`.
    state: Option<String>,
    /// Only tokens that were neither used nor made at or after this moment.
    #[param(format = DateTime)]
    last_used_before: Option<String>,
    /// Only tokens with this in their name, their prefix or the address of their last use.
    #[param(max_length = 100)]
    search: Option<String>,
    /// `created`, `name`, `expirationDate` or `lastUsed`; with `-` before it, the other way round. Without it the
    /// newest come first.
    sort: Option<String>,
    /// Tokens in one answer.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
    /// The `nextCursor` of the answer before.
    cursor: Option<String>,
}

const KNOWN: [&str; 6] = [
    "state",
    "lastUsedBefore",
    "search",
    "sort",
    "limit",
    "cursor",
];

/// Parses the query of a list of tokens.
///
/// # Errors
/// [`ServiceError::Invalid`] that names the parameter.
pub(super) fn parse(query: &str, now: Timestamp) -> Result<TokenQuery, ServiceError> {
    let values = collect(query, &KNOWN)?;
    let get = |name: &str| values.get(name).map(String::as_str);
    let (sort, descending) = sort(get("sort"))?;
    let after = get("cursor")
        .map(|cursor| read_cursor(cursor, sort, descending))
        .transpose()?;
    Ok(TokenQuery {
        state: get("state").map(state).transpose()?,
        unused_since: get("lastUsedBefore").map(moment).transpose()?,
        search: get("search").map(search).transpose()?.unwrap_or_default(),
        sort,
        descending,
        after,
        limit: get("limit")
            .map(limit)
            .transpose()?
            .unwrap_or(PAGE_ROWS_DEFAULT),
        now,
        recent_since: now.plus_days(-RECENT_USES_DAYS),
    })
}

/// Reads a query that has some of the parameters `all`, each once.
pub(super) fn collect(
    query: &str,
    all: &[&'static str],
) -> Result<BTreeMap<&'static str, String>, ServiceError> {
    let mut values = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let Some(known) = all.iter().copied().find(|known| *known == name) else {
            let detail = format!("there is no parameter {name}; there are {}", all.join(", "));
            return Err(ServiceError::BadRequest {
                code: "parameter_unknown",
                detail,
            });
        };
        if values.insert(known, value.into_owned()).is_some() {
            return Err(InvalidField::new(known, "parameter_doubled", "send it once").into());
        }
    }
    Ok(values)
}

pub(super) fn state(text: &str) -> Result<TokenState, ServiceError> {
    TokenState::from_word(text).ok_or_else(|| {
        InvalidField::new(
            "state",
            "state_unknown",
            "one of active, expired, revoked, suspended",
        )
        .into()
    })
}

fn moment(text: &str) -> Result<Timestamp, ServiceError> {
    Timestamp::parse(text)
        .map_err(|error| InvalidField::new("lastUsedBefore", "date_malformed", error).into())
}

pub(super) fn search(text: &str) -> Result<String, ServiceError> {
    if text.chars().count() > SEARCH_CHARS_MAX || text.contains('\0') {
        return Err(InvalidField::new(
            "search",
            "search_malformed",
            format!("at most {SEARCH_CHARS_MAX} characters that can be seen"),
        )
        .into());
    }
    Ok(fold_search(text))
}

pub(super) fn limit(text: &str) -> Result<u32, ServiceError> {
    let limit = text
        .parse()
        .ok()
        .filter(|limit| (1..=PAGE_ROWS_MAX).contains(limit));
    limit.ok_or_else(|| {
        InvalidField::new(
            "limit",
            "limit_malformed",
            format!("a number from 1 to {PAGE_ROWS_MAX}"),
        )
        .into()
    })
}

const SORTS: [(&str, TokenSort); 4] = [
    ("created", TokenSort::Created),
    ("name", TokenSort::Name),
    ("expirationDate", TokenSort::Expiration),
    ("lastUsed", TokenSort::LastUsed),
];

fn sort(text: Option<&str>) -> Result<(TokenSort, bool), ServiceError> {
    let Some(text) = text else {
        return Ok((TokenSort::Created, true));
    };
    let (name, descending) = text
        .strip_prefix('-')
        .map_or((text, false), |name| (name, true));
    let found = SORTS.into_iter().find(|(known, _)| *known == name);
    found
        .map(|(_, sort)| (sort, descending))
        .ok_or_else(|| InvalidField::new("sort", "sort_unknown", "one of created, name, expirationDate, lastUsed, with - before it for the other way round").into())
}

/// A cursor holds the order it is for, so that it cannot be taken to another.
pub(super) fn write_cursor(query: &TokenQuery, next: &(String, TokenId)) -> String {
    let (key, id) = next;
    URL_SAFE_NO_PAD.encode(format!(
        "{}\u{1f}{id}\u{1f}{key}",
        order(query.sort, query.descending)
    ))
}

fn order(sort: TokenSort, descending: bool) -> String {
    let name = SORTS
        .into_iter()
        .find(|(_, known)| *known == sort)
        .map_or("", |(name, _)| name);
    format!("{}{name}", if descending { "-" } else { "" })
}

fn read_cursor(
    text: &str,
    sort: TokenSort,
    descending: bool,
) -> Result<(String, TokenId), ServiceError> {
    let read = || {
        let bytes = if text.len() <= CURSOR_BYTES_MAX {
            URL_SAFE_NO_PAD.decode(text).ok()?
        } else {
            return None;
        };
        let plain = String::from_utf8(bytes).ok()?;
        let mut parts = plain.splitn(3, '\u{1f}');
        let for_this = parts.next()? == order(sort, descending);
        let id = TokenId::parse(parts.next()?).ok()?;
        let key = parts.next().filter(|key| !key.contains('\0'))?;
        for_this.then(|| (key.to_owned(), id))
    };
    read().ok_or_else(|| {
        InvalidField::new(
            "cursor",
            "cursor_malformed",
            "send the nextCursor of an answer to the same sort, as it is",
        )
        .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(0);

    fn code(query: &str) -> &'static str {
        parse(query, NOW).unwrap_err().face().code
    }

    #[test]
    fn each_parameter_has_its_error() {
        assert_eq!(code("state=on"), "state_unknown");
        assert_eq!(code("lastUsedBefore=2026"), "date_malformed");
        assert_eq!(
            code(&format!("search={}", "x".repeat(101))),
            "search_malformed"
        );
        assert_eq!(code("search=%00"), "search_malformed");
        assert_eq!(code("sort=secret"), "sort_unknown");
        for limit in ["0", "101", "-1", "x", "1e2", ""] {
            assert_eq!(code(&format!("limit={limit}")), "limit_malformed");
        }
        for cursor in ["", "x", "AAAA", &"A".repeat(600)] {
            assert_eq!(code(&format!("cursor={cursor}")), "cursor_malformed");
        }
        assert_eq!(code("limit=1&limit=2"), "parameter_doubled");
        assert_eq!(code("page=2"), "parameter_unknown");
    }

    #[test]
    fn a_cursor_is_read_back_for_its_own_order_alone() {
        let mut query = parse("sort=-name", NOW).unwrap();
        let next = (
            "ci \u{1f} pipeline".to_owned(),
            TokenId::from_bytes([7; 16]),
        );
        let cursor = write_cursor(&query, &next);
        assert_eq!(
            parse(&format!("sort=-name&cursor={cursor}"), NOW)
                .unwrap()
                .after,
            Some(next.clone())
        );
        for other in ["name", "created", "-created"] {
            assert_eq!(
                code(&format!("sort={other}&cursor={cursor}")),
                "cursor_malformed"
            );
        }
        query.after = Some(next);
    }
}
