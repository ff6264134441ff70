//! Personal access tokens, as they are written and listed. Every key holds the organization and the owner.

use crate::{FeedKey, Store, StoreError, Tx, on, rows, sql, tx::execute};
use hallpass_domain::{
    access_token::{Expiration, LastUse, PersonalAccessToken, TokenState},
    id::{OrganizationId, RoleId, TokenId, UserId},
    limits::LIVE_TOKENS_PER_USER_MAX,
    name::TokenName,
    permission::PermissionSet,
    time::Timestamp,
    token::{BcryptHash, Digest, Kind, PepperId, Prefix},
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
    /// When it is changed: a token that has ended by then stays as it is.
    pub now: Timestamp,
}

/// By what a list is sorted; ties by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenSort {
    /// When they were made.
    Created,
    /// Their names, without regard to case.
    Name,
    /// When they end; never comes last.
    Expiration,
    /// When they were last used; never comes first.
    LastUsed,
}

/// Which tokens, in which order.
#[derive(Clone, Debug)]
pub struct TokenQuery {
    /// In this state.
    pub state: Option<TokenState>,
    /// Not used, nor made, at or after this moment.
    pub unused_since: Option<Timestamp>,
    /// With this in their name, prefix or last address; folded as names are.
    pub search: String,
    /// By what they are sorted.
    pub sort: TokenSort,
    /// Whether the order is turned round.
    pub descending: bool,
    /// After which sort key and id; [`TokenPage::next`] of the page before.
    pub after: Option<(String, TokenId)>,
    /// At most so many.
    pub limit: u32,
    /// The moment at which states are read.
    pub now: Timestamp,
    /// Since when uses count as recent.
    pub recent_since: Timestamp,
}

/// A token and what a list says besides.
#[derive(Clone, Debug)]
pub struct TokenWithUse {
    /// The token.
    pub token: PersonalAccessToken,
    /// How often it was used since the moment that was asked for.
    pub recent_uses: u64,
    /// Counts the changes to its row; a change names the version it was made for.
    pub version: i64,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct TokenPage {
    /// The tokens.
    pub items: Vec<TokenWithUse>,
    /// Where the next page begins, if there is one.
    pub next: Option<(String, TokenId)>,
}

#[derive(sqlx::FromRow)]
struct TokenRow {
    id: Vec<u8>,
    organization_id: Vec<u8>,
    user_id: Vec<u8>,
    name: String,
    prefix: String,
    scope: Option<String>,
    created_at: i64,
    expires_at: Option<i64>,
    never_expires_acknowledged: bool,
    suspended_at: Option<i64>,
    revoked_at: Option<i64>,
    version: i64,
    used_at: Option<i64>,
    used_method: Option<String>,
    used_path: Option<String>,
    used_address: Option<String>,
    used_agent: Option<String>,
    recent_uses: i64,
}

#[derive(sqlx::FromRow)]
struct NumberedRow {
    #[sqlx(flatten)]
    token: TokenRow,
    sort_key: i64,
}

#[derive(sqlx::FromRow)]
struct NamedRow {
    #[sqlx(flatten)]
    token: TokenRow,
    sort_key: String,
}

impl TryFrom<TokenRow> for TokenWithUse {
    type Error = StoreError;

