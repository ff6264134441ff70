//! Request and response shapes of the native API, shared by the server and the command line.
//!
//! Nothing here decides anything: texts are texts until the server parses them. Moments are RFC 3339, ids are
//! UUIDs, unknown fields of a request are refused.

pub mod api_key;
pub mod organization;
pub mod policy;
pub mod problem;
pub mod session;
pub mod suspension;
pub mod token;
pub mod verify;

pub use api_key::{ApiKey, ApiKeyList, CreateApiKey, KeyMaker, KeyRole, KeySecret, RotateKey};
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
