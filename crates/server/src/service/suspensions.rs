//! Tokens and keys that rest: suspended with a reason by their owner, or by somebody who answers for the organization.

use super::{
    Person, RequestContext, Services,
    acting::{Actor, Noted},
    wishes::Reach,
};
use crate::error::{InvalidField, ServiceError};
use hallpass_domain::{
    access_token::{Expiration, Suspension, TokenState},
    audit::Action,
    id::TokenId,
    limits::REASON_BYTES_MAX,
    permission::Permission,
    time::Timestamp,
    token::Kind,
};
use hallpass_store::TokenStanding;
use hallpass_wire::SuspendToken;
use serde_json::{Value, json};

fn parse(
    request: &SuspendToken,
    by_owner: bool,
    now: Timestamp,
) -> Result<Suspension, ServiceError> {
    let reason = request.reason.trim();
    let good = !reason.is_empty()
        && reason.len() <= REASON_BYTES_MAX
        && !reason.chars().any(hallpass_domain::name::is_hidden);
    let way_out = format!("say why: 1 to {REASON_BYTES_MAX} bytes in one line");
    let reason = good
        .then(|| reason.to_owned())
        .ok_or_else(|| InvalidField::new("reason", "reason_malformed", way_out))?;
    let until = request.until.as_deref().map(Timestamp::parse).transpose();
    let until = until.map_err(|error| InvalidField::new("until", "until_malformed", error))?;
    if until.is_some_and(|until| until <= now) {
        let way_out = "until must lie in the future";
        return Err(InvalidField::new("until", "until_not_in_future", way_out).into());
    }
    Ok(Suspension {
        since: now,
        until,
        reason,
        by_owner,
    })
}

pub(super) const fn action(kind: Kind, suspends: bool) -> Action {
    match (kind, suspends) {
        (Kind::ApiKey, true) => Action::KeySuspended,
        (Kind::ApiKey, false) => Action::KeyResumed,
        (_, true) => Action::TokenSuspended,
        (_, false) => Action::TokenResumed,
    }
}

fn shown(suspension: &Suspension) -> Value {
    json!({
        "reason": suspension.reason,
        "until": suspension.until.map(|until| until.to_string()),
        "byOwner": suspension.by_owner,
    })
}

pub(super) fn named(standing: &TokenStanding) -> Value {
    json!({ "name": standing.name.as_str(), "prefix": standing.prefix.as_str() })
}

fn check_live(standing: &TokenStanding, now: Timestamp) -> Result<(), ServiceError> {
    let expiration = standing
        .expires_at
        .map_or(Expiration::Never, Expiration::At);
    match TokenState::of(standing.revoked, expiration, false, now) {
        TokenState::Revoked | TokenState::Expired => Err(ServiceError::TokenEnded),
        TokenState::Active | TokenState::Suspended => Ok(()),
    }
}

/// Whether a suspension would end before the one that it replaces.
fn ends_earlier(standing: &TokenStanding, new: &Suspension) -> bool {
    let end = |suspension: &Suspension| suspension.until.map_or(Expiration::Never, Expiration::At);
    let old = standing.suspension.as_ref();
    old.is_some_and(|old| end(old).outlives(end(new)))
}

impl Services {
    /// Suspends one of `person`'s tokens. When this returns, no verification accepts it.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also for other people's; [`ServiceError::TokenEnded`];
    /// [`ServiceError::SuspendedByAdmin`] when it rests already and its owner did not begin that;
    /// [`ServiceError::WiderThanAsker`] for a token that would have a wider one rest for shorter.
    pub async fn suspend_own(
        &self,
        person: &Person,
        id: TokenId,
        request: &SuspendToken,
        context: &RequestContext,
    ) -> Result<Suspension, ServiceError> {
        let actor = Actor::of_session(person);
        let noted = Noted::new(Action::TokenSuspended, id);
        self.attempt(&actor, context, noted, async {
            let standing = self.own_standing(person, id).await?;
            let suspension = parse(request, true, self.clock.now())?;
            // An earlier end of a suspension revives a token as lifting does.
            if person.token().is_some() && ends_earlier(&standing, &suspension) {
                let token = self.get_token(person, id).await?.token;
                self.check_may_make(person, Reach::from(&token)).await?;
            }
            self.put_suspension(&actor, (id, &standing), suspension, context)
                .await
        })
        .await
    }

    /// Lifts the suspension of one of `person`'s tokens: one that they began, or any, if the policy lets owners do so.
    /// Lifting where there is none does nothing and succeeds.
    ///
    /// # Errors
    /// [`ServiceError::SuspendedByAdmin`], [`ServiceError::TokensNotAllowed`], [`ServiceError::NotFound`],
    /// [`ServiceError::TokenEnded`]; [`ServiceError::WiderThanAsker`] for a token that would revive a wider one.
    pub async fn lift_own(
        &self,
        person: &Person,
        id: TokenId,
        context: &RequestContext,
    ) -> Result<(), ServiceError> {
        let actor = Actor::of_session(person);
        let noted = Noted::new(Action::TokenResumed, id);
        self.attempt(&actor, context, noted, async {
            if !person.membership.may_have_tokens {
                return Err(self.tokens_not_allowed(person.organization.id).await);
            }
            let standing = self.own_standing(person, id).await?;
            if person.token().is_some() {
                let token = self.get_token(person, id).await?.token;
                self.check_may_make(person, Reach::from(&token)).await?;
            }
            self.lift(&actor, (id, &standing), true, context).await
        })
        .await
    }

