//! From columns to types. A row that this program would not have written is an error, never a guess.

use crate::StoreError;
use hallpass_domain::{
    name::{DisplayName, Email, TokenName},
    network::{AddressRules, NetworkSet},
    permission::PermissionSet,
    time::Timestamp,
    token::Prefix,
};

pub(crate) fn id<T>(bytes: &[u8], of: fn([u8; 16]) -> T) -> Result<T, StoreError> {
    bytes
        .try_into()
        .map(of)
        .map_err(|_| StoreError::Malformed("id"))
}

pub(crate) fn digest(bytes: &[u8]) -> Result<hallpass_domain::token::Digest, StoreError> {
    bytes
        .try_into()
        .map(hallpass_domain::token::Digest::from_bytes)
        .map_err(|_| StoreError::Malformed("digest"))
}

pub(crate) const fn moment(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

pub(crate) fn moment_option(micros: Option<i64>) -> Option<Timestamp> {
    micros.map(Timestamp::from_micros)
}

pub(crate) fn micros(moment: Option<Timestamp>) -> Option<i64> {
    moment.map(Timestamp::micros)
}

pub(crate) fn token_name(text: &str) -> Result<TokenName, StoreError> {
    TokenName::parse(text).map_err(|_| StoreError::Malformed("token name"))
}

pub(crate) fn display_name(text: &str) -> Result<DisplayName, StoreError> {
    DisplayName::parse(text).map_err(|_| StoreError::Malformed("name"))
}

pub(crate) fn email(text: &str) -> Result<Email, StoreError> {
    Email::parse(text).map_err(|_| StoreError::Malformed("e-mail address"))
}

pub(crate) fn prefix(text: &str) -> Result<Prefix, StoreError> {
    Prefix::parse(text).map_err(|_| StoreError::Malformed("prefix"))
}

/// Sets are stored as their permissions joined by blanks.
pub(crate) fn permissions(text: &str) -> Result<PermissionSet, StoreError> {
    text.split_ascii_whitespace()
        .map(hallpass_domain::permission::Permission::parse)
        .collect::<Result<_, _>>()
        .map_err(|_| StoreError::Malformed("permission"))
}

pub(crate) fn scope(text: Option<&str>) -> Result<Option<PermissionSet>, StoreError> {
    text.map(permissions).transpose()
}

pub(crate) fn id_option<T>(
    bytes: Option<&[u8]>,
    of: fn([u8; 16]) -> T,
) -> Result<Option<T>, StoreError> {
    bytes.map(|bytes| id(bytes, of)).transpose()
}

/// A count of rows, which is never negative.
pub(crate) fn count(of: i64) -> u64 {
    u64::try_from(of).unwrap_or(0)
}

/// Networks are stored joined by blanks.
pub(crate) fn networks(text: &str) -> Result<NetworkSet, StoreError> {
    NetworkSet::parse(text.split_ascii_whitespace()).map_err(|_| StoreError::Malformed("network"))
}

pub(crate) fn address_rules(
    allow: Option<&str>,
    deny: Option<&str>,
) -> Result<Option<AddressRules>, StoreError> {
    let rules = AddressRules {
        allow: networks(allow.unwrap_or_default())?,
        deny: networks(deny.unwrap_or_default())?,
    };
    Ok((!rules.is_empty()).then_some(rules))
}

/// The two columns of a token's rules.
pub(crate) fn networks_of(rules: Option<&AddressRules>) -> (Option<String>, Option<String>) {
    let text = |set: &NetworkSet| (!set.is_empty()).then(|| set.to_text());
    (
        rules.and_then(|rules| text(&rules.allow)),
        rules.and_then(|rules| text(&rules.deny)),
    )
}

/// PostgreSQL refuses a NUL, SQLite ends a pattern at it; nothing that is stored holds one.
pub(crate) fn finds_nothing(search: &str, after: &str) -> bool {
    search.contains('\0') || after.contains('\0')
}

/// What `like` is given for a search. `%` and `_` are letters in it, not wildcards.
pub(crate) fn pattern(search: &str) -> String {
    if search.is_empty() {
        return String::new();
    }
    format!("%{}%", escaped(search))
}

/// A text that means itself in `like … escape '\\'`.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
