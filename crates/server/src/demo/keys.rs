//! The demo's API keys, one of them in the midst of a rotation, and its policy.

use super::{
    Filling, ago, misprint,
    tables::{POLICY_COMES, POLICY_DAYS, POLICY_FORBIDS},
    tokens::{BILLING_NEW, BILLING_OLD, DemoToken, TELEMETRY},
    uses,
};
use crate::run::RunError;
use hallpass_domain::{
    access_token::Expiration,
    api_key::{ApiKey, Overlap},
    audit::Action,
    id::{TokenId, UserId},
    limits::PREFIX_DRAWS_MAX,
    name::TokenName,
    permission::PermissionSet,
    policy::{Lifetime, Policy},
    role::Role,
    time::SECONDS_PER_DAY,
    token::{Kind, PlainToken},
};
use hallpass_store::{
    FeedKey, KeyInserted, NewKey, NewSecret, PolicyChange, PolicyEffect, Rotated, Stored,
};

/// Days for which the old secret of the rotated key goes on working.
const OVERLAP_DAYS: i64 = 12;

impl Filling<'_> {
    pub(super) async fn add_keys(&mut self, role: &Role, maker: UserId) -> Result<(), RunError> {
        self.add_key(&TELEMETRY, role, maker).await?;
        let id = self.add_key(&BILLING_OLD, role, maker).await?;
        self.rotate(id, maker).await
    }

    async fn add_key(
        &mut self,
        like: &DemoToken,
        role: &Role,
        maker: UserId,
    ) -> Result<TokenId, RunError> {
        let key = self.key(like, role, maker)?;
        for _ in 0..PREFIX_DRAWS_MAX {
            let (secret, stored) = self.draw_key();
            let new = NewKey {
                key: &key,
                role,
                prefix: secret.prefix(),
                stored: &stored,
            };
            match self.tx.insert_key(&new).await? {
                KeyInserted::Done => {
                    self.note_key(like, key.id, key.id);
                    let target = key.id.to_string();
                    let detail = serde_json::json!({ "name": like.name, "prefix": secret.prefix().as_str() });
                    self.audit(
                        key.created,
                        maker,
                        Action::KeyCreated,
                        target,
                        Some(detail.to_string()),
                    );
                    return Ok(key.id);
                }
                KeyInserted::PrefixTaken => {}
                refused => return Err(misprint(format!("{}: {refused:?}", like.name)).into()),
            }
        }
        Err(misprint("every prefix is taken").into())
    }

    /// A key like this token, without a secret.
    fn key(&self, like: &DemoToken, role: &Role, maker: UserId) -> Result<ApiKey, RunError> {
        let created = ago(self.now, like.created);
        Ok(ApiKey {
            id: TokenId::generate(&self.services.entropy, created),
            organization: self.organization,
            role: role.id,
            name: TokenName::parse(like.name).map_err(misprint)?,
            scope: like.scope.map(super::permissions).transpose()?,
            created,
            valid_from: None,
            expiration: like.ends.map_or(Expiration::Never, |seconds| {
                Expiration::At(self.now.plus_seconds(seconds))
            }),
            never_expires_acknowledged: like.ends.is_none(),
            revoked: None,
            suspension: None,
            address_rules: None,
            maker_user: Some(maker),
            maker_token: None,
            secrets: Vec::new(),
        })
    }

    /// Draws a secret, whose text is forgotten with it.
    fn draw_key(&self) -> (PlainToken, Stored) {
        let (brand, pepper) = (self.services.brand, self.services.peppers.current());
        let secret = PlainToken::generate(brand, Kind::ApiKey, &self.services.entropy);
        let stored = Stored::Digest(pepper.digest(&secret), pepper.id().clone());
        (secret, stored)
    }

    fn note_key(&mut self, like: &DemoToken, key: TokenId, secret: TokenId) {
        self.changed.push(FeedKey::Token(key));
        self.last.extend(uses::last(like, secret, self.now));
        let hours = uses::hours(like, secret, self.now, &self.services.entropy);
        self.hours.extend(hours);
    }

    async fn rotate(&mut self, key: TokenId, maker: UserId) -> Result<(), RunError> {
        let at = ago(self.now, BILLING_NEW.created);
        let id = TokenId::generate(&self.services.entropy, at);
        for _ in 0..PREFIX_DRAWS_MAX {
            let (secret, stored) = self.draw_key();
            let new = NewSecret {
                id,
                prefix: secret.prefix(),
                stored: &stored,
                overlap: Overlap::Until(self.now.plus_seconds(OVERLAP_DAYS * SECONDS_PER_DAY)),
                now: at,
            };
            match self.tx.rotate_key(self.organization, key, 0, &new).await? {
                Rotated::Done(changed) => {
                    self.changed.extend(changed);
                    self.note_key(&BILLING_NEW, key, id);
                    let detail = serde_json::json!({ "name": BILLING_NEW.name, "prefix": secret.prefix().as_str() });
                    let (action, target) = (Action::KeySecretRotated, key.to_string());
                    self.audit(at, maker, action, target, Some(detail.to_string()));
                    return Ok(());
                }
                Rotated::PrefixTaken => {}
                refused => return Err(misprint(format!("{refused:?}")).into()),
            }
        }
        Err(misprint("every prefix is taken").into())
    }

    /// One in force that ends nothing, and one that is to come.
    pub(super) async fn add_policy(&mut self, decider: UserId) -> Result<(), RunError> {
        let policy = Policy {
            forbidden: PermissionSet::parse(POLICY_FORBIDS.iter().copied()).map_err(misprint)?,
            ..Policy::default()
        };
        let enforced = self.tx.enforce_policy(self.organization, &policy, self.now);
        let (effect, changed) = enforced.await?;
        if effect != PolicyEffect::default() {
            return Err(misprint("the policy in force ends a token").into());
        }
        self.changed.extend(changed);
        let lifetime = Lifetime {
            days_max: Some(POLICY_DAYS),
            may_never_expire: false,
        };
        let change = PolicyChange {
            policy: Policy {
                personal: lifetime,
                key: lifetime,
                ..policy
            },
            enforce_at: self.now.plus_seconds(POLICY_COMES),
            made: self.now,
            user: Some(decider),
            token: None,
        };
        Ok(self
            .tx
            .put_policy_change(self.organization, &change)
            .await?)
    }
}
