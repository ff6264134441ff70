//! What a list of tokens is asked for, and its cursor.

use super::parameters::{self, Parameters, SEPARATOR};
use crate::{
    error::{InvalidField, ServiceError},
    service::access_tokens::RECENT_USES_DAYS,
};
use hallpass_domain::{access_token::TokenState, id::TokenId, time::Timestamp};
use hallpass_store::{TokenQuery, TokenSort};
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
pub(super) fn parse(query: Option<&str>, now: Timestamp) -> Result<TokenQuery, ServiceError> {
    let asked = Parameters::read(query, &KNOWN, &[])?;
    let (sort, descending) = sort(asked.get("sort"))?;
    let after = asked.cursor(&order(sort, descending), |place| {
        let (id, key) = place.split_once(SEPARATOR)?;
        Some((key.to_owned(), TokenId::parse(id).ok()?))
    })?;
    Ok(TokenQuery {
        state: asked.get("state").map(state).transpose()?,
        unused_since: asked.moment("lastUsedBefore")?,
        search: asked.search()?,
        sort,
        descending,
        after,
        limit: asked.limit()?,
        now,
        recent_since: now.plus_days(-RECENT_USES_DAYS),
    })
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
    let place = format!("{id}{SEPARATOR}{key}");
    parameters::cursor(&order(query.sort, query.descending), &place)
}

fn order(sort: TokenSort, descending: bool) -> String {
    let name = SORTS
        .into_iter()
        .find(|(_, known)| *known == sort)
        .map_or("", |(name, _)| name);
    format!("{}{name}", if descending { "-" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(0);

    fn code(query: &str) -> &'static str {
        parse(Some(query), NOW).unwrap_err().face().code
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
        let mut query = parse(Some("sort=-name"), NOW).unwrap();
        let next = (
            "ci \u{1f} pipeline".to_owned(),
            TokenId::from_bytes([7; 16]),
        );
        let cursor = write_cursor(&query, &next);
        assert_eq!(
            parse(Some(&format!("sort=-name&cursor={cursor}")), NOW)
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
