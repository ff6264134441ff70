//! People, and what they are in an organization.

use crate::{
    id::{OrganizationId, RoleId, UserId},
    name::{DisplayName, Email},
    organization::Standing,
};

/// A person, across organizations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// The address they sign in with.
    pub email: Email,
    /// Their name.
    pub name: DisplayName,
    /// Whether they are in good standing.
    pub standing: Standing,
}

/// A user in an organization, with one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// In which organization.
    pub organization: OrganizationId,
    /// Who.
    pub user: UserId,
    /// With which role.
    pub role: RoleId,
    /// Whether the membership is in good standing.
    pub standing: Standing,
    /// "May create and manage personal access tokens". Off, the user's tokens stop working but stay; on
    /// again, they work again.
    pub may_have_tokens: bool,
}
