//! Personal access tokens, as their owner lists them. Every key holds the organization and the owner.

use crate::{Store, StoreError, on, rows, sql, suspensions::SuspensionColumns};
use hallpass_domain::{
    access_token::{Expiration, LastUse, PersonalAccessToken, TokenState},
    id::{OrganizationId, TokenId, UserId},
    time::Timestamp,
};

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
    #[sqlx(flatten)]
    suspension: SuspensionColumns,
    valid_from: Option<i64>,
    allow_networks: Option<String>,
    deny_networks: Option<String>,
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
                suspension: row.suspension.into(),
                valid_from: rows::moment_option(row.valid_from),
                address_rules: rows::address_rules(
                    row.allow_networks.as_deref(),
                    row.deny_networks.as_deref(),
                )?,
                last_use,
            },
            recent_uses: u64::try_from(row.recent_uses).unwrap_or(0),
            version: row.version,
        })
    }
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
                .bind(rows::pattern(&$query.search))
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
        if rows::finds_nothing(&query.search, key) {
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
}
