//! API keys.

use crate::{organization::OrganizationReference, token::Owner};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A wish for a new API key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"name": "deploy", "role": "00000000-0000-7000-8000-000000000002", "expirationDate": "2027-01-31T12:00:00Z", "scope": ["repo:read"]}))]
pub struct CreateApiKey {
    /// 1 to 80 characters, unique, without regard to case, among the organization's keys that are not revoked.
    pub name: String,
    /// Its role: its id, or its name. It never gets another, and holds nothing that you do not.
    pub role: String,
    /// When the key ends: a future date-time. Null or absent only together with
    /// `userAwareTokenNeverExpires: true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub expiration_date: Option<String>,
    /// That you know that a key without `expirationDate` never expires. Changes nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_aware_token_never_expires: Option<bool>,
    /// The permissions the key is narrowed to, `resource:action` or `resource:*`. Null or absent: all that its role
    /// allows at the time of each request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Vec<String>>,
    /// The first moment at which it works; null or absent: from the beginning. Before `expirationDate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub not_before: Option<String>,
    /// Networks from which alone it may be used, `192.0.2.0/24` or `2001:db8::/32`, at most 100. Null or absent: from
    /// anywhere that the organization's policy allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_addresses: Option<Vec<String>>,
    /// Networks from which it may never be used, whatever is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied_addresses: Option<Vec<String>>,
}

/// An API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    /// Its id, the same through all rotations.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The first 10 characters of its current secret: public, to tell it from others.
    pub prefix: String,
    /// The whole of its current secret. Only in the answer that makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Its role, from the beginning to the end.
    pub role: KeyRole,
    /// What it is narrowed to; null is all that its role allows at the time.
    pub scope: Option<Vec<String>>,
    /// The organization.
    pub owner: Owner,
    /// Where it works.
    pub organization: OrganizationReference,
    /// Who made it. It does not look at them again.
    pub created_by: KeyMaker,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created: String,
    /// The first moment at which it no longer works; null is never.
    #[schema(format = DateTime)]
    pub expiration_date: Option<String>,
    /// Whether its maker acknowledged that it never expires.
    pub user_aware_token_never_expires: bool,
    /// When any of its secrets was last used.
    #[schema(format = DateTime)]
    pub last_used: Option<String>,
    /// `active`, `expired`, `revoked` or `suspended`.
    pub state: String,
    /// When it was revoked.
    #[schema(format = DateTime)]
    pub revoked: Option<String>,
    /// When it was suspended, if it is.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub suspended_at: Option<String>,
    /// When it will work again by itself; null while suspended: when somebody lifts it.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub suspended_until: Option<String>,
    /// Why.
    #[serde(default)]
    pub suspended_reason: Option<String>,
    /// False: a key has no owner but the organization.
    #[serde(default)]
    pub suspended_by_owner: Option<bool>,
    /// The first moment at which it works; null: from the beginning.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub not_before: Option<String>,
    /// From where alone it may be used; null: from anywhere that the organization's policy allows.
    #[serde(default)]
    pub allowed_addresses: Option<Vec<String>>,
    /// From where it may never be used.
    #[serde(default)]
    pub denied_addresses: Option<Vec<String>>,
    /// Its secrets, the current one first.
    pub secrets: Vec<KeySecret>,
}

/// The role of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyRole {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// Who made a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyMaker {
    /// The person's id, if one did.
    pub user: Option<String>,
    /// The id of the credential with which it was made, if not in a session.
    pub token: Option<String>,
}

/// One secret of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeySecret {
    /// Its first 10 characters.
    pub prefix: String,
    /// Whether it works now, as far as the secret itself is concerned: the key may have ended, or rest.
    pub works: bool,
    /// Since when there is this secret.
    #[schema(format = DateTime)]
    pub since: String,
    /// When another took its place; null for the current one.
    #[schema(format = DateTime)]
    pub retired: Option<String>,
    /// The first moment at which it no longer works, while the key does; null for the current one.
    #[schema(format = DateTime)]
    pub until: Option<String>,
    /// It ends earlier when it was quiet for so many seconds.
    pub quiet_for_seconds: Option<i64>,
    /// When it was last used.
    #[schema(format = DateTime)]
    pub last_used: Option<String>,
    /// For which method it was last used.
    pub last_used_method: Option<String>,
    /// For which path, without the query.
    pub last_used_path: Option<String>,
    /// From which address.
    pub last_used_address: Option<String>,
    /// By which `User-Agent`.
    pub last_used_agent: Option<String>,
}

/// A page of keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeyList {
    /// The keys, by name.
    pub items: Vec<ApiKey>,
    /// Pass it as `cursor` for the next page; null at the end.
    pub next_cursor: Option<String>,
}

/// A wish for a new secret. What becomes of the old one has to be said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"overlap": "quiet", "quietForSeconds": 86400}))]
pub struct RotateKey {
    /// `none`: the old secret ends at once, as it must after a leak. `until`: it works until the moment in `until`.
    /// `quiet`: it works until it was not used for `quietForSeconds`. It ends after 30 days in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<String>,
    /// With `until`: the first moment at which the old secret no longer works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub until: Option<String>,
    /// With `quiet`: seconds without a use after which the old secret ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_for_seconds: Option<i64>,
}
