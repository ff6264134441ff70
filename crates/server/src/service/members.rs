//! Members of an organization: who is there, with which role, behind an open gate or a closed one.

use super::{
    RequestContext, Services,
    acting::{Actor, Noted},
};
use crate::error::ServiceError;
use hallpass_domain::{
    audit::Action,
    id::{OrganizationId, RoleId, UserId},
    member::Membership,
    organization::Standing,
    permission::{Permission, PermissionSet},
    role::{BuiltInRole, Role, RolePermissions},
    time::Timestamp,
};
use hallpass_store::{FeedKey, MemberQuery, MemberRow, Tx};
use serde_json::{Value, json};

/// Names of those who can open the gate that a refusal tells at most.
const NAMES_TOLD: u32 = 3;

/// What is to change about a member; what is `None` stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemberChange {
    /// Their role.
    pub role: Option<RoleId>,
    /// Whether they are in good standing.
    pub standing: Option<Standing>,
    /// "May create and manage personal access tokens".
    pub may_have_tokens: Option<bool>,
}

/// A user to be made a member.
#[derive(Clone, Copy, Debug)]
pub struct NewMember {
    /// Who.
    pub user: UserId,
    /// With which role.
    pub role: RoleId,
    /// Whether they may have tokens; as the role says if nothing is said.
    pub may_have_tokens: Option<bool>,
}

fn is_superuser(role: &Role) -> bool {
    role.built_in() == Some(BuiltInRole::Superuser)
}

fn shown(membership: &Membership, role: &str) -> Value {
    json!({
        "role": role,
        "standing": membership.standing.word(),
        "mayHaveTokens": membership.may_have_tokens,
    })
}

/// What a change of standing, or of anything else, is called.
fn action(before: &Membership, after: &Membership) -> Action {
    match (before.standing.is_active(), after.standing.is_active()) {
        (true, false) => Action::MemberSuspended,
        (false, true) => Action::MemberResumed,
        _ => Action::MemberChanged,
    }
}

impl Services {
    /// A page of the members of the actor's organization.
    ///
    /// # Errors
    /// [`ServiceError::RoleLacks`] without `hallpass:members`.
    pub async fn list_members(
        &self,
        actor: &Actor,
        query: &MemberQuery,
    ) -> Result<Vec<MemberRow>, ServiceError> {
        actor.require(Permission::MEMBERS)?;
        Ok(self
            .store
            .list_members(actor.organization.id, query, self.clock.now())
            .await?)
    }

