//! Tokens and keys that rest for a while.

use crate::{FeedKey, Store, StoreError, Tx, on, rows, sql, tx::execute};
use hallpass_domain::{
    access_token::Suspension,
    id::{OrganizationId, TokenId, UserId},
    name::TokenName,
    time::Timestamp,
    token::{Kind, Prefix},
};

/// What a token's row says about its rest.
#[derive(sqlx::FromRow)]
pub(crate) struct SuspensionColumns {
    suspended_at: Option<i64>,
    suspended_until: Option<i64>,
    suspended_reason: Option<String>,
    suspended_by_owner: bool,
}

impl From<SuspensionColumns> for Option<Suspension> {
    fn from(columns: SuspensionColumns) -> Self {
        Some(Suspension {
            since: rows::moment(columns.suspended_at?),
            until: rows::moment_option(columns.suspended_until),
            reason: columns.suspended_reason.unwrap_or_default(),
            by_owner: columns.suspended_by_owner,
        })
    }
}

/// A token or a key, as far as suspending and revoking by others go.
#[derive(Clone, Debug)]
pub struct TokenStanding {
    /// What it is.
    pub kind: Kind,
    /// Whose it is, if it is personal.
    pub owner: Option<UserId>,
    /// What it is called.
    pub name: TokenName,
    /// How it begins.
    pub prefix: Prefix,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// Its rest, if it rests.
    pub suspension: Option<Suspension>,
}

#[derive(sqlx::FromRow)]
struct Row {
    kind: String,
    user_id: Option<Vec<u8>>,
    name: String,
    prefix: String,
    revoked_at: Option<i64>,
    expires_at: Option<i64>,
    #[sqlx(flatten)]
    suspension: SuspensionColumns,
}

impl Store {
    /// A token or key of `organization`, whosesoever.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_standing(
        &self,
        organization: OrganizationId,
        id: TokenId,
    ) -> Result<Option<TokenStanding>, StoreError> {
        let found: Option<Row> = on!(&self.read, pool => sqlx::query_as(sql::TOKEN_SUSPENSION).bind(&organization.bytes()[..]).bind(&id.bytes()[..]).fetch_optional(pool).await?);
        found
            .map(|row| {
                Ok(TokenStanding {
                    kind: Kind::from_word(&row.kind).ok_or(StoreError::Malformed("kind"))?,
                    owner: rows::id_option(row.user_id.as_deref(), UserId::from_bytes)?,
                    name: rows::token_name(&row.name)?,
                    prefix: rows::prefix(&row.prefix)?,
                    revoked: rows::moment_option(row.revoked_at),
                    expires_at: rows::moment_option(row.expires_at),
                    suspension: row.suspension.into(),
                })
            })
            .transpose()
    }

    /// Suspensions whose end has come: of which tokens, and whether their owners began them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn suspensions_due(
        &self,
        now: Timestamp,
    ) -> Result<Vec<(OrganizationId, TokenId, bool)>, StoreError> {
        let found: Vec<(Vec<u8>, Vec<u8>, bool)> = on!(&self.read, pool => sqlx::query_as(sql::SUSPENSIONS_DUE).bind(now.micros()).fetch_all(pool).await?);
        found
            .iter()
            .map(|(id, organization, by_owner)| {
                Ok((
                    rows::id(organization, OrganizationId::from_bytes)?,
                    rows::id(id, TokenId::from_bytes)?,
                    *by_owner,
                ))
            })
            .collect()
    }
}

impl Tx {
    /// Suspends a token, or a key with all its secrets. Empty when there is none that is not revoked, and when its owner
    /// would write over what somebody else began.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn suspend_token(
        &mut self,
        organization: OrganizationId,
        id: TokenId,
        suspension: &Suspension,
    ) -> Result<Vec<FeedKey>, StoreError> {
        let changed = execute!(
            self,
            sql::TOKEN_SUSPEND,
            &organization.bytes()[..],
            &id.bytes()[..],
            suspension.since.micros(),
            rows::micros(suspension.until),
            suspension.reason.as_str(),
            suspension.by_owner
        );
        if changed == 0 {
            return Ok(Vec::new());
        }
        self.rows_of(organization, id).await
    }

    /// Lifts a suspension whose end has come. Empty when it has none, or not yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lift_due_suspension(
        &mut self,
        organization: OrganizationId,
        id: TokenId,
        now: Timestamp,
    ) -> Result<Vec<FeedKey>, StoreError> {
        let changed = execute!(
            self,
            sql::TOKEN_LIFT_DUE,
            &organization.bytes()[..],
            &id.bytes()[..],
            now.micros()
        );
        if changed == 0 {
            return Ok(Vec::new());
        }
        self.rows_of(organization, id).await
    }

    /// Lifts a suspension that was begun so. Empty when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lift_suspension(
        &mut self,
        organization: OrganizationId,
        id: TokenId,
        by_owner: bool,
    ) -> Result<Vec<FeedKey>, StoreError> {
        let changed = execute!(
            self,
            sql::TOKEN_LIFT,
            &organization.bytes()[..],
            &id.bytes()[..],
            by_owner
        );
        if changed == 0 {
            return Ok(Vec::new());
        }
        self.rows_of(organization, id).await
    }
}