    async fn own_standing(
        &self,
        person: &Person,
        id: TokenId,
    ) -> Result<TokenStanding, ServiceError> {
        let found = self.store.find_standing(person.organization.id, id).await?;
        found
            .filter(|standing| standing.owner == Some(person.user.id))
            .ok_or(ServiceError::NotFound("token"))
    }

    /// Suspends any token or key of the actor's organization. Over what its owner began, too: then it is for others to
    /// lift.
    ///
    /// # Errors
    /// [`ServiceError::RoleLacks`] without `hallpass:tokens`, or `hallpass:keys` for a key; [`ServiceError::NotFound`];
    /// [`ServiceError::TokenEnded`].
    pub async fn suspend_any(
        &self,
        actor: &Actor,
        id: TokenId,
        request: &SuspendToken,
        context: &RequestContext,
    ) -> Result<Suspension, ServiceError> {
        let noted = Noted::new(Action::TokenSuspended, id);
        self.attempt(actor, context, noted, async {
            let standing = self.any_standing(actor, id).await?;
            let suspension = parse(request, false, self.clock.now())?;
            self.put_suspension(actor, (id, &standing), suspension, context)
                .await
        })
        .await
    }

    /// Lifts any suspension in the actor's organization.
    ///
    /// # Errors
    /// As [`Self::suspend_any`].
    pub async fn lift_any(
        &self,
        actor: &Actor,
        id: TokenId,
        context: &RequestContext,
    ) -> Result<(), ServiceError> {
        let noted = Noted::new(Action::TokenResumed, id);
        self.attempt(actor, context, noted, async {
            let standing = self.any_standing(actor, id).await?;
            self.lift(actor, (id, &standing), false, context).await
        })
        .await
    }

    pub(super) async fn any_standing(
        &self,
        actor: &Actor,
        id: TokenId,
    ) -> Result<TokenStanding, ServiceError> {
        let all = actor.may(Permission::TOKENS);
        if !all && !actor.may(Permission::KEYS) {
            actor.require(Permission::TOKENS)?;
        }
        let found = self.store.find_standing(actor.organization.id, id).await?;
        // For those who see to keys alone there are no other tokens.
        found
            .filter(|standing| all || standing.kind == Kind::ApiKey)
            .ok_or(ServiceError::NotFound("token"))
    }

    async fn put_suspension(
        &self,
        actor: &Actor,
        (id, standing): (TokenId, &TokenStanding),
        suspension: Suspension,
        context: &RequestContext,
    ) -> Result<Suspension, ServiceError> {
        let now = suspension.since;
        check_live(standing, now)?;
        let mut tx = self.begin_acting(actor, now).await?;
        let organization = actor.organization.id;
        let changed = tx.suspend_token(organization, id, &suspension).await?;
        if changed.is_empty() {
            drop(tx);
            let by_admin = standing
                .suspension
                .as_ref()
                .is_some_and(|old| !old.by_owner);
            return Err(match (suspension.by_owner, by_admin) {
                (true, true) => ServiceError::SuspendedByAdmin,
                _ => ServiceError::ChangedMeanwhile,
            });
        }
        let noted = Noted::new(action(standing.kind, true), id).with(named(standing));
        let noted = match &standing.suspension {
            Some(old) => noted.changed(shown(old), shown(&suspension)),
            None => noted.made(shown(&suspension)),
        };
        self.note(&mut tx, actor, context, noted, now);
        self.finish(tx, &changed).await?;
        Ok(suspension)
    }

    async fn lift(
        &self,
        actor: &Actor,
        (id, standing): (TokenId, &TokenStanding),
        as_owner: bool,
        context: &RequestContext,
    ) -> Result<(), ServiceError> {
        let (now, organization) = (self.clock.now(), actor.organization.id);
        check_live(standing, now)?;
        let Some(suspension) = &standing.suspension else {
            // It was lifted before, perhaps a moment ago and not yet applied here.
            return self.catch_up().await;
        };
        let mut tx = self.begin_acting(actor, now).await?;
        if let Some(owner) = actor.user.filter(|_| as_owner) {
            self.check_gate(organization, owner).await?;
            if !suspension.by_owner && !tx.policy_now(organization).await?.owner_may_lift {
                return Err(ServiceError::SuspendedByAdmin);
            }
        }
        let changed = tx
            .lift_suspension(organization, id, suspension.by_owner)
            .await?;
        if changed.is_empty() {
            return Err(ServiceError::ChangedMeanwhile);
        }
        let noted = Noted::new(action(standing.kind, false), id).with(named(standing));
        let noted = noted.gone(shown(suspension));
        self.note(&mut tx, actor, context, noted, now);
        self.finish(tx, &changed).await
    }
}
