//! What an organization's tokens must keep to: first looked at, then decided for a date, then enforced.

use super::{
    RequestContext, Services,
    acting::{Actor, Noted},
    policy_losses::Losses,
    wishes::parse_addresses,
};
use crate::error::{InvalidField, ServiceError};
use hallpass_domain::{
    access_token::{Expiration, PersonalAccessToken},
    audit::Action,
    id::OrganizationId,
    limits::{POLICY_AHEAD_DAYS_MAX, POLICY_DAYS_MAX, PREVIEW_ROWS_MAX},
    network::NetworkSet,
    permission::{MalformedSet, Permission, PermissionSet},
    policy::{Enforced, Lifetime, Policy, is_days},
    time::Timestamp,
    token::Kind,
};
use hallpass_store::{FeedKey, InventoryRow, PolicyChange, PolicyEffect, Tx};
use hallpass_wire::PolicyLifetime;
use serde_json::{Value, json};

/// What a policy does to one token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// It ends at this moment instead.
    Shortened(Timestamp),
    /// It is revoked.
    Revoked,
    /// It is revoked since nobody used it.
    Unused,
}

/// What a policy would do.
#[derive(Clone, Debug)]
pub struct Preview {
    /// To how many.
    pub effect: PolicyEffect,
    /// To the first of them.
    pub first: Vec<(InventoryRow, Consequence)>,
    /// What it takes away besides.
    pub losses: Losses,
    /// The change that is planned, which it would replace.
    pub planned: Option<PolicyChange>,
}

/// What is decided about the policy.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The policy.
    pub policy: Policy,
    /// From when on; `None` is at once.
    pub enforce_at: Option<Timestamp>,
    /// What the preview said that it does.
    pub expected: PolicyEffect,
    /// Whether a change that is planned may be forgotten for it.
    pub replaces_planned: bool,
}

fn parse_days(field: &'static str, days: Option<i64>) -> Result<Option<u32>, InvalidField> {
    let Some(days) = days else { return Ok(None) };
    let way_out = format!("a number of days from 1 to {POLICY_DAYS_MAX}, or null");
    u32::try_from(days)
        .ok()
        .filter(|_| is_days(days))
        .map(Some)
        .ok_or_else(|| InvalidField::new(field, "days_malformed", way_out))
}

fn parse_lifetime(
    field: &'static str,
    lifetime: &PolicyLifetime,
) -> Result<Lifetime, InvalidField> {
    Ok(Lifetime {
        days_max: parse_days(field, lifetime.days_max)?,
        may_never_expire: lifetime.may_never_expire,
    })
}

fn parse_forbidden(texts: &[String]) -> Result<PermissionSet, InvalidField> {
    PermissionSet::parse(texts.iter().map(String::as_str)).map_err(|error| {
        let code = match error {
            MalformedSet::Permission { .. } => "permission_malformed",
            MalformedSet::TooMany => "scope_too_long",
        };
        InvalidField::new("forbiddenPermissions", code, error)
    })
}

/// Parses a policy.
///
/// # Errors
/// [`ServiceError::Invalid`] that names each field that is wrong.
pub fn parse_policy(sent: &hallpass_wire::Policy) -> Result<Policy, ServiceError> {
    let personal = parse_lifetime("personalAccessTokens", &sent.personal_access_tokens);
    let key = parse_lifetime("apiKeys", &sent.api_keys);
    let forbidden = parse_forbidden(&sent.forbidden_permissions);
    let unused = parse_days("unusedDaysMax", sent.unused_days_max);
    let networks = match sent.allowed_addresses.as_slice() {
        [] => Ok(NetworkSet::default()),
        texts => parse_addresses("allowedAddresses", Some(texts)),
    };
    match (personal, key, forbidden, unused, networks) {
        (Ok(personal), Ok(key), Ok(forbidden), Ok(unused_days_max), Ok(networks)) => Ok(Policy {
            personal,
            key,
            forbidden,
            unused_days_max,
            networks,
            owner_may_lift: sent.owners_may_lift,
        }),
        (personal, key, forbidden, unused, networks) => {
            let wrong = [
                personal.err(),
                key.err(),
                forbidden.err(),
                unused.err(),
                networks.err(),
            ];
            Err(ServiceError::Invalid(wrong.into_iter().flatten().collect()))
        }
    }
}

