//! Every token and key of an organization, and revoking many of them.

use crate::token::Owner;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which tokens and keys. What is not named is not asked about; of what is named, all must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct InventoryFilter {
    /// `personal_access_token` or `api_key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The id of the user whose they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// `active`, `expired`, `revoked` or `suspended`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// A permission they hold now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
    /// Neither used nor made at or after this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub unused_since: Option<String>,
    /// Made before this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub made_before: Option<String>,
    /// That end before this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub ends_before: Option<String>,
    /// With `true`, only those that never expire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub never_expires: Option<bool>,
    /// With this in their name, their prefix, their owner's address or the address of their last use.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100)]
    pub search: Option<String>,
}

/// One token or key of an organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InventoryItem {
    /// Its id.
    pub id: String,
    /// `personal_access_token` or `api_key`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The first 10 characters of its current secret.
    pub prefix: String,
    /// Whose it is.
    pub owner: Owner,
    /// The address of the user whose it is.
    pub owner_email: Option<String>,
    /// The role by which it works; null when its owner has none here any more.
    pub role: Option<String>,
    /// What it is narrowed to; null is all that the role allows at the time.
    pub scope: Option<Vec<String>>,
    /// What role, scope and policy leave it now; nothing once it is revoked or expired.
    pub permissions: Vec<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created: String,
    /// The first moment at which it no longer works; null is never.
    #[schema(format = DateTime)]
    pub expiration_date: Option<String>,
    /// `active`, `expired`, `revoked` or `suspended`.
    pub state: String,
    /// Whether something around it keeps it from working while it is neither revoked nor expired: the organization or its
    /// owner is suspended, or its owner may not have tokens there.
    #[serde(default)]
    #[schema(required)]
    pub at_rest: bool,
    /// When it was revoked.
    #[schema(format = DateTime)]
    pub revoked: Option<String>,
    /// Its suspension, if it is suspended.
    pub suspension: Option<InventorySuspension>,
    /// When it was last used.
    #[schema(format = DateTime)]
    pub last_used: Option<String>,
    /// For which method it was last used.
    pub last_used_method: Option<String>,
    /// For which path, without the query.
    pub last_used_path: Option<String>,
    /// From which address.
    pub last_used_address: Option<String>,
}

/// Why a token rests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InventorySuspension {
    /// Since when.
    #[schema(format = DateTime)]
    pub since: String,
    /// Until when; null is until somebody lifts it.
    #[schema(format = DateTime)]
    pub until: Option<String>,
    /// Why.
    pub reason: String,
    /// Whether its owner suspended it.
    pub by_owner: bool,
}

/// A page of tokens and keys, the latest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InventoryList {
    /// The tokens and keys.
    pub items: Vec<InventoryItem>,
    /// Pass it as `cursor` for the next page; null at the end.
    pub next_cursor: Option<String>,
}

/// A wish to revoke many tokens: exactly one of `filter`, `user`, `madeBefore` and `everything`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schema(example = json!({"filter": {"unusedSince": "2026-08-01T00:00:00Z"}, "preview": true}))]
pub struct Revocation {
    /// Those that the filter finds; at least one thing is named in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<InventoryFilter>,
    /// Every token of the member with this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Every token and key made before this moment, past or now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub made_before: Option<String>,
    /// With `true`, every token and key of the organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub everything: Option<bool>,
    /// Only say how many it would be, and show the first of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview: Option<bool>,
    /// How many the preview said: if it is another number by now, nothing is revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<u64>,
}

/// What a revocation of many did, or would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevocationOutcome {
    /// Whether this was a preview, and nothing was revoked.
    pub preview: bool,
    /// How many were not revoked before, expired ones among them. Null where nobody counted: by `user`, `madeBefore` and
    /// `everything` any number is revoked in one step, and counted only with `preview` or `expected`.
    pub count: Option<u64>,
    /// In a preview, the latest of them: at most 20.
    pub items: Vec<InventoryItem>,
}