    fn try_from(row: TokenRow) -> Result<Self, StoreError> {
        let last_use = row.used_at.map(|at| LastUse {
            at: rows::moment(at),
            method: row.used_method,
            path: row.used_path,
            address: row.used_address,
            agent: row.used_agent,
        });
        Ok(Self {
            token: PersonalAccessToken {
                id: rows::id(&row.id, TokenId::from_bytes)?,
                organization: rows::id(&row.organization_id, OrganizationId::from_bytes)?,
                owner: rows::id(&row.user_id, UserId::from_bytes)?,
                name: rows::token_name(&row.name)?,
                prefix: rows::prefix(&row.prefix)?,
                scope: rows::scope(row.scope.as_deref())?,
                created: rows::moment(row.created_at),
                expiration: row
                    .expires_at
                    .map_or(Expiration::Never, |at| Expiration::At(rows::moment(at))),
                never_expires_acknowledged: row.never_expires_acknowledged,
                revoked: rows::moment_option(row.revoked_at),
                suspended: rows::moment_option(row.suspended_at),
                last_use,
            },
            recent_uses: u64::try_from(row.recent_uses).unwrap_or(0),
            version: row.version,
        })
    }
}

/// `%` and `_` are letters in a search, not wildcards.
fn pattern(search: &str) -> String {
    if search.is_empty() {
        return String::new();
    }
    let mut pattern = String::from("%");
    for c in search.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

const fn statement(sort: TokenSort, descending: bool) -> &'static str {
    match (sort, descending) {
        (TokenSort::Created, false) => sql::TOKENS_BY_CREATED_UP,
        (TokenSort::Created, true) => sql::TOKENS_BY_CREATED_DOWN,
        (TokenSort::Name, false) => sql::TOKENS_BY_NAME_UP,
        (TokenSort::Name, true) => sql::TOKENS_BY_NAME_DOWN,
        (TokenSort::Expiration, false) => sql::TOKENS_BY_END_UP,
        (TokenSort::Expiration, true) => sql::TOKENS_BY_END_DOWN,
        (TokenSort::LastUsed, false) => sql::TOKENS_BY_USE_UP,
        (TokenSort::LastUsed, true) => sql::TOKENS_BY_USE_DOWN,
    }
}

macro_rules! fetch_page {
    ($store:expr, $row:ty, $query:expr, $organization:expr, $owner:expr, $key:expr) => {
        on!(&$store.read, pool => {
            let after = $query.after.as_ref().map_or([0; 16], |(_, id)| *id.bytes());
            sqlx::query_as::<_, $row>(statement($query.sort, $query.descending))
                .bind(&$organization.bytes()[..])
                .bind(&$owner.bytes()[..])
                .bind($query.recent_since.micros())
                .bind($query.state.map_or("any", TokenState::word))
                .bind($query.now.micros())
                .bind($query.unused_since.map_or(i64::MAX, Timestamp::micros))
                .bind(pattern(&$query.search))
                .bind(i64::from($query.after.is_some()))
                .bind($key)
                .bind(after.to_vec())
                .bind(i64::from($query.limit) + 1)
                .fetch_all(pool)
                .await?
        })
    };
}

impl Store {
    /// A page of the tokens of `owner` in `organization`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_tokens(
        &self,
        organization: OrganizationId,
        owner: UserId,
        query: &TokenQuery,
    ) -> Result<TokenPage, StoreError> {
        let key = query.after.as_ref().map_or("", |(key, _)| key.as_str());
        // PostgreSQL refuses a NUL, SQLite ends a pattern at it; nothing that is stored holds one.
        if query.search.contains('\0') || key.contains('\0') {
            return Ok(TokenPage {
                items: Vec::new(),
                next: None,
            });
        }
        let rows: Vec<(TokenRow, String)> = if query.sort == TokenSort::Name {
            let found = fetch_page!(self, NamedRow, query, organization, owner, key);
            found
                .into_iter()
                .map(|row: NamedRow| (row.token, row.sort_key))
                .collect()
        } else {
            let key: i64 = key.parse().unwrap_or(0);
            let found = fetch_page!(self, NumberedRow, query, organization, owner, key);
            found
                .into_iter()
                .map(|row: NumberedRow| (row.token, row.sort_key.to_string()))
                .collect()
        };
        let more = rows.len() > query.limit as usize;
        let mut page = TokenPage {
            items: Vec::with_capacity(rows.len()),
            next: None,
        };
        for (row, key) in rows.into_iter().take(query.limit as usize) {
            let item = TokenWithUse::try_from(row)?;
            page.next = more.then_some((key, item.token.id));
            page.items.push(item);
        }
        Ok(page)
    }

