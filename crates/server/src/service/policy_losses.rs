//! What a policy takes away from tokens without ending them: a permission, or the place they are used from.

use super::{
    RequestContext, Services,
    acting::Actor,
    policy::{Consequence, consequence_of},
};
use crate::error::{InvalidField, ServiceError};
use hallpass_domain::{
    access_token::{PersonalAccessToken, TokenState},
    id::{OrganizationId, RoleId},
    permission::{Permission, PermissionSet},
    policy::Policy,
    time::Timestamp,
};
use hallpass_store::{Carried, PolicyChange};
use std::collections::{HashMap, hash_map::Entry};

/// What a policy takes away beside what it ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// So many live personal access tokens carry what it forbids, and today's does not.
    pub narrowed: u64,
    /// So many live tokens and keys were last used from an address from where they may be used today, and then not.
    pub outside: u64,
    /// Whether the credential that asks would be refused itself, from where it asks.
    pub asker_refused: bool,
}

/// A policy that is to come, and the one it replaces.
#[derive(Clone, Debug)]
pub struct Coming {
    /// The change.
    pub change: PolicyChange,
    /// What holds until then.
    pub now: Policy,
}

/// What the owner of a token is told of a policy that is to come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// What becomes of its end.
    pub consequence: Option<Consequence>,
    /// What it may no longer do.
    pub loses: Vec<Permission>,
    /// Whether it may no longer be used from where it was used last.
    pub outside: bool,
}

/// What a policy that is to come will do to a personal access token as it is now; none: nothing.
pub fn notice(coming: &Coming, token: &PersonalAccessToken, now: Timestamp) -> Option<Notice> {
    let (old, new) = (&coming.now, &coming.change.policy);
    let at = coming.change.enforce_at.max(now);
    let over = matches!(token.state(now), TokenState::Revoked | TokenState::Expired);
    if over || token.expiration.date().is_some_and(|end| end <= at) {
        return None;
    }
    let forbidden = new.forbidden.iter();
    let is_new = |permission: &&Permission| !old.forbidden.forbids(permission);
    let carries = |permission: &&Permission| match &token.scope {
        Some(scope) => overlap(scope, permission),
        None => true,
    };
    let last = token
        .last_use
        .as_ref()
        .and_then(|last| last.address.clone());
    let last = last.and_then(|address| address.parse().ok());
    let told = Notice {
        consequence: consequence_of(new, token, at),
        loses: forbidden.filter(is_new).filter(carries).cloned().collect(),
        outside: last.is_some_and(|last| {
            old.networks.admits(Some(last)) && !new.networks.admits(Some(last))
        }),
    };
    (told != Notice::default()).then_some(told)
}

/// Whether what a token carries and what is forbidden have something in common; either may be a wildcard.
fn overlap(scope: &PermissionSet, forbidden: &Permission) -> bool {
    scope
        .iter()
        .any(|held| held.covers(forbidden) || forbidden.covers(held))
}

impl Services {
    /// The policy that is to come, for those whom it will concern.
    ///
    /// # Errors
    /// The store's.
    pub async fn policy_to_come(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<Coming>, ServiceError> {
        let Some(change) = self.store.find_policy_change(organization).await? else {
            return Ok(None);
        };
        let now = self.store.find_policy(organization).await?;
        Ok(Some(Coming { change, now }))
    }

    /// What is forbidden must be something that there is: a typing error would forbid nothing. What is forbidden already
    /// may stay.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`].
    pub(super) async fn check_forbidden(
        &self,
        organization: OrganizationId,
        policy: &Policy,
    ) -> Result<(), ServiceError> {
        let (catalogue, before) = (
            self.catalogue_set().await?,
            self.store.find_policy(organization).await?,
        );
        let is_known = |named: &&Permission| {
            named.as_str() == Permission::OWN_TOKENS
                || before.forbidden.names(named)
                || catalogue.iter().any(|known| named.covers(known))
        };
        match policy.forbidden.iter().find(|named| !is_known(named)) {
            None => Ok(()),
            Some(unknown) => Err(InvalidField::new(
                "forbiddenPermissions",
                "permission_unknown",
                format!("there is no permission {unknown}: forbid what there is"),
            )
            .into()),
        }
    }

    /// What `policy` would take from the tokens of the actor's organization beside what it ends.
    pub(super) async fn policy_losses(
        &self,
        actor: &Actor,
        policy: &Policy,
        context: &RequestContext,
    ) -> Result<Losses, ServiceError> {
        let (id, now) = (actor.organization.id, self.clock.now());
        let before = self.store.find_policy(id).await?;
        let networks = &policy.networks;
        let goes = |address| before.networks.admits(address) && !networks.admits(address);
        let mut losses = Losses {
            asker_refused: actor.token().is_some() && goes(context.address),
            ..Losses::default()
        };
        if !networks.is_empty() {
            let used = self.store.used_from(id, now).await?.into_iter();
            let outside = used.filter(|(address, _)| goes(Some(*address)));
            losses.outside = outside.map(|(_, tokens)| tokens).sum();
        }
        if !policy.forbidden.is_empty() {
            losses.narrowed = self.narrowed(actor, &before, policy, now).await?;
        }
        Ok(losses)
    }

    async fn narrowed(
        &self,
        actor: &Actor,
        before: &Policy,
        after: &Policy,
        now: Timestamp,
    ) -> Result<u64, ServiceError> {
        let (organization, catalogue) = (&actor.organization, self.catalogue_set().await?);
        let loses = |permission: &Permission| {
            after.forbidden.forbids(permission) && !before.forbidden.forbids(permission)
        };
        let mut roles: HashMap<RoleId, PermissionSet> = HashMap::new();
        let mut narrowed = 0;
        for Carried {
            scope,
            role,
            tokens,
        } in self.store.carried(organization.id, now).await?
        {
            let held = match roles.entry(role) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let found = self.store.find_role_in(organization.id, role).await?;
                    let held = found.map(|found| found.holds(&catalogue, organization.host));
                    new.insert(held.unwrap_or_default())
                }
            };
            let carried = |permission: &&Permission| {
                scope.as_ref().is_none_or(|scope| scope.covers(permission))
            };
            let by_name = scope.iter().flatten();
            let own = by_name.filter(|named| named.as_str() == Permission::OWN_TOKENS);
            if held.iter().filter(carried).chain(own).any(loses) {
                narrowed += tokens;
            }
        }
        Ok(narrowed)
    }
}
