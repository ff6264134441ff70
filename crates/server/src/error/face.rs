//! How an error looks from outside.

use super::ServiceError;
use http::StatusCode;

/// How an error looks from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Face {
    /// The HTTP status.
    pub status: StatusCode,
    /// The stable code.
    pub code: &'static str,
    /// The same for every error of this kind.
    pub title: &'static str,
}

impl ServiceError {
    /// The one table.
    #[expect(clippy::too_many_lines, reason = "it is one table")]
    pub fn face(&self) -> Face {
        use StatusCode as S;
        let face = |status, code, title| Face {
            status,
            code,
            title,
        };
        match self {
            Self::Invalid(fields) => face(
                S::BAD_REQUEST,
                fields.first().map_or("invalid", |first| first.code),
                "The request is not valid",
            ),
            Self::BadRequest { code, .. } => face(S::BAD_REQUEST, code, "The request is not valid"),
            Self::UnsupportedMediaType(_) => face(
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "The body is of a kind that is not read here",
            ),
            Self::BodyTooLarge(_) => face(
                S::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "The body is too large",
            ),
            Self::TooSlow => face(
                S::REQUEST_TIMEOUT,
                "request_timeout",
                "The request took too long",
            ),
            Self::SignInRequired => {
                face(S::UNAUTHORIZED, "sign_in_required", "Nobody is signed in")
            }
            Self::CredentialRefused(_) => {
                face(S::UNAUTHORIZED, "invalid_token", "The token does not work")
            }
            Self::RecentSignInRequired => face(
                S::FORBIDDEN,
                "recent_sign_in_required",
                "A recent sign-in is needed",
            ),
            Self::CrossSite => face(
                S::FORBIDDEN,
                "csrf_required",
                "The session's value is missing",
            ),
            Self::OrganizationSwitched(_) => face(
                S::FORBIDDEN,
                "organization_switched",
                "Another organization is in force",
            ),
            Self::SignInFailed => face(S::UNAUTHORIZED, "sign_in_failed", "The sign-in failed"),
            Self::TooManyAttempts(_) => face(
                S::TOO_MANY_REQUESTS,
                "too_many_attempts",
                "Too many attempts",
            ),
            Self::PermissionMissing(_) => face(
                S::FORBIDDEN,
                "permission_missing",
                "A permission is missing",
            ),
            Self::AddressNotAllowed => face(
                S::FORBIDDEN,
                "address_not_allowed",
                "The address is not allowed",
            ),
            Self::RoleLacks(_) => face(
                S::FORBIDDEN,
                "permission_missing",
                "A permission is missing",
            ),
            Self::AboveActor(_) => face(
                S::FORBIDDEN,
                "above_your_role",
                "More than you hold yourself",
            ),
            Self::LastSuperuser => face(S::CONFLICT, "last_superuser", "The last superuser stays"),
            Self::OwnGate => face(S::FORBIDDEN, "own_gate", "One's own gate"),
            Self::HostStays => face(S::CONFLICT, "host_stays", "The host stays"),
            Self::AlreadyMember => face(S::CONFLICT, "already_member", "A member already"),
            Self::EmailTaken => face(S::CONFLICT, "email_taken", "The address is taken"),
            Self::InvitationWrong => face(
                S::FORBIDDEN,
                "invitation_wrong",
                "The invitation does not work",
            ),
            Self::NameInUse(_) | Self::KeyNameTaken(_) => {
                face(S::CONFLICT, "name_taken", "The name is taken")
            }
            Self::TooMany(_) => face(S::CONFLICT, "too_many", "Too many"),
            Self::PolicyChangePlanned(_) => face(
                S::CONFLICT,
                "policy_change_planned",
                "A change of the policy is planned",
            ),
            Self::RoleInUse => face(S::CONFLICT, "role_in_use", "The role is in use"),
            Self::RoleBuiltIn(_) => face(S::CONFLICT, "role_built_in", "The role is built in"),
            Self::SetByFile(_) => face(S::CONFLICT, "set_by_file", "The settings file says it"),
            Self::PermissionBuiltIn(_) => face(
                S::CONFLICT,
                "permission_built_in",
                "The permission is built in",
            ),
            Self::TooManySecrets => face(S::CONFLICT, "too_many_secrets", "Too many secrets work"),
            Self::PreviewOutdated { .. } => {
                face(S::CONFLICT, "preview_outdated", "It is not what it was")
            }
            Self::SuspendedByAdmin => face(
                S::FORBIDDEN,
                "suspended_by_admin",
                "An administrator suspended it",
            ),
            Self::TokensNotAllowed(_) => {
                face(S::FORBIDDEN, "tokens_not_allowed", "Tokens are not allowed")
            }
            Self::WiderThanAsker(_) => face(
                S::FORBIDDEN,
                "wider_than_asker",
                "A token makes none wider or longer-lived than itself",
            ),
            Self::NotFound(_) => face(S::NOT_FOUND, "not_found", "Not found"),
            Self::MethodNotAllowed => face(
                S::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "The method is not allowed",
            ),
            Self::NameTaken(_) => face(S::CONFLICT, "name_taken", "The name is taken"),
            Self::TooManyTokens => face(S::CONFLICT, "too_many_tokens", "Too many tokens"),
            Self::TooManyTokensToday => face(
                S::TOO_MANY_REQUESTS,
                "too_many_tokens_today",
                "Too many tokens in one day",
            ),
            Self::KeySuspended => face(S::CONFLICT, "key_suspended", "The key is suspended"),
            Self::TokenEnded => face(S::CONFLICT, "token_ended", "The token has ended"),
            Self::ChangedMeanwhile => {
                face(S::CONFLICT, "changed_meanwhile", "It was changed meanwhile")
            }
            Self::PatchTestFailed => face(
                S::CONFLICT,
                "patch_test_failed",
                "The patch's test does not hold",
            ),
            Self::IdempotencyKeyReused => face(
                S::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "The Idempotency-Key was used before",
            ),
            Self::AlreadySetUp => face(S::CONFLICT, "already_set_up", "It is set up already"),
            Self::SetUpCodeWrong => face(
                S::FORBIDDEN,
                "set_up_code_wrong",
                "The set-up link does not work",
            ),
            Self::Busy => face(S::SERVICE_UNAVAILABLE, "busy", "Too much is waiting"),
            Self::NotAnswering => face(
                S::SERVICE_UNAVAILABLE,
                "not_answering",
                "This node cannot answer",
            ),
            Self::NotYetInForce(_) => face(
                S::SERVICE_UNAVAILABLE,
                "not_yet_in_force",
                "The change is kept, but not yet in force",
            ),
            Self::Store(error) if error.is_passing() => face(
                S::SERVICE_UNAVAILABLE,
                "unavailable",
                "The database is not available",
            ),
            Self::Store(_) | Self::Internal(_) => face(
                S::INTERNAL_SERVER_ERROR,
                "internal",
                "Something failed on our side",
            ),
        }
    }
}
