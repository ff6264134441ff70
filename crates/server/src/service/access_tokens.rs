//! Personal access tokens: listing, finding, revoking. Making is in [`super::token_creation`], changing in
//! [`super::token_change`].

use super::{
    Person, RequestContext, Services,
    acting::{Actor, Noted},
    wishes::Reach,
};
use crate::error::{InvalidField, ServiceError};
use hallpass_domain::{
    access_token::{PersonalAccessToken, TokenState},
    audit::Action,
    id::TokenId,
    permission::{Permission, PermissionSet},
    time::Timestamp,
};
use hallpass_store::{TokenPage, TokenQuery, TokenWithUse, Tx};
use serde_json::{Value, json};
use std::{future::Future, pin::Pin};

/// Days over which uses are shown as recent.
pub const RECENT_USES_DAYS: i64 = 7;

/// Parses what a token is to be narrowed to. An empty list is refused: such a token could do nothing.
pub(super) fn parse_scope(texts: Option<&[String]>) -> Result<Option<PermissionSet>, InvalidField> {
    let Some(texts) = texts else {
        return Ok(None);
    };
    if texts.is_empty() {
        return Err(InvalidField::new(
            "scope",
            "scope_empty",
            "name at least one permission, or leave scope out for all that your role allows",
        ));
    }
    PermissionSet::parse(texts.iter().map(String::as_str))
        .map(Some)
        .map_err(|error| InvalidField::scope(&error))
}

/// Whether a role that holds `held` can give `permission` to a token. A wildcard is good when the role holds
/// anything of its resource: it is looked at again at each request, and never gives more than the role.
fn can_give(held: &PermissionSet, permission: &Permission) -> bool {
    permission.as_str() == Permission::OWN_TOKENS
        || held.covers(permission)
        || (permission.is_wildcard()
            && held
                .iter()
                .any(|held| held.resource() == permission.resource()))
}

/// Checks that `person`'s role can give every permission of `scope`.
pub(super) fn check_scope_held(
    person: &Person,
    scope: Option<&PermissionSet>,
) -> Result<(), ServiceError> {
    let missing: Vec<InvalidField> = scope
        .into_iter()
        .flatten()
        .filter(|permission| !can_give(&person.permissions, permission))
        .map(InvalidField::not_held)
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(ServiceError::Invalid(missing))
    }
}

impl Services {
    /// A page of `person`'s tokens in the organization in force.
    ///
    /// # Errors
    /// The store's.
    pub async fn list_tokens(
        &self,
        person: &Person,
        query: &TokenQuery,
    ) -> Result<TokenPage, ServiceError> {
        Ok(self
            .store
            .list_tokens(person.organization.id, person.user.id, query)
            .await?)
    }

    /// How many tokens `person` has in each state.
    ///
    /// # Errors
    /// The store's.
    pub async fn count_tokens_by_state(
        &self,
        person: &Person,
    ) -> Result<Vec<(TokenState, u64)>, ServiceError> {
        Ok(self
            .store
            .count_tokens_by_state(person.organization.id, person.user.id, self.clock.now())
            .await?)
    }

    /// One of `person`'s tokens.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also for other people's.
    pub async fn get_token(
        &self,
        person: &Person,
        id: TokenId,
    ) -> Result<TokenWithUse, ServiceError> {
        let since = self.clock.now().plus_days(-RECENT_USES_DAYS);
        self.store
            .find_token(person.organization.id, person.user.id, id, since)
            .await?
            .ok_or(ServiceError::NotFound("token"))
    }

