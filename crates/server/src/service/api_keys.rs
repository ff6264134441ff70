//! API keys: made by those who may, owned by the organization. Rotating is in [`super::key_rotation`].

use super::{
    RequestContext, Services,
    access_tokens::RECENT_USES_DAYS,
    acting::{Actor, Noted},
    secrets::Draws,
    wishes::{Reach, Sent, Wish, check_lifetime},
};
use crate::error::{InvalidField, ServiceError};
use hallpass_domain::{
    api_key::{ApiKey, KeySecret},
    audit::Action,
    id::TokenId,
    permission::{Permission, PermissionSet},
    role::{Role, RolePermissions},
    time::Timestamp,
    token::{Kind, PlainToken},
};
use hallpass_store::{FeedKey, KeyInserted, KeyQuery, KeyWithUse, NewKey, Stored};
use hallpass_wire::CreateApiKey;
use serde_json::{Value, json};

/// A key with the secret that it just got: shown once.
#[derive(Debug)]
pub struct MadeKey {
    /// The key.
    pub found: KeyWithUse,
    /// Its secret.
    pub secret: PlainToken,
}

/// What a key is narrowed to must be something that its role holds; a wildcard, anything of its resource.
fn check_scope_in_role(
    held: &PermissionSet,
    scope: Option<&PermissionSet>,
) -> Result<(), ServiceError> {
    let is_held = |permission: &&Permission| {
        held.iter()
            .any(|held| held == *permission || permission.covers(held))
    };
    let missing: Vec<InvalidField> = scope
        .into_iter()
        .flatten()
        .filter(|permission| !is_held(permission))
        .map(|permission| {
            let why =
                format!("the key's role does not hold {permission}, so the key cannot either");
            InvalidField::new("scope", "permission_not_held", why)
        })
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(ServiceError::Invalid(missing))
    }
}

fn shown(key: &ApiKey, role: &str) -> Value {
    let rules = key.address_rules.as_ref();
    json!({
        "name": key.name.as_str(),
        "prefix": key.current().map(|secret| secret.prefix.as_str().to_owned()),
        "role": role,
        "scope": key.scope.as_ref().map(PermissionSet::to_text),
        "expirationDate": key.expiration.date().map(|date| date.to_string()),
        "notBefore": key.valid_from.map(|at| at.to_string()),
        "allowedAddresses": rules.map(|rules| rules.allow.to_text()),
        "deniedAddresses": rules.map(|rules| rules.deny.to_text()),
    })
}

impl Services {
    /// A page of the organization's keys, and whether there are more.
    ///
    /// # Errors
    /// [`ServiceError::RoleLacks`] without `hallpass:keys`.
    pub async fn list_keys(
        &self,
        actor: &Actor,
        query: &KeyQuery,
    ) -> Result<(Vec<KeyWithUse>, bool), ServiceError> {
        actor.require(Permission::KEYS)?;
        let one_more = KeyQuery {
            limit: query.limit.saturating_add(1),
            ..query.clone()
        };
        let found = self
            .store
            .list_keys(actor.organization.id, &one_more)
            .await?;
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        Ok((found.into_iter().take(limit).collect(), more))
    }

