//! Every token and key of an organization, for those who answer for it. What is asked for varies, so the statements
//! here are put together; every value is bound.

use crate::{
    AtRest, FeedKey, Store, StoreError, Tx, on, rows, sql, suspensions::SuspensionColumns,
};
use hallpass_domain::{
    access_token::{Expiration, LastUse, Suspension, TokenState},
    id::{OrganizationId, RoleId, TokenId, UserId},
    name::{DisplayName, Email, TokenName},
    permission::{Permission, PermissionSet},
    time::Timestamp,
    token::{Kind, Prefix},
};
use sqlx::QueryBuilder;

/// Which tokens and keys. What is not named is not asked about.
#[derive(Clone, Debug, Default)]
pub struct InventoryFilter {
    /// Of this kind.
    pub kind: Option<Kind>,
    /// Of this user.
    pub owner: Option<UserId>,
    /// In this state.
    pub state: Option<TokenState>,
    /// That can do this: the permission, and the roles that hold it now.
    pub permission: Option<(Permission, Vec<RoleId>)>,
    /// Neither used nor made at or after this moment.
    pub unused_since: Option<Timestamp>,
    /// Made before this moment.
    pub made_before: Option<Timestamp>,
    /// That end before this moment.
    pub ends_before: Option<Timestamp>,
    /// That never end.
    pub endless: bool,
    /// That are not revoked, neither by themselves nor together with others.
    pub unrevoked: bool,
    /// With this in their name, prefix or last address; folded as names are.
    pub search: String,
}

/// Who has a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InventoryOwner {
    /// A user.
    User {
        /// Who.
        id: UserId,
        /// Their name.
        name: DisplayName,
        /// Their address.
        email: Email,
    },
    /// The organization, with a role.
    Organization {
        /// Which role.
        role: RoleId,
        /// What it is called.
        name: String,
    },
}

/// One token or key of an organization.
#[derive(Clone, Debug)]
pub struct InventoryRow {
    /// Its id.
    pub id: TokenId,
    /// What it is.
    pub kind: Kind,
    /// Who has it.
    pub owner: InventoryOwner,
    /// What it is called.
    pub name: TokenName,
    /// How it begins.
    pub prefix: Prefix,
    /// What it is narrowed to.
    pub scope: Option<PermissionSet>,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expiration: Expiration,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// Its rest, if it rests.
    pub suspension: Option<Suspension>,
    /// How it was last used.
    pub last_use: Option<LastUse>,
    around: Option<AtRest>,
}

impl InventoryRow {
    /// What keeps it from working that is no word of its own: nothing once it has ended.
    pub fn at_rest(&self, now: Timestamp) -> Option<AtRest> {
        let has_ended = matches!(self.state(now), TokenState::Revoked | TokenState::Expired);
        self.around.filter(|_| !has_ended)
    }

    /// What the row says at `now`.
    pub fn state(&self, now: Timestamp) -> TokenState {
        TokenState::of(
            self.revoked,
            self.expiration,
            self.suspension.is_some(),
            now,
        )
    }
}

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    id: Vec<u8>,
    kind: String,
    user_id: Option<Vec<u8>>,
    user_name: Option<String>,
    user_email: Option<String>,
    role_id: Option<Vec<u8>>,
    role_name: Option<String>,
    name: String,
    prefix: String,
    scope: Option<String>,
    created_at: i64,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
    #[sqlx(flatten)]
    suspension: SuspensionColumns,
    used_at: Option<i64>,
    used_method: Option<String>,
    used_path: Option<String>,
    used_address: Option<String>,
    used_agent: Option<String>,
    around: Option<String>,
}

impl TryFrom<Row> for InventoryRow {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let malformed = StoreError::Malformed("owner");
        let owner = match (row.user_id, row.user_name, row.user_email) {
            (Some(id), Some(name), Some(email)) => InventoryOwner::User {
                id: rows::id(&id, UserId::from_bytes)?,
                name: rows::display_name(&name)?,
                email: rows::email(&email)?,
            },
            _ => InventoryOwner::Organization {
                role: rows::id(row.role_id.as_deref().ok_or(malformed)?, RoleId::from_bytes)?,
                name: row.role_name.unwrap_or_default(),
            },
        };
        Ok(Self {
            id: rows::id(&row.id, TokenId::from_bytes)?,
            kind: Kind::from_word(&row.kind).ok_or(StoreError::Malformed("kind"))?,
            owner,
            name: rows::token_name(&row.name)?,
            prefix: rows::prefix(&row.prefix)?,
            scope: rows::scope(row.scope.as_deref())?,
            created: rows::moment(row.created_at),
            expiration: row
                .expires_at
                .map_or(Expiration::Never, |at| Expiration::At(rows::moment(at))),
            revoked: rows::moment_option(row.revoked_at),
            suspension: row.suspension.into(),
            last_use: row.used_at.map(|at| LastUse {
                at: rows::moment(at),
                method: row.used_method,
                path: row.used_path,
                address: row.used_address,
                agent: row.used_agent,
            }),
            around: row.around.as_deref().and_then(AtRest::from_word),
        })
    }
}

