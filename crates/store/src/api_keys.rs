//! API keys: made, listed, rotated, revoked. Every key holds the organization.

use crate::{
    FeedKey, Store, StoreError, Tx, access_tokens::Stored, on, rows, sql,
    suspensions::SuspensionColumns, tx::execute,
};
use hallpass_domain::{
    access_token::{Expiration, LastUse, TokenState},
    api_key::{ApiKey, KeySecret, Overlap},
    id::{OrganizationId, RoleId, TokenId, UserId},
    limits::{KEY_SECRETS_MAX, LIVE_KEYS_PER_ORGANIZATION_MAX},
    name::TokenName,
    permission::PermissionSet,
    role::Role,
    time::Timestamp,
    token::Prefix,
};

/// An API key to be made.
#[derive(Clone, Debug)]
pub struct NewKey<'a> {
    /// The key; its secrets are not looked at.
    pub key: &'a ApiKey,
    /// Its role as it was when the request was checked.
    pub role: &'a Role,
    /// How it begins.
    pub prefix: Prefix,
    /// How it is recognized.
    pub stored: &'a Stored,
}

/// What came of making a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyInserted {
    /// It is there.
    Done,
    /// Its role is not as it was when the request was checked.
    RoleChanged,
    /// The organization has as many as one may have.
    TooMany,
    /// A live key of the organization is called so; that one begins so.
    NameTaken(Prefix),
    /// Another token begins so: draw again.
    PrefixTaken,
}

/// A new secret for a key.
#[derive(Clone, Debug)]
pub struct NewSecret<'a> {
    /// Its own id: uses are noted by it.
    pub id: TokenId,
    /// How it begins.
    pub prefix: Prefix,
    /// How it is recognized.
    pub stored: &'a Stored,
    /// What becomes of the secret before it.
    pub overlap: Overlap,
    /// When.
    pub now: Timestamp,
}

/// What came of a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// The key has a new secret.
    Done(Vec<FeedKey>),
    /// It is not as it was when the request was checked, or does not work.
    Changed,
    /// As many secrets work as may at the same time.
    TooMany,
    /// Another token begins so: draw again.
    PrefixTaken,
}

/// Which keys, by name.
#[derive(Clone, Debug)]
pub struct KeyQuery {
    /// In this state.
    pub state: Option<TokenState>,
    /// With this in their name or prefix; folded as names are.
    pub search: String,
    /// After this name, folded, and id.
    pub after: Option<(String, TokenId)>,
    /// At most so many.
    pub limit: u32,
    /// The moment at which states are read.
    pub now: Timestamp,
    /// Since when uses count as recent.
    pub recent_since: Timestamp,
}

/// A key and what a list says besides.
#[derive(Clone, Debug)]
pub struct KeyWithUse {
    /// The key, with its secrets.
    pub key: ApiKey,
    /// What its role is called.
    pub role_name: String,
    /// How often it was used since the moment that was asked for.
    pub recent_uses: u64,
    /// Counts the changes to its row.
    pub version: i64,
}

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
        let found: Vec<SecretRow> = on!(&self.read, pool => sqlx::query_as(sql::KEY_SECRETS).bind(&organization.bytes()[..]).bind(key).fetch_all(pool).await?);
        found.into_iter().map(KeySecret::try_from).collect()
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

/// The three columns that say how a token is recognized.
pub(crate) fn columns(stored: &Stored) -> (Option<Vec<u8>>, Option<&str>, Option<&str>) {
    match stored {
        Stored::Digest(digest, pepper) => {
            (Some(digest.bytes().to_vec()), Some(pepper.as_str()), None)
        }
        Stored::Bcrypt(hash) => (None, None, Some(hash.as_str())),
    }
}

