//! Changing a token: its name, when and from where it works, and its permissions, which can only become fewer.

use super::{
    Person, RequestContext, Services,
    access_tokens::{check_scope_held, shown},
    acting::{Actor, Noted},
    wishes::{Sent, Wish, check_allowed, check_lifetime},
};
use crate::error::ServiceError;
use hallpass_domain::{
    access_token::{PersonalAccessToken, TokenState},
    audit::Action,
    id::TokenId,
    limits::BODY_BYTES_MAX,
    network::NetworkSet,
    policy::Policy,
};
use hallpass_store::TokenChange;
use hallpass_wire::TokenPatch;
use serde_json::Value;

/// A change is made for the version it was read at; after so many others came in between, the caller decides.
const TRIES_MAX: u32 = 3;

/// How a change is written.
#[derive(Clone, Debug)]
pub enum Patch {
    /// JSON Merge Patch (RFC 7396).
    Merge(Value),
    /// JSON Patch (RFC 6902).
    Operations(json_patch::Patch),
}

impl Patch {
    /// What the changeable parts of a token become.
    fn apply_to(&self, token: &PersonalAccessToken) -> Result<TokenPatch, ServiceError> {
        let texts = |set: &NetworkSet| {
            let texts: Vec<String> = set.iter().map(ToString::to_string).collect();
            Some(texts).filter(|texts| !texts.is_empty())
        };
        let rules = token.address_rules.as_ref();
        let before = TokenPatch {
            name: token.name.as_str().to_owned(),
            expiration_date: token.expiration.date().map(|date| date.to_string()),
            user_aware_token_never_expires: Some(token.never_expires_acknowledged),
            scope: token
                .scope
                .as_ref()
                .map(|scope| scope.iter().map(ToString::to_string).collect()),
            not_before: token.valid_from.map(|at| at.to_string()),
            allowed_addresses: rules.and_then(|rules| texts(&rules.allow)),
            denied_addresses: rules.and_then(|rules| texts(&rules.deny)),
        };
        let mut document = serde_json::to_value(before)
            .map_err(|error| ServiceError::Internal(error.to_string()))?;
        match self {
            Self::Merge(patch) if patch.is_object() => json_patch::merge(&mut document, patch),
            Self::Merge(_) => return Err(malformed("a merge patch is a JSON object")),
            Self::Operations(operations) => operate(&mut document, operations)?,
        }
        serde_json::from_value(document).map_err(|error| malformed(&error.to_string()))
    }
}

/// One operation at a time, since a few that copy the document into itself would fill any memory.
fn operate(document: &mut Value, operations: &json_patch::Patch) -> Result<(), ServiceError> {
    for operation in &operations.0 {
        json_patch::patch(document, std::slice::from_ref(operation)).map_err(
            |error| match error.kind {
                json_patch::PatchErrorKind::TestFailed => ServiceError::PatchTestFailed,
                _ => malformed(&error.to_string()),
            },
        )?;
        if document.to_string().len() > BODY_BYTES_MAX {
            return Err(malformed(
                "it makes more of the token than could have been sent",
            ));
        }
    }
    Ok(())
}

fn malformed(why: &str) -> ServiceError {
    ServiceError::BadRequest {
        code: "patch_malformed",
        detail: format!("the patch does not fit: {}", crate::observe::scrub(why)),
    }
}

impl Services {
    /// Changes one of `person`'s tokens. To let it live longer takes what making it anew would: in a session a recent
    /// sign-in, of a token that it is no narrower and lives as long.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::TokenEnded`], [`ServiceError::NameTaken`],
    /// [`ServiceError::Invalid`] (`scope_widened` among them), [`ServiceError::PatchTestFailed`].
    pub async fn change_token(
        &self,
        person: &Person,
        id: TokenId,
        patch: &Patch,
        context: &RequestContext,
    ) -> Result<PersonalAccessToken, ServiceError> {
        let noted = Noted::new(Action::TokenChanged, id);
        let work = Box::pin(async {
            for _ in 0..TRIES_MAX {
                if let Some(token) = self.try_change(person, id, patch, context).await? {
                    return Ok(token);
                }
            }
            Err(ServiceError::ChangedMeanwhile)
        });
        self.attempt_own(person, context, noted, work).await
    }

    /// `None` when the token was changed between reading and writing.
    async fn try_change(
        &self,
        person: &Person,
        id: TokenId,
        patch: &Patch,
        context: &RequestContext,
    ) -> Result<Option<PersonalAccessToken>, ServiceError> {
        if !person.membership.may_have_tokens {
            return Err(self.tokens_not_allowed(person.organization.id).await);
        }
        let now = self.clock.now();
        let found = self.get_token(person, id).await?;
        let mut token = found.token;
        if matches!(token.state(now), TokenState::Revoked | TokenState::Expired) {
            return Err(ServiceError::TokenEnded);
        }
        let after = patch.apply_to(&token)?;
        let changed = Wish::parse(&Sent::from(&after), Some(&token), now)?;
        if changed.scope != token.scope {
            check_scope_held(person, changed.scope.as_ref())?;
        }
        if changed.widens(&token) {
            self.check_may_make(person, changed.reach()).await?;
        }
        let change = TokenChange {
            name: &changed.name,
            expiration: changed.expiration,
            never_expires_acknowledged: changed.acknowledged,
            scope: changed.scope.as_ref(),
            valid_from: changed.valid_from,
            address_rules: changed.address_rules.as_ref(),
            now,
        };
        let mut tx = self.begin_own(person, now).await?;
        self.check_gate(person.organization.id, person.user.id)
            .await?;
        changed.check_change(&tx.policy_now(person.organization.id).await?, &token)?;
        let outcome = tx
            .change_token(
                person.organization.id,
                person.user.id,
                id,
                found.version,
                &change,
            )
            .await?;
        let Some(key) = outcome.map_err(ServiceError::NameTaken)? else {
            return Ok(None);
        };
        let before = shown(&token);
        changed.put_into(&mut token);
        let noted = Noted::new(Action::TokenChanged, id).changed(before, shown(&token));
        self.note(&mut tx, &Actor::of_session(person), context, noted, now);
        self.finish(tx, &[key]).await?;
        Ok(Some(token))
    }
}

impl Wish {
    /// Holds a change against the policy: what it makes longer, and what it newly narrows. What a token was allowed before
    /// is not asked again.
    fn check_change(
        &self,
        policy: &Policy,
        before: &PersonalAccessToken,
    ) -> Result<(), ServiceError> {
        if self.expiration.outlives(before.expiration) {
            check_lifetime(policy.personal, self.expiration, before.created)?;
        }
        if self.scope != before.scope {
            check_allowed(policy, self.scope.as_ref())?;
        }
        Ok(())
    }

    fn put_into(self, token: &mut PersonalAccessToken) {
        token.name = self.name;
        token.expiration = self.expiration;
        token.never_expires_acknowledged = self.acknowledged;
        token.scope = self.scope;
        token.valid_from = self.valid_from;
        token.address_rules = self.address_rules;
    }
}
