//! Refused attempts, of each person or key so many an hour in full: whoever knocks without end does not fill the audit, and
//! when the hour is over one line says how often they knocked besides.

use super::{
    RequestContext, Services,
    acting::{Actor, Noted},
};
use crate::error::ServiceError;
use hallpass_domain::{
    audit::Action,
    id::{OrganizationId, TokenId, UserId},
    limits::{REFUSALS_AUDITED_MAX, REFUSALS_AUDITED_SECONDS, REFUSALS_COUNTED_MAX},
    time::Timestamp,
};
use hallpass_store::AuditEntry;
use serde_json::json;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// Somebody whose attempts are counted, at home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Knocker {
    home: OrganizationId,
    user: Option<UserId>,
    token: Option<TokenId>,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    since: Timestamp,
    written: u32,
    unwritten: u64,
}

impl Count {
    const fn is_over(&self, now: Timestamp) -> bool {
        now.seconds_since(self.since) >= REFUSALS_AUDITED_SECONDS
    }
}

/// How many refused attempts of whom there were lately.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<HashMap<Knocker, Count>>);

impl Refusals {
    fn counts(&self) -> std::sync::MutexGuard<'_, HashMap<Knocker, Count>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether one more is written; counts it.
    fn is_written(&self, whose: Knocker, now: Timestamp) -> bool {
        let mut counts = self.counts();
        let count = counts.entry(whose).or_insert(Count {
            since: now,
            written: 0,
            unwritten: 0,
        });
        if count.written < REFUSALS_AUDITED_MAX {
            count.written += 1;
            return true;
        }
        count.unwritten += 1;
        false
    }

    /// Whether hours that are over should be looked for before one more is counted.
    fn is_due(&self, whose: Knocker, now: Timestamp) -> bool {
        let counts = self.counts();
        let is_over = counts.get(&whose).is_some_and(|count| count.is_over(now));
        is_over || counts.len() >= REFUSALS_COUNTED_MAX
    }

    /// Forgets the hours that are over, and gives those in which not everything was written.
    fn take_over(&self, now: Timestamp) -> Vec<(Knocker, Count)> {
        let mut counts = self.counts();
        let over = counts.extract_if(|_, count| count.is_over(now));
        over.filter(|(_, count)| count.unwritten > 0).collect()
    }

    /// Counts again what could not be written.
    fn put_back(&self, over: &[(Knocker, Count)]) {
        let mut counts = self.counts();
        for (whose, count) in over {
            let now = counts.entry(*whose).and_modify(|now| {
                now.since = now.since.min(count.since);
                now.unwritten += count.unwritten;
            });
            now.or_insert(*count);
        }
    }
}

impl Services {
    /// Writes down that `actor` tried something at `target` and was refused.
    ///
    /// # Errors
    /// The store's.
    pub async fn note_refusal(
        &self,
        actor: &Actor,
        context: &RequestContext,
        target: String,
        attempted: &str,
        error: &ServiceError,
    ) -> Result<(), ServiceError> {
        let now = self.clock.now();
        let whose = Knocker {
            home: actor.home,
            user: actor.user,
            token: actor.token(),
        };
        if self.refusals.is_due(whose, now) {
            self.note_unwritten().await?;
        }
        if !self.refusals.is_written(whose, now) {
            return Ok(());
        }
        let noted = Noted::new(Action::Refused, target)
            .with(json!({ "attempted": attempted, "code": error.face().code }));
        let mut tx = self.store.begin().await?;
        self.note(&mut tx, actor, context, noted, now);
        tx.commit(&[]).await?;
        Ok(())
    }

    /// Writes, for each hour that is over, how many attempts of it were not written.
    ///
    /// # Errors
    /// The store's; they are counted on.
    pub async fn note_unwritten(&self) -> Result<(), ServiceError> {
        let over = self.refusals.take_over(self.clock.now());
        let written = self.write_unwritten(&over).await;
        if written.is_err() {
            self.refusals.put_back(&over);
        }
        written
    }

    async fn write_unwritten(&self, over: &[(Knocker, Count)]) -> Result<(), ServiceError> {
        if over.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        for (whose, count) in over {
            let told = json!({ "unwritten": count.unwritten, "since": count.since.to_string() });
            let noted = Noted::new(Action::Refused, whose.home).with(told);
            let entry = AuditEntry {
                actor: whose.user,
                token: whose.token,
                ..noted.entry(whose.home, now)
            };
            tx.append_audit(&self.entropy, self.peppers.current(), &entry);
        }
        tx.commit(&[]).await?;
        Ok(())
    }
}
