//! API keys: made, listed, rotated, revoked. Every key holds the organization.

mod read;

use crate::{FeedKey, StoreError, Tx, access_tokens::Stored, on, rows, sql, tx::execute};
use hallpass_domain::{
    access_token::TokenState,
    api_key::{ApiKey, Overlap},
    id::{OrganizationId, TokenId},
    limits::{
        KEY_SECRETS_MAX, LIVE_KEYS_PER_ORGANIZATION_MAX, TOKENS_MADE_MAX, TOKENS_MADE_SECONDS,
    },
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
    /// As many were made in the last day as may be.
    TooManyToday,
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
    /// As many were made in the last day as may be.
    TooManyToday,
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

fn feed_keys(ids: &[Vec<u8>]) -> Result<Vec<FeedKey>, StoreError> {
    ids.iter()
        .map(|id| rows::id(id, TokenId::from_bytes).map(FeedKey::Token))
        .collect()
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
        if self
            .too_many_keys_today(key.organization, key.created)
            .await?
        {
            return Ok(KeyInserted::TooManyToday);
        }
        let floor = self.tokens_floor(key.organization, None).await?;
        execute!(self, sql::TOKENS_SETTLE_KEYS, organization, floor.micros());
        if self.add_key_row(new).await? {
            return Ok(KeyInserted::Done);
        }
        let holder = self.key_name_holder(key.organization, &key.name).await?;
        Ok(holder.map_or(KeyInserted::PrefixTaken, KeyInserted::NameTaken))
    }

    /// Under the organization's row.
    async fn too_many_keys_today(
        &mut self,
        organization: OrganizationId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let since = now.plus_seconds(-TOKENS_MADE_SECONDS).micros();
        let made: i64 = on!(&mut self.on, tx => sqlx::query_scalar(sql::KEYS_MADE).bind(&organization.bytes()[..]).bind(since).fetch_one(&mut **tx).await?);
        Ok(made >= i64::from(TOKENS_MADE_MAX))
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
        feed_keys(&found)
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
        if self.too_many_keys_today(organization, new.now).await? {
            return Ok(Rotated::TooManyToday);
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
        let changed: Vec<Vec<u8>> = on!(&mut self.on, tx => sqlx::query_scalar(sql::KEY_ROWS_ROTATED).bind(whose).bind(key).bind(now).fetch_all(&mut **tx).await?);
        feed_keys(&changed).map(Rotated::Done)
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