impl Tx {
    /// Adds a key, if its role is as it was, there is room for it, and no other of its name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_key(&mut self, new: &NewKey<'_>) -> Result<KeyInserted, StoreError> {
        let key = new.key;
        let organization = &key.organization.bytes()[..];
        // Keys of one organization are made one after the other, so that each count sees all others.
        if !self.hold_organization(key.organization).await? || !self.hold_role(new.role).await? {
            return Ok(KeyInserted::RoleChanged);
        }
        let live: i64 = on!(&mut self.on, tx => sqlx::query_scalar(sql::KEYS_LIVE_COUNT).bind(organization).bind(key.created.micros()).fetch_one(&mut **tx).await?);
        if live >= i64::from(LIVE_KEYS_PER_ORGANIZATION_MAX) {
            return Ok(KeyInserted::TooMany);
        }
        let floor = self.tokens_floor(key.organization, None).await?;
        execute!(self, sql::TOKENS_SETTLE_KEYS, organization, floor.micros());
        if self.add_key_row(new).await? {
            return Ok(KeyInserted::Done);
        }
        let holder = self.key_name_holder(key.organization, &key.name).await?;
        Ok(holder.map_or(KeyInserted::PrefixTaken, KeyInserted::NameTaken))
    }

    async fn add_key_row(&mut self, new: &NewKey<'_>) -> Result<bool, StoreError> {
        let key = new.key;
        let (digest, pepper, bcrypt) = columns(new.stored);
        let (allow, deny) = rows::networks_of(key.address_rules.as_ref());
        let added = execute!(
            self,
            sql::KEY_INSERT,
            &key.id.bytes()[..],
            &key.organization.bytes()[..],
            &key.role.bytes()[..],
            key.name.as_str(),
            key.name.key(),
            new.prefix.as_str(),
            digest.clone(),
            pepper,
            bcrypt,
            key.scope.as_ref().map(PermissionSet::to_text),
            key.created.micros(),
            rows::micros(key.valid_from),
            rows::micros(key.expiration.date()),
            key.never_expires_acknowledged,
            allow.clone(),
            deny.clone(),
            key.maker_user.as_ref().map(|id| &id.bytes()[..]),
            key.maker_token.as_ref().map(|id| &id.bytes()[..]),
        );
        Ok(added == 1)
    }

    async fn key_name_holder(
        &mut self,
        organization: OrganizationId,
        name: &TokenName,
    ) -> Result<Option<Prefix>, StoreError> {
        let found: Option<String> = on!(&mut self.on, tx => sqlx::query_scalar(sql::KEY_NAME_HOLDER).bind(&organization.bytes()[..]).bind(name.key()).fetch_optional(&mut **tx).await?);
        found.as_deref().map(rows::prefix).transpose()
    }

    /// The rows of a key: itself and its further secrets.
    pub(crate) async fn rows_of(
        &mut self,
        organization: OrganizationId,
        id: TokenId,
    ) -> Result<Vec<FeedKey>, StoreError> {
        let found: Vec<Vec<u8>> = on!(&mut self.on, tx => sqlx::query_scalar(sql::KEY_ROWS).bind(&organization.bytes()[..]).bind(&id.bytes()[..]).fetch_all(&mut **tx).await?);
        found
            .iter()
            .map(|id| rows::id(id, TokenId::from_bytes).map(FeedKey::Token))
            .collect()
    }

    /// Revokes a key with all its secrets. `None` when there is none that is not revoked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoke_key(
        &mut self,
        organization: OrganizationId,
        id: TokenId,
        now: Timestamp,
    ) -> Result<Option<Vec<FeedKey>>, StoreError> {
        let revoked = execute!(
            self,
            sql::KEY_REVOKE,
            &organization.bytes()[..],
            &id.bytes()[..],
            now.micros()
        );
        if revoked == 0 {
            return Ok(None);
        }
        self.rows_of(organization, id).await.map(Some)
    }

    /// Gives a key that is as it was when this was checked (`version`) a new secret.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rotate_key(
        &mut self,
        organization: OrganizationId,
        id: TokenId,
        version: i64,
        new: &NewSecret<'_>,
    ) -> Result<Rotated, StoreError> {
        let (whose, key, now) = (&organization.bytes()[..], &id.bytes()[..], new.now.micros());
        if execute!(self, sql::KEY_HOLD, whose, key, version, now) == 0 {
            return Ok(Rotated::Changed);
        }
        let until = new.overlap.until(new.now).micros();
        let working: i64 = on!(&mut self.on, tx => sqlx::query_scalar(sql::KEY_SECRETS_WORKING).bind(whose).bind(key).bind(now).fetch_one(&mut **tx).await?);
        if until > now && working >= i64::from(KEY_SECRETS_MAX) {
            return Ok(Rotated::TooMany);
        }
        let (digest, pepper, bcrypt) = columns(new.stored);
        let added = execute!(
            self,
            sql::KEY_ADD_SECRET,
            whose,
            key,
            &new.id.bytes()[..],
            new.prefix.as_str(),
            digest.clone(),
            pepper,
            bcrypt,
            now
        );
        if added == 0 {
            return Ok(Rotated::PrefixTaken);
        }
        execute!(
            self,
            sql::KEY_RETIRE,
            whose,
            key,
            until,
            new.overlap.quiet_seconds(),
            now,
            &new.id.bytes()[..]
        );
        Ok(Rotated::Done(self.rows_of(organization, id).await?))
    }

    /// Ends one older secret now. `None` when it has ended already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_secret(
        &mut self,
        id: TokenId,
        now: Timestamp,
    ) -> Result<Option<FeedKey>, StoreError> {
        let ended = execute!(self, sql::SECRET_END, &id.bytes()[..], now.micros());
        Ok((ended == 1).then_some(FeedKey::Token(id)))
    }
}
