//! Who changes what belongs to an organization: a person or a key, with what they may do there now. Every such change goes
//! the same way: [`Services::attempt`] around it, [`Services::begin_acting`], the change itself, [`Services::note`],
//! [`Services::finish`].

use super::{
    Person, RequestContext, Services, Via,
    presented::{Presented, Remembered},
};
use crate::error::ServiceError;
use hallpass_domain::{
    access_token::Expiration,
    audit::Action,
    id::{OrganizationId, RoleId, TokenId, UserId},
    organization::Organization,
    permission::{Permission, PermissionSet},
    role::{Role, RolePermissions},
    time::Timestamp,
};
use hallpass_store::{AuditEntry, FeedKey, Tx};
use serde_json::Value;
use std::future::Future;

/// Somebody who acts in an organization.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Where they act.
    pub organization: Organization,
    /// What they may do there now: of the role, what the credential has not given up.
    pub permissions: PermissionSet,
    /// The person, unless a key acts.
    pub user: Option<UserId>,
    /// How they prove it.
    pub via: Via,
    /// What let them begin, at home: what the credential held then, or in a session the role.
    pub held: PermissionSet,
    /// When what they prove it with ends.
    pub expiration: Expiration,
    /// The organization they belong to; another one than that in which somebody of the host acts.
    pub home: OrganizationId,
    /// Their role there.
    pub role: Role,
    /// Whether they manage the deployment, here or from home.
    pub deploys: bool,
}

impl Actor {
    /// A person in a session, in the organization in force.
    pub fn of_session(person: &Person) -> Self {
        Self {
            organization: person.organization.clone(),
            permissions: person.permissions.clone(),
            held: person.permissions.clone(),
            user: Some(person.user.id),
            via: person.via.clone(),
            expiration: Expiration::Never,
            home: person.organization.id,
            role: person.role.clone(),
            deploys: holds_deployment(&person.permissions),
        }
    }

    /// The token that acts, if it is one.
    pub const fn token(&self) -> Option<TokenId> {
        match &self.via {
            Via::Token { id, .. } => Some(*id),
            Via::Session { .. } | Via::Nothing => None,
        }
    }

    /// Whether they may do it; `permission` is one of the constants of [`Permission`].
    pub fn may(&self, permission: &'static str) -> bool {
        Permission::parse(permission).is_ok_and(|needed| self.permissions.covers(&needed))
    }

    /// Goes on only if they may.
    ///
    /// # Errors
    /// [`ServiceError::PermissionMissing`] for a token, [`ServiceError::RoleLacks`] for a person.
    pub fn require(&self, permission: &'static str) -> Result<(), ServiceError> {
        if self.may(permission) {
            return Ok(());
        }
        Err(match self.via {
            Via::Token { .. } => ServiceError::PermissionMissing(permission),
            Via::Session { .. } | Via::Nothing => ServiceError::RoleLacks(permission),
        })
    }

    /// What they give, change or take away must be inside what they hold: subset, not rank.
    ///
    /// # Errors
    /// [`ServiceError::AboveActor`] that names the first permission they do not hold.
    pub fn require_all(&self, permissions: &PermissionSet) -> Result<(), ServiceError> {
        let above = permissions
            .iter()
            .find(|permission| !self.permissions.covers(permission));
        above.map_or(Ok(()), |missing| {
            Err(ServiceError::AboveActor(missing.clone()))
        })
    }

    /// Whether they act from the organization that runs the deployment, in another one.
    pub fn is_visiting(&self) -> bool {
        self.organization.id != self.home
    }
}

/// Whether somebody with these permissions manages the deployment; nobody outside the host holds this one.
pub fn holds_deployment(permissions: &PermissionSet) -> bool {
    Permission::parse(Permission::DEPLOYMENT).is_ok_and(|needed| permissions.covers(&needed))
}

/// What the audit says of a change.
#[derive(Clone, Debug)]
pub struct Noted {
    action: Action,
    target: Option<String>,
    before: Option<Value>,
    after: Option<Value>,
    detail: Option<Value>,
}

impl Noted {
    /// What was done, to what.
    pub fn new(action: Action, target: impl ToString) -> Self {
        Self {
            action,
            target: Some(target.to_string()),
            before: None,
            after: None,
            detail: None,
        }
    }

