//! Everything that verification needs, read to be held in memory.

use crate::{Store, StoreError, Tx, on, rows, sql};
use futures_util::TryStreamExt;
use hallpass_domain::{
    id::{OrganizationId, RoleId, TokenId, UserId},
    member::{Membership, User},
    name::TokenName,
    network::{AddressRules, NetworkSet},
    organization::{Organization, Standing},
    permission::{CatalogueEntry, Permission, PermissionSet, Risk, Source},
    time::Timestamp,
    token::{BcryptHash, Digest, Kind, Prefix},
};

/// Tokens of one change that are read at once.
const BULK_PAGE: i64 = 500;

/// A membership as verification sees it.
pub type LoadedMembership = Membership;

/// A token as verification sees it.
#[derive(Clone, Debug)]
pub struct LoadedToken {
    /// Its id.
    pub id: TokenId,
    /// What it is.
    pub kind: Kind,
    /// Where it works.
    pub organization: OrganizationId,
    /// Whose it is, if it is personal.
    pub user: Option<UserId>,
    /// With which role, if it is a key.
    pub role: Option<RoleId>,
    /// Its name.
    pub name: TokenName,
    /// How it begins.
    pub prefix: Prefix,
    /// How it is recognized.
    pub stored: Result<Digest, BcryptHash>,
    /// What it is narrowed to.
    pub scope: Option<PermissionSet>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it begins.
    pub valid_from: Option<Timestamp>,
    /// Whether it is suspended.
    pub suspended: bool,
    /// Whether it is revoked.
    pub revoked: bool,
    /// From where it may be used.
    pub address_rules: Option<AddressRules>,
    /// The key whose further secret this is, if it is one.
    pub secret_of: Option<TokenId>,
}

/// An organization as verification sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedOrganization {
    /// The organization.
    pub organization: Organization,
    /// Every token made before this moment is revoked.
    pub tokens_revoked_before: Option<Timestamp>,
    /// Where tokens may be used from; empty is anywhere.
    pub networks: NetworkSet,
    /// Permissions that personal access tokens may not carry.
    pub forbidden: PermissionSet,
}

#[derive(sqlx::FromRow)]
struct TokenRow {
    id: Vec<u8>,
    kind: String,
    organization_id: Vec<u8>,
    user_id: Option<Vec<u8>>,
    role_id: Option<Vec<u8>>,
    name: String,
    prefix: String,
    digest: Option<Vec<u8>>,
    bcrypt: Option<String>,
    scope: Option<String>,
    expires_at: Option<i64>,
    valid_from: Option<i64>,
    suspended_at: Option<i64>,
    revoked_at: Option<i64>,
    allow_networks: Option<String>,
    deny_networks: Option<String>,
    secret_of: Option<Vec<u8>>,
    secret_until: Option<i64>,
}

impl TryFrom<TokenRow> for LoadedToken {
    type Error = StoreError;

    fn try_from(row: TokenRow) -> Result<Self, StoreError> {
        let stored = match (&row.digest, &row.bcrypt) {
            (Some(digest), None) => Ok(rows::digest(digest)?),
            (None, Some(bcrypt)) => {
                Err(BcryptHash::parse(bcrypt).ok_or(StoreError::Malformed("bcrypt hash"))?)
            }
            _ => return Err(StoreError::Malformed("token")),
        };
        Ok(Self {
            id: rows::id(&row.id, TokenId::from_bytes)?,
            kind: Kind::from_word(&row.kind).ok_or(StoreError::Malformed("kind"))?,
            organization: rows::id(&row.organization_id, OrganizationId::from_bytes)?,
            user: row
                .user_id
                .map(|id| rows::id(&id, UserId::from_bytes))
                .transpose()?,
            role: row
                .role_id
                .map(|id| rows::id(&id, RoleId::from_bytes))
                .transpose()?,
            name: rows::token_name(&row.name)?,
            prefix: rows::prefix(&row.prefix)?,
            stored,
            scope: rows::scope(row.scope.as_deref())?,
            // A secret whose time is over is as good as expired, though its key lives on.
            expires_at: rows::moment_option(
                row.expires_at.into_iter().chain(row.secret_until).min(),
            ),
            valid_from: rows::moment_option(row.valid_from),
            suspended: row.suspended_at.is_some(),
            revoked: row.revoked_at.is_some(),
            address_rules: rows::address_rules(
                row.allow_networks.as_deref(),
                row.deny_networks.as_deref(),
            )?,
            secret_of: rows::id_option(row.secret_of.as_deref(), TokenId::from_bytes)?,
        })
    }
}

