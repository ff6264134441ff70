//! Sessions: signed-in browsers and programs.

use crate::organization::Caller;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A sign-in.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The e-mail address of the account.
    pub email: String,
    /// Its password.
    #[schema(format = Password)]
    pub password: String,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn")
            .field("email", &self.email)
            .finish_non_exhaustive()
    }
}

/// A session just begun. Its value travels in the cookie alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewSession {
    /// Its id.
    pub id: String,
    /// What state-changing requests made with the cookie must carry in `X-Hallpass-CSRF`.
    pub csrf: String,
    /// When it ends, whatever happens.
    pub expires: String,
    /// Who signed in.
    pub caller: Caller,
}

/// A session of the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Its id.
    pub id: String,
    /// Whether it is the one that asks.
    pub current: bool,
    /// When it began.
    pub created: String,
    /// When it was last used, to the minute.
    pub last_seen: String,
    /// When it ends, whatever happens.
    pub expires: String,
    /// From which address it began.
    pub address: Option<String>,
    /// With which `User-Agent` it began.
    pub user_agent: Option<String>,
}

/// The caller's sessions, the latest used first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionList {
    /// All that are open.
    pub items: Vec<Session>,
}