/// Parses the moment from which a policy holds.
///
/// # Errors
/// [`InvalidField`].
pub fn parse_enforce_at(
    text: Option<&str>,
    now: Timestamp,
) -> Result<Option<Timestamp>, ServiceError> {
    let refused = |code, why: String| InvalidField::new("enforceAt", code, why);
    let Some(text) = text else { return Ok(None) };
    let at = Timestamp::parse(text)
        .map_err(|error| refused("enforce_at_malformed", format!("enforceAt is {error}")))?;
    if at <= now || at > now.plus_days(POLICY_AHEAD_DAYS_MAX) {
        let way_out = format!(
            "a moment in the next {POLICY_AHEAD_DAYS_MAX} days, or none for a change at once"
        );
        return Err(refused("enforce_at_out_of_range", way_out).into());
    }
    Ok(Some(at))
}

fn shown_lifetime(lifetime: Lifetime) -> Value {
    json!({ "daysMax": lifetime.days_max, "mayNeverExpire": lifetime.may_never_expire })
}

/// A policy as the audit has it.
pub(super) fn shown(policy: &Policy) -> Value {
    json!({
        "personalAccessTokens": shown_lifetime(policy.personal),
        "apiKeys": shown_lifetime(policy.key),
        "forbiddenPermissions": policy.forbidden.to_text(),
        "unusedDaysMax": policy.unused_days_max,
        "allowedAddresses": policy.networks.to_text(),
        "ownersMayLift": policy.owner_may_lift,
    })
}

/// What enforcing a policy did, as the audit has it.
pub(super) fn shown_effect(effect: PolicyEffect) -> Value {
    json!({
        "shortened": effect.shortened,
        "revoked": effect.revoked,
        "unused": effect.unused,
    })
}

/// What enforcing `policy` at `at` does to something made and ending so; whether it is used is not asked.
fn consequence(
    lifetime: Lifetime,
    (made, expiration): (Timestamp, Expiration),
    at: Timestamp,
) -> Option<Consequence> {
    match lifetime.enforce(expiration, made, at) {
        Enforced::Kept => None,
        Enforced::Shortened(end) => Some(Consequence::Shortened(end)),
        Enforced::Revoked => Some(Consequence::Revoked),
    }
}

/// What a policy does at `at` to the end of a personal access token as it is now.
pub(super) fn consequence_of(
    policy: &Policy,
    token: &PersonalAccessToken,
    at: Timestamp,
) -> Option<Consequence> {
    let life = (token.created, token.expiration);
    consequence(policy.personal, life, at).or_else(|| {
        let since = at.plus_days(-i64::from(policy.unused_days_max?));
        let last = token.last_use.as_ref().map(|last| last.at);
        // It could not be used before it was valid.
        let moments = [last, token.valid_from, Some(token.created)];
        (moments.into_iter().flatten().max() < Some(since)).then_some(Consequence::Unused)
    })
}

/// Whether a preview still says what it said.
fn check_expected(expected: PolicyEffect, found: PolicyEffect) -> Result<(), ServiceError> {
    let pairs = [
        (expected.shortened, found.shortened),
        (expected.revoked, found.revoked),
        (expected.unused, found.unused),
    ];
    match pairs
        .into_iter()
        .find(|(expected, found)| expected != found)
    {
        None => Ok(()),
        Some((expected, found)) => Err(ServiceError::PreviewOutdated { expected, found }),
    }
}

impl Services {
    /// The policy of the actor's organization, and the one that is to come.
    ///
    /// # Errors
    /// [`ServiceError::RoleLacks`] without `hallpass:policy`.
    pub async fn get_policy(
        &self,
        actor: &Actor,
    ) -> Result<(Policy, Option<PolicyChange>), ServiceError> {
        actor.require(Permission::POLICY)?;
        let id = actor.organization.id;
        Ok((
            self.store.find_policy(id).await?,
            self.store.find_policy_change(id).await?,
        ))
    }

    /// What a policy would do, at once or from a moment on. Changes nothing.
    ///
    /// # Errors
    /// [`ServiceError::RoleLacks`] without `hallpass:policy`.
    pub async fn preview_policy(
        &self,
        actor: &Actor,
        policy: &Policy,
        enforce_at: Option<Timestamp>,
        context: &RequestContext,
    ) -> Result<Preview, ServiceError> {
        actor.require(Permission::POLICY)?;
        self.check_forbidden(actor.organization.id, policy).await?;
        let (id, at) = (
            actor.organization.id,
            enforce_at.unwrap_or_else(|| self.clock.now()),
        );
        let effect = self.store.preview_policy(id, policy, at).await?;
        let rows = self
            .store
            .list_concerned(id, policy, at, PREVIEW_ROWS_MAX)
            .await?;
        let told = |row: InventoryRow| {
            let lifetime = match row.kind {
                Kind::ApiKey => policy.key,
                Kind::PersonalAccessToken | Kind::ShortLived => policy.personal,
            };
            let told = consequence(lifetime, (row.created, row.expiration), at);
            (row, told.unwrap_or(Consequence::Unused))
        };
        Ok(Preview {
            effect,
            first: rows.into_iter().map(told).collect(),
            losses: self.policy_losses(actor, policy, context).await?,
            planned: self.store.find_policy_change(id).await?,
        })
    }

