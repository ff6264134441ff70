//! Tokens and keys that rest for a while.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A wish that a token rests: refused, but not destroyed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"reason": "Used from a network it was never used from", "until": "2027-01-31T12:00:00Z"}))]
pub struct SuspendToken {
    /// Why: one line, 1 to 300 bytes. Its owner reads it.
    pub reason: String,
    /// When it works again by itself. Null or absent: when somebody lifts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub until: Option<String>,
}

/// The rest of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Suspension {
    /// Since when.
    #[schema(format = DateTime)]
    pub since: String,
    /// Until when; null: until somebody lifts it.
    #[schema(format = DateTime)]
    pub until: Option<String>,
    /// Why.
    pub reason: String,
    /// Whether its owner began it, and not somebody who answers for the organization.
    pub by_owner: bool,
}
