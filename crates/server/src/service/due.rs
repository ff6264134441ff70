//! What is due by the clock: policies that come into force, suspensions and secrets that end, tokens that nobody uses.
//! Each in a transaction of its own with its line in the audit, which names nobody. What fails is tried again.

use super::{
    Services,
    acting::Noted,
    policy::{enforce, shown, shown_effect},
    suspensions::{action, named},
};
use crate::error::ServiceError;
use hallpass_domain::{
    audit::Action,
    id::{OrganizationId, TokenId},
    limits::SETTLE_WRITES_MAX,
    time::Timestamp,
};
use hallpass_store::Tx;
use serde_json::json;

/// One that fails does not keep the others waiting.
fn told(what: &'static str, done: Result<(), ServiceError>) {
    if let Err(error) = done {
        tracing::warn!(
            what,
            cause = error.cause(),
            "what is due cannot be done at the moment"
        );
    }
}

impl Services {
    /// Does all that is due now. A node that may not answer does nothing.
    pub async fn do_due(&self) {
        if !self.engine.is_answering() {
            return;
        }
        told("policies", self.enforce_due().await);
        told("suspensions", self.lift_due().await);
        told("secrets", self.end_quiet_secrets().await);
        told("revoked tokens", self.settle_revoked().await);
        told("refusals", self.note_unwritten().await);
    }

    /// Begins a change in an organization that nobody asked for.
    async fn begin_due(&self, organization: OrganizationId) -> Result<Tx, ServiceError> {
        let mut tx = self.begin_change().await?;
        tx.hold_organization(organization).await?;
        Ok(tx)
    }

    async fn enforce_due(&self) -> Result<(), ServiceError> {
        let now = self.clock.now();
        for organization in self.store.policy_changes_due(now).await? {
            told("policy", self.enforce_one(organization, now).await);
        }
        Ok(())
    }

    async fn enforce_one(
        &self,
        organization: OrganizationId,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let found = self.store.find_policy_change(organization).await?;
        let Some(change) = found.filter(|change| change.enforce_at <= now) else {
            return Ok(());
        };
        let mut tx = self.begin_due(organization).await?;
        if !tx.take_policy_change(organization, &change).await? {
            return Ok(());
        }
        let before = tx.policy_now(organization).await?;
        let (effect, changed) = enforce(&mut tx, organization, &change.policy, now).await?;
        let noted = Noted::new(Action::PolicyEnforced, organization)
            .changed(shown(&before), shown(&change.policy))
            .with(json!({
                "effect": shown_effect(effect),
                "decided": change.made.to_string(),
                "decidedBy": change.user.map(|user| user.to_string()),
            }));
        self.note_due(&mut tx, organization, noted, now);
        self.finish(tx, &changed).await
    }

    async fn lift_due(&self) -> Result<(), ServiceError> {
        let now = self.clock.now();
        for (organization, id, _) in self.store.suspensions_due(now).await? {
            told("suspension", self.lift_one(organization, id, now).await);
        }
        Ok(())
    }

    async fn lift_one(
        &self,
        organization: OrganizationId,
        id: TokenId,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let found = self.store.find_standing(organization, id).await?;
        let Some(standing) = found else { return Ok(()) };
        let mut tx = self.begin_due(organization).await?;
        let changed = tx.lift_due_suspension(organization, id, now).await?;
        if changed.is_empty() {
            return Ok(());
        }
        let noted = Noted::new(action(standing.kind, false), id).with(named(&standing));
        self.note_due(&mut tx, organization, noted, now);
        self.finish(tx, &changed).await
    }

    async fn end_quiet_secrets(&self) -> Result<(), ServiceError> {
        let now = self.clock.now();
        for (secret, organization, key) in self.store.secrets_gone_quiet(now).await? {
            let ended = self.end_one(secret, organization, key, now).await;
            told("secret", ended);
        }
        Ok(())
    }

    async fn end_one(
        &self,
        secret: TokenId,
        organization: OrganizationId,
        key: TokenId,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let mut tx = self.begin_due(organization).await?;
        let Some(changed) = tx.end_secret(secret, now).await? else {
            return Ok(());
        };
        let noted = Noted::new(Action::KeySecretEnded, key)
            .with(json!({ "secret": secret.to_string(), "cause": "quiet" }));
        self.note_due(&mut tx, organization, noted, now);
        self.finish(tx, &[changed]).await
    }

    /// Marks tokens that were revoked together. They are refused already.
    async fn settle_revoked(&self) -> Result<(), ServiceError> {
        for _ in 0..SETTLE_WRITES_MAX {
            if self.store.settle_revoked().await? == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Revokes what nobody used for as long as the policies say.
    pub async fn revoke_unused(&self) {
        if self.engine.is_answering() {
            told("policies about use", self.revoke_unused_everywhere().await);
        }
    }

    async fn revoke_unused_everywhere(&self) -> Result<(), ServiceError> {
        for (organization, _) in self.store.policies_about_use().await? {
            told("unused tokens", self.revoke_unused_in(organization).await);
        }
        Ok(())
    }

    async fn revoke_unused_in(&self, organization: OrganizationId) -> Result<(), ServiceError> {
        let now = self.clock.now();
        let mut tx = self.begin_due(organization).await?;
        // As it is under the organization's row.
        let Some(days) = tx.policy_now(organization).await?.unused_days_max else {
            return Ok(());
        };
        let mark = tx.bulk_moment(organization, now).await?;
        let (revoked, changed) = tx.revoke_unused(organization, days, mark).await?;
        if revoked == 0 {
            return Ok(());
        }
        let noted = Noted::new(Action::TokensRevoked, organization)
            .with(json!({ "cause": "unused", "unusedDays": days, "revoked": revoked }));
        self.note_due(&mut tx, organization, noted, now);
        self.finish(tx, &[changed]).await
    }
}
