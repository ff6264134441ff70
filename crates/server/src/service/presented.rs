//! What somebody proves themselves with, looked at again when their change begins. It was good when the request began; a
//! body may have taken half a minute to arrive since.

use super::{Person, Services, Via};
use crate::error::ServiceError;
use hallpass_domain::{
    id::{OrganizationId, TokenId, UserId},
    limits::SESSION_IDLE_SECONDS,
    permission::{Permission, PermissionSet},
    role::Role,
    time::Timestamp,
    token::Prefix,
    verdict::{DenyReason, Question, Verdict, decide},
};
use hallpass_engine::TokenView;
use hallpass_store::Tx;
use std::net::IpAddr;

const ENDED: ServiceError = ServiceError::CredentialRefused("it has ended meanwhile");

/// What a token was asked for when the request began, and what it held then. Its text is not kept: this very secret has an
/// id of its own.
#[derive(Clone, Debug)]
pub struct Presented {
    secret: TokenId,
    prefix: Prefix,
    address: Option<IpAddr>,
    needed: Option<Permission>,
    permissions: PermissionSet,
}

impl Presented {
    /// A token that was let in from `address` for what was `needed`.
    pub fn of(view: &TokenView<'_>, address: Option<IpAddr>, needed: Option<&Permission>) -> Self {
        Self {
            secret: view.secret_id(),
            prefix: view.prefix(),
            address,
            needed: needed.cloned(),
            permissions: view.permissions(),
        }
    }

    /// What it held.
    pub const fn permissions(&self) -> &PermissionSet {
        &self.permissions
    }
}

/// A person as they were when their request was checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Remembered<'a> {
    pub(super) user: UserId,
    pub(super) home: OrganizationId,
    pub(super) via: &'a Via,
    pub(super) role: &'a Role,
    /// What the role held.
    pub(super) permissions: &'a PermissionSet,
}

impl<'a> From<&'a Person> for Remembered<'a> {
    fn from(person: &'a Person) -> Self {
        Self {
            user: person.user.id,
            home: person.organization.id,
            via: &person.via,
            role: &person.role,
            permissions: &person.permissions,
        }
    }
}

/// Nothing of what somebody held may have gone: the check that let them begin may have rested on it.
fn check_kept(before: &PermissionSet, now: &PermissionSet) -> Result<(), ServiceError> {
    if before.iter().all(|permission| now.covers(permission)) {
        Ok(())
    } else {
        Err(ServiceError::ChangedMeanwhile)
    }
}

impl Services {
    /// Holds what somebody proves themselves with until the transaction ends, and asks of a token once more whether it
    /// may. To be called when the organization is held: what was committed before that is seen.
    pub(super) async fn hold_via(
        &self,
        tx: &mut Tx,
        via: &Via,
        user: Option<UserId>,
        home: OrganizationId,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        match (via, user) {
            (Via::Session { id, .. }, Some(user)) => {
                let idle_since = now.plus_seconds(-SESSION_IDLE_SECONDS);
                let held = tx.hold_session(*id, user, now, idle_since).await?;
                held.then_some(()).ok_or(ServiceError::SignInRequired)
            }
            (Via::Session { .. }, None) | (Via::Nothing, _) => Err(ServiceError::SignInRequired),
            (Via::Token { id, presented }, _) => {
                if !tx.hold_token(*id, home, now).await? {
                    return Err(ENDED);
                }
                self.ask_again(presented, now).await
            }
        }
    }

    /// The same verdict as at the door, with all that is committed by now.
    async fn ask_again(&self, presented: &Presented, now: Timestamp) -> Result<(), ServiceError> {
        let caught_up = self.catch_up().await;
        if caught_up.is_err() || !self.engine.is_answering() {
            return Err(ServiceError::NotAnswering);
        }
        let view = self.engine.view(presented.secret, presented.prefix);
        let view = view.ok_or(ENDED)?;
        let question = Question {
            needed: presented.needed.as_ref(),
            address: presented.address,
            now,
        };
        match decide(Some(*view.facts()), &question) {
            Verdict::Allow => check_kept(&presented.permissions, &view.permissions()),
            Verdict::Deny(DenyReason::PermissionMissing) => Err(ServiceError::ChangedMeanwhile),
            Verdict::Deny(reason) => Err(turned_away(reason)),
        }
    }

    /// Goes on only if the person is still there as they were when the request was checked, in the same role, which holds
    /// no less.
    pub(super) async fn check_still(&self, before: Remembered<'_>) -> Result<(), ServiceError> {
        let via = before.via.clone();
        let found = self.find_person(before.user, before.home, via).await?;
        let person = found.ok_or(match before.via {
            Via::Session { .. } | Via::Nothing => ServiceError::SignInRequired,
            Via::Token { .. } => ENDED,
        })?;
        let same_role =
            (person.role.id, person.role.version) == (before.role.id, before.role.version);
        if !same_role {
            return Err(ServiceError::ChangedMeanwhile);
        }
        check_kept(before.permissions, &person.permissions)
    }

    /// Goes on only while a member may have tokens, as it is written now.
    pub(super) async fn check_gate(
        &self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<(), ServiceError> {
        let found = self.store.find_membership(organization, user).await?;
        if found.is_some_and(|membership| membership.may_have_tokens) {
            Ok(())
        } else {
            Err(self.tokens_not_allowed(organization).await)
        }
    }
}

/// What a token that is refused is told.
pub const fn turned_away(reason: DenyReason) -> ServiceError {
    match reason {
        DenyReason::AddressNotAllowed => ServiceError::AddressNotAllowed,
        reason => ServiceError::CredentialRefused(refusal(reason)),
    }
}

/// What to tell the bearer of a token that does not work. Whoever sends the right text may know what became of it.
pub const fn refusal(reason: DenyReason) -> &'static str {
    match reason {
        DenyReason::Malformed => "it is not the text of a token; was it cut or mistyped?",
        DenyReason::Unknown => "it is not known here",
        DenyReason::Revoked => "it was revoked",
        DenyReason::Expired => "it has expired",
        DenyReason::NotYetValid => "it does not work yet",
        DenyReason::Suspended => "it is suspended",
        DenyReason::OrganizationSuspended => "its organization is suspended",
        DenyReason::UserSuspended => "its owner is suspended",
        DenyReason::NotAMember => "its owner is no longer a member of its organization",
        DenyReason::MembershipSuspended => "its owner's membership is suspended",
        DenyReason::TokensNotAllowed => {
            "its owner may not use personal access tokens at the moment"
        }
        DenyReason::AddressNotAllowed => "it may not be used from this address",
        DenyReason::PermissionMissing => "it may not do this",
    }
}
