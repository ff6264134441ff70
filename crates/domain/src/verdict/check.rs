//! The checks behind a verdict, one by one, for whoever wants to know why.

use super::{DenyReason, Facts, Question};
use std::ops::ControlFlow;

/// One of the questions that a verdict asks about a credential. [`super::decide`] refuses for the first that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Check {
    /// There is such a credential.
    Known,
    /// It was not revoked.
    NotRevoked,
    /// Its time is not over.
    NotExpired,
    /// Its time has come.
    AlreadyValid,
    /// It is not suspended.
    NotSuspended,
    /// Its organization is in good standing.
    OrganizationActive,
    /// Its owner is in good standing.
    UserActive,
    /// Its owner is a member of its organization.
    Member,
    /// That membership is in good standing.
    MembershipActive,
    /// Its owner may have personal access tokens.
    MayHaveTokens,
    /// It may be used from the address it is used from.
    AddressAllowed,
    /// The role holds the permission now.
    PermissionHeldByRole,
    /// The organization lets personal access tokens carry the permission.
    PermissionNotForbidden,
    /// What the credential is narrowed to has the permission.
    PermissionInScope,
}

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Holds,
    /// It fails: the verdict is no, for this reason.
    Fails,
    /// One before it failed, so that nobody asked.
    NotReached,
}

/// A check and what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The check.
    pub check: Check,
    /// What came of it.
    pub outcome: Outcome,
}

impl Check {
    /// Every check, in the order in which they are made.
    pub const ALL: [Self; 14] = [
        Self::Known,
        Self::NotRevoked,
        Self::NotExpired,
        Self::AlreadyValid,
        Self::NotSuspended,
        Self::OrganizationActive,
        Self::UserActive,
        Self::Member,
        Self::MembershipActive,
        Self::MayHaveTokens,
        Self::AddressAllowed,
        Self::PermissionHeldByRole,
        Self::PermissionNotForbidden,
        Self::PermissionInScope,
    ];

    /// The stable code on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::NotRevoked => "not_revoked",
            Self::NotExpired => "not_expired",
            Self::AlreadyValid => "already_valid",
            Self::NotSuspended => "not_suspended",
            Self::OrganizationActive => "organization_active",
            Self::UserActive => "user_active",
            Self::Member => "member",
            Self::MembershipActive => "membership_active",
            Self::MayHaveTokens => "may_have_tokens",
            Self::AddressAllowed => "address_allowed",
            Self::PermissionHeldByRole => "permission_held_by_role",
            Self::PermissionNotForbidden => "permission_not_forbidden_by_policy",
            Self::PermissionInScope => "permission_in_scope",
        }
    }

    /// The reason of a verdict for which this is the first check that fails.
    pub const fn reason(self) -> DenyReason {
        match self {
            Self::Known => DenyReason::Unknown,
            Self::NotRevoked => DenyReason::Revoked,
            Self::NotExpired => DenyReason::Expired,
            Self::AlreadyValid => DenyReason::NotYetValid,
            Self::NotSuspended => DenyReason::Suspended,
            Self::OrganizationActive => DenyReason::OrganizationSuspended,
            Self::UserActive => DenyReason::UserSuspended,
            Self::Member => DenyReason::NotAMember,
            Self::MembershipActive => DenyReason::MembershipSuspended,
            Self::MayHaveTokens => DenyReason::TokensNotAllowed,
            Self::AddressAllowed => DenyReason::AddressNotAllowed,
            Self::PermissionHeldByRole | Self::PermissionNotForbidden | Self::PermissionInScope => {
                DenyReason::PermissionMissing
            }
        }
    }

    /// Whether it is about a permission: not made when none is asked for.
    pub const fn is_about_permission(self) -> bool {
        matches!(self.reason(), DenyReason::PermissionMissing)
    }
}

impl Outcome {
    /// The stable code on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::NotReached => "not_reached",
        }
    }
}

/// The same as [`super::decide`], step by step: each check that concerns the credential and the question, in order.
/// Nothing is said of an owner to an API key, which has none, and nothing of permissions when none is asked for.
pub fn explain(facts: Option<Facts<'_>>, question: &Question<'_>) -> Vec<Step> {
    let mut steps = vec![Step {
        check: Check::Known,
        outcome: if facts.is_some() {
            Outcome::Holds
        } else {
            Outcome::Fails
        },
    }];
    let Some(facts) = facts else {
        let others = Check::ALL.into_iter().skip(1);
        let others =
            others.filter(|check| question.needed.is_some() || !check.is_about_permission());
        steps.extend(others.map(|check| Step {
            check,
            outcome: Outcome::NotReached,
        }));
        return steps;
    };
    let mut failed = false;
    let _: ControlFlow<()> = facts.check(question, |check, holds| {
        let outcome = match (failed, holds) {
            (true, _) => Outcome::NotReached,
            (false, true) => Outcome::Holds,
            (false, false) => Outcome::Fails,
        };
        failed |= !holds;
        steps.push(Step { check, outcome });
        ControlFlow::Continue(())
    });
    steps
}
