//! The only definition of "allowed".

use crate::{
    permission::{Permission, PermissionSet},
    time::Timestamp,
};

/// Everything that the verdict on one credential hangs on, as it is at this moment. Nothing in it was copied
/// when the credential was made, but an API key's role.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// It was revoked.
    pub revoked: bool,
    /// The first moment at which it no longer works.
    pub expires_at: Option<Timestamp>,
    /// The first moment at which it works.
    pub valid_from: Option<Timestamp>,
    /// It was suspended.
    pub suspended: bool,
    /// Its organization is in good standing.
    pub organization_active: bool,
    /// On whose behalf it speaks.
    pub bearer: Bearer,
    /// What the role holds now.
    pub role: &'a PermissionSet,
    /// What the credential is narrowed to, if it is.
    pub scope: Option<&'a PermissionSet>,
}

/// On whose behalf a credential speaks.
#[derive(Clone, Copy, Debug)]
pub enum Bearer {
    /// One user: a personal access token.
    Person {
        /// The user is in good standing.
        user_active: bool,
        /// What the user is in the organization, if anything.
        membership: Option<MembershipFacts>,
    },
    /// The organization itself: an API key, which looks at nobody.
    Organization,
}

/// What the verdict needs of a membership.
#[derive(Clone, Copy, Debug)]
pub struct MembershipFacts {
    /// It is in good standing.
    pub active: bool,
    /// It holds "may create and manage personal access tokens".
    pub may_have_tokens: bool,
}

/// The answer to "may this credential do this now?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Allow,
    /// It may not, for this reason.
    Deny(DenyReason),
}

/// Why a credential may not do a thing. The first that applies, in the order of [`decide`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DenyReason {
    /// It has not the shape or the checksum of a token.
    Malformed,
    /// No such credential.
    Unknown,
    /// It was revoked.
    Revoked,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// It is suspended.
    Suspended,
    /// Its organization is suspended.
    OrganizationSuspended,
    /// Its owner is suspended.
    UserSuspended,
    /// Its owner is no member of its organization.
    NotAMember,
    /// Its owner's membership is suspended.
    MembershipSuspended,
    /// Its owner may not have personal access tokens.
    TokensNotAllowed,
    /// It is good, but not for this.
    PermissionMissing,
}

impl DenyReason {
    /// Every reason.
    pub const ALL: [Self; 12] = [
        Self::Malformed,
        Self::Unknown,
        Self::Revoked,
        Self::Expired,
        Self::NotYetValid,
        Self::Suspended,
        Self::OrganizationSuspended,
        Self::UserSuspended,
        Self::NotAMember,
        Self::MembershipSuspended,
        Self::TokensNotAllowed,
        Self::PermissionMissing,
    ];

    /// The stable code on the wire and in metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Suspended => "suspended",
            Self::OrganizationSuspended => "organization_suspended",
            Self::UserSuspended => "user_suspended",
            Self::NotAMember => "not_a_member",
            Self::MembershipSuspended => "membership_suspended",
            Self::TokensNotAllowed => "tokens_not_allowed",
            Self::PermissionMissing => "permission_missing",
        }
    }

    /// Whether the credential itself is good and merely not enough: a 403, where all else is a 401
    /// (RFC 6750 section 3.1).
    pub const fn is_about_permission(self) -> bool {
        matches!(self, Self::PermissionMissing)
    }
}

/// Says whether a credential may do what is `needed` (anything at all, if nothing is named) at `now`, and if
/// not, why. Every door asks this function and no other; its answer is never kept.
pub fn decide(facts: Option<Facts<'_>>, needed: Option<&Permission>, now: Timestamp) -> Verdict {
    use DenyReason as Why;
    let Some(facts) = facts else {
        return Verdict::Deny(Why::Unknown);
    };
    let refusal = if facts.revoked {
        Some(Why::Revoked)
    } else if facts.expires_at.is_some_and(|end| now >= end) {
        Some(Why::Expired)
    } else if facts.valid_from.is_some_and(|start| now < start) {
        Some(Why::NotYetValid)
    } else if facts.suspended {
        Some(Why::Suspended)
    } else if !facts.organization_active {
        Some(Why::OrganizationSuspended)
    } else {
        facts.bearer.refusal()
    };
    match refusal {
        Some(why) => Verdict::Deny(why),
        None if needed.is_none_or(|needed| facts.covers(needed)) => Verdict::Allow,
        None => Verdict::Deny(Why::PermissionMissing),
    }
}

impl Facts<'_> {
    /// (what the role holds now) ∩ (the credential's own narrowing, if it has one). The one permission that
    /// no role gives is had by naming it.
    fn covers(&self, needed: &Permission) -> bool {
        if needed.as_str() == Permission::OWN_TOKENS {
            return self.scope.is_some_and(|scope| scope.names(needed));
        }
        self.role.covers(needed) && self.scope.is_none_or(|scope| scope.covers(needed))
    }

    /// All that the credential may do now, for showing: what [`decide`] would allow, one by one.
    pub fn permissions(&self) -> PermissionSet {
        self.permitted().cloned().collect()
    }

    /// The same, without making a set of it: what the role holds, in order, then what is had by naming it.
    pub fn permitted(&self) -> impl Iterator<Item = &Permission> {
        let own = self
            .scope
            .into_iter()
            .flatten()
            .filter(|permission| permission.as_str() == Permission::OWN_TOKENS);
        let held = self.role.iter().filter(|held| {
            held.as_str() != Permission::OWN_TOKENS
                && self.scope.is_none_or(|scope| scope.covers(held))
        });
        held.chain(own)
    }
}

impl Bearer {
    fn refusal(self) -> Option<DenyReason> {
        let Self::Person {
            user_active,
            membership,
        } = self
        else {
            return None;
        };
        match membership {
            _ if !user_active => Some(DenyReason::UserSuspended),
            None => Some(DenyReason::NotAMember),
            Some(membership) if !membership.active => Some(DenyReason::MembershipSuspended),
            Some(membership) if !membership.may_have_tokens => Some(DenyReason::TokensNotAllowed),
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
