//! Organizations.

use crate::{id::OrganizationId, name::DisplayName};

/// Whether something answers for itself: organizations, users and memberships are suspended, not deleted,
/// while somebody finds out what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// In good standing.
    Active,
    /// Suspended: nothing that hangs on it works until it is active again.
    Suspended,
}

impl Standing {
    /// The word used in the database and on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }

    /// The standing that `word` names; anything that is not "active" is not active.
    pub fn from_word(word: &str) -> Self {
        if word == Self::Active.word() {
            Self::Active
        } else {
            Self::Suspended
        }
    }

    /// Whether it is in good standing.
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Active)
    }
}

/// A company, a team, a household: what users are members of and tokens are bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name.
    pub name: DisplayName,
    /// Whether it is in good standing.
    pub standing: Standing,
    /// Whether it runs the deployment: one does, the first. What concerns all others is held there alone.
    pub host: bool,
}