    /// Revokes one of `person`'s tokens. When this returns, no verification accepts it. Revoking a revoked token
    /// does nothing and succeeds.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also for other people's.
    pub async fn revoke_token(
        &self,
        person: &Person,
        id: TokenId,
        context: &RequestContext,
    ) -> Result<(), ServiceError> {
        let noted = Noted::new(Action::TokenRevoked, id);
        let work = Box::pin(async {
            let token = self.get_token(person, id).await?.token;
            let now = self.clock.now();
            let mut tx = self.begin_own(person, now).await?;
            let revoked = tx
                .revoke_token(person.organization.id, person.user.id, id, now)
                .await?;
            let Some(changed) = revoked else {
                drop(tx);
                // It was revoked before, perhaps a moment ago and not yet applied here.
                return self.catch_up().await;
            };
            self.audit_token(&mut tx, person, &token, Action::TokenRevoked, context, now);
            self.finish(tx, &[changed]).await
        });
        self.attempt_own(person, context, noted, work).await
    }

    /// Begins a change of `person`'s own tokens. The organization's row is held first, as by all who change the policy or
    /// revoke what the organization has: none can slip in between. Then all that let `person` begin is looked at again.
    pub(super) async fn begin_own(
        &self,
        person: &Person,
        now: Timestamp,
    ) -> Result<Tx, ServiceError> {
        let mut tx = self.begin_change().await?;
        let home = person.organization.id;
        if !tx.hold_organization(home).await? {
            return Err(ServiceError::NotFound("organization"));
        }
        self.hold_via(&mut tx, &person.via, Some(person.user.id), home, now)
            .await?;
        self.check_still(person.into()).await?;
        Ok(tx)
    }

    /// A token never counts as a person being present. In a session, the sign-in must be recent; a token makes
    /// none wider or longer-lived than itself.
    pub(super) async fn check_may_make(
        &self,
        person: &Person,
        wanted: Reach<'_>,
    ) -> Result<(), ServiceError> {
        let Some(id) = person.token() else {
            return if self.is_recent(person) {
                Ok(())
            } else {
                Err(ServiceError::RecentSignInRequired)
            };
        };
        let asker = self.get_token(person, id).await?.token;
        if wanted.scope.is_none() {
            return Err(ServiceError::WiderThanAsker(
                "a token cannot make one for all that its owner's role allows, nor let one live longer: name in scope only permissions that this token names",
            ));
        }
        wanted.check_within(Reach::from(&asker))
    }

    /// Writes the line of a token that was made or revoked.
    pub(super) fn audit_token(
        &self,
        tx: &mut Tx,
        person: &Person,
        token: &PersonalAccessToken,
        action: Action,
        context: &RequestContext,
        now: Timestamp,
    ) {
        let noted = Noted::new(action, token.id);
        let noted = if action == Action::TokenRevoked {
            noted.gone(shown(token))
        } else {
            noted.made(shown(token))
        };
        self.note(tx, &Actor::of_session(person), context, noted, now);
    }

    /// Runs an attempt of `person` at their own tokens; if it is refused for want of rights, that is written down.
    ///
    /// # Errors
    /// The attempt's.
    pub(super) async fn attempt_own<T>(
        &self,
        person: &Person,
        context: &RequestContext,
        noted: Noted,
        work: Pin<Box<dyn Future<Output = Result<T, ServiceError>> + Send + '_>>,
    ) -> Result<T, ServiceError> {
        let actor = Actor::of_session(person);
        self.attempt(&actor, context, noted, work).await
    }
}

/// A token as the audit shows it.
pub(super) fn shown(token: &PersonalAccessToken) -> Value {
    let mut shown = json!({
        "name": token.name.as_str(),
        "prefix": token.prefix.as_str(),
        "expirationDate": token.expiration.date().map(|date| date.to_string()),
        "scope": token.scope.as_ref().map(PermissionSet::to_text),
    });
    // Few tokens have these, so they are told only where they are.
    let rules = token.address_rules.as_ref();
    for (name, value) in [
        ("notBefore", token.valid_from.map(|at| at.to_string())),
        ("allowedAddresses", rules.map(|rules| rules.allow.to_text())),
        ("deniedAddresses", rules.map(|rules| rules.deny.to_text())),
    ] {
        if let Some(value) = value {
            shown[name] = json!(value);
        }
    }
    shown
}
