//! Request and response shapes of the native API, shared by the server and the command line.
//!
//! Nothing here decides anything: texts are texts until the server parses them. Moments are RFC 3339, ids are
//! UUIDs, unknown fields of a request are refused.

pub mod administration;
pub mod api_key;
pub mod audit;
pub mod explain;
pub mod inventory;
pub mod organization;
pub mod policy;
pub mod problem;
pub mod session;
pub mod suspension;
pub mod token;
pub mod verify;

pub use administration::{
    AcceptInvitation, AddMember, ChangeMember, ChangeOrganization, ChangeUser, CreateOrganization,
    CreateUser, Invitation, InvitationList, Invite, Member, MemberList, Organization,
    OrganizationList, OwnOrganization, OwnOrganizations, PutPermission, Role, RoleDeleted,
    RoleList, RoleReference, SwitchOrganization, User, UserList, WriteRole,
};
pub use api_key::{ApiKey, ApiKeyList, CreateApiKey, KeyMaker, KeyRole, KeySecret, RotateKey};
pub use audit::{
    AuditActor, AuditExpected, AuditFinding, AuditHead, AuditLine, AuditList, AuditReport,
};
pub use explain::{ExplainQuestion, ExplainStep, ExplainedToken, Explanation};
pub use inventory::{
    InventoryFilter, InventoryItem, InventoryList, InventorySuspension, Revocation,
    RevocationOutcome,
};
pub use organization::{Caller, CatalogueEntry, OrganizationReference, Permissions};
pub use policy::{
    ConcernedToken, NextPolicy, Policies, Policy, PolicyEffect, PolicyLifetime, PolicyPreview,
    PreviewPolicy, PutPolicy,
};
pub use problem::{FieldProblem, Problem};
pub use session::{NewSession, Session, SessionList, SignIn};
pub use suspension::{SuspendToken, Suspension};
pub use token::{
    CreateToken, JsonPatchOperation, Owner, PersonalAccessToken, PersonalAccessTokenList,
    PolicyNotice, TokenPatch,
};
pub use verify::{VerifyAnswer, VerifyAnswers, VerifyQuestion, VerifyQuestions};

/// The header in which a state-changing request made with a session cookie carries the session's value.
pub const CSRF_HEADER: &str = "x-hallpass-csrf";
/// The header that makes a creation safe to repeat.
pub const IDEMPOTENCY_HEADER: &str = "idempotency-key";
/// The header that says an answer repeats an earlier one.
pub const REPLAYED_HEADER: &str = "idempotency-replayed";
