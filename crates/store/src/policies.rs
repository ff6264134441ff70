//! What an organization's tokens must keep to, now and from a moment on.

use crate::{FeedKey, Store, StoreError, Tx, on, rows, sql, tx::execute};
use hallpass_domain::{
    id::{OrganizationId, TokenId, UserId},
    policy::{Lifetime, Policy},
    time::{MICROS_PER_SECOND, SECONDS_PER_DAY, Timestamp},
    token::Kind,
};

/// A policy that is to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyChange {
    /// What the policy will be.
    pub policy: Policy,
    /// From when on.
    pub enforce_at: Timestamp,
    /// When it was decided.
    pub made: Timestamp,
    /// By whom, if by a person.
    pub user: Option<UserId>,
    /// With which credential, if not in a session.
    pub token: Option<TokenId>,
}

/// What enforcing a policy does to tokens, or would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyEffect {
    /// Tokens that end earlier.
    pub shortened: u64,
    /// Tokens that are revoked, for their age or for want of an end.
    pub revoked: u64,
    /// Tokens that are revoked since nobody used them, and that do not go for their age.
    pub unused: u64,
}

#[derive(sqlx::FromRow)]
struct PolicyRow {
    personal_days_max: Option<i64>,
    personal_may_never_expire: bool,
    key_days_max: Option<i64>,
    key_may_never_expire: bool,
    forbidden: String,
    unused_days_max: Option<i64>,
    networks: String,
    owner_may_lift: bool,
}

#[derive(sqlx::FromRow)]
struct ChangeRow {
    #[sqlx(flatten)]
    policy: PolicyRow,
    enforce_at: i64,
    made_at: i64,
    actor_user_id: Option<Vec<u8>>,
    actor_token_id: Option<Vec<u8>>,
}

fn days(days: Option<i64>) -> Option<u32> {
    days.and_then(|days| u32::try_from(days).ok())
}

impl TryFrom<PolicyRow> for Policy {
    type Error = StoreError;

    fn try_from(row: PolicyRow) -> Result<Self, StoreError> {
        Ok(Self {
            personal: Lifetime {
                days_max: days(row.personal_days_max),
                may_never_expire: row.personal_may_never_expire,
            },
            key: Lifetime {
                days_max: days(row.key_days_max),
                may_never_expire: row.key_may_never_expire,
            },
            forbidden: rows::permissions(&row.forbidden)?,
            unused_days_max: days(row.unused_days_max),
            networks: rows::networks(&row.networks)?,
            owner_may_lift: row.owner_may_lift,
        })
    }
}

impl TryFrom<ChangeRow> for PolicyChange {
    type Error = StoreError;

    fn try_from(row: ChangeRow) -> Result<Self, StoreError> {
        Ok(Self {
            policy: row.policy.try_into()?,
            enforce_at: rows::moment(row.enforce_at),
            made: rows::moment(row.made_at),
            user: row
                .actor_user_id
                .map(|id| rows::id(&id, UserId::from_bytes))
                .transpose()?,
            token: row
                .actor_token_id
                .map(|id| rows::id(&id, TokenId::from_bytes))
                .transpose()?,
        })
    }
}

const KINDS: [Kind; 2] = [Kind::PersonalAccessToken, Kind::ApiKey];

const fn lifetime(policy: &Policy, kind: Kind) -> Lifetime {
    match kind {
        Kind::ApiKey => policy.key,
        Kind::PersonalAccessToken | Kind::ShortLived => policy.personal,
    }
}

fn micros_of(days: u32) -> i64 {
    i64::from(days) * SECONDS_PER_DAY * MICROS_PER_SECOND
}

