//! The tokens and keys that enforcing a policy concerns, for those who are to decide.

use crate::{
    Store, StoreError,
    inventory::{COLUMNS, InventoryRow, Row, TABLES},
    on,
};
use hallpass_domain::{
    id::OrganizationId,
    policy::{Lifetime, Policy},
    time::{MICROS_PER_SECOND, SECONDS_PER_DAY, Timestamp},
    token::Kind,
};
use sqlx::QueryBuilder;

/// Puts the condition that a lifetime does not let a token live as it is meant to.
macro_rules! beyond {
    ($statement:ident, $kind:expr, $lifetime:expr) => {{
        let lifetime: Lifetime = $lifetime;
        $statement.push("(t.kind = ").push_bind($kind.word());
        if let Some(days) = lifetime.days_max {
            let micros = i64::from(days) * SECONDS_PER_DAY * MICROS_PER_SECOND;
            $statement
                .push(" and (t.expires_at is null or t.expires_at > t.created_at + ")
                .push_bind(micros)
                .push("))");
        } else if lifetime.may_never_expire {
            $statement.push(" and 1 = 0)");
        } else {
            $statement.push(" and t.expires_at is null)");
        }
    }};
}

impl Store {
    /// The first of those that enforcing `policy` at `at` would shorten or revoke, or that it would find unused, the
    /// oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_concerned(
        &self,
        organization: OrganizationId,
        policy: &Policy,
        at: Timestamp,
        limit: u32,
    ) -> Result<Vec<InventoryRow>, StoreError> {
        let found: Vec<Row> = on!(&self.read, pool => {
            let mut statement = QueryBuilder::new(COLUMNS);
            statement.push(TABLES).push_bind(organization.bytes().to_vec());
            statement
                .push(" and ")
                .push(crate::sql::IS_NOT_REVOKED)
                .push(" and (t.expires_at is null or t.expires_at > ")
                .push_bind(at.micros())
                .push(") and (");
            beyond!(statement, Kind::PersonalAccessToken, policy.personal);
            statement.push(" or ");
            beyond!(statement, Kind::ApiKey, policy.key);
            if let Some(days) = policy.unused_days_max {
                let since = at.plus_days(-i64::from(days)).micros();
                statement
                    .push(" or (t.created_at < ")
                    .push_bind(since)
                    .push(" and (t.valid_from is null or t.valid_from < ")
                    .push_bind(since)
                    .push(") and coalesce(u.at, t.created_at) < ")
                    .push_bind(since)
                    .push(")");
            }
            statement.push(") order by t.created_at, t.id limit ").push_bind(i64::from(limit));
            statement.build_query_as().fetch_all(pool).await?
        });
        found.into_iter().map(InventoryRow::try_from).collect()
    }
}
