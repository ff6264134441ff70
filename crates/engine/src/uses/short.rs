//! Notes as small as they usually are. A note in full is mostly room that is not used, and every byte of it would be
//! moved between processors several times.

use super::note::{Outcome, UseNote};
use hallpass_domain::{access_token::LastUse, id::TokenId, time::Timestamp};
use std::net::IpAddr;

/// Bytes of method, path and agent together that a short note has room for: a browser's agent has about 110.
const TEXT_BYTES_MAX: usize = 160;

/// A note whose texts are short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Short {
    token: TokenId,
    at: Timestamp,
    outcome: Outcome,
    address: Option<IpAddr>,
    /// Where method, path and agent end.
    ends: [u8; 3],
    texts: [u8; TEXT_BYTES_MAX],
}

impl Short {
    /// The same note, if it is short.
    pub(super) fn of(note: &UseNote) -> Option<Self> {
        let mut short = Self {
            token: note.token(),
            at: note.at(),
            outcome: note.outcome(),
            address: note.client(),
            ends: [0; 3],
            texts: [0; TEXT_BYTES_MAX],
        };
        let mut start = 0;
        for (text, end) in note.texts().into_iter().zip(&mut short.ends) {
            let room = short.texts.get_mut(start..start + text.len())?;
            room.copy_from_slice(text.as_bytes());
            start += text.len();
            *end = u8::try_from(start).ok()?;
        }
        Some(short)
    }

    /// The same note in full.
    pub(super) fn note(&self) -> UseNote {
        let [method, path, agent] = self.ends.map(usize::from);
        let text = |start: usize, end: usize| {
            let bytes = self.texts.get(start..end).unwrap_or_default();
            std::str::from_utf8(bytes).unwrap_or_default()
        };
        let note = UseNote::new(self.token, self.at, self.outcome)
            .method(text(0, method))
            .path(text(method, path))
            .agent(text(path, agent));
        match self.address {
            Some(address) => note.address(address),
            None => note,
        }
    }
}

/// A note as it waits to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept(Size);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Size {
    Short(Short),
    Full(Box<UseNote>),
}

impl Kept {
    pub(super) fn of(note: &UseNote) -> Self {
        Short::of(note).map_or_else(|| Self(Size::Full(Box::new(*note))), Self::from)
    }

    pub(super) fn token(&self) -> TokenId {
        match &self.0 {
            Size::Short(short) => short.token,
            Size::Full(note) => note.token(),
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        match &self.0 {
            Size::Short(short) => short.outcome,
            Size::Full(note) => note.outcome(),
        }
    }

    /// When the token was used.
    pub fn at(&self) -> Timestamp {
        match &self.0 {
            Size::Short(short) => short.at,
            Size::Full(note) => note.at(),
        }
    }

    /// As the last use of its token.
    pub fn last_use(&self) -> LastUse {
        match &self.0 {
            Size::Short(short) => short.note().last_use(),
            Size::Full(note) => note.last_use(),
        }
    }
}

impl From<Short> for Kept {
    fn from(short: Short) -> Self {
        Self(Size::Short(short))
    }
}