    /// How many tokens of `owner` in `organization` are in each state at `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_tokens_by_state(
        &self,
        organization: OrganizationId,
        owner: UserId,
        now: Timestamp,
    ) -> Result<Vec<(TokenState, u64)>, StoreError> {
        let found: Vec<(String, i64)> = on!(&self.read, pool => {
            sqlx::query_as(sql::TOKEN_COUNTS).bind(&organization.bytes()[..]).bind(&owner.bytes()[..]).bind(now.micros()).fetch_all(pool).await?
        });
        found
            .into_iter()
            .map(|(state, count)| {
                let state = TokenState::from_word(&state).ok_or(StoreError::Malformed("state"))?;
                Ok((state, u64::try_from(count).unwrap_or(0)))
            })
            .collect()
    }

    /// One token of `owner` in `organization`, with its uses since `recent_since`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_token(
        &self,
        organization: OrganizationId,
        owner: UserId,
        id: TokenId,
        recent_since: Timestamp,
    ) -> Result<Option<TokenWithUse>, StoreError> {
        let found: Option<TokenRow> = on!(&self.read, pool => {
            sqlx::query_as(sql::TOKEN_OF_USER)
                .bind(&organization.bytes()[..])
                .bind(&owner.bytes()[..])
                .bind(&id.bytes()[..])
                .bind(recent_since.micros())
                .fetch_optional(pool)
                .await?
        });
        found.map(TokenWithUse::try_from).transpose()
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
        if self.add_token_row(token).await? {
            return Ok(Inserted::Done);
        }
        Ok(self
            .name_holder(token.owner, token.name)
            .await?
            .map_or(Inserted::PrefixTaken, Inserted::NameTaken))
    }

    /// False when a constraint of uniqueness kept it out.
    async fn add_token_row(&mut self, token: &NewToken<'_>) -> Result<bool, StoreError> {
        let (digest, pepper, bcrypt) = match token.stored {
            Stored::Digest(digest, pepper) => {
                (Some(digest.bytes().to_vec()), Some(pepper.as_str()), None)
            }
            Stored::Bcrypt(hash) => (None, None, Some(hash.as_str())),
        };
        let no_role: Option<&[u8]> = None;
        let added = execute!(
            self,
            sql::TOKEN_INSERT,
            &token.id.bytes()[..],
            Kind::PersonalAccessToken.word(),
            &token.organization.bytes()[..],
            &token.owner.bytes()[..],
            no_role,
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
        );
        Ok(added == 1)
    }

    /// The prefix of the live token of `owner` with this name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn name_holder(
        &mut self,
        owner: UserId,
        name: &TokenName,
    ) -> Result<Option<Prefix>, StoreError> {
        let found: Option<String> = on!(&mut self.on, tx => sqlx::query_scalar(sql::TOKEN_NAME_HOLDER).bind(&owner.bytes()[..]).bind(name.key()).fetch_optional(&mut **tx).await?);
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
        let held: Option<String> = on!(&mut self.on, tx => sqlx::query_scalar(sql::TOKEN_NAMESAKE).bind(&owner.bytes()[..]).bind(change.name.key()).bind(&id.bytes()[..]).fetch_optional(&mut **tx).await?);
        if let Some(prefix) = held {
            return Ok(Err(rows::prefix(&prefix)?));
        }
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

    /// Suspends a token from `since`, or lifts that. `None` when there is none that is not revoked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn suspend_token(
        &mut self,
        organization: OrganizationId,
        owner: UserId,
        id: TokenId,
        since: Option<Timestamp>,
    ) -> Result<Option<FeedKey>, StoreError> {
        let changed = execute!(
            self,
            sql::TOKEN_SUSPEND,
            &organization.bytes()[..],
            &owner.bytes()[..],
            &id.bytes()[..],
            rows::micros(since)
        );
        Ok((changed == 1).then_some(FeedKey::Token(id)))
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