    /// How it was before and is now.
    #[must_use]
    pub fn changed(mut self, before: Value, after: Value) -> Self {
        self.before = Some(before);
        self.after = Some(after);
        self
    }

    /// How it is now, where there was nothing before.
    #[must_use]
    pub fn made(mut self, after: Value) -> Self {
        self.after = Some(after);
        self
    }

    /// How it was, where there is nothing any more.
    #[must_use]
    pub fn gone(mut self, before: Value) -> Self {
        self.before = Some(before);
        self
    }

    pub(super) fn entry(self, organization: OrganizationId, now: Timestamp) -> AuditEntry<'static> {
        let text = |value: Option<Value>| value.map(|value| value.to_string());
        AuditEntry {
            at: now,
            organization: Some(organization),
            actor: None,
            token: None,
            action: self.action,
            target: self.target,
            address: None,
            agent: None,
            before: text(self.before),
            after: text(self.after),
            detail: text(self.detail),
        }
    }

    /// What else there is to say.
    #[must_use]
    pub fn with(mut self, detail: Value) -> Self {
        self.detail = Some(detail);
        self
    }
}

/// A token, and what it belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Bearer {
    /// Its id; of a key, not of one of its secrets.
    pub id: TokenId,
    /// Where it works.
    pub organization: OrganizationId,
    /// Its owner, unless it is a key.
    pub user: Option<UserId>,
    /// The role of the key, or its owner's.
    pub role: Option<RoleId>,
    /// When the very secret that is used ends.
    pub expiration: Expiration,
}

impl Services {
    /// Whoever acts with a token; nobody when what it belongs to is gone.
    ///
    /// # Errors
    /// The store's.
    pub async fn actor_of_token(
        &self,
        bearer: &Bearer,
        presented: Presented,
    ) -> Result<Option<Actor>, ServiceError> {
        let organization = self.store.find_organization(bearer.organization).await?;
        let role = match bearer.role {
            Some(role) => self.store.find_role(role).await?,
            None => None,
        };
        let (Some(organization), Some(role)) = (organization, role) else {
            return Ok(None);
        };
        Ok(Some(Actor {
            home: organization.id,
            organization,
            deploys: holds_deployment(presented.permissions()),
            permissions: presented.permissions().clone(),
            held: presented.permissions().clone(),
            user: bearer.user,
            via: Via::Token {
                id: bearer.id,
                presented: Box::new(presented),
            },
            expiration: bearer.expiration,
            role,
        }))
    }

    /// The same actor in the organization `id`: their own, or any other if they belong to the one that runs the
    /// deployment and hold what that takes. A person is a superuser there; a token or key no more than it is at home, but
    /// what concerns the organization as a whole, which is a part of managing the deployment.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for every other organization, be there one or not.
    pub async fn act_in(&self, actor: &Actor, id: OrganizationId) -> Result<Actor, ServiceError> {
        if actor.organization.id == id {
            return Ok(actor.clone());
        }
        let found = if actor.deploys {
            self.store.find_organization(id).await?
        } else {
            None
        };
        let organization = found.ok_or(ServiceError::NotFound("organization"))?;
        let catalogue = self.catalogue_set().await?;
        let superuser = Role {
            permissions: RolePermissions::All,
            ..actor.role.clone()
        };
        let all = superuser.holds(&catalogue, false);
        Ok(Actor {
            permissions: match actor.via {
                Via::Session { .. } | Via::Nothing => all,
                Via::Token { .. } => all
                    .iter()
                    .filter(|permission| {
                        permission.as_str() == Permission::ORGANIZATION
                            || actor.permissions.covers(permission)
                    })
                    .cloned()
                    .collect(),
            },
            organization,
            ..actor.clone()
        })
    }

    /// Every permission there is.
    ///
    /// # Errors
    /// The store's.
    pub async fn catalogue_set(&self) -> Result<PermissionSet, ServiceError> {
        let entries = self.store.catalogue().await?;
        Ok(entries.into_iter().map(|entry| entry.permission).collect())
    }

