//! Uses of tokens, folded before they come here, written many at a time, apart from the tokens themselves.

use crate::{Store, StoreError, connect::Either, on, sql};
use hallpass_domain::{id::TokenId, limits::USE_ROWS_PER_STATEMENT_MAX, time::Timestamp};
use sqlx::QueryBuilder;

/// The last use of one token.
#[derive(Clone, Debug)]
pub struct LastUseRow {
    /// Which token.
    pub token: TokenId,
    /// When.
    pub at: Timestamp,
    /// For which method.
    pub method: Option<String>,
    /// For which path.
    pub path: Option<String>,
    /// From which address.
    pub address: Option<String>,
    /// By which `User-Agent`.
    pub agent: Option<String>,
}

/// Uses of one token in one hour.
#[derive(Clone, Copy, Debug)]
pub struct HourCount {
    /// Which token.
    pub token: TokenId,
    /// The first moment of the hour.
    pub hour: Timestamp,
    /// How often it was allowed.
    pub allowed: u64,
    /// How often it was refused.
    pub refused: u64,
}

const LAST_USE_HEAD: &str = "insert into token_use (token_id, at, method, path, address, agent) ";
const LAST_USE_TAIL: &str = " on conflict (token_id) do update set at = excluded.at, method = excluded.method, path = excluded.path, address = excluded.address, agent = excluded.agent where excluded.at >= token_use.at";
const HOUR_HEAD: &str = "insert into token_use_hour (token_id, hour, allowed, refused) ";
const HOUR_TAIL: &str = " on conflict (token_id, hour) do update set allowed = token_use_hour.allowed + excluded.allowed, refused = token_use_hour.refused + excluded.refused";

impl Store {
    /// Writes last uses (forward only: an older one changes nothing) and adds counts, in one transaction. Each
    /// token stands at most once in `last`, each token and hour at most once in `hours`.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was written.
    pub async fn write_uses(
        &self,
        last: &[LastUseRow],
        hours: &[HourCount],
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for rows in last.chunks(USE_ROWS_PER_STATEMENT_MAX) {
            on!(&mut tx.on, tx => {
                let mut statement = QueryBuilder::new(LAST_USE_HEAD);
                statement.push_values(rows, |mut values, row| {
                    values.push_bind(row.token.bytes().to_vec()).push_bind(row.at.micros()).push_bind(row.method.clone()).push_bind(row.path.clone()).push_bind(row.address.clone()).push_bind(row.agent.clone());
                });
                statement.push(LAST_USE_TAIL);
                statement.build().execute(&mut **tx).await?;
            });
        }
        for rows in hours.chunks(USE_ROWS_PER_STATEMENT_MAX) {
            on!(&mut tx.on, tx => {
                let mut statement = QueryBuilder::new(HOUR_HEAD);
                statement.push_values(rows, |mut values, row| {
                    values.push_bind(row.token.bytes().to_vec()).push_bind(row.hour.micros()).push_bind(count(row.allowed)).push_bind(count(row.refused));
                });
                statement.push(HOUR_TAIL);
                statement.build().execute(&mut **tx).await?;
            });
        }
        match tx.on {
            Either::Sqlite(tx) => tx.commit().await?,
            Either::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }

    /// Forgets counts of hours before `before`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn trim_use_hours(&self, before: Timestamp) -> Result<u64, StoreError> {
        Ok(
            on!(&self.write, pool => sqlx::query(sql::USE_HOUR_TRIM).bind(before.micros()).execute(pool).await?.rows_affected()),
        )
    }
}

fn count(of: u64) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}
