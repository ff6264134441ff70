//! Organizations, permissions, and who is asking.

use crate::token::Owner;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An organization, by reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrganizationReference {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// One permission of the deployment's catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CatalogueEntry {
    /// `resource:action`.
    pub name: String,
    /// What it allows, in one sentence.
    pub description: String,
    /// `low`, `medium` or `high`.
    pub risk: String,
    /// Who wrote the line: `product`, `file` (the settings) or `api`.
    pub source: String,
    /// Whether the caller's role holds it now; a token may be narrowed further.
    pub held: bool,
}

/// The deployment's catalogue of permissions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Permissions {
    /// In order of their names.
    pub items: Vec<CatalogueEntry>,
}

/// Who is asking, with what, where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Caller {
    /// The person or organization behind the credential.
    pub owner: Owner,
    /// Their e-mail address, if they are a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The organization in force.
    pub organization: OrganizationReference,
    /// Their role in it.
    pub role: String,
    /// Whether they may create and manage personal access tokens.
    pub may_have_tokens: bool,
    /// What their role holds now; a token may be narrowed further.
    pub permissions: Vec<String>,
    /// In a session: what requests that change something must carry in `X-Hallpass-CSRF` in this organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csrf: Option<String>,
}