    /// One of them.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub async fn get_key(&self, actor: &Actor, id: TokenId) -> Result<KeyWithUse, ServiceError> {
        actor.require(Permission::KEYS)?;
        let since = self.clock.now().plus_days(-RECENT_USES_DAYS);
        self.store
            .find_key(actor.organization.id, id, since)
            .await?
            .ok_or(ServiceError::NotFound("API key"))
    }

    /// Makes a key. Its role holds nothing that the actor does not, now; from then on it does not look at them again.
    ///
    /// # Errors
    /// [`ServiceError::AboveActor`], [`ServiceError::WiderThanAsker`], [`ServiceError::KeyNameTaken`],
    /// [`ServiceError::TooMany`], [`ServiceError::RecentSignInRequired`], and what is wrong with the wish.
    pub async fn create_key(
        &self,
        actor: &Actor,
        request: &CreateApiKey,
        context: &RequestContext,
    ) -> Result<MadeKey, ServiceError> {
        let noted = Noted::new(Action::KeyCreated, actor.organization.id);
        self.attempt(actor, context, noted, async {
            actor.require(Permission::KEYS)?;
            self.require_recent(actor)?;
            let now = self.clock.now();
            let mut wish = Wish::parse(&Sent::from(request), None, now)?;
            let role = self.resolve_role(actor, &request.role).await?;
            let (role, held) = self.role_with_permissions(actor, role).await?;
            actor.require_all(&held)?;
            self.require_enclosed(actor, &role.permissions).await?;
            check_scope_in_role(&held, wish.scope.as_ref())?;
            self.check_may_hand_out(actor, wish.reach()).await?;
            // What the role names now is the most that the key can ever do: a role that gets wider widens no key.
            if let (None, RolePermissions::Named(named)) = (&wish.scope, &role.permissions) {
                wish.scope = Some(named.clone());
            }
            let mut draws = Draws::of(Kind::ApiKey);
            loop {
                let (secret, stored) = self.draw(&mut draws).await?;
                let made = self
                    .try_to_write_key(actor, &wish, &role, (&secret, &stored), context)
                    .await?;
                if let Some(key) = made {
                    let found = KeyWithUse {
                        key,
                        role_name: role.name.to_string(),
                        recent_uses: 0,
                        version: 0,
                    };
                    return Ok(MadeKey { found, secret });
                }
            }
        })
        .await
    }

    /// A credential that gives another one away gives none wider or longer-lived than itself.
    pub(super) async fn check_may_hand_out(
        &self,
        actor: &Actor,
        wanted: Reach<'_>,
    ) -> Result<(), ServiceError> {
        let Some(id) = actor.token() else {
            return Ok(());
        };
        let (home, since) = (actor.home, self.clock.now());
        let ended = ServiceError::CredentialRefused("it has ended meanwhile");
        // Of a key that was rotated, an older secret ends before the key, and must not get itself a newer one.
        if wanted.expiration.outlives(actor.expiration) {
            return Err(ServiceError::WiderThanAsker(
                "a token cannot make one that lives longer than itself: choose an expirationDate no later than its own",
            ));
        }
        if let Some(user) = actor.user {
            let asker = self.store.find_token(home, user, id, since).await?;
            wanted.check_within(Reach::from(&asker.ok_or(ended)?.token))
        } else {
            let asker = self.store.find_key(home, id, since).await?;
            wanted.check_within(Reach::from(&asker.ok_or(ended)?.key))
        }
    }

    /// One use case, one transaction. `None` when the prefix is taken.
    async fn try_to_write_key(
        &self,
        actor: &Actor,
        wish: &Wish,
        role: &Role,
        (secret, stored): (&PlainToken, &Stored),
        context: &RequestContext,
    ) -> Result<Option<ApiKey>, ServiceError> {
        let (now, organization) = (self.clock.now(), actor.organization.id);
        let mut tx = self.begin_acting(actor, now).await?;
        let made = now.max(tx.tokens_floor(organization, None).await?);
        check_lifetime(
            tx.policy_now(organization).await?.key,
            wish.expiration,
            made,
        )?;
        let id = TokenId::generate(&self.entropy, made);
        let key = wish.key(actor, role, (id, secret), made);
        let new = NewKey {
            key: &key,
            role,
            prefix: secret.prefix(),
            stored,
        };
        match tx.insert_key(&new).await? {
            KeyInserted::Done => {}
            KeyInserted::PrefixTaken => return Ok(None),
            KeyInserted::RoleChanged => return Err(ServiceError::ChangedMeanwhile),
            KeyInserted::TooManyToday => return Err(ServiceError::TooManyTokensToday),
            KeyInserted::TooMany => return Err(ServiceError::TooMany("API keys")),
            KeyInserted::NameTaken(prefix) => return Err(ServiceError::KeyNameTaken(prefix)),
        }
        let noted = Noted::new(Action::KeyCreated, id).made(shown(&key, role.name.as_str()));
        self.note(&mut tx, actor, context, noted, now);
        let seq = tx.commit(&[FeedKey::Token(id)]).await?;
        self.reach_for_secret(seq).await;
        Ok(Some(key))
    }

    /// A new secret is lasting and is shown only now: it is shown even if it does not work this instant.
    pub(super) async fn reach_for_secret(&self, seq: Option<i64>) {
        if let Err(error) = self.reach(seq).await {
            tracing::warn!(%error, "a new secret is not known in memory yet");
        }
    }

    /// Revokes a key with all its secrets. When this returns, no verification accepts any of them. Revoking a revoked
    /// key does nothing and succeeds.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::RoleLacks`] without `hallpass:keys`.
    pub async fn revoke_key(
        &self,
        actor: &Actor,
        id: TokenId,
        context: &RequestContext,
    ) -> Result<(), ServiceError> {
        let noted = Noted::new(Action::KeyRevoked, id);
        self.attempt(actor, context, noted.clone(), async {
            let found = self.get_key(actor, id).await?;
            let now = self.clock.now();
            let mut tx = self.begin_acting(actor, now).await?;
            let Some(changed) = tx.revoke_key(actor.organization.id, id, now).await? else {
                drop(tx);
                // It was revoked before, perhaps a moment ago and not yet applied here.
                return self.catch_up().await;
            };
            let noted = noted.gone(shown(&found.key, &found.role_name));
            self.note(&mut tx, actor, context, noted, now);
            self.finish(tx, &changed).await
        })
        .await
    }
}

impl Wish {
    fn key(
        &self,
        actor: &Actor,
        role: &Role,
        (id, secret): (TokenId, &PlainToken),
        made: Timestamp,
    ) -> ApiKey {
        ApiKey {
            id,
            organization: actor.organization.id,
            role: role.id,
            name: self.name.clone(),
            scope: self.scope.clone(),
            created: made,
            valid_from: self.valid_from,
            expiration: self.expiration,
            never_expires_acknowledged: self.acknowledged,
            revoked: None,
            suspension: None,
            address_rules: self.address_rules.clone(),
            maker_user: actor.user,
            maker_token: actor.token(),
            secrets: vec![KeySecret {
                id,
                prefix: secret.prefix(),
                since: made,
                retired: None,
                until: None,
                quiet_seconds: None,
                last_use: None,
            }],
        }
    }
}