impl Store {
    /// The policy of an organization; the default when it has none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_policy(&self, organization: OrganizationId) -> Result<Policy, StoreError> {
        let found: Option<PolicyRow> = on!(&self.read, pool => sqlx::query_as(sql::POLICY).bind(&organization.bytes()[..]).fetch_optional(pool).await?);
        found.map_or_else(|| Ok(Policy::default()), Policy::try_from)
    }

    /// The policy that is to come, if there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_policy_change(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<PolicyChange>, StoreError> {
        let found: Option<ChangeRow> = on!(&self.read, pool => sqlx::query_as(sql::POLICY_CHANGE).bind(&organization.bytes()[..]).fetch_optional(pool).await?);
        found.map(PolicyChange::try_from).transpose()
    }

    /// Organizations whose next policy is due.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn policy_changes_due(
        &self,
        now: Timestamp,
    ) -> Result<Vec<OrganizationId>, StoreError> {
        let found: Vec<Vec<u8>> = on!(&self.read, pool => sqlx::query_scalar(sql::POLICY_CHANGES_DUE).bind(now.micros()).fetch_all(pool).await?);
        found
            .iter()
            .map(|id| rows::id(id, OrganizationId::from_bytes))
            .collect()
    }

    /// Organizations that revoke what is not used, and after how many days.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn policies_about_use(&self) -> Result<Vec<(OrganizationId, u32)>, StoreError> {
        let found: Vec<(Vec<u8>, i64)> =
            on!(&self.read, pool => sqlx::query_as(sql::POLICIES_UNUSED).fetch_all(pool).await?);
        found
            .iter()
            .map(|(id, days)| {
                let days = u32::try_from(*days).map_err(|_| StoreError::Malformed("policy"))?;
                Ok((rows::id(id, OrganizationId::from_bytes)?, days))
            })
            .collect()
    }

    /// What enforcing `policy` at `now` would do.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn preview_policy(
        &self,
        organization: OrganizationId,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<PolicyEffect, StoreError> {
        let id = &organization.bytes()[..];
        let mut effect = PolicyEffect::default();
        for kind in KINDS {
            let lifetime = lifetime(policy, kind);
            if let Some(days) = lifetime.days_max {
                for (statement, sum) in [
                    (sql::TOKENS_SHORTEN_COUNT, &mut effect.shortened),
                    (sql::TOKENS_OUTLIVED_COUNT, &mut effect.revoked),
                ] {
                    let count: i64 = on!(&self.read, pool => sqlx::query_scalar(statement).bind(id).bind(kind.word()).bind(micros_of(days)).bind(now.micros()).fetch_one(pool).await?);
                    *sum += rows::count(count);
                }
            } else if !lifetime.may_never_expire {
                let count: i64 = on!(&self.read, pool => sqlx::query_scalar(sql::TOKENS_ENDLESS_COUNT).bind(id).bind(kind.word()).fetch_one(pool).await?);
                effect.revoked += rows::count(count);
            }
        }
        if let Some(days) = policy.unused_days_max {
            let since = now.plus_days(-i64::from(days));
            let micros = |lifetime: Lifetime| lifetime.days_max.map(micros_of);
            let count: i64 = on!(&self.read, pool => {
                sqlx::query_scalar(sql::TOKENS_UNUSED_COUNT)
                    .bind(id)
                    .bind(since.micros())
                    .bind(now.micros())
                    .bind(micros(policy.personal))
                    .bind(policy.personal.may_never_expire)
                    .bind(micros(policy.key))
                    .bind(policy.key.may_never_expire)
                    .fetch_one(pool)
                    .await?
            });
            effect.unused = rows::count(count);
        }
        Ok(effect)
    }
}

