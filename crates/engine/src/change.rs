//! What can change in what the engine knows, as it is read from the database: each change carries the whole
//! present state of one thing, so that applying it twice, or applying a later one first, does no harm.

use crate::{arena::ArenaFull, slab::SlabFull};
use hallpass_domain::{
    id::{OrganizationId, RoleId, TokenId, UserId},
    name::{DisplayName, TokenName},
    network::{AddressRules, NetworkSet},
    permission::PermissionSet,
    time::Timestamp,
    token::{BcryptHash, Digest, Kind, Prefix},
};
use std::fmt;

/// One change.
#[derive(Clone, Debug)]
pub enum Change {
    /// An organization is new or changed.
    Organization {
        /// Which.
        id: OrganizationId,
        /// Its name.
        name: DisplayName,
        /// Whether it is in good standing.
        active: bool,
        /// Whether it runs the deployment.
        host: bool,
        /// What it asks of its tokens.
        rules: OrganizationRules,
        /// Every token and key made before this whole millisecond is revoked. It only rises: a later change that says
        /// less takes nothing back.
        tokens_revoked_before: Option<Timestamp>,
    },
    /// A role is new or changed.
    Role {
        /// Which.
        id: RoleId,
        /// Its name.
        name: String,
        /// What it holds, as single permissions of the catalogue: see
        /// [`hallpass_domain::role::RolePermissions::within`].
        permissions: PermissionSet,
    },
    /// A user is new or changed.
    User {
        /// Who.
        id: UserId,
        /// Their name.
        name: DisplayName,
        /// Whether they are in good standing.
        active: bool,
    },
    /// A membership is new or changed.
    Membership {
        /// In which organization.
        organization: OrganizationId,
        /// Whose.
        user: UserId,
        /// With which role.
        role: RoleId,
        /// Whether it is in good standing.
        active: bool,
        /// "May create and manage personal access tokens".
        may_have_tokens: bool,
    },
    /// A membership is over. Its tokens stay and are refused.
    MembershipGone {
        /// In which organization.
        organization: OrganizationId,
        /// Whose.
        user: UserId,
    },
    /// Many of a user's tokens in an organization were revoked together. It outlives the membership, and it only rises.
    TokensRevoked {
        /// In which organization.
        organization: OrganizationId,
        /// Whose.
        user: UserId,
        /// Those made before this whole millisecond.
        before: Timestamp,
    },
    /// A token is new or changed.
    Token(TokenRecord),
    /// A token's row is no more: from now on it is unknown, not revoked.
    TokenGone(TokenId),
}

/// What an organization asks of its tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct OrganizationRules {
    /// From where alone they may be used, if there is anything in it.
    pub networks: NetworkSet,
    /// What personal access tokens may not carry.
    pub forbidden: PermissionSet,
}

/// A token as the engine keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRecord {
    /// Its id.
    pub id: TokenId,
    /// What it is.
    pub kind: Kind,
    /// What is stored of its text.
    pub stored: Stored,
    /// How its text begins.
    pub prefix: Prefix,
    /// The organization it works in.
    pub organization: OrganizationId,
    /// For whom it speaks.
    pub bearer: Owner,
    /// What it is called.
    pub name: TokenName,
    /// What it is narrowed to, if it is.
    pub scope: Option<PermissionSet>,
    /// The first moment at which it no longer works.
    pub expires_at: Option<Timestamp>,
    /// The first moment at which it works.
    pub valid_from: Option<Timestamp>,
    /// Whether it was revoked.
    pub revoked: bool,
    /// Whether it is suspended.
    pub suspended: bool,
    /// From where it may be used, if that is said.
    pub address_rules: Option<AddressRules>,
    /// The key that this is a further secret of. Such a record has its own id, by which it changes and its uses are
    /// noted, and all else as the key has it, whose id it shows.
    pub secret_of: Option<TokenId>,
}

/// For whom a token speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A user, as what they are in the organization at the time.
    User(UserId),
    /// The organization itself, with this role.
    Organization(RoleId),
}

/// What is stored of a token's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// Its HMAC, by which it is found.
    Digest(Digest),
    /// Its bcrypt hash; it is found by its prefix.
    Bcrypt(BcryptHash),
}

/// Why a change could not be applied. The engine is then as it was before. What it knows is no longer what the
/// database holds, so whoever applies changes must stop answering and load anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplyError {
    /// An organization was named before it was made known.
    UnknownOrganization(OrganizationId),
    /// A user was named before they were made known.
    UnknownUser(UserId),
    /// A role was named before it was made known.
    UnknownRole(RoleId),
    /// Another token has the same digest, or is found by the same prefix.
    Taken(TokenId),
    /// Something is more than the engine can number.
    Full,
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownOrganization(id) => write!(f, "the organization {id} is not known"),
            Self::UnknownUser(id) => write!(f, "the user {id} is not known"),
            Self::UnknownRole(id) => write!(f, "the role {id} is not known"),
            Self::Taken(id) => write!(f, "another token is found as {id} would be"),
            Self::Full => f.write_str("there is no room for more"),
        }
    }
}

impl std::error::Error for ApplyError {}

impl From<SlabFull> for ApplyError {
    fn from(_: SlabFull) -> Self {
        Self::Full
    }
}

impl From<ArenaFull> for ApplyError {
    fn from(_: ArenaFull) -> Self {
        Self::Full
    }
}
