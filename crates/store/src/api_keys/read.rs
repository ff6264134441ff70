//! Reading keys, with their secrets.

use super::{KeyQuery, KeyWithUse};
use crate::{Store, StoreError, on, rows, sql, suspensions::SuspensionColumns};
use hallpass_domain::{
    access_token::{Expiration, LastUse, TokenState},
    api_key::{ApiKey, KeySecret},
    id::{OrganizationId, RoleId, TokenId, UserId},
    limits::KEY_SECRETS_SHOWN_MAX,
    time::Timestamp,
};

#[derive(sqlx::FromRow)]
struct KeyRow {
    id: Vec<u8>,
    organization_id: Vec<u8>,
    role_id: Vec<u8>,
    role_name: String,
    name: String,
    scope: Option<String>,
    created_at: i64,
    valid_from: Option<i64>,
    expires_at: Option<i64>,
    never_expires_acknowledged: bool,
    revoked_at: Option<i64>,
    #[sqlx(flatten)]
    suspension: SuspensionColumns,
    allow_networks: Option<String>,
    deny_networks: Option<String>,
    maker_user_id: Option<Vec<u8>>,
    maker_token_id: Option<Vec<u8>>,
    version: i64,
    recent_uses: i64,
}

#[derive(sqlx::FromRow)]
struct SecretRow {
    id: Vec<u8>,
    prefix: String,
    secret_since: Option<i64>,
    created_at: i64,
    secret_retired_at: Option<i64>,
    secret_until: Option<i64>,
    secret_quiet_seconds: Option<i64>,
    used_at: Option<i64>,
    used_method: Option<String>,
    used_path: Option<String>,
    used_address: Option<String>,
    used_agent: Option<String>,
}

impl KeyRow {
    fn with(self, secrets: Vec<KeySecret>) -> Result<KeyWithUse, StoreError> {
        Ok(KeyWithUse {
            key: ApiKey {
                id: rows::id(&self.id, TokenId::from_bytes)?,
                organization: rows::id(&self.organization_id, OrganizationId::from_bytes)?,
                role: rows::id(&self.role_id, RoleId::from_bytes)?,
                name: rows::token_name(&self.name)?,
                scope: rows::scope(self.scope.as_deref())?,
                created: rows::moment(self.created_at),
                valid_from: rows::moment_option(self.valid_from),
                expiration: self
                    .expires_at
                    .map_or(Expiration::Never, |at| Expiration::At(rows::moment(at))),
                never_expires_acknowledged: self.never_expires_acknowledged,
                revoked: rows::moment_option(self.revoked_at),
                suspension: self.suspension.into(),
                address_rules: rows::address_rules(
                    self.allow_networks.as_deref(),
                    self.deny_networks.as_deref(),
                )?,
                maker_user: rows::id_option(self.maker_user_id.as_deref(), UserId::from_bytes)?,
                maker_token: rows::id_option(self.maker_token_id.as_deref(), TokenId::from_bytes)?,
                secrets,
            },
            role_name: self.role_name,
            recent_uses: rows::count(self.recent_uses),
            version: self.version,
        })
    }
}

impl TryFrom<SecretRow> for KeySecret {
    type Error = StoreError;

    fn try_from(row: SecretRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: rows::id(&row.id, TokenId::from_bytes)?,
            prefix: rows::prefix(&row.prefix)?,
            since: rows::moment(row.secret_since.unwrap_or(row.created_at)),
            retired: rows::moment_option(row.secret_retired_at),
            until: rows::moment_option(row.secret_until),
            quiet_seconds: row.secret_quiet_seconds,
            last_use: row.used_at.map(|at| LastUse {
                at: rows::moment(at),
                method: row.used_method,
                path: row.used_path,
                address: row.used_address,
                agent: row.used_agent,
            }),
        })
    }
}

impl Store {
    async fn secrets_of(
        &self,
        organization: OrganizationId,
        key: &[u8],
    ) -> Result<Vec<KeySecret>, StoreError> {
        let found: Vec<SecretRow> = on!(&self.read, pool => sqlx::query_as(sql::KEY_SECRETS).bind(&organization.bytes()[..]).bind(key).bind(i64::from(KEY_SECRETS_SHOWN_MAX)).fetch_all(pool).await?);
        let mut secrets: Vec<KeySecret> = found
            .into_iter()
            .map(KeySecret::try_from)
            .collect::<Result<_, _>>()?;
        secrets.sort_by_key(|secret| std::cmp::Reverse((secret.since, secret.id)));
        Ok(secrets)
    }

    /// A page of the keys of `organization`, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_keys(
        &self,
        organization: OrganizationId,
        query: &KeyQuery,
    ) -> Result<Vec<KeyWithUse>, StoreError> {
        let (name, id) = query
            .after
            .as_ref()
            .map_or(("", [0; 16]), |(name, id)| (name.as_str(), *id.bytes()));
        if rows::finds_nothing(&query.search, name) {
            return Ok(Vec::new());
        }
        let found: Vec<KeyRow> = on!(&self.read, pool => {
            sqlx::query_as(sql::KEYS_PAGE)
                .bind(&organization.bytes()[..])
                .bind(query.recent_since.micros())
                .bind(query.state.map_or("any", TokenState::word))
                .bind(query.now.micros())
                .bind(rows::pattern(&query.search))
                .bind(name)
                .bind(id.to_vec())
                .bind(i64::from(query.limit))
                .fetch_all(pool)
                .await?
        });
        let mut keys = Vec::with_capacity(found.len());
        for row in found {
            let secrets = self.secrets_of(organization, &row.id).await?;
            keys.push(row.with(secrets)?);
        }
        Ok(keys)
    }

    /// One key of `organization`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_key(
        &self,
        organization: OrganizationId,
        id: TokenId,
        recent_since: Timestamp,
    ) -> Result<Option<KeyWithUse>, StoreError> {
        let found: Option<KeyRow> = on!(&self.read, pool => {
            sqlx::query_as(sql::KEY_ONE)
                .bind(&organization.bytes()[..])
                .bind(&id.bytes()[..])
                .bind(recent_since.micros())
                .fetch_optional(pool)
                .await?
        });
        let Some(row) = found else { return Ok(None) };
        let secrets = self.secrets_of(organization, &row.id).await?;
        row.with(secrets).map(Some)
    }

    /// Older secrets that were quiet for as long as was chosen: their own ids, their organizations, and their keys.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn secrets_gone_quiet(
        &self,
        now: Timestamp,
    ) -> Result<Vec<(TokenId, OrganizationId, TokenId)>, StoreError> {
        let found: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> = on!(&self.read, pool => sqlx::query_as(sql::SECRETS_QUIET).bind(now.micros()).fetch_all(pool).await?);
        found
            .iter()
            .map(|(id, organization, key)| {
                Ok((
                    rows::id(id, TokenId::from_bytes)?,
                    rows::id(organization, OrganizationId::from_bytes)?,
                    rows::id(key, TokenId::from_bytes)?,
                ))
            })
            .collect()
    }
}
