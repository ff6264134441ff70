//! Personal access tokens.

use crate::organization::OrganizationReference;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A wish for a new token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"name": "laptop-cli", "expirationDate": "2027-01-31T12:00:00Z", "scope": ["repo:read"]}))]
pub struct CreateToken {
    /// 1 to 80 characters, unique, without regard to case, among your tokens that are not revoked.
    pub name: String,
    /// When the token ends: a future date-time. Null or absent only together with
    /// `userAwareTokenNeverExpires: true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub expiration_date: Option<String>,
    /// That you know that a token without `expirationDate` never expires. Changes nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_aware_token_never_expires: Option<bool>,
    /// The permissions the token is narrowed to, `resource:action` or `resource:*`. Null or absent: all that
    /// your role allows at the time of each request.
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

/// A personal access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersonalAccessToken {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its first 10 characters: public, to tell it from others.
    pub prefix: String,
    /// The whole token. Only in the answer that creates it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// What it is narrowed to; null is all that its owner's role allows at the time.
    pub scope: Option<Vec<String>>,
    /// Whose it is.
    pub owner: Owner,
    /// Where it works.
    pub organization: OrganizationReference,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created: String,
    /// The first moment at which it no longer works; null is never.
    #[schema(format = DateTime)]
    pub expiration_date: Option<String>,
    /// Whether its maker acknowledged that it never expires.
    pub user_aware_token_never_expires: bool,
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
    /// Whether its owner suspended it, and not somebody who answers for the organization.
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
    /// What a change of the organization's policy that is to come will do to it.
    #[serde(default)]
    pub policy_notice: Option<PolicyNotice>,
}

/// What a change of policy that is to come will do to a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyNotice {
    /// When the change comes into force.
    #[schema(format = DateTime)]
    pub enforce_at: String,
    /// What becomes of its end: `shortened`, `revoked` or `revoked_unless_used`; `kept` if it stays.
    pub effect: String,
    /// When the token will end, if it is shortened.
    #[schema(format = DateTime)]
    pub expiration_date: Option<String>,
    /// Permissions that it may carry today, and then no more.
    #[serde(default)]
    pub loses_permissions: Vec<String>,
    /// Whether it may then no longer be used from where it was used last.
    #[serde(default)]
    pub used_from_outside: bool,
}

/// Who owns a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Owner {
    /// `user` or `organization`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Their id.
    pub id: String,
    /// Their name.
    pub name: String,
}

/// A page of tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersonalAccessTokenList {
    /// The tokens, in the order asked for.
    pub items: Vec<PersonalAccessToken>,
    /// Pass it as `cursor` for the next page; null at the end.
    pub next_cursor: Option<String>,
}

/// What can be changed of a token, as JSON Merge Patch (RFC 7396): absent stays, null removes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenPatch {
    /// Its name.
    pub name: String,
    /// When it ends; null only when `userAwareTokenNeverExpires` is or becomes true.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub expiration_date: Option<String>,
    /// The acknowledgement.
    #[serde(default)]
    pub user_aware_token_never_expires: Option<bool>,
    /// What it is narrowed to. It can only become narrower.
    #[serde(default)]
    pub scope: Option<Vec<String>>,
    /// The first moment at which it works.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub not_before: Option<String>,
    /// From where alone it may be used.
    #[serde(default)]
    pub allowed_addresses: Option<Vec<String>>,
    /// From where it may never be used.
    #[serde(default)]
    pub denied_addresses: Option<Vec<String>>,
}

/// One operation of a JSON Patch (RFC 6902) on the document of [`TokenPatch`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JsonPatchOperation {
    /// `add`, `remove`, `replace`, `move`, `copy` or `test`.
    pub op: String,
    /// Where, as a JSON Pointer (RFC 6901): `/name`, `/scope/0`.
    pub path: String,
    /// From where, for `move` and `copy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The value, for `add`, `replace` and `test`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub value: Option<serde_json::Value>,
}
