//! Notes folded: per token the last allowed use, and counts by the hour.

use super::note::{Outcome, UseNote};
use hallpass_domain::{
    id::TokenId,
    limits::{USE_HOURS_WAITING_MAX, USE_TOKENS_WAITING_MAX},
    time::Timestamp,
};
use std::collections::{HashMap, VecDeque, hash_map::Entry};

/// What waits to be written.
#[derive(Debug, Default)]
pub struct Fold {
    /// Whatever waits longest is first.
    rows: VecDeque<UseRow>,
    /// Where the row of a token is: how many rows came before it since the start.
    places: HashMap<TokenId, u64>,
    /// How many rows were taken since the start.
    taken: u64,
    dropped: u64,
}

/// What is to be written about one token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UseRow {
    /// Which.
    pub token: TokenId,
    /// Its last allowed use, if there was one. Written only over an earlier one.
    pub last: Option<UseNote>,
    /// Uses to be added to the counts, hour by hour, in order.
    pub hours: Vec<HourCount>,
}

/// Uses of one token in one hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourCount {
    /// The first moment of the hour.
    pub hour: Timestamp,
    /// Uses that were allowed.
    pub allowed: u64,
    /// Uses that were refused.
    pub refused: u64,
}

impl Fold {
    /// Adds a note.
    pub fn add(&mut self, note: &UseNote) {
        let allowed = note.outcome() == Outcome::Allowed;
        let Some(row) = self.row(note.token()) else {
            self.dropped += 1;
            return;
        };
        row.count(HourCount {
            hour: note.at().start_of_hour(),
            allowed: u64::from(allowed),
            refused: u64::from(!allowed),
        });
        if allowed {
            row.used(note);
        }
    }

    /// Takes what is to be written about at most `tokens` tokens, those that wait longest.
    pub fn take(&mut self, tokens: usize) -> Vec<UseRow> {
        let rows: Vec<UseRow> = self.rows.drain(..tokens.min(self.rows.len())).collect();
        for row in &rows {
            self.places.remove(&row.token);
        }
        self.taken += rows.len() as u64;
        rows
    }

    /// Takes back rows that could not be written.
    pub fn put_back(&mut self, rows: Vec<UseRow>) {
        for back in rows {
            let Some(row) = self.row(back.token) else {
                let lost = back.hours.iter().map(|count| count.allowed + count.refused);
                self.dropped += lost.sum::<u64>();
                continue;
            };
            for count in back.hours {
                row.count(count);
            }
            if let Some(note) = back.last {
                row.used(&note);
            }
        }
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Tokens of which something waits to be written.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Uses lost because too many tokens waited to be written, since this was last asked.
    pub const fn take_dropped(&mut self) -> u64 {
        std::mem::replace(&mut self.dropped, 0)
    }

    fn row(&mut self, token: TokenId) -> Option<&mut UseRow> {
        let next = self.taken + self.rows.len() as u64;
        let place = match self.places.entry(token) {
            Entry::Occupied(there) => *there.get(),
            Entry::Vacant(_) if self.rows.len() >= USE_TOKENS_WAITING_MAX => return None,
            Entry::Vacant(empty) => {
                self.rows.push_back(UseRow {
                    token,
                    last: None,
                    hours: Vec::with_capacity(1),
                });
                *empty.insert(next)
            }
        };
        self.rows.get_mut((place - self.taken) as usize)
    }
}

impl UseRow {
    fn used(&mut self, note: &UseNote) {
        if self.last.as_ref().is_none_or(|last| note.at() > last.at()) {
            self.last = Some(*note);
        }
    }

    /// Counts. Of too many hours the two earliest become one.
    fn count(&mut self, more: HourCount) {
        match self
            .hours
            .binary_search_by_key(&more.hour, |count| count.hour)
        {
            Ok(place) => self.hours[place].add(more),
            Err(place) => self.hours.insert(place, more),
        }
        if self.hours.len() > USE_HOURS_WAITING_MAX {
            let first = self.hours.remove(0);
            self.hours[0].add(first);
        }
    }
}

impl HourCount {
    const fn add(&mut self, more: Self) {
        self.allowed = self.allowed.saturating_add(more.allowed);
        self.refused = self.refused.saturating_add(more.refused);
    }
}