impl Tx {
    /// Says what the policy will be; what was to come before is forgotten.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_policy_change(
        &mut self,
        organization: OrganizationId,
        change: &PolicyChange,
    ) -> Result<(), StoreError> {
        let policy = &change.policy;
        execute!(
            self,
            sql::POLICY_CHANGE_PUT,
            &organization.bytes()[..],
            policy.personal.days_max.map(i64::from),
            policy.personal.may_never_expire,
            policy.key.days_max.map(i64::from),
            policy.key.may_never_expire,
            policy.forbidden.to_text(),
            policy.unused_days_max.map(i64::from),
            policy.networks.to_text(),
            policy.owner_may_lift,
            change.enforce_at.micros(),
            change.made.micros(),
            change.user.as_ref().map(|id| &id.bytes()[..]),
            change.token.as_ref().map(|id| &id.bytes()[..]),
        );
        Ok(())
    }

    /// Takes away the policy that is to come, as it was when it was looked at. False when it is another by now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_policy_change(
        &mut self,
        organization: OrganizationId,
        change: &PolicyChange,
    ) -> Result<bool, StoreError> {
        let taken = execute!(
            self,
            sql::POLICY_CHANGE_TAKE,
            &organization.bytes()[..],
            change.made.micros()
        );
        Ok(taken == 1)
    }

    /// A moment for a change that many tokens of the organization go through together: `now`, or the first after the one
    /// before. It marks the rows, and no two changes may have the same mark. Under [`Self::hold_organization`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bulk_moment(
        &mut self,
        organization: OrganizationId,
        now: Timestamp,
    ) -> Result<Timestamp, StoreError> {
        let last: i64 = on!(&mut self.on, tx => sqlx::query_scalar(sql::TOKENS_LAST_MARK).bind(&organization.bytes()[..]).fetch_one(&mut **tx).await?);
        Ok(now.max(rows::moment(last.saturating_add(1))))
    }

    /// Makes `policy` the policy, and every token keep to its lifetimes. `now` marks them: see [`Self::bulk_moment`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn enforce_policy(
        &mut self,
        organization: OrganizationId,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<(PolicyEffect, Vec<FeedKey>), StoreError> {
        self.lift_timeout().await?;
        execute!(
            self,
            sql::POLICY_PUT,
            &organization.bytes()[..],
            policy.personal.days_max.map(i64::from),
            policy.personal.may_never_expire,
            policy.key.days_max.map(i64::from),
            policy.key.may_never_expire,
            policy.forbidden.to_text(),
            policy.unused_days_max.map(i64::from),
            policy.networks.to_text(),
            policy.owner_may_lift,
        );
        let mut effect = PolicyEffect::default();
        for kind in KINDS {
            self.enforce_lifetime(organization, lifetime(policy, kind), kind, now, &mut effect)
                .await?;
        }
        self.end_secrets_too(organization, now).await?;
        let changed = vec![
            FeedKey::Organization(organization),
            FeedKey::Bulk(organization, now),
        ];
        Ok((effect, changed))
    }

    async fn enforce_lifetime(
        &mut self,
        organization: OrganizationId,
        lifetime: Lifetime,
        kind: Kind,
        now: Timestamp,
        effect: &mut PolicyEffect,
    ) -> Result<(), StoreError> {
        let id = &organization.bytes()[..];
        if let Some(days) = lifetime.days_max {
            let (days, now) = (micros_of(days), now.micros());
            effect.revoked += execute!(self, sql::TOKENS_OUTLIVED, id, kind.word(), days, now);
            effect.shortened += execute!(self, sql::TOKENS_SHORTEN, id, kind.word(), days, now);
        } else if !lifetime.may_never_expire {
            effect.revoked += execute!(self, sql::TOKENS_ENDLESS, id, kind.word(), now.micros());
        }
        Ok(())
    }

    /// Revokes what was not used since `days` days ago. `now` marks them: see [`Self::bulk_moment`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoke_unused(
        &mut self,
        organization: OrganizationId,
        days: u32,
        now: Timestamp,
    ) -> Result<(u64, FeedKey), StoreError> {
        self.lift_timeout().await?;
        let since = now.plus_days(-i64::from(days));
        let revoked = execute!(
            self,
            sql::TOKENS_UNUSED,
            &organization.bytes()[..],
            since.micros(),
            now.micros()
        );
        self.end_secrets_too(organization, now).await?;
        Ok((revoked, FeedKey::Bulk(organization, now)))
    }

    /// The further secrets of keys go the way of the keys that one change went through together at `now`.
    pub(crate) async fn end_secrets_too(
        &mut self,
        organization: OrganizationId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for statement in [sql::SECRETS_FOLLOW, sql::SECRETS_FOLLOW_END] {
            execute!(self, statement, &organization.bytes()[..], now.micros());
        }
        Ok(())
    }

    /// The policy that is to come, under [`Self::hold_organization`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn policy_change(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Option<PolicyChange>, StoreError> {
        let found: Option<ChangeRow> = on!(&mut self.on, tx => sqlx::query_as(sql::POLICY_CHANGE).bind(&organization.bytes()[..]).fetch_optional(&mut **tx).await?);
        found.map(PolicyChange::try_from).transpose()
    }

    /// The policy, asked inside the transaction that makes one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn policy_now(&mut self, organization: OrganizationId) -> Result<Policy, StoreError> {
        let found: Option<PolicyRow> = on!(&mut self.on, tx => sqlx::query_as(sql::POLICY).bind(&organization.bytes()[..]).fetch_optional(&mut **tx).await?);
        found.map_or_else(|| Ok(Policy::default()), Policy::try_from)
    }
}
