//! Personal access tokens, as they are written. Every key holds the organization and the owner.

use crate::{FeedKey, Store, StoreError, Tx, api_keys::columns, on, rows, sql, tx::execute};
use hallpass_domain::{
    access_token::Expiration,
    id::{OrganizationId, RoleId, TokenId, UserId},
    limits::{LIVE_TOKENS_PER_USER_MAX, TOKENS_MADE_MAX, TOKENS_MADE_SECONDS},
    name::TokenName,
    network::AddressRules,
    permission::PermissionSet,
    time::Timestamp,
    token::{BcryptHash, Digest, PepperId, Prefix},
};

/// How a token is recognized.
#[derive(Clone, Debug)]
pub enum Stored {
    /// By its digest under a pepper.
    Digest(Digest, PepperId),
    /// By its prefix and a bcrypt hash.
    Bcrypt(BcryptHash),
}

/// A personal access token to be added.
#[derive(Clone, Debug)]
pub struct NewToken<'a> {
    /// Its id.
    pub id: TokenId,
    /// Where it will work.
    pub organization: OrganizationId,
    /// Whose it will be.
    pub owner: UserId,
    /// The role its owner had when the request was checked.
    pub role: RoleId,
    /// Its name.
    pub name: &'a TokenName,
    /// How it begins.
    pub prefix: Prefix,
    /// How it is recognized.
    pub stored: &'a Stored,
    /// What it is narrowed to.
    pub scope: Option<&'a PermissionSet>,
    /// When it is made.
    pub created: Timestamp,
    /// When it ends.
    pub expiration: Expiration,
    /// What its maker said about never expiring.
    pub never_expires_acknowledged: bool,
    /// The first moment at which it works, if not from the beginning.
    pub valid_from: Option<Timestamp>,
    /// From where it may be used.
    pub address_rules: Option<&'a AddressRules>,
}

/// What came of adding a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It is there.
    Done,
    /// Its owner may not have tokens there any more, or has another role than was checked.
    NotAllowed,
    /// Its owner has as many as one may have.
    TooMany,
    /// Its owner has made as many in a day as one may make.
    TooManyToday,
    /// Its owner has a live token of this name; that one begins so.
    NameTaken(Prefix),
    /// Another token begins so: draw again.
    PrefixTaken,
}

/// What becomes of a token's changeable parts.
#[derive(Clone, Debug)]
pub struct TokenChange<'a> {
    /// Its name.
    pub name: &'a TokenName,
    /// When it ends.
    pub expiration: Expiration,
    /// The acknowledgement.
    pub never_expires_acknowledged: bool,
    /// What it is narrowed to.
    pub scope: Option<&'a PermissionSet>,
    /// The first moment at which it works, if not from the beginning.
    pub valid_from: Option<Timestamp>,
    /// From where it may be used.
    pub address_rules: Option<&'a AddressRules>,
    /// When it is changed: a token that has ended by then stays as it is.
    pub now: Timestamp,
}

impl Store {
    /// What is remembered of `user`'s creation under `key`, if it was asked for since `since`: the request's
    /// digest, and the token it made.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_idempotency_key(
        &self,
        user: UserId,
        key: &str,
        since: Timestamp,
    ) -> Result<Option<([u8; 32], TokenId)>, StoreError> {
        let found: Option<(Vec<u8>, Vec<u8>)> = on!(&self.read, pool => {
            sqlx::query_as(sql::IDEMPOTENCY_SINCE)
                .bind(&user.bytes()[..])
                .bind(key)
                .bind(since.micros())
                .fetch_optional(pool)
                .await?
        });
        let Some((request, token)) = found else {
            return Ok(None);
        };
        Ok(Some((
            *rows::digest(&request)?.bytes(),
            rows::id(&token, TokenId::from_bytes)?,
        )))
    }

    /// Forgets the creations remembered before `before`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn trim_idempotency(&self, before: Timestamp) -> Result<u64, StoreError> {
        Ok(
            on!(&self.write, pool => sqlx::query(sql::IDEMPOTENCY_TRIM).bind(before.micros()).execute(pool).await?.rows_affected()),
        )
    }
}

