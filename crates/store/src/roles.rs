//! Roles, as they are listed and changed.

use crate::{FeedKey, Store, StoreError, Tx, connect::Either, on, rows, sql, tx::execute};
use hallpass_domain::{
    id::{OrganizationId, RoleId},
    limits::ROLES_PER_ORGANIZATION_MAX,
    permission::PermissionSet,
    role::{BuiltInRole, Role, RolePermissions},
    time::Timestamp,
};

/// A role and who has it.
#[derive(Clone, Debug)]
pub struct RoleUse {
    /// The role.
    pub role: Role,
    /// Members of the organization with it.
    pub members: u64,
    /// Its API keys with it, those that are not revoked.
    pub keys: u64,
}

/// What came of writing a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleWritten {
    /// It is there.
    Done(FeedKey),
    /// Another role that the organization has is called so.
    NameTaken,
    /// The organization has as many as one may have.
    TooMany,
    /// It is not as it was when the change was checked, or gone.
    Changed,
}

pub(crate) type RoleRow = (
    Vec<u8>,
    Option<Vec<u8>>,
    String,
    String,
    bool,
    String,
    bool,
    i64,
);

pub(crate) fn role(
    (id, organization, name, description, grants_all, permissions, tokens_by_default, version): RoleRow,
) -> Result<Role, StoreError> {
    let named = rows::permissions(&permissions)?;
    let permissions = match (grants_all, named.is_empty()) {
        (true, true) => RolePermissions::All,
        (true, false) => RolePermissions::AllBut(named),
        (false, _) => RolePermissions::Named(named),
    };
    Ok(Role {
        id: rows::id(&id, RoleId::from_bytes)?,
        organization: organization
            .map(|id| rows::id(&id, OrganizationId::from_bytes))
            .transpose()?,
        name: rows::display_name(&name)?,
        description,
        permissions,
        tokens_by_default,
        version,
    })
}

#[derive(sqlx::FromRow)]
struct UseRow {
    id: Vec<u8>,
    organization_id: Option<Vec<u8>>,
    name: String,
    description: String,
    grants_all: bool,
    permissions: String,
    tokens_by_default: bool,
    version: i64,
    members: i64,
    keys: i64,
}

fn stored(permissions: &RolePermissions) -> (bool, String) {
    let all = !matches!(permissions, RolePermissions::Named(_));
    let named = permissions.named().map(PermissionSet::to_text);
    (all, named.unwrap_or_default())
}

impl Store {
    /// Every role, of every organization, also those that were deleted and hold nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn roles(&self) -> Result<Vec<Role>, StoreError> {
        let found: Vec<RoleRow> =
            on!(&self.read, pool => sqlx::query_as(sql::ROLES).fetch_all(pool).await?);
        found.into_iter().map(role).collect()
    }

    /// One role, whosesoever it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_role(&self, id: RoleId) -> Result<Option<Role>, StoreError> {
        let found: Option<RoleRow> = on!(&self.read, pool => sqlx::query_as(sql::ROLE).bind(&id.bytes()[..]).fetch_optional(pool).await?);
        found.map(role).transpose()
    }

    /// One role that `organization` has: a built-in one or one of its own.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_role_in(
        &self,
        organization: OrganizationId,
        id: RoleId,
    ) -> Result<Option<Role>, StoreError> {
        let found = self.find_role(id).await?;
        Ok(found.filter(|role| role.organization.is_none_or(|whose| whose == organization)))
    }

    /// The roles that `organization` has: the built-in ones, the mightiest first, then its own by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_roles(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<RoleUse>, StoreError> {
        let found: Vec<UseRow> = on!(&self.read, pool => sqlx::query_as(sql::ROLE_ROWS).bind(&organization.bytes()[..]).fetch_all(pool).await?);
        let mut roles = found
            .into_iter()
            .map(|row| {
                Ok(RoleUse {
                    members: rows::count(row.members),
                    keys: rows::count(row.keys),
                    role: role((
                        row.id,
                        row.organization_id,
                        row.name,
                        row.description,
                        row.grants_all,
                        row.permissions,
                        row.tokens_by_default,
                        row.version,
                    ))?,
                })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        let rank = |role: &Role| {
            let built_in = BuiltInRole::ALL
                .iter()
                .position(|other| other.id() == role.id);
            (built_in.unwrap_or(usize::MAX), role.name.key())
        };
        roles.sort_by_key(|used| rank(&used.role));
        Ok(roles)
    }
}