    /// Runs an attempt to change something; if it is refused for want of rights, that is written down.
    ///
    /// # Errors
    /// The attempt's.
    pub async fn attempt<T>(
        &self,
        actor: &Actor,
        context: &RequestContext,
        noted: Noted,
        work: impl Future<Output = Result<T, ServiceError>> + Send,
    ) -> Result<T, ServiceError> {
        let done = work.await;
        // Whoever came this far had a credential that worked; now it does not, or may not do this.
        let is_ended = matches!(
            done,
            Err(ServiceError::SignInRequired | ServiceError::CredentialRefused(_))
        );
        if let Err(error) = &done
            && (is_ended || error.is_refusal())
        {
            let target = noted.target.unwrap_or_default();
            self.note_refusal(actor, context, target, noted.action.word(), error)
                .await?;
        }
        done
    }

    /// Begins a change in the actor's organization. Its row is held first, so that changes of one organization go one
    /// after the other; then what the actor proves themselves with, their membership, and their role as it was when it
    /// was asked what they may. All that let them begin is looked at again.
    ///
    /// # Errors
    /// [`ServiceError::ChangedMeanwhile`] when the actor's role or membership is another by now, or they hold less; those
    /// of a credential that does not work any more, and those of [`Services::begin_change`].
    pub async fn begin_acting(&self, actor: &Actor, now: Timestamp) -> Result<Tx, ServiceError> {
        let mut tx = self.begin_change().await?;
        if !tx.hold_organization(actor.organization.id).await? {
            return Err(ServiceError::NotFound("organization"));
        }
        self.hold_via(&mut tx, &actor.via, actor.user, actor.home, now)
            .await?;
        if let (Via::Session { .. }, Some(user)) = (&actor.via, actor.user) {
            let (via, role) = (&actor.via, &actor.role);
            self.check_still(Remembered {
                user,
                home: actor.home,
                via,
                role,
                permissions: &actor.held,
            })
            .await?;
        }
        let membership_holds = match actor.user {
            Some(user) => tx.hold_membership(actor.home, user, actor.role.id).await?,
            None => true,
        };
        if membership_holds && tx.hold_role(&actor.role).await? {
            Ok(tx)
        } else {
            Err(ServiceError::ChangedMeanwhile)
        }
    }

    /// Whether the actor may still ask, now that the request's body has arrived: all that a change would look at again.
    ///
    /// # Errors
    /// Those of [`Services::begin_acting`].
    pub async fn check_again(&self, actor: &Actor) -> Result<(), ServiceError> {
        self.begin_acting(actor, self.clock.now()).await.map(drop)
    }

    /// Writes the audit's line of a change into its transaction.
    pub fn note(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        context: &RequestContext,
        noted: Noted,
        now: Timestamp,
    ) {
        let address = context.address_text();
        let entry = AuditEntry {
            actor: actor.user,
            token: actor.token(),
            address: address.as_deref(),
            agent: context.agent.as_deref(),
            ..noted.entry(actor.organization.id, now)
        };
        tx.append_audit(&self.entropy, self.peppers.current(), &entry);
    }

    /// The same for what happens by the clock: nobody did it.
    pub(super) fn note_due(
        &self,
        tx: &mut Tx,
        organization: OrganizationId,
        noted: Noted,
        now: Timestamp,
    ) {
        let entry = noted.entry(organization, now);
        tx.append_audit(&self.entropy, self.peppers.current(), &entry);
    }

    /// Commits a change and returns when it is in force.
    ///
    /// # Errors
    /// The store's, and [`ServiceError::NotYetInForce`].
    pub async fn finish(&self, tx: Tx, changed: &[FeedKey]) -> Result<(), ServiceError> {
        let seq = tx.commit(changed).await?;
        self.reach(seq).await
    }

    /// In a session the person must have proved lately to be present; a credential is not a person, and is asked for
    /// nothing of the kind.
    ///
    /// # Errors
    /// [`ServiceError::RecentSignInRequired`].
    pub fn require_recent(&self, actor: &Actor) -> Result<(), ServiceError> {
        match actor.via {
            Via::Session { signed_in_at, .. } => self.check_recent(signed_in_at),
            Via::Token { .. } => Ok(()),
            Via::Nothing => Err(ServiceError::SignInRequired),
        }
    }
}
