//! "May this token do this now?"

use crate::{organization::OrganizationReference, token::Owner};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A question about one token.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"token": "hpp_…", "permission": "repo:read", "method": "GET", "path": "/repos/octo", "address": "192.0.2.7", "userAgent": "curl/8.9"}))]
pub struct VerifyQuestion {
    /// The whole token.
    #[schema(format = Password)]
    pub token: String,
    /// What it is to be allowed to do; absent asks only whether it works at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
    /// The request it came with: kept as its last use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The request's path. A query is cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The client's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The client's `User-Agent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

impl std::fmt::Debug for VerifyQuestion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifyQuestion")
            .field("permission", &self.permission)
            .finish_non_exhaustive()
    }
}

/// One question, or a list of up to 1000.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum VerifyQuestions {
    /// A list: answered by a list in the same order.
    Many(Vec<VerifyQuestion>),
    /// One.
    One(VerifyQuestion),
}

/// The answer to one question. `active` alone decides; all else is there to be shown and logged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifyAnswer {
    /// Whether the token may do what was asked, now. Not to be kept.
    pub active: bool,
    /// Why not: `unknown`, `revoked`, `expired`, `permission_missing`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The token's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its first 10 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `personal_access_token` or `api_key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Where it works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationReference>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// All that it may do now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// The first moment at which it no longer works; null is never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub expiration_date: Option<String>,
}

/// The answers, one or a list as asked.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum VerifyAnswers {
    /// To a list, in its order.
    Many(Vec<VerifyAnswer>),
    /// To one.
    One(Box<VerifyAnswer>),
}
