//! What is written down when something changes, or when somebody tried.

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The deployment got its first organization and superuser.
    DeploymentSetUp,
    /// A person signed in.
    SignedIn,
    /// Somebody failed to sign in to an account that exists.
    SignInFailed,
    /// A person signed out, or ended a session.
    SessionEnded,
    /// A person ended all their sessions.
    SessionsEnded,
    /// A token was made.
    TokenCreated,
    /// A token's name, end or permissions were changed.
    TokenChanged,
    /// A token was revoked.
    TokenRevoked,
    /// A change was refused for want of rights.
    Refused,
}

impl Action {
    /// The word in the audit.
    pub const fn word(self) -> &'static str {
        match self {
            Self::DeploymentSetUp => "deployment.set_up",
            Self::SignedIn => "session.created",
            Self::SignInFailed => "session.refused",
            Self::SessionEnded => "session.ended",
            Self::SessionsEnded => "session.all_ended",
            Self::TokenCreated => "token.created",
            Self::TokenChanged => "token.changed",
            Self::TokenRevoked => "token.revoked",
            Self::Refused => "refused",
        }
    }
}
