//! Notes folded: per token and hour the last allowed use, and counts.

use super::{
    note::{Outcome, UseNote},
    short::Kept,
};
use hallpass_domain::{id::TokenId, limits::USE_ROWS_WAITING_MAX, time::Timestamp};
use std::collections::{HashMap, VecDeque, hash_map::Entry};

/// What waits to be written.
#[derive(Debug, Default)]
pub struct Fold {
    /// Whatever waits longest is first.
    rows: VecDeque<UseRow>,
    /// Where the row of a token and an hour is: how many rows came before it since the start.
    places: HashMap<(TokenId, Timestamp), u64>,
    /// How many rows were taken since the start and not put back.
    taken: u64,
    dropped: u64,
}

/// What is to be written about one token in one hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UseRow {
    /// Which.
    pub token: TokenId,
    /// The first moment of the hour.
    pub hour: Timestamp,
    /// Uses that were allowed, to be added to the count.
    pub allowed: u64,
    /// Uses that were refused, to be added to the count.
    pub refused: u64,
    /// The last allowed use, if there was one. Written only over an earlier one.
    pub last: Option<Kept>,
}

impl Fold {
    /// Adds a note.
    pub fn add(&mut self, note: &UseNote) {
        self.put(Kept::of(note));
    }

    pub(super) fn put(&mut self, note: Kept) {
        let allowed = note.outcome() == Outcome::Allowed;
        let Some(row) = self.row(note.token(), note.at().start_of_hour()) else {
            self.dropped += 1;
            return;
        };
        if allowed {
            row.allowed += 1;
            row.used(note);
        } else {
            row.refused += 1;
        }
    }

    /// Takes at most `most` rows, those that wait longest.
    pub fn take(&mut self, most: usize) -> Vec<UseRow> {
        let rows: Vec<UseRow> = self.rows.drain(..most.min(self.rows.len())).collect();
        for row in &rows {
            self.places.remove(&(row.token, row.hour));
        }
        self.taken = self.taken.wrapping_add(rows.len() as u64);
        rows
    }

    /// Takes back rows that could not be written, in the order in which they were taken. They are first again, and none
    /// is dropped for what came since.
    pub fn put_back(&mut self, rows: Vec<UseRow>) {
        for back in rows.into_iter().rev() {
            match self.places.entry((back.token, back.hour)) {
                Entry::Occupied(there) => {
                    let place = there.get().wrapping_sub(self.taken);
                    if let Some(row) = self.rows.get_mut(place as usize) {
                        row.merge(back);
                    }
                }
                Entry::Vacant(empty) => {
                    self.taken = self.taken.wrapping_sub(1);
                    empty.insert(self.taken);
                    self.rows.push_front(back);
                }
            }
        }
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Rows that wait to be written.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Uses lost because too many rows waited to be written, since this was last asked.
    pub const fn take_dropped(&mut self) -> u64 {
        std::mem::replace(&mut self.dropped, 0)
    }

    fn row(&mut self, token: TokenId, hour: Timestamp) -> Option<&mut UseRow> {
        let next = self.taken.wrapping_add(self.rows.len() as u64);
        let place = match self.places.entry((token, hour)) {
            Entry::Occupied(there) => *there.get(),
            Entry::Vacant(_) if self.rows.len() >= USE_ROWS_WAITING_MAX => return None,
            Entry::Vacant(empty) => {
                self.rows.push_back(UseRow {
                    token,
                    hour,
                    allowed: 0,
                    refused: 0,
                    last: None,
                });
                *empty.insert(next)
            }
        };
        self.rows.get_mut(place.wrapping_sub(self.taken) as usize)
    }
}

impl UseRow {
    fn merge(&mut self, other: Self) {
        self.allowed += other.allowed;
        self.refused += other.refused;
        if let Some(note) = other.last {
            self.used(note);
        }
    }

    fn used(&mut self, note: Kept) {
        if self.last.as_ref().is_none_or(|last| note.at() > last.at()) {
            self.last = Some(note);
        }
    }
}
