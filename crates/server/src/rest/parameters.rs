//! What stands after the `?` of a list: none that is not known, each once unless it may come again; and cursors.

use crate::error::{InvalidField, ServiceError};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hallpass_domain::{
    limits::{CURSOR_BYTES_MAX, PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX, SEARCH_CHARS_MAX},
    name::fold_search,
    time::Timestamp,
};
use std::collections::BTreeMap;

/// The parameters of one request.
#[derive(Debug)]
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
                let detail = format!(
                    "there is no parameter {name}; there are {}",
                    known.join(", ")
                );
                return Err(ServiceError::BadRequest {
                    code: "parameter_unknown",
                    detail,
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

    /// A parameter as it was sent.
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
    pub(super) fn boolean(&self, name: &'static str) -> Result<Option<bool>, ServiceError> {
        let parsed = self.get(name).map(str::parse).transpose();
        parsed.map_err(|_| InvalidField::new(name, "boolean_malformed", "true or false").into())
    }

    /// One of `words`; the error is `code`, which names them.
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

    /// `search`, folded as names are; empty when nothing is searched for.
    pub(super) fn search(&self) -> Result<String, ServiceError> {
        let Some(text) = self.get("search") else {
            return Ok(String::new());
        };
        if text.chars().count() > SEARCH_CHARS_MAX || text.contains('\0') {
            let way_out = format!("at most {SEARCH_CHARS_MAX} characters that can be seen");
            return Err(InvalidField::new("search", "search_malformed", way_out).into());
        }
        Ok(fold_search(text))
    }

    /// `limit`: rows in one answer.
    pub(super) fn limit(&self) -> Result<u32, ServiceError> {
        let Some(text) = self.get("limit") else {
            return Ok(PAGE_ROWS_DEFAULT);
        };
        let limit = text
            .parse()
            .ok()
            .filter(|limit| (1..=PAGE_ROWS_MAX).contains(limit));
        limit.ok_or_else(|| {
            let way_out = format!("a number from 1 to {PAGE_ROWS_MAX}");
            InvalidField::new("limit", "limit_malformed", way_out).into()
        })
    }

    /// A date-time.
    pub(super) fn moment(&self, name: &'static str) -> Result<Option<Timestamp>, ServiceError> {
        let parse = |text| {
            Timestamp::parse(text)
                .map_err(|error| InvalidField::new(name, "date_malformed", error).into())
        };
        self.get(name).map(parse).transpose()
    }

    /// What `cursor` stands for in the list `list`, read by `read`.
    pub(super) fn cursor<T>(
        &self,
        list: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ServiceError> {
        let Some(text) = self.get("cursor") else {
            return Ok(None);
        };
        let plain = (text.len() <= CURSOR_BYTES_MAX)
            .then(|| URL_SAFE_NO_PAD.decode(text).ok())
            .flatten()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .filter(|plain| !plain.contains('\0'));
        let found = plain
            .as_deref()
            .and_then(|plain| plain.strip_prefix(list)?.strip_prefix(SEPARATOR))
            .and_then(read);
        found.map(Some).ok_or_else(|| {
            InvalidField::new(
                "cursor",
                "cursor_malformed",
                "send the nextCursor of an answer to the same list, as it is",
            )
            .into()
        })
    }
}

/// Between the parts of a cursor; no name or address holds it.
pub(super) const SEPARATOR: char = '\u{1f}';

/// The cursor of a list at this place.
pub(super) fn cursor(list: &str, place: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}{SEPARATOR}{place}"))
}

/// A moment and an id, as part of a cursor.
pub(super) fn place(at: Timestamp, id: impl std::fmt::Display) -> String {
    format!("{}{SEPARATOR}{id}", at.micros())
}

/// The moment and the id of [`place`].
pub(super) fn read_place<I, E>(
    text: &str,
    id: impl FnOnce(&str) -> Result<I, E>,
) -> Option<(Timestamp, I)> {
    let (at, rest) = text.split_once(SEPARATOR)?;
    Some((Timestamp::from_micros(at.parse().ok()?), id(rest).ok()?))
}

/// The first `limit` of `found`, which has one more if there is a next page, and the cursor of that page.
pub(super) fn page<T>(
    mut found: Vec<T>,
    limit: u32,
    next: impl FnOnce(&T) -> String,
) -> (Vec<T>, Option<String>) {
    let limit = limit as usize;
    if found.len() <= limit {
        return (found, None);
    }
    found.truncate(limit);
    let next = found.last().map(next);
    (found, next)
}