type OrganizationRow = (
    Vec<u8>,
    String,
    String,
    bool,
    Option<i64>,
    Option<String>,
    Option<String>,
);
type UserRow = (Vec<u8>, String, String, String);
type MembershipRow = (Vec<u8>, Vec<u8>, Vec<u8>, String, bool);

fn organization(
    (id, name, standing, host, tokens_revoked_before, networks, forbidden): OrganizationRow,
) -> Result<LoadedOrganization, StoreError> {
    Ok(LoadedOrganization {
        organization: Organization {
            id: rows::id(&id, OrganizationId::from_bytes)?,
            name: rows::display_name(&name)?,
            standing: Standing::from_word(&standing),
            host,
        },
        tokens_revoked_before: rows::moment_option(tokens_revoked_before),
        networks: rows::networks(networks.as_deref().unwrap_or_default())?,
        forbidden: rows::permissions(forbidden.as_deref().unwrap_or_default())?,
    })
}

fn user((id, email, name, standing): UserRow) -> Result<User, StoreError> {
    Ok(User {
        id: rows::id(&id, UserId::from_bytes)?,
        email: rows::email(&email)?,
        name: rows::display_name(&name)?,
        standing: Standing::from_word(&standing),
    })
}

fn membership(
    (organization, user, role, standing, may_have_tokens): MembershipRow,
) -> Result<Membership, StoreError> {
    Ok(Membership {
        organization: rows::id(&organization, OrganizationId::from_bytes)?,
        user: rows::id(&user, UserId::from_bytes)?,
        role: rows::id(&role, RoleId::from_bytes)?,
        standing: Standing::from_word(&standing),
        may_have_tokens,
    })
}

impl Tx {
    /// The memberships of one user, as they are inside the transaction.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn memberships_of(&mut self, user: UserId) -> Result<Vec<Membership>, StoreError> {
        let found: Vec<MembershipRow> = on!(&mut self.on, tx => sqlx::query_as(sql::MEMBERSHIPS_OF_USER).bind(&user.bytes()[..]).fetch_all(&mut **tx).await?);
        found.into_iter().map(membership).collect()
    }
}

