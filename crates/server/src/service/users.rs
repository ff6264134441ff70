//! Users of the deployment, whatever organizations they are in.

use super::{
    RequestContext, Services,
    acting::{Actor, Noted},
    passwords::Password,
};
use crate::error::{InvalidField, ServiceError};
use hallpass_domain::{
    audit::Action,
    id::{OrganizationId, UserId},
    member::{Membership, User},
    name::{DisplayName, Email},
    organization::Standing,
    permission::Permission,
};
use hallpass_store::{FeedKey, NewAccount, Tx};
use serde_json::json;
use std::collections::BTreeSet;

/// A user to be made.
#[derive(Clone)]
pub struct NewUser {
    /// Their address.
    pub email: Email,
    /// Their name.
    pub name: DisplayName,
    /// Their password; without one they cannot sign in with a password.
    pub password: Option<String>,
}

impl std::fmt::Debug for NewUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewUser")
            .field("email", &self.email)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Services {
    /// A page of all users.
    ///
    /// # Errors
    /// [`ServiceError::RoleLacks`] without `hallpass:deployment`.
    pub async fn list_users(
        &self,
        actor: &Actor,
        search: &str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<User>, ServiceError> {
        actor.require(Permission::DEPLOYMENT)?;
        Ok(self.store.list_users(search, after, limit).await?)
    }

    /// One user.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also for one that was removed.
    pub async fn get_user(&self, actor: &Actor, id: UserId) -> Result<User, ServiceError> {
        actor.require(Permission::DEPLOYMENT)?;
        let user = self.store.find_user(id).await?;
        let user = user.ok_or(ServiceError::NotFound("user"))?;
        if self.store.is_removed(id).await? {
            return Err(ServiceError::NotFound("user"));
        }
        Ok(user)
    }

    /// An account as it is written, its password checked and hashed.
    pub(super) async fn new_account(&self, new: NewUser) -> Result<NewAccount, ServiceError> {
        let password_hash = match &new.password {
            None => None,
            Some(typed) => {
                let password = Password::typed(typed)
                    .and_then(|password| {
                        let own = [new.name.as_str(), new.email.as_str()];
                        password.check(&own).map(|()| password)
                    })
                    .map_err(|weak| InvalidField::new("password", weak.code(), weak))?;
                Some(self.passwords.hash(password, &self.entropy).await?)
            }
        };
        Ok(NewAccount {
            user: User {
                id: UserId::generate(&self.entropy, self.clock.now()),
                email: new.email,
                name: new.name,
                standing: Standing::Active,
            },
            password_hash,
        })
    }

    /// Makes a user, who is a member of nothing yet.
    ///
    /// # Errors
    /// [`ServiceError::EmailTaken`], [`ServiceError::RoleLacks`] without `hallpass:deployment`.
    pub async fn create_user(
        &self,
        actor: &Actor,
        new: NewUser,
        context: &RequestContext,
    ) -> Result<User, ServiceError> {
        let noted = Noted::new(Action::UserCreated, &new.email);
        self.attempt(actor, context, noted, async {
            actor.require(Permission::DEPLOYMENT)?;
            let account = self.new_account(new).await?;
            let now = self.clock.now();
            let mut tx = self.begin_acting(actor, now).await?;
            let added = tx.insert_user(&account, now).await?;
            let changed = added.ok_or(ServiceError::EmailTaken)?;
            let user = account.user;
            let noted = Noted::new(Action::UserCreated, user.id)
                .made(json!({ "email": user.email.as_str(), "name": user.name.as_str() }));
            self.note(&mut tx, actor, context, noted, now);
            self.finish(tx, &[changed]).await?;
            Ok(user)
        })
        .await
    }

    /// Holds every organization of `user` in turn, so that its superusers can be counted again.
    async fn hold_organizations_of(
        &self,
        tx: &mut Tx,
        user: UserId,
    ) -> Result<Vec<Membership>, ServiceError> {
        let mut memberships = self.store.memberships_of(user).await?;
        // In one order for everybody, or two such changes could wait for each other.
        memberships.sort_by_key(|membership| membership.organization);
        for membership in &memberships {
            tx.hold_organization(membership.organization).await?;
        }
        // Whoever makes them a member holds them too: from here on there are no more.
        if !tx.hold_user(user).await? {
            return Err(ServiceError::NotFound("user"));
        }
        let organizations = |all: &[Membership]| -> BTreeSet<OrganizationId> {
            all.iter()
                .map(|membership| membership.organization)
                .collect()
        };
        let now = tx.memberships_of(user).await?;
        if organizations(&now) == organizations(&memberships) {
            Ok(now)
        } else {
            Err(ServiceError::ChangedMeanwhile)
        }
    }

    /// Suspends or resumes a user, in all organizations. Suspended, they cannot sign in and none of their tokens works.
    ///
    /// # Errors
    /// [`ServiceError::LastSuperuser`], [`ServiceError::NotFound`].
    pub async fn set_user_standing(
        &self,
        actor: &Actor,
        id: UserId,
        standing: Standing,
        context: &RequestContext,
    ) -> Result<User, ServiceError> {
        let action = if standing.is_active() {
            Action::UserResumed
        } else {
            Action::UserSuspended
        };
        let noted = Noted::new(action, id);
        self.attempt(actor, context, noted.clone(), async {
            let user = self.get_user(actor, id).await?;
            if user.standing == standing {
                // Perhaps since a moment ago, and not yet in force here.
                self.catch_up().await?;
                return Ok(user);
            }
            let now = self.clock.now();
            let mut tx = self.begin_acting(actor, now).await?;
            let memberships = self.hold_organizations_of(&mut tx, id).await?;
            // Under the hold: whoever did the same a moment ago has written the line.
            let user = self.get_user(actor, id).await?;
            if user.standing == standing {
                drop(tx);
                self.catch_up().await?;
                return Ok(user);
            }
            if !standing.is_active() {
                tx.end_sessions(id).await?;
                for membership in &memberships {
                    tx.withdraw_invitations_of(membership.organization, id, now)
                        .await?;
                }
            }
            let changed = tx.set_user_standing(id, standing).await?;
            for membership in &memberships {
                self.recount(&mut tx, membership.organization).await?;
            }
            let noted = noted.changed(
                json!({ "standing": user.standing.word() }),
                json!({ "standing": standing.word() }),
            );
            self.note(&mut tx, actor, context, noted, now);
            self.finish(tx, &[changed]).await?;
            Ok(User { standing, ..user })
        })
        .await
    }

    /// Removes a user from the deployment: their memberships end, their tokens are revoked, their address is free.
    ///
    /// # Errors
    /// [`ServiceError::LastSuperuser`], [`ServiceError::NotFound`].
    pub async fn remove_user(
        &self,
        actor: &Actor,
        id: UserId,
        context: &RequestContext,
    ) -> Result<(), ServiceError> {
        let noted = Noted::new(Action::UserRemoved, id);
        self.attempt(actor, context, noted.clone(), async {
            self.get_user(actor, id).await?;
            let now = self.clock.now();
            let mut tx = self.begin_acting(actor, now).await?;
            let memberships = self.hold_organizations_of(&mut tx, id).await?;
            let user = self.get_user(actor, id).await?;
            tx.end_sessions(id).await?;
            let mut changed: Vec<FeedKey> = Vec::new();
            for membership in &memberships {
                changed.push(self.part(&mut tx, membership, now).await?);
                self.recount(&mut tx, membership.organization).await?;
            }
            let removed = tx.remove_user(id, now).await?;
            changed.push(removed.ok_or(ServiceError::NotFound("user"))?);
            let noted =
                noted.gone(json!({ "email": user.email.as_str(), "name": user.name.as_str() }));
            self.note(&mut tx, actor, context, noted, now);
            self.finish(tx, &changed).await
        })
        .await
    }
}
