//! Members and users, as they are listed and changed.

use crate::{FeedKey, Store, StoreError, Tx, on, rows, sql, tx::execute};
use hallpass_domain::{
    id::{OrganizationId, RoleId, SessionId, UserId},
    member::{Membership, User},
    organization::{Organization, Standing},
    time::Timestamp,
};

/// A member and what a list says besides.
#[derive(Clone, Debug)]
pub struct MemberRow {
    /// What they are in the organization.
    pub membership: Membership,
    /// Who they are.
    pub user: User,
    /// The name of their role.
    pub role_name: String,
    /// Since when.
    pub joined: Timestamp,
    /// How many live tokens they have there.
    pub tokens: u64,
}

/// Which members.
#[derive(Clone, Debug, Default)]
pub struct MemberQuery {
    /// With this in their name or address; folded as names are.
    pub search: String,
    /// With this role.
    pub role: Option<RoleId>,
    /// In this standing: of the membership and of the user.
    pub standing: Option<Standing>,
    /// After this one's address, folded; [`MemberRow::sort_key`] of the last of the page before.
    pub after: String,
    /// At most so many.
    pub limit: u32,
}

impl MemberRow {
    /// What lists are sorted by.
    pub fn sort_key(&self) -> String {
        self.user.email.key()
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    organization_id: Vec<u8>,
    user_id: Vec<u8>,
    role_id: Vec<u8>,
    standing: String,
    may_have_tokens: bool,
    created_at: i64,
    email: String,
    name: String,
    user_standing: String,
    role_name: String,
    tokens: i64,
}

impl TryFrom<Row> for MemberRow {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let user = rows::id(&row.user_id, UserId::from_bytes)?;
        Ok(Self {
            membership: Membership {
                organization: rows::id(&row.organization_id, OrganizationId::from_bytes)?,
                user,
                role: rows::id(&row.role_id, RoleId::from_bytes)?,
                standing: Standing::from_word(&row.standing),
                may_have_tokens: row.may_have_tokens,
            },
            user: User {
                id: user,
                email: rows::email(&row.email)?,
                name: rows::display_name(&row.name)?,
                standing: Standing::from_word(&row.user_standing),
            },
            role_name: row.role_name,
            joined: rows::moment(row.created_at),
            tokens: rows::count(row.tokens),
        })
    }
}

type UserRow = (Vec<u8>, String, String, String, String);

impl Store {
    /// A page of an organization's members, by their addresses.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_members(
        &self,
        organization: OrganizationId,
        query: &MemberQuery,
        now: Timestamp,
    ) -> Result<Vec<MemberRow>, StoreError> {
        if rows::finds_nothing(&query.search, &query.after) {
            return Ok(Vec::new());
        }
        let found: Vec<Row> = on!(&self.read, pool => {
            sqlx::query_as(sql::MEMBERS_PAGE)
                .bind(&organization.bytes()[..])
                .bind(rows::pattern(&query.search))
                .bind(query.role.map(|role| role.bytes().to_vec()).unwrap_or_default())
                .bind(query.standing.map_or("any", Standing::word))
                .bind(query.after.as_str())
                .bind(i64::from(query.limit))
                .bind(now.micros())
                .fetch_all(pool)
                .await?
        });
        found.into_iter().map(MemberRow::try_from).collect()
    }

    /// One member.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_member(
        &self,
        organization: OrganizationId,
        user: UserId,
        now: Timestamp,
    ) -> Result<Option<MemberRow>, StoreError> {
        let found: Option<Row> = on!(&self.read, pool => {
            sqlx::query_as(sql::MEMBER_ROW)
                .bind(&organization.bytes()[..])
                .bind(&user.bytes()[..])
                .bind(now.micros())
                .fetch_optional(pool)
                .await?
        });
        found.map(MemberRow::try_from).transpose()
    }

    /// The organizations that a user is in, the longest first, each with what they are there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn places_of(
        &self,
        user: UserId,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<(Organization, MemberRow)>, StoreError> {
        let found: Vec<Row> = on!(&self.read, pool => {
            sqlx::query_as(sql::PLACES_OF_USER)
                .bind(&user.bytes()[..])
                .bind(now.micros())
                .bind(i64::from(limit))
                .fetch_all(pool)
                .await?
        });
        let mut places = Vec::with_capacity(found.len());
        for row in found {
            let member = MemberRow::try_from(row)?;
            let place = self
                .find_organization(member.membership.organization)
                .await?;
            places.extend(place.map(|place| (place, member)));
        }
        Ok(places)
    }

    /// The names of some active members with this role, the longest there first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn names_with_role(
        &self,
        organization: OrganizationId,
        role: RoleId,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        Ok(
            on!(&self.read, pool => sqlx::query_scalar(sql::MEMBER_NAMES_BY_ROLE).bind(&organization.bytes()[..]).bind(&role.bytes()[..]).bind(i64::from(limit)).fetch_all(pool).await?),
        )
    }

    /// A page of all users, by their addresses; those that were removed are not among them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_users(
        &self,
        search: &str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<User>, StoreError> {
        if rows::finds_nothing(search, after) {
            return Ok(Vec::new());
        }
        let found: Vec<UserRow> = on!(&self.read, pool => {
            sqlx::query_as(sql::USERS_PAGE)
                .bind(rows::pattern(search))
                .bind(after)
                .bind(i64::from(limit))
                .fetch_all(pool)
                .await?
        });
        found
            .into_iter()
            .map(|(id, email, name, standing, _)| {
                Ok(User {
                    id: rows::id(&id, UserId::from_bytes)?,
                    email: rows::email(&email)?,
                    name: rows::display_name(&name)?,
                    standing: Standing::from_word(&standing),
                })
            })
            .collect()
    }

    /// Whether a user was removed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_removed(&self, user: UserId) -> Result<bool, StoreError> {
        let count: i64 = on!(&self.read, pool => sqlx::query_scalar(sql::USER_IS_REMOVED).bind(&user.bytes()[..]).fetch_one(pool).await?);
        Ok(count > 0)
    }
}

