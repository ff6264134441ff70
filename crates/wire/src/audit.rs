//! The audit.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A line of the audit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditLine {
    /// Its number in the deployment's audit.
    pub seq: i64,
    /// Its id.
    pub id: String,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// In which organization; null is none.
    pub organization: Option<String>,
    /// Who; null when no person did it, or a key.
    pub actor: Option<AuditActor>,
    /// The id of the token or key with which it was done; null is a session.
    pub token: Option<String>,
    /// What was done: `token.created`, `member.changed`, `refused`, …
    pub action: String,
    /// To what: mostly an id.
    pub target: Option<String>,
    /// From which address.
    pub address: Option<String>,
    /// By which `User-Agent`.
    pub agent: Option<String>,
    /// What it was before.
    #[schema(value_type = Option<Object>)]
    pub before: Option<serde_json::Value>,
    /// What it was after.
    #[schema(value_type = Option<Object>)]
    pub after: Option<serde_json::Value>,
    /// What else there is to say.
    #[schema(value_type = Option<Object>)]
    pub detail: Option<serde_json::Value>,
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditActor {
    /// Their id.
    pub id: String,
    /// Their name now; null when there is no such account any more.
    pub name: Option<String>,
    /// Their e-mail address now.
    pub email: Option<String>,
}

/// A page of the audit, the newest line first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditList {
    /// The lines.
    pub items: Vec<AuditLine>,
    /// Pass it as `cursor` for the next page; null at the end.
    pub next_cursor: Option<String>,
}

/// What an earlier verification said of the end: a cut or rewritten end is then found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AuditExpected {
    /// Its `head.seq`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_seq: Option<i64>,
    /// Its `head.code`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_code: Option<String>,
}

/// What a verification of the whole audit found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditReport {
    /// Lines whose codes fit.
    pub verified: u64,
    /// Lines up to this number were written before there were codes.
    pub chained_after: i64,
    /// Lines under peppers that are not here: only their place is verified.
    pub unknown: u64,
    /// The last line. Keep it elsewhere, and send it with the next verification.
    pub head: AuditHead,
    /// The first bad line; null if all is well.
    pub first_bad: Option<AuditFinding>,
}

/// The end of the audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditHead {
    /// The last line's number.
    pub seq: i64,
    /// Its code in hexadecimal; null when it has none.
    pub code: Option<String>,
}

/// A bad line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditFinding {
    /// Its number.
    pub seq: i64,
    /// A word for programs: `edited`, `missing`, `doubled`, `out_of_order`, `cut_off`, `beyond_head`, `head_edited`,
    /// `head_unsealed`, `unnumbered`, `unknown_pepper` or `not_as_expected`.
    pub what: String,
    /// The same for people.
    pub detail: String,
}
