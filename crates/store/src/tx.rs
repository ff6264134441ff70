//! One use case, one transaction.

use crate::{FeedKey, Store, StoreError, audit::Waiting, connect::Either, on, sql};
use hallpass_domain::{
    Entropy,
    audit::{Action, Line},
    id::{AuditId, OrganizationId, TokenId, UserId},
    time::Timestamp,
    token::Pepper,
};
use sqlx::{Postgres, Sqlite, Transaction};

/// An open transaction. Dropped without [`Tx::commit`], it has done nothing.
pub struct Tx {
    pub(crate) on: Either<Transaction<'static, Sqlite>, Transaction<'static, Postgres>>,
    /// What the audit will say, when all else is done.
    pub(crate) lines: Vec<Waiting>,
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tx")
    }
}

/// A line of the audit.
#[derive(Clone, Debug)]
pub struct AuditEntry<'a> {
    /// When.
    pub at: Timestamp,
    /// In which organization.
    pub organization: Option<OrganizationId>,
    /// Who.
    pub actor: Option<UserId>,
    /// With which token, if not in a session.
    pub token: Option<TokenId>,
    /// What was done.
    pub action: Action,
    /// To what.
    pub target: Option<String>,
    /// From which address.
    pub address: Option<&'a str>,
    /// By which `User-Agent`.
    pub agent: Option<&'a str>,
    /// What it was before, as JSON.
    pub before: Option<String>,
    /// What it was after, as JSON.
    pub after: Option<String>,
    /// What else there is to say, as JSON.
    pub detail: Option<String>,
}

impl Store {
    /// Begins a transaction that will write. On SQLite it waits for the writer before it.
    ///
    /// # Errors
    /// The database is not available.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        let on = match &self.write {
            Either::Sqlite(pool) => Either::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
            Either::Postgres(pool) => Either::Postgres(pool.begin().await?),
        };
        Ok(Tx {
            on,
            lines: Vec::new(),
        })
    }
}

impl Tx {
    /// Adds a line to the audit, sealed under `pepper`. It is written by [`Tx::commit`], and by nothing else.
    pub fn append_audit(
        &mut self,
        entropy: &impl Entropy,
        pepper: &Pepper,
        entry: &AuditEntry<'_>,
    ) {
        let line = Line {
            // Known when the end of the chain is held.
            seq: 0,
            id: AuditId::generate(entropy, entry.at),
            at: entry.at,
            organization: entry.organization,
            actor_user: entry.actor,
            actor_token: entry.token,
            action: entry.action.word().to_owned(),
            target: entry.target.clone(),
            address: entry.address.map(str::to_owned),
            agent: entry.agent.map(str::to_owned),
            before: entry.before.clone(),
            after: entry.after.clone(),
            detail: entry.detail.clone(),
        };
        let pepper = pepper.clone();
        self.lines.push(Waiting { line, pepper });
    }

    /// Lets this transaction's statements take as long as they need: one that goes through all tokens of an
    /// organization would otherwise be ended half-way, each time anew. SQLite ends none.
    pub(crate) async fn lift_timeout(&mut self) -> Result<(), StoreError> {
        if let Either::Postgres(tx) = &mut self.on {
            sqlx::query(sql::POSTGRES_NO_TIMEOUT)
                .execute(&mut **tx)
                .await?;
        }
        Ok(())
    }

    /// Commits. What verification can see of the change is named by `changed` and gets the next number of the
    /// feed, which is returned; without any, nothing is numbered.
    ///
    /// The end of the audit is locked last but one and the counter's row last, so that they are held for the shortest
    /// time and their order is the order of commits.
    ///
    /// # Errors
    /// [`StoreError`]. Whether an interrupted commit happened is not known: ask again.
    pub async fn commit(mut self, changed: &[FeedKey]) -> Result<Option<i64>, StoreError> {
        self.write_lines().await?;
        let mut seq = None;
        if !changed.is_empty() {
            let next: i64 = on!(&mut self.on, tx => sqlx::query_scalar(sql::HEAD_NEXT).fetch_one(&mut **tx).await?);
            for (position, key) in (0_i64..).zip(changed) {
                on!(&mut self.on, tx => {
                    sqlx::query(sql::FEED_INSERT).bind(next).bind(position).bind(key.kind()).bind(key.bytes()).execute(&mut **tx).await?;
                });
            }
            seq = Some(next);
        }
        on!(self.on, tx => tx.commit().await?);
        Ok(seq)
    }
}

/// Runs one statement of a transaction and says how many rows it touched.
macro_rules! execute {
    ($tx:expr, $sql:expr $(, $value:expr)* $(,)?) => {
        $crate::on!(&mut $tx.on, tx => sqlx::query($sql)$(.bind($value))*.execute(&mut **tx).await?.rows_affected())
    };
}
pub(crate) use execute;
