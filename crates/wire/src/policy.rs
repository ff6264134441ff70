//! What an organization's tokens must keep to.

use crate::token::Owner;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How long credentials of one kind may live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyLifetime {
    /// Days from its making at most, 1 to 3650; null: as long as one likes.
    #[serde(default)]
    pub days_max: Option<i64>,
    /// Whether it may have no end at all. With `daysMax` it may not, whatever this says.
    pub may_never_expire: bool,
}

/// What an organization's tokens must keep to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"personalAccessTokens": {"daysMax": 90, "mayNeverExpire": false}, "apiKeys": {"daysMax": null, "mayNeverExpire": true}, "forbiddenPermissions": ["deploy:*"], "unusedDaysMax": 60, "allowedAddresses": ["192.0.2.0/24"], "ownersMayLift": false}))]
pub struct Policy {
    /// How long personal access tokens may live.
    pub personal_access_tokens: PolicyLifetime,
    /// How long API keys may live.
    pub api_keys: PolicyLifetime,
    /// Permissions that personal access tokens may not carry, whatever their owner's role holds; wildcards among them.
    #[serde(default)]
    pub forbidden_permissions: Vec<String>,
    /// Days without a use after which a token or key is revoked, 1 to 3650; null: never.
    #[serde(default)]
    pub unused_days_max: Option<i64>,
    /// Networks from which alone tokens and keys may be used; empty: from anywhere.
    #[serde(default)]
    pub allowed_addresses: Vec<String>,
    /// Whether the owner of a token may lift a suspension that somebody else began.
    #[serde(default)]
    pub owners_may_lift: bool,
}

/// The policy, now and to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Policies {
    /// What holds now.
    pub now: Policy,
    /// What is to come.
    pub next: Option<NextPolicy>,
}

/// A policy that is to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NextPolicy {
    /// What it will be.
    pub policy: Policy,
    /// From when on.
    #[schema(format = DateTime)]
    pub enforce_at: String,
    /// When it was decided.
    #[schema(format = DateTime)]
    pub decided: String,
    /// The id of the person who decided it, if one did.
    pub decided_by: Option<String>,
}

/// What a policy would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PreviewPolicy {
    /// The policy.
    pub policy: Policy,
    /// When it would come into force; null or absent: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub enforce_at: Option<String>,
}

/// How many tokens and keys a policy concerns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyEffect {
    /// So many end earlier.
    pub shortened: u64,
    /// So many are revoked, for their age or for want of an end.
    pub revoked: u64,
    /// So many are revoked since nobody used them; if the policy is to come, unless somebody does until then.
    pub unused: u64,
}

/// What a policy would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyPreview {
    /// How many. Send it as `expected` with the policy.
    pub effect: PolicyEffect,
    /// The first twenty of them, the oldest first.
    pub tokens: Vec<ConcernedToken>,
    /// So many live personal access tokens carry a permission that it forbids and today's policy does not. They go on
    /// without it.
    pub narrowed: u64,
    /// So many live tokens and keys were last used from an address from which they may no more be used then.
    pub used_from_outside: u64,
    /// Whether the token or key that asks would itself be refused, from where it asks.
    pub asker_refused: bool,
    /// When the change that is planned would come into force; this one would replace it. Null: none is planned.
    #[schema(format = DateTime)]
    pub replaces_planned: Option<String>,
}

/// A token or key that a policy concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConcernedToken {
    /// Its id.
    pub id: String,
    /// `personal_access_token` or `api_key`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its first 10 characters.
    pub prefix: String,
    /// Whose it is.
    pub owner: Owner,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created: String,
    /// When it was last used.
    #[schema(format = DateTime)]
    pub last_used: Option<String>,
    /// When it ends today; null is never.
    #[schema(format = DateTime)]
    pub expiration_date: Option<String>,
    /// `shortened`, `revoked` or `unused`.
    pub effect: String,
    /// When it would end, if it is shortened.
    #[schema(format = DateTime)]
    pub new_expiration_date: Option<String>,
}

/// A decision for a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PutPolicy {
    /// The policy, whole.
    pub policy: Policy,
    /// When it comes into force: at most a year ahead. Null or absent: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub enforce_at: Option<String>,
    /// What the preview said. If it is something else by now, nothing is changed.
    pub expected: PolicyEffect,
    /// That a change that is planned is forgotten for this one. Without it, nothing is changed while one is planned.
    #[serde(default)]
    pub replaces_planned: bool,
}