    /// One of them.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub async fn get_member(&self, actor: &Actor, user: UserId) -> Result<MemberRow, ServiceError> {
        actor.require(Permission::MEMBERS)?;
        self.find_member(actor.organization.id, user).await
    }

    pub(super) async fn find_member(
        &self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<MemberRow, ServiceError> {
        let now = self.clock.now();
        let found = self.store.find_member(organization, user, now).await?;
        found.ok_or(ServiceError::NotFound("member"))
    }

    /// A role that the actor's organization has, with what it holds there.
    pub(super) async fn role_with_permissions(
        &self,
        actor: &Actor,
        id: RoleId,
    ) -> Result<(Role, PermissionSet), ServiceError> {
        let found = self.store.find_role_in(actor.organization.id, id).await?;
        let role = found.ok_or(ServiceError::NotFound("role"))?;
        let held = role.holds(&self.catalogue_set().await?, actor.organization.host);
        Ok((role, held))
    }

    /// The role `id`, if the actor may give it: it holds nothing that they do not.
    pub(super) async fn role_to_give(
        &self,
        actor: &Actor,
        id: RoleId,
    ) -> Result<Role, ServiceError> {
        let (role, held) = self.role_with_permissions(actor, id).await?;
        actor.require_all(&held)?;
        self.require_enclosed(actor, &role.permissions).await?;
        Ok(role)
    }

    /// What is given must stay inside what the actor holds, whatever the catalogue becomes: who holds every action of a
    /// resource one by one does not give its wildcard.
    pub(super) async fn require_enclosed(
        &self,
        actor: &Actor,
        given: &RolePermissions,
    ) -> Result<(), ServiceError> {
        let above = if actor.is_visiting() {
            None
        } else {
            actor.role.permissions.first_beyond(given)
        };
        if let Some(missing) = above {
            return Err(ServiceError::AboveActor(missing));
        }
        // A token that has given up some of what its owner's role holds gives nothing that grows.
        let catalogue = self.catalogue_set().await?;
        let whole = actor.role.holds(&catalogue, actor.organization.host);
        let given_up = whole.iter().find(|held| !actor.permissions.names(held));
        match given_up.filter(|_| actor.token().is_some()) {
            Some(given_up) => given
                .growing(given_up)
                .map_or(Ok(()), |growing| Err(ServiceError::AboveActor(growing))),
            None => Ok(()),
        }
    }

    /// Makes a user a member.
    ///
    /// # Errors
    /// [`ServiceError::AlreadyMember`], [`ServiceError::AboveActor`], [`ServiceError::NotFound`].
    pub async fn add_member(
        &self,
        actor: &Actor,
        new: NewMember,
        context: &RequestContext,
    ) -> Result<MemberRow, ServiceError> {
        let noted = Noted::new(Action::MemberAdded, new.user);
        self.attempt(actor, context, noted.clone(), async {
            actor.require(Permission::MEMBERS)?;
            // Others would make members of people who were never asked: they invite.
            if !actor.deploys {
                actor.require(Permission::DEPLOYMENT)?;
            }
            let role = self.role_to_give(actor, new.role).await?;
            let user = self.store.find_user(new.user).await?;
            // Whoever knows a user's id has been told it by somebody who may see them.
            let user = user.ok_or(ServiceError::NotFound("user"))?;
            let membership = Membership {
                organization: actor.organization.id,
                user: user.id,
                role: role.id,
                standing: Standing::Active,
                may_have_tokens: new.may_have_tokens.unwrap_or(role.tokens_by_default),
            };
            let now = self.clock.now();
            let mut tx = self.begin_acting(actor, now).await?;
            let changed = self.join(&mut tx, &membership, &role, now).await?;
            // What was offered to them is theirs already.
            let offered = tx
                .withdraw_invitation_to(membership.organization, &user.email, now)
                .await?;
            if let Some(invitation) = offered {
                let withdrawn = Noted::new(Action::InvitationWithdrawn, invitation)
                    .with(json!({ "email": user.email.as_str() }));
                self.note(&mut tx, actor, context, withdrawn, now);
            }
            let noted = noted.made(shown(&membership, role.name.as_str()));
            self.note(&mut tx, actor, context, noted, now);
            self.finish(tx, &[changed]).await
        })
        .await?;
        self.find_member(actor.organization.id, new.user).await
    }

    /// Writes a membership whose role is as it was when it was looked at.
    pub(super) async fn join(
        &self,
        tx: &mut Tx,
        membership: &Membership,
        role: &Role,
        now: Timestamp,
    ) -> Result<FeedKey, ServiceError> {
        if !tx.hold_user(membership.user).await? {
            return Err(ServiceError::NotFound("user"));
        }
        if !tx.hold_role(role).await? {
            return Err(ServiceError::ChangedMeanwhile);
        }
        let added = tx.insert_membership(membership, now).await?;
        let changed = added.ok_or(ServiceError::AlreadyMember)?;
        self.recount(tx, membership.organization).await?;
        Ok(changed)
    }

    /// Counts the superusers again: the last one stays.
    pub(super) async fn recount(
        &self,
        tx: &mut Tx,
        organization: OrganizationId,
    ) -> Result<(), ServiceError> {
        if tx.recount_superusers(organization).await? {
            Ok(())
        } else {
            Err(ServiceError::LastSuperuser)
        }
    }

    /// Changes a member: their role, their standing, the gate. When this returns, their tokens may do what that leaves
    /// them, and no more.
    ///
    /// # Errors
    /// [`ServiceError::LastSuperuser`], [`ServiceError::AboveActor`] when the role they have or get holds more than the
    /// actor, [`ServiceError::NotFound`], [`ServiceError::ChangedMeanwhile`].
    pub async fn change_member(
        &self,
        actor: &Actor,
        user: UserId,
        change: MemberChange,
        context: &RequestContext,
    ) -> Result<MemberRow, ServiceError> {
        let noted = Noted::new(Action::MemberChanged, user);
        self.attempt(actor, context, noted, async {
            actor.require(Permission::MEMBERS)?;
            let found = self.find_member(actor.organization.id, user).await?;
            let before = &found.membership;
            let opens_own_gate = actor.user == Some(user) && change.may_have_tokens == Some(true);
            if opens_own_gate && !before.may_have_tokens && !is_superuser(&actor.role) {
                return Err(ServiceError::OwnGate);
            }
            // Who may not give a role may not take it away either.
            let held = self.role_to_give(actor, before.role).await?;
            let given = match change.role {
                Some(role) => self.role_to_give(actor, role).await?,
                None => held,
            };
            let after = Membership {
                role: given.id,
                standing: change.standing.unwrap_or(before.standing),
                may_have_tokens: change.may_have_tokens.unwrap_or(before.may_have_tokens),
                ..before.clone()
            };
            if after == *before {
                // Perhaps since a moment ago, and not yet in force here.
                return self.catch_up().await;
            }
            self.write_member(actor, &found, &after, &given, context)
                .await
        })
        .await?;
        self.find_member(actor.organization.id, user).await
    }

    async fn write_member(
        &self,
        actor: &Actor,
        found: &MemberRow,
        after: &Membership,
        role: &Role,
        context: &RequestContext,
    ) -> Result<(), ServiceError> {
        let (now, before) = (self.clock.now(), &found.membership);
        let mut tx = self.begin_acting(actor, now).await?;
        if !after.standing.is_active() || after.role != before.role {
            // What they offered was inside what they held.
            tx.withdraw_invitations_of(after.organization, after.user, now)
                .await?;
        }
        if !after.standing.is_active() {
            tx.end_sessions_in(after.organization, after.user).await?;
        }
        if !tx.hold_role(role).await? {
            return Err(ServiceError::ChangedMeanwhile);
        }
        let changed = tx.change_membership(before, after).await?;
        let changed = changed.ok_or(ServiceError::ChangedMeanwhile)?;
        self.recount(&mut tx, after.organization).await?;
        let noted = Noted::new(action(before, after), after.user).changed(
            shown(before, &found.role_name),
            shown(after, role.name.as_str()),
        );
        self.note(&mut tx, actor, context, noted, now);
        self.finish(tx, &[changed]).await
    }

    /// Removes a member. Their tokens there are revoked with the same change, so that they do not come alive again if
    /// the person comes back.
    ///
    /// # Errors
    /// [`ServiceError::LastSuperuser`], [`ServiceError::AboveActor`], [`ServiceError::NotFound`],
    /// [`ServiceError::ChangedMeanwhile`] when they are not what they were when that was asked.
    pub async fn remove_member(
        &self,
        actor: &Actor,
        user: UserId,
        context: &RequestContext,
    ) -> Result<(), ServiceError> {
        let noted = Noted::new(Action::MemberRemoved, user);
        self.attempt(actor, context, noted.clone(), async {
            // Everybody may leave.
            let leaves = actor.user == Some(user) && actor.token().is_none();
            let found = if leaves {
                self.find_member(actor.organization.id, user).await?
            } else {
                let found = self.get_member(actor, user).await?;
                self.role_to_give(actor, found.membership.role).await?;
                found
            };
            let now = self.clock.now();
            let mut tx = self.begin_acting(actor, now).await?;
            let noted = noted.gone(shown(&found.membership, &found.role_name));
            let changed = self.part(&mut tx, &found.membership, now).await?;
            self.recount(&mut tx, actor.organization.id).await?;
            self.note(&mut tx, actor, context, noted, now);
            self.finish(tx, &[changed]).await
        })
        .await
    }

    /// Ends a membership, as it was looked at, with its sessions and tokens.
    pub(super) async fn part(
        &self,
        tx: &mut Tx,
        membership: &Membership,
        now: Timestamp,
    ) -> Result<FeedKey, ServiceError> {
        let (organization, user) = (membership.organization, membership.user);
        tx.end_sessions_in(organization, user).await?;
        tx.withdraw_invitations_of(organization, user, now).await?;
        tx.revoke_all_of_member(organization, user, now).await?;
        let removed = tx.remove_membership(membership).await?;
        removed.ok_or(ServiceError::ChangedMeanwhile)
    }

    /// Who can open the gate for a member: the names of some who hold `hallpass:members`.
    ///
    /// # Errors
    /// The store's.
    pub async fn gatekeepers(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<String>, ServiceError> {
        let catalogue = self.catalogue_set().await?;
        let Ok(needed) = Permission::parse(Permission::MEMBERS) else {
            return Ok(Vec::new());
        };
        let mut names = Vec::new();
        for used in self.store.list_roles(organization).await? {
            if used.members > 0 && used.role.holds(&catalogue, false).covers(&needed) {
                let most =
                    NAMES_TOLD.saturating_sub(u32::try_from(names.len()).unwrap_or(NAMES_TOLD));
                names.extend(
                    self.store
                        .names_with_role(organization, used.role.id, most)
                        .await?,
                );
            }
        }
        Ok(names)
    }
}