/// The latest use of any secret: a key with one secret is looked up as quickly as a token.
pub(crate) const COLUMNS: &str = concat!(
    "select t.id, t.kind, t.user_id, w.name as user_name, w.email as user_email, t.role_id, r.name as role_name, t.name, \
     coalesce((select s.prefix from token s where s.secret_of = t.id and s.secret_retired_at is null), t.prefix) as prefix, \
     t.scope, t.created_at, t.expires_at, t.suspended_at, t.suspended_until, t.suspended_reason, t.suspended_by_owner, ",
    crate::sql::revoked_at!(),
    " as revoked_at, u.at as used_at, u.method as used_method, u.path as used_path, u.address as used_address, u.agent as used_agent, \
     (select case when o.standing <> 'active' then 'organization' when t.user_id is null then null when w.standing <> 'active' then 'account' \
     when m.standing is null or m.standing <> 'active' then 'member' when not m.may_have_tokens then 'gate' end \
     from organization o left join membership m on m.organization_id = o.id and m.user_id = t.user_id where o.id = t.organization_id) as around "
);
pub(crate) const TABLES: &str = "from token t left join app_user w on w.id = t.user_id left join role r on r.id = t.role_id \
    left join token_use u on u.token_id = (select v.token_id from token_use v where v.token_id = t.id or v.token_id in (select s.id from token s where s.secret_of = t.id) order by v.at desc limit 1) \
    where t.secret_of is null and t.organization_id = ";

/// `%` and `_` mean themselves between the blanks of a stored set.
fn scope_pattern(permission: &str) -> String {
    format!("% {} %", rows::escaped(permission))
}

/// Whether it is had by naming it, whatever the role.
fn is_own(permission: &Permission) -> bool {
    permission.as_str() == Permission::OWN_TOKENS
}

/// Puts the conditions of a filter behind a statement that ends in the organization's.
macro_rules! filter {
    ($statement:ident, $organization:expr, $filter:expr, $now:expr) => {{
        let filter: &InventoryFilter = $filter;
        $statement.push_bind($organization.bytes().to_vec());
        if let Some(kind) = filter.kind {
            $statement.push(" and t.kind = ").push_bind(kind.word());
        }
        if let Some(owner) = filter.owner {
            $statement.push(" and t.user_id = ").push_bind(owner.bytes().to_vec());
        }
        if let Some(state) = filter.state {
            let (before, after) = crate::sql::STATE_PARTS;
            $statement.push(" and ").push(before).push_bind($now.micros()).push(after);
            $statement.push(" = ").push_bind(state.word());
        }
        if filter.unrevoked {
            $statement.push(concat!(" and ", crate::sql::revoked_at!(), " is null"));
        }
        if let Some((permission, _)) = filter.permission.as_ref().filter(|(permission, _)| is_own(permission)) {
            $statement.push(" and ' ' || t.scope || ' ' like ").push_bind(scope_pattern(permission.as_str())).push(" escape '\\'");
        } else if let Some((permission, roles)) = &filter.permission {
            let wildcard = format!("{}:*", permission.resource());
            $statement
                .push(" and (t.scope is null or ' ' || t.scope || ' ' like ")
                .push_bind(scope_pattern(permission.as_str()))
                .push(" escape '\\' or ' ' || t.scope || ' ' like ")
                .push_bind(scope_pattern(&wildcard))
                .push(" escape '\\') and coalesce(t.role_id, (select m.role_id from membership m where m.organization_id = t.organization_id and m.user_id = t.user_id)) in (");
            let mut list = $statement.separated(", ");
            for role in roles {
                list.push_bind(role.bytes().to_vec());
            }
            // An empty list is no list in SQL.
            list.push("null");
            $statement.push(")");
        }
        if let Some(since) = filter.unused_since {
            $statement
                .push(" and t.created_at < ")
                .push_bind(since.micros())
                .push(" and coalesce(u.at, t.created_at) < ")
                .push_bind(since.micros());
        }
        if let Some(before) = filter.made_before {
            $statement.push(" and t.created_at < ").push_bind(before.micros());
        }
        if let Some(before) = filter.ends_before {
            $statement.push(" and t.expires_at < ").push_bind(before.micros());
        }
        if filter.endless {
            $statement.push(" and t.expires_at is null");
        }
        if !filter.search.is_empty() {
            let pattern = rows::pattern(&filter.search);
            $statement
                .push(" and (t.name_key like ")
                .push_bind(pattern.clone())
                .push(" escape '\\' or lower(t.prefix) like ")
                .push_bind(pattern.clone())
                .push(" escape '\\' or exists (select 1 from token s where s.secret_of = t.id and lower(s.prefix) like ")
                .push_bind(pattern.clone())
                .push(" escape '\\') or w.email_key like ")
                .push_bind(pattern.clone())
                .push(" escape '\\' or lower(u.address) like ")
                .push_bind(pattern)
                .push(" escape '\\')");
        }
    }};
}

