//! Notes folded: per token the last allowed use, and counts by the hour.

use super::note::{Outcome, UseNote};
use hallpass_domain::{
    access_token::LastUse,
    id::TokenId,
    limits::{USE_HOURS_WAITING_MAX, USE_TOKENS_WAITING_MAX},
    time::Timestamp,
    token::mask,
};
use std::collections::{BTreeMap, HashMap};

/// What waits to be written.
#[derive(Debug, Default)]
pub struct Fold {
    tokens: HashMap<TokenId, Folded>,
    dropped: u64,
}

#[derive(Debug, Default)]
struct Folded {
    last: Option<LastUse>,
    /// Allowed and refused, by the start of the hour.
    hours: BTreeMap<Timestamp, (u64, u64)>,
}

/// What is to be written about one token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UseRow {
    /// Which.
    pub token: TokenId,
    /// Its last allowed use, if there was one. Written only over an earlier one.
    pub last: Option<LastUse>,
    /// Uses to be added to the counts, hour by hour.
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
        let hour = note.at().start_of_hour();
        let Some(folded) = self.folded(note.token()) else {
            self.dropped += 1;
            return;
        };
        folded.count(hour, u64::from(allowed), u64::from(!allowed));
        if allowed && folded.is_news(note.at()) {
            folded.last = Some(last_use(note));
        }
    }

    /// Gives what is to be written and starts anew.
    pub fn take(&mut self) -> Vec<UseRow> {
        self.tokens
            .drain()
            .map(|(token, folded)| folded.row(token))
            .collect()
    }

    /// Takes back rows that could not be written.
    pub fn put_back(&mut self, rows: Vec<UseRow>) {
        for row in rows {
            let Some(folded) = self.folded(row.token) else {
                self.dropped += row
                    .hours
                    .iter()
                    .map(|count| count.allowed + count.refused)
                    .sum::<u64>();
                continue;
            };
            for count in row.hours {
                folded.count(count.hour, count.allowed, count.refused);
            }
            if row
                .last
                .as_ref()
                .is_some_and(|last| folded.is_news(last.at))
            {
                folded.last = row.last;
            }
        }
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Tokens of which something waits to be written.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Uses lost since the start because too many tokens waited to be written.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    fn folded(&mut self, token: TokenId) -> Option<&mut Folded> {
        if self.tokens.len() >= USE_TOKENS_WAITING_MAX && !self.tokens.contains_key(&token) {
            return None;
        }
        Some(self.tokens.entry(token).or_default())
    }
}

impl Folded {
    fn is_news(&self, at: Timestamp) -> bool {
        self.last.as_ref().is_none_or(|last| at > last.at)
    }

    /// Counts. Of too many hours the two earliest become one.
    fn count(&mut self, hour: Timestamp, allowed: u64, refused: u64) {
        let counts = self.hours.entry(hour).or_default();
        counts.0 = counts.0.saturating_add(allowed);
        counts.1 = counts.1.saturating_add(refused);
        if self.hours.len() > USE_HOURS_WAITING_MAX
            && let Some((_, (allowed, refused))) = self.hours.pop_first()
            && let Some(mut next) = self.hours.first_entry()
        {
            let next = next.get_mut();
            *next = (
                next.0.saturating_add(allowed),
                next.1.saturating_add(refused),
            );
        }
    }

    fn row(mut self, token: TokenId) -> UseRow {
        // Somebody may have put a token where it does not belong; it must not be stored.
        if let Some(last) = &mut self.last {
            for text in [&mut last.path, &mut last.agent] {
                *text = text.take().map(|text| mask::hide_in(&text).into_owned());
            }
        }
        let hours = self
            .hours
            .into_iter()
            .map(|(hour, (allowed, refused))| HourCount {
                hour,
                allowed,
                refused,
            })
            .collect();
        UseRow {
            token,
            last: self.last,
            hours,
        }
    }
}

fn last_use(note: &UseNote) -> LastUse {
    let [method, path, agent] = note
        .texts()
        .map(|text| (!text.is_empty()).then(|| text.to_owned()));
    LastUse {
        at: note.at(),
        method,
        path,
        address: note.client().map(|address| address.to_string()),
        agent,
    }
}