impl Tx {
    /// Adds or changes a role that every organization has.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_built_in_role(&mut self, role: &Role) -> Result<FeedKey, StoreError> {
        let (all, named) = stored(&role.permissions);
        let nobody: Option<&[u8]> = None;
        execute!(
            self,
            sql::ROLE_UPSERT,
            &role.id.bytes()[..],
            nobody,
            role.name.as_str(),
            role.name.key(),
            role.description.as_str(),
            all,
            named,
            role.tokens_by_default,
            role.built_in().map(BuiltInRole::word),
        );
        Ok(FeedKey::Role(role.id))
    }

    async fn has_namesake(
        &mut self,
        organization: OrganizationId,
        role: &Role,
    ) -> Result<bool, StoreError> {
        let found: i64 = on!(&mut self.on, tx => sqlx::query_scalar(sql::ROLE_NAMESAKE).bind(&organization.bytes()[..]).bind(role.name.key()).bind(&role.id.bytes()[..]).fetch_one(&mut **tx).await?);
        Ok(found > 0)
    }

    /// Adds a role of an organization's own.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_role(
        &mut self,
        organization: OrganizationId,
        role: &Role,
    ) -> Result<RoleWritten, StoreError> {
        // Roles of one organization are made one after the other, so that each count sees all others.
        self.hold_organization(organization).await?;
        let count: i64 = on!(&mut self.on, tx => sqlx::query_scalar(sql::ROLES_OWN_COUNT).bind(&organization.bytes()[..]).fetch_one(&mut **tx).await?);
        if count >= i64::from(ROLES_PER_ORGANIZATION_MAX) {
            return Ok(RoleWritten::TooMany);
        }
        if self.has_namesake(organization, role).await? {
            return Ok(RoleWritten::NameTaken);
        }
        let (all, named) = stored(&role.permissions);
        let added = execute!(
            self,
            sql::ROLE_INSERT,
            &role.id.bytes()[..],
            &organization.bytes()[..],
            role.name.as_str(),
            role.name.key(),
            role.description.as_str(),
            all,
            named,
            role.tokens_by_default,
        );
        Ok(if added == 1 {
            RoleWritten::Done(FeedKey::Role(role.id))
        } else {
            RoleWritten::NameTaken
        })
    }

    /// Changes a role of an organization's own that is as it was when the change was checked ([`Role::version`]).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn change_role(
        &mut self,
        organization: OrganizationId,
        role: &Role,
    ) -> Result<RoleWritten, StoreError> {
        self.hold_organization(organization).await?;
        if self.has_namesake(organization, role).await? {
            return Ok(RoleWritten::NameTaken);
        }
        let (_, named) = stored(&role.permissions);
        let changed = execute!(
            self,
            sql::ROLE_CHANGE,
            &role.id.bytes()[..],
            role.version,
            role.name.as_str(),
            role.name.key(),
            role.description.as_str(),
            named,
            role.tokens_by_default,
            &organization.bytes()[..],
        );
        Ok(if changed == 1 {
            RoleWritten::Done(FeedKey::Role(role.id))
        } else {
            RoleWritten::Changed
        })
    }

    /// Holds a role until the transaction ends. False when it is not as it was when the request was checked.
    ///
    /// A built-in one is every organization's: it is not written, so that the changes of one do not wait for another's.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hold_role(&mut self, role: &Role) -> Result<bool, StoreError> {
        if role.organization.is_none() {
            let id = role.id;
            let held: Option<i64> = match &mut self.on {
                Either::Sqlite(tx) => {
                    let still = sqlx::query_scalar(sql::ROLE_STILL);
                    let still = still.bind(&id.bytes()[..]).bind(role.version);
                    still.fetch_optional(&mut **tx).await?
                }
                Either::Postgres(tx) => {
                    let shared = sqlx::query_scalar(sql::POSTGRES_ROLE_SHARE);
                    let shared = shared.bind(&id.bytes()[..]).bind(role.version);
                    shared.fetch_optional(&mut **tx).await?
                }
            };
            return Ok(held.is_some());
        }
        let held = execute!(self, sql::ROLE_HOLD, &role.id.bytes()[..], role.version);
        Ok(held == 1)
    }

    /// Moves every member with the role `from` to the role `to`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn move_members(
        &mut self,
        organization: OrganizationId,
        from: RoleId,
        to: RoleId,
    ) -> Result<Vec<FeedKey>, StoreError> {
        let users: Vec<Vec<u8>> = on!(&mut self.on, tx => sqlx::query_scalar(sql::MEMBERSHIPS_OF_ROLE).bind(&organization.bytes()[..]).bind(&from.bytes()[..]).fetch_all(&mut **tx).await?);
        execute!(
            self,
            sql::MEMBERSHIPS_MOVE,
            &organization.bytes()[..],
            &from.bytes()[..],
            &to.bytes()[..]
        );
        users
            .iter()
            .map(|user| {
                let user = rows::id(user, hallpass_domain::id::UserId::from_bytes)?;
                Ok(FeedKey::Membership(organization, user))
            })
            .collect()
    }

    /// Whether a member has the role, or an open invitation names it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_role_in_use(
        &mut self,
        role: RoleId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let uses: i64 = on!(&mut self.on, tx => sqlx::query_scalar(sql::ROLE_IN_USE).bind(&role.bytes()[..]).bind(now.micros()).fetch_one(&mut **tx).await?);
        Ok(uses > 0)
    }

    /// Deletes a role of an organization's own that is as it was when this was checked, and revokes the API keys that
    /// have it. Members must have been moved before. `None` when it is not as it was.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_role(
        &mut self,
        organization: OrganizationId,
        role: &Role,
        now: Timestamp,
    ) -> Result<Option<(u64, Vec<FeedKey>)>, StoreError> {
        let deleted = execute!(
            self,
            sql::ROLE_DELETE,
            &role.id.bytes()[..],
            &organization.bytes()[..],
            role.version,
            now.micros()
        );
        if deleted != 1 {
            return Ok(None);
        }
        let revoked = execute!(
            self,
            sql::KEYS_OF_ROLE_REVOKE,
            &organization.bytes()[..],
            &role.id.bytes()[..],
            now.micros()
        );
        self.end_secrets_too(organization, now).await?;
        Ok(Some((
            revoked,
            vec![FeedKey::Role(role.id), FeedKey::Bulk(organization, now)],
        )))
    }
}
