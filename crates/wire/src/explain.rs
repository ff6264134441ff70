//! Why a token may do something or not.

use crate::token::Owner;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A question about a token of one's organization, without its secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"token": "hpp_4fGk2a", "permission": "repo:read", "address": "192.0.2.7"}))]
pub struct ExplainQuestion {
    /// Its id, or its first 10 characters. Never the whole token.
    pub token: String,
    /// What it is to be allowed to do; absent asks only whether it works at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
    /// From where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// The verdict of this moment, step by step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// `allow`, or the reason that `POST /v1/verify` gives.
    pub verdict: String,
    /// Which token.
    pub token: ExplainedToken,
    /// Whose it is.
    pub owner: Owner,
    /// The role by which it works; null when its owner has none here.
    pub role: Option<String>,
    /// All that it may do now; nothing while it does not work.
    pub permissions: Vec<String>,
    /// The checks, in the order in which they are made.
    pub steps: Vec<ExplainStep>,
}

/// The token in question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedToken {
    /// Its id.
    pub id: String,
    /// Its first 10 characters; of a key, those of the secret in question.
    pub prefix: String,
    /// Its name.
    pub name: String,
    /// `personal_access_token` or `api_key`.
    pub kind: String,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExplainStep {
    /// Which: `not_revoked`, `permission_held_by_role`, …
    pub check: String,
    /// `holds`, `fails` or `not_reached`.
    pub outcome: String,
    /// What it says, with its facts.
    pub sentence: String,
}