impl Tx {
    /// Remembers that `user` asked for the creation of `token` under `key` with a request of this digest. Given
    /// back is what was remembered before, if anything was since `forget_before`: the request's digest, and the
    /// token it made.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim_idempotency_key(
        &mut self,
        user: UserId,
        key: &str,
        request: &[u8; 32],
        token: TokenId,
        now: Timestamp,
        forget_before: Timestamp,
    ) -> Result<Option<([u8; 32], TokenId)>, StoreError> {
        execute!(
            self,
            sql::IDEMPOTENCY_FORGET_ONE,
            &user.bytes()[..],
            key,
            forget_before.micros()
        );
        let claimed = execute!(
            self,
            sql::IDEMPOTENCY_INSERT,
            &user.bytes()[..],
            key,
            &request[..],
            &token.bytes()[..],
            now.micros()
        );
        if claimed == 1 {
            return Ok(None);
        }
        let (request, token): (Vec<u8>, Vec<u8>) = on!(&mut self.on, tx => sqlx::query_as(sql::IDEMPOTENCY).bind(&user.bytes()[..]).bind(key).fetch_one(&mut **tx).await?);
        Ok(Some((
            *rows::digest(&request)?.bytes(),
            rows::id(&token, TokenId::from_bytes)?,
        )))
    }

    /// Holds a token or key of `organization` until the transaction ends. False when it does not work at `now`: revoked,
    /// suspended, past its end, or gone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hold_token(
        &mut self,
        id: TokenId,
        organization: OrganizationId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let held = execute!(
            self,
            sql::TOKEN_HOLD,
            &id.bytes()[..],
            &organization.bytes()[..],
            now.micros(),
        );
        Ok(held == 1)
    }

    /// Adds a token, if its owner may have it, has room for it, and has no other of its name. Each of these is
    /// decided by a statement that holds the rows it decides by.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_token(&mut self, token: &NewToken<'_>) -> Result<Inserted, StoreError> {
        let owner = &token.owner.bytes()[..];
        let organization = &token.organization.bytes()[..];
        let held = execute!(self, sql::USER_HOLD, owner) == 1
            && execute!(
                self,
                sql::MEMBERSHIP_HOLD,
                organization,
                owner,
                &token.role.bytes()[..]
            ) == 1;
        if !held {
            return Ok(Inserted::NotAllowed);
        }
        // What was revoked together with others holds neither its name nor its place any longer, wherever it was.
        execute!(self, sql::TOKENS_SETTLE_USER, owner);
        if execute!(
            self,
            sql::TOKEN_ROOM,
            owner,
            token.created.micros(),
            i64::from(LIVE_TOKENS_PER_USER_MAX)
        ) == 0
        {
            return Ok(Inserted::TooMany);
        }
        let since = token.created.plus_seconds(-TOKENS_MADE_SECONDS).micros();
        // Nobody else makes one for this user meanwhile: their row is held.
        let (made,): (i64,) = on!(&mut self.on, tx => sqlx::query_as(sql::TOKENS_MADE).bind(owner).bind(organization).bind(since).fetch_one(&mut **tx).await?);
        if made >= i64::from(TOKENS_MADE_MAX) {
            return Ok(Inserted::TooManyToday);
        }
        if self.add_token_row(token).await? {
            return Ok(Inserted::Done);
        }
        Ok(self
            .name_holder(token.organization, token.owner, token.name)
            .await?
            .map_or(Inserted::PrefixTaken, Inserted::NameTaken))
    }

    /// False when a constraint of uniqueness kept it out.
    async fn add_token_row(&mut self, token: &NewToken<'_>) -> Result<bool, StoreError> {
        let (digest, pepper, bcrypt) = columns(token.stored);
        let (allow, deny) = rows::networks_of(token.address_rules);
        let added = execute!(
            self,
            sql::TOKEN_INSERT,
            &token.id.bytes()[..],
            &token.organization.bytes()[..],
            &token.owner.bytes()[..],
            token.name.as_str(),
            token.name.key(),
            token.prefix.as_str(),
            digest.clone(),
            pepper,
            bcrypt,
            token.scope.map(PermissionSet::to_text),
            token.created.micros(),
            rows::micros(token.expiration.date()),
            token.never_expires_acknowledged,
            rows::micros(token.valid_from),
            allow.clone(),
            deny.clone(),
        );
        Ok(added == 1)
    }

    /// The prefix of the live token of `owner` with this name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn name_holder(
        &mut self,
        organization: OrganizationId,
        owner: UserId,
        name: &TokenName,
    ) -> Result<Option<Prefix>, StoreError> {
        let found: Option<String> = on!(&mut self.on, tx => sqlx::query_scalar(sql::TOKEN_NAME_HOLDER).bind(&organization.bytes()[..]).bind(&owner.bytes()[..]).bind(name.key()).fetch_optional(&mut **tx).await?);
        found.as_deref().map(rows::prefix).transpose()
    }

    /// Changes a token that is as it was when the change was checked (`version`), neither revoked nor expired. `None` when it
    /// is not.
    ///
    /// # Errors
    /// [`StoreError`]; a name that is taken shows as [`Inserted::NameTaken`].
    pub async fn change_token(
        &mut self,
        organization: OrganizationId,
        owner: UserId,
        id: TokenId,
        version: i64,
        change: &TokenChange<'_>,
    ) -> Result<Result<Option<FeedKey>, Prefix>, StoreError> {
        // Holding the user's row makes the look for a namesake and the change one step: names are only given
        // under it.
        execute!(self, sql::USER_HOLD, &owner.bytes()[..]);
        execute!(self, sql::TOKENS_SETTLE_USER, &owner.bytes()[..]);
        let held: Option<String> = on!(&mut self.on, tx => sqlx::query_scalar(sql::TOKEN_NAMESAKE).bind(&organization.bytes()[..]).bind(&owner.bytes()[..]).bind(change.name.key()).bind(&id.bytes()[..]).fetch_optional(&mut **tx).await?);
        if let Some(prefix) = held {
            return Ok(Err(rows::prefix(&prefix)?));
        }
        let (allow, deny) = rows::networks_of(change.address_rules);
        let changed = execute!(
            self,
            sql::TOKEN_UPDATE,
            &organization.bytes()[..],
            &owner.bytes()[..],
            &id.bytes()[..],
            version,
            change.name.as_str(),
            change.name.key(),
            rows::micros(change.expiration.date()),
            change.never_expires_acknowledged,
            change.scope.map(PermissionSet::to_text),
            change.now.micros(),
            rows::micros(change.valid_from),
            allow.clone(),
            deny.clone(),
        );
        Ok(Ok((changed == 1).then_some(FeedKey::Token(id))))
    }

    /// Revokes a token. `None` when there is none that is not revoked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoke_token(
        &mut self,
        organization: OrganizationId,
        owner: UserId,
        id: TokenId,
        now: Timestamp,
    ) -> Result<Option<FeedKey>, StoreError> {
        let revoked = execute!(
            self,
            sql::TOKEN_REVOKE,
            &organization.bytes()[..],
            &owner.bytes()[..],
            &id.bytes()[..],
            now.micros()
        );
        Ok((revoked == 1).then_some(FeedKey::Token(id)))
    }

    /// Replaces a digest made under a retired pepper. `None` when the token has another digest by now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn redigest_token(
        &mut self,
        id: TokenId,
        old: &Digest,
        new: &Digest,
        pepper: &PepperId,
    ) -> Result<Option<FeedKey>, StoreError> {
        let changed = execute!(
            self,
            sql::TOKEN_REDIGEST,
            &id.bytes()[..],
            &old.bytes()[..],
            &new.bytes()[..],
            pepper.as_str()
        );
        Ok((changed == 1).then_some(FeedKey::Token(id)))
    }
}