    /// Decides what the policy is, at once or from a moment on. What was to come before is forgotten, which has to be
    /// said. When this returns and the policy holds at once, so does every token.
    ///
    /// # Errors
    /// [`ServiceError::PolicyChangePlanned`] when something is to come and nothing was said of it,
    /// [`ServiceError::PreviewOutdated`] when it would do something else than was expected,
    /// [`ServiceError::RoleLacks`], [`ServiceError::RecentSignInRequired`].
    pub async fn put_policy(
        &self,
        actor: &Actor,
        decision: &Decision,
        context: &RequestContext,
    ) -> Result<(), ServiceError> {
        let id = actor.organization.id;
        let action = match decision.enforce_at {
            Some(_) => Action::PolicyChangeScheduled,
            None => Action::PolicyEnforced,
        };
        let noted = Noted::new(action, id);
        self.attempt(actor, context, noted.clone(), async {
            actor.require(Permission::POLICY)?;
            self.require_recent(actor)?;
            self.check_forbidden(id, &decision.policy).await?;
            let now = self.clock.now();
            if let Some(at) = decision.enforce_at {
                let found = self.store.preview_policy(id, &decision.policy, at).await?;
                check_expected(decision.expected, found)?;
            }
            let mut tx = self.begin_acting(actor, now).await?;
            let (before, replaced) = (tx.policy_now(id).await?, tx.policy_change(id).await?);
            if let Some(planned) = &replaced {
                if !decision.replaces_planned {
                    return Err(ServiceError::PolicyChangePlanned(planned.enforce_at));
                }
                tx.take_policy_change(id, planned).await?;
            }
            let (effect, changed) = self.write_policy(&mut tx, actor, decision, now).await?;
            let noted = noted
                .changed(shown(&before), shown(&decision.policy))
                .with(json!({
                    "effect": shown_effect(effect),
                    "enforceAt": decision.enforce_at.map(|at| at.to_string()),
                    "replaced": replaced.map(|change| shown(&change.policy)),
                }));
            self.note(&mut tx, actor, context, noted, now);
            self.finish(tx, &changed).await
        })
        .await
    }

    async fn write_policy(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        decision: &Decision,
        now: Timestamp,
    ) -> Result<(PolicyEffect, Vec<FeedKey>), ServiceError> {
        let id = actor.organization.id;
        let Some(enforce_at) = decision.enforce_at else {
            let (effect, changed) = enforce(tx, id, &decision.policy, now).await?;
            check_expected(decision.expected, effect)?;
            return Ok((effect, changed));
        };
        let change = PolicyChange {
            policy: decision.policy.clone(),
            enforce_at,
            made: now,
            user: actor.user,
            token: actor.token(),
        };
        tx.put_policy_change(id, &change).await?;
        Ok((decision.expected, Vec::new()))
    }

    /// Withdraws the policy that is to come.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] when there is none, [`ServiceError::RoleLacks`],
    /// [`ServiceError::ChangedMeanwhile`].
    pub async fn withdraw_policy(
        &self,
        actor: &Actor,
        context: &RequestContext,
    ) -> Result<(), ServiceError> {
        let id = actor.organization.id;
        let noted = Noted::new(Action::PolicyChangeWithdrawn, id);
        self.attempt(actor, context, noted.clone(), async {
            actor.require(Permission::POLICY)?;
            let found = self.store.find_policy_change(id).await?;
            let change = found.ok_or(ServiceError::NotFound("change of policy"))?;
            let now = self.clock.now();
            let mut tx = self.begin_acting(actor, now).await?;
            if !tx.take_policy_change(id, &change).await? {
                return Err(ServiceError::ChangedMeanwhile);
            }
            let noted = noted
                .gone(shown(&change.policy))
                .with(json!({ "enforceAt": change.enforce_at.to_string() }));
            self.note(&mut tx, actor, context, noted, now);
            self.finish(tx, &[]).await
        })
        .await
    }
}

/// Puts a policy in force, under the organization's row: every token is made to keep to it.
pub(super) async fn enforce(
    tx: &mut Tx,
    organization: OrganizationId,
    policy: &Policy,
    now: Timestamp,
) -> Result<(PolicyEffect, Vec<FeedKey>), ServiceError> {
    let mark = tx.bulk_moment(organization, now).await?;
    let (mut effect, changed) = tx.enforce_policy(organization, policy, mark).await?;
    if let Some(days) = policy.unused_days_max {
        (effect.unused, _) = tx.revoke_unused(organization, days, mark).await?;
    }
    Ok((effect, changed))
}
