//! What is written down when something changes, or when somebody tried.
//!
//! [`mod@line`] is one line and the code that ties it to the one before, [`chain`] finds the first line that is not as it was
//! written.

pub mod chain;
pub mod line;
#[cfg(test)]
mod tests;

pub use chain::{Chain, Finding, Found, Head, Report, Wrong};
pub use line::{Line, Link, Seal, Sealed};

macro_rules! actions {
    ($($(#[$about:meta])* $name:ident = $word:literal)*) => {
        /// What was done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[$about])* $name,)*
        }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The word in the audit. It stays as it is: lines that hold it are never written again.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

actions! {
    /// The deployment got its first organization and superuser.
    DeploymentSetUp = "deployment.set_up"
    /// A person signed in.
    SignedIn = "session.created"
    /// Somebody failed to sign in to an account that exists.
    SignInFailed = "session.refused"
    /// A person signed out, or ended a session.
    SessionEnded = "session.ended"
    /// A person ended all their sessions.
    SessionsEnded = "session.all_ended"
    /// A person turned to another of their organizations.
    SessionOrganizationChanged = "session.organization_changed"
    /// A token was made.
    TokenCreated = "token.created"
    /// A token's name, end, permissions or addresses were changed.
    TokenChanged = "token.changed"
    /// A token was revoked.
    TokenRevoked = "token.revoked"
    /// A token was suspended.
    TokenSuspended = "token.suspended"
    /// A token's suspension was lifted.
    TokenResumed = "token.resumed"
    /// Many tokens were revoked at once.
    TokensRevoked = "tokens.revoked"
    /// An API key was made.
    KeyCreated = "key.created"
    /// An API key was revoked.
    KeyRevoked = "key.revoked"
    /// An API key got a new secret.
    KeySecretRotated = "key.secret_rotated"
    /// An older secret of an API key was quiet for as long as was chosen, and ended.
    KeySecretEnded = "key.secret_ended"
    /// An API key was suspended.
    KeySuspended = "key.suspended"
    /// An API key's suspension was lifted.
    KeyResumed = "key.resumed"
    /// An organization was made.
    OrganizationCreated = "organization.created"
    /// An organization's name was changed.
    OrganizationChanged = "organization.changed"
    /// An organization was suspended.
    OrganizationSuspended = "organization.suspended"
    /// An organization's suspension was lifted.
    OrganizationResumed = "organization.resumed"
    /// An account was made.
    UserCreated = "user.created"
    /// A user was suspended everywhere.
    UserSuspended = "user.suspended"
    /// A user's suspension was lifted.
    UserResumed = "user.resumed"
    /// A user was removed from the deployment.
    UserRemoved = "user.removed"
    /// A user became a member.
    MemberAdded = "member.added"
    /// A member's role was changed, or whether they may have tokens.
    MemberChanged = "member.changed"
    /// A member was suspended.
    MemberSuspended = "member.suspended"
    /// A member's suspension was lifted.
    MemberResumed = "member.resumed"
    /// A member was removed from the organization.
    MemberRemoved = "member.removed"
    /// Somebody was invited.
    InvitationCreated = "invitation.created"
    /// An invitation was withdrawn.
    InvitationWithdrawn = "invitation.withdrawn"
    /// An invitation was accepted.
    InvitationAccepted = "invitation.accepted"
    /// A role was made.
    RoleCreated = "role.created"
    /// A role's name or permissions were changed.
    RoleChanged = "role.changed"
    /// A role was deleted.
    RoleDeleted = "role.deleted"
    /// The catalogue of permissions was changed.
    CatalogueChanged = "catalogue.changed"
    /// A change of policy was given a date.
    PolicyChangeScheduled = "policy.change_scheduled"
    /// A change of policy was withdrawn before its date.
    PolicyChangeWithdrawn = "policy.change_withdrawn"
    /// A change of policy came into force.
    PolicyEnforced = "policy.enforced"
    /// The audit was exported.
    AuditExported = "audit.exported"
    /// The inventory of tokens and keys was exported.
    InventoryExported = "inventory.exported"
    /// A change was refused for want of rights.
    Refused = "refused"
}

impl Action {
    /// The action that `word` names, if it names one.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|action| action.word() == word)
    }
}
