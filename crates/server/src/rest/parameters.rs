//! The parameters of an address: each known, each once unless it may come again.

use crate::error::{InvalidField, ServiceError};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hallpass_domain::{
    id::TokenId,
    limits::{CURSOR_BYTES_MAX, PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX},
    time::Timestamp,
};
use std::collections::BTreeMap;

/// What came behind the `?`.
pub(super) struct Parameters(BTreeMap<&'static str, Vec<String>>);

impl Parameters {
    /// Reads a query that may have the parameters `known`, and of those the `repeatable` ones more than once.
    ///
    /// # Errors
    /// `parameter_unknown`, `parameter_doubled`.
    pub(super) fn read(
        query: Option<&str>,
        known: &[&'static str],
        repeatable: &[&'static str],
    ) -> Result<Self, ServiceError> {
        let mut values: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let Some(known) = known.iter().find(|known| **known == name) else {
                return Err(ServiceError::BadRequest {
                    code: "parameter_unknown",
                    detail: format!(
                        "there is no parameter {name}; there are {}",
                        known.join(", ")
                    ),
                });
            };
            let before = values.entry(known).or_default();
            if !before.is_empty() && !repeatable.contains(known) {
                return Err(InvalidField::new(known, "parameter_doubled", "send it once").into());
            }
            before.push(value.into_owned());
        }
        Ok(Self(values))
    }

    /// The value, if it was sent.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every value that was sent.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.get(name).into_iter().flatten().map(String::as_str)
    }

    /// The value as it was sent, for a shape of its own.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// `boolean_malformed`.
    pub(super) fn boolean(&self, name: &'static str) -> Result<Option<bool>, ServiceError> {
        let parsed = self.get(name).map(str::parse).transpose();
        parsed.map_err(|_| InvalidField::new(name, "boolean_malformed", "true or false").into())
    }

    /// Rows in one answer.
    ///
    /// # Errors
    /// `limit_malformed`.
    pub(super) fn limit(&self) -> Result<u32, ServiceError> {
        let Some(text) = self.get("limit") else {
            return Ok(PAGE_ROWS_DEFAULT);
        };
        let parsed = text.parse().ok();
        parsed
            .filter(|limit| (1..=PAGE_ROWS_MAX).contains(limit))
            .ok_or_else(|| {
                let why = format!("a number from 1 to {PAGE_ROWS_MAX}");
                InvalidField::new("limit", "limit_malformed", why).into()
            })
    }

    /// One of `words`.
    ///
    /// # Errors
    /// `code`, which names them.
    pub(super) fn word<T: Copy>(
        &self,
        name: &'static str,
        code: &'static str,
        words: &[(&str, T)],
        absent: T,
    ) -> Result<T, ServiceError> {
        let Some(text) = self.get(name) else {
            return Ok(absent);
        };
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            InvalidField::new(name, code, format!("one of {}", words.join(", "))).into()
        })
    }
}

pub(super) fn cursor_malformed() -> ServiceError {
    InvalidField::new(
        "cursor",
        "cursor_malformed",
        "send the nextCursor of an answer to the same question, as it is",
    )
    .into()
}

/// A place in a list that is ordered by when things were made.
pub(super) fn write_place(at: Timestamp, id: TokenId) -> String {
    URL_SAFE_NO_PAD.encode(format!("made {} {id}", at.micros()))
}

/// The same, read back.
pub(super) fn read_place(text: &str) -> Result<(Timestamp, TokenId), ServiceError> {
    let read = || {
        let bytes =
            (text.len() <= CURSOR_BYTES_MAX).then(|| URL_SAFE_NO_PAD.decode(text).ok())??;
        let plain = String::from_utf8(bytes).ok()?;
        let mut parts = plain.strip_prefix("made ")?.split(' ');
        let at = Timestamp::from_micros(parts.next()?.parse().ok()?);
        let id = TokenId::parse(parts.next()?).ok()?;
        parts.next().is_none().then_some((at, id))
    };
    read().ok_or_else(cursor_malformed)
}