impl Store {
    /// The catalogue of permissions, in order of their names.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn catalogue(&self) -> Result<Vec<CatalogueEntry>, StoreError> {
        let found: Vec<(String, String, String, String)> =
            on!(&self.read, pool => sqlx::query_as(sql::CATALOGUE).fetch_all(pool).await?);
        found
            .into_iter()
            .map(|(name, description, risk, source)| {
                Ok(CatalogueEntry {
                    permission: Permission::parse(&name)
                        .map_err(|_| StoreError::Malformed("permission"))?,
                    description,
                    risk: Risk::from_word(&risk).ok_or(StoreError::Malformed("risk"))?,
                    source: Source::from_word(&source).ok_or(StoreError::Malformed("source"))?,
                })
            })
            .collect()
    }

    /// Every organization.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn organizations(&self) -> Result<Vec<LoadedOrganization>, StoreError> {
        let found: Vec<OrganizationRow> =
            on!(&self.read, pool => sqlx::query_as(sql::ORGANIZATIONS).fetch_all(pool).await?);
        found.into_iter().map(organization).collect()
    }

    /// One organization.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_organization(
        &self,
        id: OrganizationId,
    ) -> Result<Option<Organization>, StoreError> {
        Ok(self
            .load_organization(id)
            .await?
            .map(|found| found.organization))
    }

    /// One organization as verification sees it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn load_organization(
        &self,
        id: OrganizationId,
    ) -> Result<Option<LoadedOrganization>, StoreError> {
        let found: Option<OrganizationRow> = on!(&self.read, pool => sqlx::query_as(sql::ORGANIZATION).bind(&id.bytes()[..]).fetch_optional(pool).await?);
        found.map(organization).transpose()
    }

    /// Every user.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        let found: Vec<UserRow> =
            on!(&self.read, pool => sqlx::query_as(sql::USERS).fetch_all(pool).await?);
        found.into_iter().map(user).collect()
    }

    /// One user.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let found: Option<UserRow> = on!(&self.read, pool => sqlx::query_as(sql::USER).bind(&id.bytes()[..]).fetch_optional(pool).await?);
        found.map(user).transpose()
    }

    /// Every membership.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn memberships(&self) -> Result<Vec<Membership>, StoreError> {
        let found: Vec<MembershipRow> =
            on!(&self.read, pool => sqlx::query_as(sql::MEMBERSHIPS).fetch_all(pool).await?);
        found.into_iter().map(membership).collect()
    }

    /// One membership.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_membership(
        &self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Option<Membership>, StoreError> {
        let found: Option<MembershipRow> = on!(&self.read, pool => sqlx::query_as(sql::MEMBERSHIP).bind(&organization.bytes()[..]).bind(&user.bytes()[..]).fetch_optional(pool).await?);
        found.map(membership).transpose()
    }

    /// The memberships of one user, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn memberships_of(&self, user: UserId) -> Result<Vec<Membership>, StoreError> {
        let found: Vec<MembershipRow> = on!(&self.read, pool => sqlx::query_as(sql::MEMBERSHIPS_OF_USER).bind(&user.bytes()[..]).fetch_all(pool).await?);
        found.into_iter().map(membership).collect()
    }

    /// One token.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn load_token(&self, id: TokenId) -> Result<Option<LoadedToken>, StoreError> {
        let found: Option<TokenRow> = on!(&self.read, pool => sqlx::query_as(sql::TOKEN_LOAD).bind(&id.bytes()[..]).fetch_optional(pool).await?);
        found.map(LoadedToken::try_from).transpose()
    }

    /// Every token that is live, or was until after `since`, one by one to `take`.
    ///
    /// # Errors
    /// [`StoreError`], also one that `take` returns.
    pub async fn load_tokens(
        &self,
        since: Timestamp,
        mut take: impl FnMut(LoadedToken) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        on!(&self.read, pool => {
            let mut stream = sqlx::query_as::<_, TokenRow>(sql::TOKENS_LOAD).bind(since.micros()).fetch(pool);
            while let Some(row) = stream.try_next().await? {
                take(row.try_into()?)?;
            }
        });
        Ok(())
    }

    /// Since when the tokens of a user in an organization are revoked, for each of whom that was said.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tokens_revoked(
        &self,
    ) -> Result<Vec<(OrganizationId, UserId, Timestamp)>, StoreError> {
        let found: Vec<(Vec<u8>, Vec<u8>, i64)> =
            on!(&self.read, pool => sqlx::query_as(sql::TOKENS_REVOKED_ALL).fetch_all(pool).await?);
        found
            .iter()
            .map(|(organization, user, before)| {
                Ok((
                    rows::id(organization, OrganizationId::from_bytes)?,
                    rows::id(user, UserId::from_bytes)?,
                    rows::moment(*before),
                ))
            })
            .collect()
    }

    /// The same for one of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tokens_revoked_of(
        &self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Option<Timestamp>, StoreError> {
        let found: Option<i64> = on!(&self.read, pool => sqlx::query_scalar(sql::TOKENS_REVOKED_ONE).bind(&organization.bytes()[..]).bind(&user.bytes()[..]).fetch_optional(pool).await?);
        Ok(rows::moment_option(found))
    }

    /// The tokens that one change went through together, one by one to `take`. They are read a page at a time: no
    /// statement takes longer the more there are.
    ///
    /// # Errors
    /// [`StoreError`], also one that `take` returns.
    pub async fn load_bulk(
        &self,
        organization: OrganizationId,
        at: Timestamp,
        mut take: impl FnMut(LoadedToken) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut after = Vec::new();
        loop {
            let page: Vec<TokenRow> = on!(&self.read, pool => {
                sqlx::query_as(sql::TOKENS_LOAD_BULK)
                    .bind(&organization.bytes()[..])
                    .bind(at.micros())
                    .bind(&after[..])
                    .bind(BULK_PAGE)
                    .fetch_all(pool)
                    .await?
            });
            let Some(last) = page.last() else { break };
            after.clone_from(&last.id);
            for row in page {
                take(row.try_into()?)?;
            }
        }
        Ok(())
    }

    /// How many tokens there are, live or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_tokens(&self) -> Result<u64, StoreError> {
        let count: i64 =
            on!(&self.read, pool => sqlx::query_scalar(sql::TOKENS_COUNT).fetch_one(pool).await?);
        Ok(u64::try_from(count).unwrap_or(0))
    }
}