impl Tx {
    /// Adds a membership. `None` when the user is a member already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_membership(
        &mut self,
        membership: &Membership,
        now: Timestamp,
    ) -> Result<Option<FeedKey>, StoreError> {
        let added = execute!(
            self,
            sql::MEMBERSHIP_INSERT,
            &membership.organization.bytes()[..],
            &membership.user.bytes()[..],
            &membership.role.bytes()[..],
            membership.standing.word(),
            membership.may_have_tokens,
            now.micros(),
        );
        Ok((added == 1).then_some(FeedKey::Membership(
            membership.organization,
            membership.user,
        )))
    }

    /// Changes a membership that is as it was when the change was checked. `None` when it is not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn change_membership(
        &mut self,
        before: &Membership,
        after: &Membership,
    ) -> Result<Option<FeedKey>, StoreError> {
        let changed = execute!(
            self,
            sql::MEMBERSHIP_CHANGE,
            &before.organization.bytes()[..],
            &before.user.bytes()[..],
            &before.role.bytes()[..],
            before.standing.word(),
            before.may_have_tokens,
            &after.role.bytes()[..],
            after.standing.word(),
            after.may_have_tokens,
        );
        Ok((changed == 1).then_some(FeedKey::Membership(before.organization, before.user)))
    }

    /// Removes a membership that is as it was when its removal was checked. `None` when it is not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove_membership(
        &mut self,
        before: &Membership,
    ) -> Result<Option<FeedKey>, StoreError> {
        let removed = execute!(
            self,
            sql::MEMBERSHIP_REMOVE,
            &before.organization.bytes()[..],
            &before.user.bytes()[..],
            &before.role.bytes()[..],
            before.standing.word(),
            before.may_have_tokens,
        );
        Ok((removed == 1).then_some(FeedKey::Membership(before.organization, before.user)))
    }

    /// Holds a user who was not removed until the transaction ends: nobody else changes what they are a member of. After
    /// the organization.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hold_user(&mut self, user: UserId) -> Result<bool, StoreError> {
        Ok(execute!(self, sql::USER_KEEP, &user.bytes()[..]) == 1)
    }

    /// Holds a membership until the transaction ends. False when it is not in good standing or has another role.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hold_membership(
        &mut self,
        organization: OrganizationId,
        user: UserId,
        role: RoleId,
    ) -> Result<bool, StoreError> {
        let held = execute!(
            self,
            sql::MEMBERSHIP_STILL,
            &organization.bytes()[..],
            &user.bytes()[..],
            &role.bytes()[..]
        );
        Ok(held == 1)
    }

    /// Ends every session of `user` in `organization`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_sessions_in(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<u64, StoreError> {
        Ok(execute!(
            self,
            sql::SESSIONS_END_IN,
            &user.bytes()[..],
            &organization.bytes()[..]
        ))
    }

    /// Brings a session of `user` to another organization. False when there is no such session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn move_session(
        &mut self,
        session: SessionId,
        user: UserId,
        to: OrganizationId,
    ) -> Result<bool, StoreError> {
        let moved = execute!(
            self,
            sql::SESSION_MOVE,
            &session.bytes()[..],
            &user.bytes()[..],
            &to.bytes()[..]
        );
        Ok(moved == 1)
    }

    /// Removes a user: they cannot sign in, nothing of theirs works, and their address is free. Their row stays for
    /// what names them. `None` when they were removed before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove_user(
        &mut self,
        user: UserId,
        now: Timestamp,
    ) -> Result<Option<FeedKey>, StoreError> {
        // No address looks like this one, so nobody can sign in with it.
        let nobodys = format!("removed {user}");
        let removed = execute!(
            self,
            sql::USER_REMOVE,
            &user.bytes()[..],
            now.micros(),
            nobodys
        );
        Ok((removed == 1).then_some(FeedKey::User(user)))
    }
}
