//! What administers an organization and a deployment: organizations, members, invitations, roles, users, permissions.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `active` or `suspended`.
    pub standing: String,
    /// Whether it runs the deployment.
    pub host: bool,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created: String,
    /// How many members it has.
    pub members: u64,
}

/// A page of organizations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationList {
    /// The oldest first.
    pub items: Vec<Organization>,
    /// Where the next page begins; null when there is none.
    pub next_cursor: Option<String>,
}

/// An organization to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateOrganization {
    /// 1 to 120 characters.
    pub name: String,
}

/// What is to change about an organization; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangeOrganization {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `active` or `suspended`: suspended, nothing in it works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<String>,
}

/// An organization in which a person can be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnOrganization {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The person's role there.
    pub role: String,
    /// Whether it is the one in force.
    pub current: bool,
}

/// The organizations in which a person can be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnOrganizations {
    /// Those where they are an active member, the longest first.
    pub items: Vec<OwnOrganization>,
}

/// Which organization a session is to be in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchOrganization {
    /// Its id.
    pub organization: String,
}

/// A member of an organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// The user's id.
    pub user: String,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Their role.
    pub role: RoleReference,
    /// `active` or `suspended`, of the membership.
    pub standing: String,
    /// `active` or `suspended`, of the user in the whole deployment.
    pub user_standing: String,
    /// Whether they may create and manage personal access tokens.
    pub may_have_tokens: bool,
    /// How many live tokens they have here.
    pub tokens: u64,
    /// Since when they are a member.
    #[schema(format = DateTime)]
    pub joined: String,
}

/// A role, by reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoleReference {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A page of members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MemberList {
    /// By their addresses.
    pub items: Vec<Member>,
    /// Where the next page begins; null when there is none.
    pub next_cursor: Option<String>,
}

/// A user to be made a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddMember {
    /// The user's id.
    pub user: String,
    /// Their role: its id, or its name.
    pub role: String,
    /// Whether they may create and manage personal access tokens; as the role says if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_have_tokens: Option<bool>,
}

/// What is to change about a member; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangeMember {
    /// Their role: its id, or its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// `active` or `suspended`: suspended, they cannot be here and their tokens rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<String>,
    /// Whether they may create and manage personal access tokens: off, their tokens stop working at once and stay;
    /// on, they work again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_have_tokens: Option<bool>,
}

/// Somebody to be invited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Invite {
    /// Their address.
    pub email: String,
    /// The role they get: its id, or its name.
    pub role: String,
    /// Whether they may create and manage personal access tokens; as the role says if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_have_tokens: Option<bool>,
}

/// An open invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// Its id.
    pub id: String,
    /// Whom it invites.
    pub email: String,
    /// To which role.
    pub role: RoleReference,
    /// Whether they may create and manage personal access tokens.
    pub may_have_tokens: bool,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created: String,
    /// The first moment at which it no longer works.
    #[schema(format = DateTime)]
    pub expires: String,
    /// The link that accepts it. Only in the answer that makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// What the link carries. Only in the answer that makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// The open invitations of an organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvitationList {
    /// The latest first.
    pub items: Vec<Invitation>,
}

/// An invitation to be accepted.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitation {
    /// What the link carries.
    pub code: String,
    /// The name of somebody who has no account yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The password of the account that has the address, or of the one that is made.
    #[schema(format = Password)]
    pub password: String,
}

impl std::fmt::Debug for AcceptInvitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AcceptInvitation")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Role {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether every organization has it.
    pub built_in: bool,
    /// What it names: single permissions and wildcards. Null for a role that holds all there are.
    pub named: Option<Vec<String>>,
    /// What it holds now, one by one.
    pub permissions: Vec<String>,
    /// Whether who gets it may have tokens, unless somebody says otherwise.
    pub tokens_by_default: bool,
    /// Members of the organization who have it.
    pub members: u64,
    /// API keys of the organization that have it, the revoked ones aside.
    pub keys: u64,
}

/// The roles of an organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoleList {
    /// The built-in ones, the mightiest first, then its own by name.
    pub items: Vec<Role>,
}

/// What a role is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WriteRole {
    /// 1 to 120 characters, unique in the organization without regard to case.
    pub name: String,
    /// What it is for, in one sentence.
    #[serde(default)]
    pub description: String,
    /// What it holds: `resource:action`, or `resource:*` for every action there is and will be.
    pub permissions: Vec<String>,
    /// Whether who gets it may have tokens, unless somebody says otherwise; true if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_by_default: Option<bool>,
}

/// What came of deleting a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoleDeleted {
    /// How many API keys had it and are revoked.
    pub keys_revoked: u64,
}

/// A user of the deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// Their id.
    pub id: String,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// `active` or `suspended`.
    pub standing: String,
}

/// A page of users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserList {
    /// By their addresses.
    pub items: Vec<User>,
    /// Where the next page begins; null when there is none.
    pub next_cursor: Option<String>,
}

/// A user to be made.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Their password; without one they cannot sign in with a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Password)]
    pub password: Option<String>,
}

impl std::fmt::Debug for CreateUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreateUser")
            .field("name", &self.name)
            .field("email", &self.email)
            .finish_non_exhaustive()
    }
}

/// What is to change about a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeUser {
    /// `active` or `suspended`: suspended, they cannot sign in and none of their tokens works.
    pub standing: String,
}

/// What is to be said of a permission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutPermission {
    /// What it allows, in one sentence.
    #[serde(default)]
    pub description: String,
    /// `low`, `medium` or `high`; low if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<String>,
}