impl InventoryFilter {
    fn finds_nothing(&self) -> bool {
        rows::finds_nothing(&self.search, "")
    }
}

impl Store {
    /// A page of an organization's tokens and keys, the latest first, after the one made then with that id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_inventory(
        &self,
        organization: OrganizationId,
        filter: &InventoryFilter,
        after: Option<(Timestamp, TokenId)>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<InventoryRow>, StoreError> {
        if filter.finds_nothing() {
            return Ok(Vec::new());
        }
        let found: Vec<Row> = on!(&self.read, pool => {
            let mut statement = QueryBuilder::new(COLUMNS);
            statement.push(TABLES);
            filter!(statement, organization, filter, now);
            if let Some((at, id)) = after {
                statement.push(" and (t.created_at, t.id) < (").push_bind(at.micros()).push(", ").push_bind(id.bytes().to_vec()).push(")");
            }
            statement.push(" order by t.created_at desc, t.id desc limit ").push_bind(i64::from(limit));
            statement.build_query_as().fetch_all(pool).await?
        });
        found.into_iter().map(InventoryRow::try_from).collect()
    }

    /// How many there are.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_inventory(
        &self,
        organization: OrganizationId,
        filter: &InventoryFilter,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        if filter.finds_nothing() {
            return Ok(0);
        }
        let count: i64 = on!(&self.read, pool => {
            let mut statement = QueryBuilder::new("select cast(count(*) as BIGINT) ");
            statement.push(TABLES);
            filter!(statement, organization, filter, now);
            statement.build_query_scalar().fetch_one(pool).await?
        });
        Ok(rows::count(count))
    }
}

impl Store {
    /// One token or key of an organization.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_in_inventory(
        &self,
        organization: OrganizationId,
        id: TokenId,
    ) -> Result<Option<InventoryRow>, StoreError> {
        let found: Option<Row> = on!(&self.read, pool => {
            let mut statement = QueryBuilder::new(COLUMNS);
            statement.push(TABLES).push_bind(organization.bytes().to_vec());
            statement.push(" and t.id = ").push_bind(id.bytes().to_vec());
            statement.build_query_as().fetch_optional(pool).await?
        });
        found.map(InventoryRow::try_from).transpose()
    }

    /// The secret of an organization that begins so, and the token or key it is of.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_secret(
        &self,
        organization: OrganizationId,
        prefix: Prefix,
    ) -> Result<Option<(TokenId, TokenId)>, StoreError> {
        let found: Option<(Vec<u8>, Vec<u8>)> = on!(&self.read, pool => sqlx::query_as(sql::SECRET_BY_PREFIX).bind(&organization.bytes()[..]).bind(prefix.as_str()).fetch_optional(pool).await?);
        let id = |bytes: &[u8]| rows::id(bytes, TokenId::from_bytes);
        found
            .map(|(secret, token)| Ok((id(&secret)?, id(&token)?)))
            .transpose()
    }
}

impl Tx {
    /// Revokes all of an organization's tokens and keys that the filter finds and that are not revoked, and says how
    /// many. `now` marks them: no other change of many may have the same.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoke_inventory(
        &mut self,
        organization: OrganizationId,
        filter: &InventoryFilter,
        now: Timestamp,
    ) -> Result<(u64, FeedKey), StoreError> {
        let bulk = FeedKey::Bulk(organization, now);
        if filter.finds_nothing() {
            return Ok((0, bulk));
        }
        self.lift_timeout().await?;
        let revoked = on!(&mut self.on, tx => {
            let mut statement = QueryBuilder::new("update token set version = version + 1, revoked_at = ");
            statement.push_bind(now.micros()).push(", bulk_at = ").push_bind(now.micros());
            statement.push(" where revoked_at is null and id in (select t.id ").push(TABLES);
            filter!(statement, organization, filter, now);
            statement.push(" and ").push(crate::sql::IS_NOT_REVOKED).push(")");
            statement.build().execute(&mut **tx).await?.rows_affected()
        });
        self.end_secrets_too(organization, now).await?;
        Ok((revoked, bulk))
    }
}
