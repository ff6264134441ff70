//! Changing a token: its name, its end, and its permissions, which can only become fewer.

use super::{
    Person, RequestContext, Services,
    access_tokens::{check_scope_held, parse_scope, shown},
    acting::{Actor, Noted},
};
use crate::error::{InvalidField, ServiceError};
use hallpass_domain::{
    access_token::{Expiration, PersonalAccessToken, TokenState},
    audit::Action,
    id::TokenId,
    limits::BODY_BYTES_MAX,
    name::TokenName,
    permission::PermissionSet,
    time::Timestamp,
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
        let before = TokenPatch {
            name: token.name.as_str().to_owned(),
            expiration_date: token.expiration.date().map(|date| date.to_string()),
            user_aware_token_never_expires: Some(token.never_expires_acknowledged),
            scope: token
                .scope
                .as_ref()
                .map(|scope| scope.iter().map(ToString::to_string).collect()),
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

/// What a token becomes, parsed.
struct Changed {
    name: TokenName,
    expiration: Expiration,
    acknowledged: bool,
    scope: Option<PermissionSet>,
}

impl Changed {
    fn parse(
        after: &TokenPatch,
        before: &PersonalAccessToken,
        now: Timestamp,
    ) -> Result<Self, ServiceError> {
        let name = TokenName::parse(&after.name).map_err(|error| InvalidField::name("name", error));
        let acknowledged = after.user_aware_token_never_expires;
        let expiration =
            Expiration::from_request(after.expiration_date.as_deref(), acknowledged, now)
                .map_err(InvalidField::expiration);
        let scope = parse_scope(after.scope.as_deref())
            .and_then(|scope| narrower(scope, before.scope.as_ref()));
        match (name, expiration, scope) {
            (Ok(name), Ok(expiration), Ok(scope)) => Ok(Self {
                name,
                expiration,
                acknowledged: acknowledged.unwrap_or(false),
                scope,
            }),
            (name, expiration, scope) => Err(ServiceError::Invalid(
                [name.err(), expiration.err(), scope.err()]
                    .into_iter()
                    .flatten()
                    .collect(),
            )),
        }
    }
}

/// A token's permissions only become fewer: who holds a copy of it must not gain by what its owner does.
fn narrower(
    after: Option<PermissionSet>,
    before: Option<&PermissionSet>,
) -> Result<Option<PermissionSet>, InvalidField> {
    let own_tokens = hallpass_domain::permission::Permission::OWN_TOKENS;
    let widens = match (&after, before) {
        (None, Some(_)) => true,
        (Some(after), Some(before)) => !before.covers_all(after),
        // All that the role allows never included the one that must be named.
        (Some(after), None) => after.names_text(own_tokens),
        (None, None) => false,
    };
    if widens {
        return Err(InvalidField::new(
            "scope",
            "scope_widened",
            "a token's permissions can only become fewer; make a new token for more",
        ));
    }
    Ok(after)
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
        self.attempt_own(person, context, noted, async {
            for _ in 0..TRIES_MAX {
                if let Some(token) = self.try_change(person, id, patch, context).await? {
                    return Ok(token);
                }
            }
            Err(ServiceError::ChangedMeanwhile)
        })
        .await
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
            return Err(ServiceError::TokensNotAllowed);
        }
        let now = self.clock.now();
        let found = self.get_token(person, id).await?;
        let mut token = found.token;
        if matches!(token.state(now), TokenState::Revoked | TokenState::Expired) {
            return Err(ServiceError::TokenEnded);
        }
        let changed = Changed::parse(&patch.apply_to(&token)?, &token, now)?;
        if changed.scope != token.scope {
            check_scope_held(person, changed.scope.as_ref())?;
        }
        if changed.expiration.outlives(token.expiration) {
            self.check_may_make(person, changed.scope.as_ref(), changed.expiration)
                .await?;
        }
        let change = TokenChange {
            name: &changed.name,
            expiration: changed.expiration,
            never_expires_acknowledged: changed.acknowledged,
            scope: changed.scope.as_ref(),
            now,
        };
        let mut tx = self.begin_change().await?;
        self.hold_asker(&mut tx, person, now).await?;
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
        token.name = changed.name;
        token.expiration = changed.expiration;
        token.never_expires_acknowledged = changed.acknowledged;
        token.scope = changed.scope;
        let noted = Noted::new(Action::TokenChanged, id).changed(before, shown(&token));
        self.note(&mut tx, &Actor::of_session(person), context, noted, now);
        let seq = tx.commit(&[key]).await?;
        self.reach(seq).await?;
        Ok(Some(token))
    }
}
