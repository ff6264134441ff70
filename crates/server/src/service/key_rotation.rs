//! A new secret for an API key under the same id, with an overlap or without.

use super::{
    RequestContext, Services,
    acting::{Actor, Noted},
    api_keys::MadeKey,
    secrets::Draws,
    wishes::Reach,
};
use crate::error::{InvalidField, ServiceError};
use hallpass_domain::{
    access_token::TokenState,
    api_key::{KeySecret, Overlap, OverlapRefused},
    audit::Action,
    id::TokenId,
    role::RolePermissions,
    time::Timestamp,
    token::Kind,
};
use hallpass_store::{KeyWithUse, NewSecret, Rotated};
use hallpass_wire::RotateKey;
use serde_json::json;

/// What becomes of the old secret has to be said: forgetting it would break what runs, or leave a leak open.
///
/// # Errors
/// [`InvalidField`].
fn parse_overlap(sent: &RotateKey, now: Timestamp) -> Result<Overlap, InvalidField> {
    let refused = |field, code, why: &dyn std::fmt::Display| InvalidField::new(field, code, why);
    let malformed = |field| {
        let way_out = "none, until with a moment in until, or quiet with a number in quietForSeconds; nothing else beside";
        refused(field, "overlap_malformed", &way_out)
    };
    let (overlap, field) = match (sent.overlap.as_deref(), &sent.until, sent.quiet_for_seconds) {
        (None, ..) => {
            let way_out = "say what becomes of the old secret: none (it ends at once, as after a leak), until, or quiet";
            return Err(refused("overlap", "overlap_required", &way_out));
        }
        (Some("none"), None, None) => (Overlap::None, "overlap"),
        (Some("until"), Some(until), None) => {
            let until = Timestamp::parse(until).map_err(|_| malformed("until"))?;
            (Overlap::Until(until), "until")
        }
        (Some("quiet"), None, Some(seconds)) => (Overlap::UntilQuiet(seconds), "quietForSeconds"),
        _ => return Err(malformed("overlap")),
    };
    let code = |error| match error {
        OverlapRefused::TooLong => "overlap_too_long",
        OverlapRefused::NotInFuture => "overlap_not_in_future",
    };
    overlap
        .check(now)
        .map_err(|error| refused(field, code(error), &error))?;
    Ok(overlap)
}

impl Services {
    /// Gives a key a new secret under the same id. Whoever gets it gets what the key may do, so that must be inside what
    /// the actor holds.
    ///
    /// # Errors
    /// [`ServiceError::TokenEnded`], [`ServiceError::KeySuspended`], [`ServiceError::TooManySecrets`],
    /// [`ServiceError::AboveActor`], [`ServiceError::WiderThanAsker`], [`ServiceError::ChangedMeanwhile`].
    pub async fn rotate_key(
        &self,
        actor: &Actor,
        id: TokenId,
        request: &RotateKey,
        context: &RequestContext,
    ) -> Result<MadeKey, ServiceError> {
        let noted = Noted::new(Action::KeySecretRotated, id);
        self.attempt(actor, context, noted, async {
            let found = self.get_key(actor, id).await?;
            self.require_recent(actor)?;
            let now = self.clock.now();
            match found.key.state(now) {
                TokenState::Active => {}
                TokenState::Suspended => return Err(ServiceError::KeySuspended),
                TokenState::Revoked | TokenState::Expired => return Err(ServiceError::TokenEnded),
            }
            let overlap = parse_overlap(request, now)?;
            let (role, held) = self.role_with_permissions(actor, found.key.role).await?;
            // Not only what it may do now: what it names may come back, or come into being.
            let given = match &found.key.scope {
                Some(scope) => RolePermissions::Named(scope.clone()),
                None => role.permissions,
            };
            self.require_enclosed(actor, &given).await?;
            let may_do = match &found.key.scope {
                Some(scope) => held.narrowed_to(scope),
                None => held,
            };
            actor.require_all(&may_do)?;
            self.check_may_hand_out(actor, Reach::from(&found.key))
                .await?;
            let mut draws = Draws::of(Kind::ApiKey);
            loop {
                let (secret, stored) = self.draw(&mut draws).await?;
                let new = NewSecret {
                    id: TokenId::generate(&self.entropy, now),
                    prefix: secret.prefix(),
                    stored: &stored,
                    overlap,
                    now,
                };
                if self.try_to_rotate(actor, &found, &new, context).await? {
                    let found = with_new_secret(found, &new);
                    return Ok(MadeKey { found, secret });
                }
            }
        })
        .await
    }

    /// False when the prefix is taken.
    async fn try_to_rotate(
        &self,
        actor: &Actor,
        found: &KeyWithUse,
        new: &NewSecret<'_>,
        context: &RequestContext,
    ) -> Result<bool, ServiceError> {
        let (organization, id) = (actor.organization.id, found.key.id);
        let mut tx = self.begin_acting(actor, new.now).await?;
        let changed = match tx.rotate_key(organization, id, found.version, new).await? {
            Rotated::Done(changed) => changed,
            Rotated::PrefixTaken => return Ok(false),
            Rotated::Changed => return Err(ServiceError::ChangedMeanwhile),
            Rotated::TooManyToday => return Err(ServiceError::TooManyTokensToday),
            Rotated::TooMany => return Err(ServiceError::TooManySecrets),
        };
        let old = found
            .key
            .current()
            .map(|secret| secret.prefix.as_str().to_owned());
        let noted = Noted::new(Action::KeySecretRotated, id)
            .changed(
                json!({ "prefix": old }),
                json!({ "prefix": new.prefix.as_str() }),
            )
            .with(json!({
                "name": found.key.name.as_str(),
                "oldSecretUntil": new.overlap.until(new.now).to_string(),
                "quietForSeconds": new.overlap.quiet_seconds(),
            }));
        self.note(&mut tx, actor, context, noted, new.now);
        let seq = tx.commit(&changed).await?;
        self.reach_for_secret(seq).await;
        Ok(true)
    }
}

/// The key as the rotation left it. It is not read again: its new secret is shown now or never.
fn with_new_secret(mut found: KeyWithUse, new: &NewSecret<'_>) -> KeyWithUse {
    let until = new.overlap.until(new.now);
    for secret in &mut found.key.secrets {
        secret.until = Some(secret.until.map_or(until, |earlier| earlier.min(until)));
        secret.quiet_seconds = secret.quiet_seconds.or(new.overlap.quiet_seconds());
        secret.retired = secret.retired.or(Some(new.now));
    }
    let secret = KeySecret {
        id: new.id,
        prefix: new.prefix,
        since: new.now,
        retired: None,
        until: None,
        quiet_seconds: None,
        last_use: None,
    };
    found.key.secrets.insert(0, secret);
    found
}
