//! The only definition of "allowed".

use crate::{
    network::{AddressRules, NetworkSet},
    permission::{Permission, PermissionSet},
    time::Timestamp,
};
use std::{net::IpAddr, ops::ControlFlow};

mod check;

pub use check::{Check, Outcome, Step, explain};

/// "May this credential do this now?"
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What it is to do; nothing named asks whether it may do anything at all.
    pub needed: Option<&'a Permission>,
    /// From where, if that is known. Where there are rules about it, an unknown address is not admitted.
    pub address: Option<IpAddr>,
    /// When.
    pub now: Timestamp,
}

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
    /// Its organization runs the deployment.
    pub host: bool,
    /// From where alone its organization lets tokens be used, if it says so.
    pub organization_networks: Option<&'a NetworkSet>,
    /// From where it may be used itself, if that is said.
    pub address_rules: Option<&'a AddressRules>,
    /// On whose behalf it speaks.
    pub bearer: Bearer,
    /// What the role holds now.
    pub role: &'a PermissionSet,
    /// What the credential is narrowed to, if it is.
    pub scope: Option<&'a PermissionSet>,
    /// What no personal access token of its organization may carry, if there is such.
    pub forbidden: Option<&'a PermissionSet>,
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
    /// It may not be used from this address.
    AddressNotAllowed,
    /// It is good, but not for this.
    PermissionMissing,
}

impl DenyReason {
    /// Every reason.
    pub const ALL: [Self; 13] = [
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
        Self::AddressNotAllowed,
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
            Self::AddressNotAllowed => "address_not_allowed",
            Self::PermissionMissing => "permission_missing",
        }
    }

    /// Whether the credential itself is good and merely not for what was asked: a 403, where all else is a 401
    /// (RFC 6750 section 3.1).
    pub const fn is_about_what_was_asked(self) -> bool {
        matches!(self, Self::AddressNotAllowed | Self::PermissionMissing)
    }
}

/// Says whether a credential may do what is asked, and if not, why. Every door asks this function and no other; its
/// answer is never kept.
#[inline]
pub fn decide(facts: Option<Facts<'_>>, question: &Question<'_>) -> Verdict {
    let Some(facts) = facts else {
        return Verdict::Deny(Check::Known.reason());
    };
    let decided = facts.check(question, |check, holds| {
        if holds {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(check.reason())
        }
    });
    match decided {
        ControlFlow::Break(why) => Verdict::Deny(why),
        ControlFlow::Continue(()) => Verdict::Allow,
    }
}

impl Facts<'_> {
    /// Makes each check that concerns this credential and this question, in their order, until `visit` has enough.
    /// The order and the meaning of every check stand here and nowhere else.
    #[inline]
    fn check<B>(
        &self,
        question: &Question<'_>,
        mut visit: impl FnMut(Check, bool) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let now = question.now;
        visit(Check::NotRevoked, !self.revoked)?;
        let before_end = self.expires_at.is_none_or(|end| now < end);
        visit(Check::NotExpired, before_end)?;
        let after_start = self.valid_from.is_none_or(|start| now >= start);
        visit(Check::AlreadyValid, after_start)?;
        visit(Check::NotSuspended, !self.suspended)?;
        visit(Check::OrganizationActive, self.organization_active)?;
        if let Bearer::Person {
            user_active,
            membership,
        } = self.bearer
        {
            visit(Check::UserActive, user_active)?;
            visit(Check::Member, membership.is_some())?;
            let is = |what: fn(MembershipFacts) -> bool| membership.is_some_and(what);
            visit(Check::MembershipActive, is(|member| member.active))?;
            visit(Check::MayHaveTokens, is(|member| member.may_have_tokens))?;
        }
        visit(Check::AddressAllowed, self.admits(question.address))?;
        let Some(needed) = question.needed else {
            return ControlFlow::Continue(());
        };
        let is_own = needed.as_str() == Permission::OWN_TOKENS;
        if !is_own {
            visit(Check::PermissionHeldByRole, self.role_gives(needed))?;
        }
        if self.is_person() {
            visit(Check::PermissionNotForbidden, !self.is_forbidden(needed))?;
        }
        // The one permission that no role gives is had by naming it.
        let in_scope = if is_own {
            self.scope.is_some_and(|scope| scope.names(needed))
        } else {
            self.scope.is_none_or(|scope| scope.covers(needed))
        };
        visit(Check::PermissionInScope, in_scope)
    }

    const fn is_person(&self) -> bool {
        matches!(self.bearer, Bearer::Person { .. })
    }

    fn admits(&self, address: Option<IpAddr>) -> bool {
        self.organization_networks
            .is_none_or(|networks| networks.admits(address))
            && self.address_rules.is_none_or(|rules| rules.admits(address))
    }

    /// Whether the role holds it, and it is something that a role can give here.
    fn role_gives(&self, needed: &Permission) -> bool {
        self.role.covers(needed) && self.exists_here(needed)
    }

    fn exists_here(&self, permission: &Permission) -> bool {
        self.host || permission.as_str() != Permission::DEPLOYMENT
    }

    fn is_forbidden(&self, permission: &Permission) -> bool {
        self.is_person() && self.forbidden.is_some_and(|set| set.forbids(permission))
    }

    /// All that the credential may do now, for showing: what [`decide`] would allow, one by one.
    pub fn permissions(&self) -> PermissionSet {
        self.permitted().cloned().collect()
    }

    /// The same, without making a set of it: what the role holds, in order, then what is had by naming it.
    pub fn permitted(&self) -> impl Iterator<Item = &Permission> {
        let is_own = |permission: &Permission| permission.as_str() == Permission::OWN_TOKENS;
        let own = self.scope.into_iter().flatten();
        let own = own.filter(move |permission| is_own(permission));
        let held = self.role.iter().filter(move |held| {
            !is_own(held)
                && self.exists_here(held)
                && self.scope.is_none_or(|scope| scope.covers(held))
        });
        held.chain(own)
            .filter(|permission| !self.is_forbidden(permission))
    }
}

#[cfg(test)]
mod tests;
