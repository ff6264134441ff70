//! What is wrong with one field of a request.

use super::{ServiceError, sentence};
use hallpass_domain::{
    access_token::ExpirationRefused,
    name::{MalformedEmail, MalformedName},
    permission::{MalformedSet, Permission},
};

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidField {
    /// Its name in the request.
    pub field: &'static str,
    /// The stable code.
    pub code: &'static str,
    /// What is wrong, and the way out.
    pub detail: String,
}

impl InvalidField {
    /// A field, the code of what is wrong with it, and the words.
    pub fn new(field: &'static str, code: &'static str, detail: impl std::fmt::Display) -> Self {
        Self {
            field,
            code,
            detail: sentence(&detail.to_string()),
        }
    }

    /// A name that is none.
    pub fn name(field: &'static str, error: MalformedName) -> Self {
        let code = match error {
            MalformedName::Empty => "name_required",
            MalformedName::TooLong { .. } => "name_too_long",
            MalformedName::Character(_) => "name_malformed",
        };
        Self::new(field, code, error)
    }

    /// An address that is none.
    pub fn email(error: MalformedEmail) -> Self {
        Self::new("email", "email_malformed", error)
    }

    /// An expiration that cannot be.
    pub fn expiration(error: ExpirationRefused) -> Self {
        let code = match error {
            ExpirationRefused::Required => "expiration_required",
            ExpirationRefused::NotInFuture => "expiration_not_in_future",
            ExpirationRefused::Malformed(_) => "expiration_malformed",
        };
        Self::new("expirationDate", code, error)
    }

    /// A list of permissions that is none.
    pub fn scope(error: &MalformedSet) -> Self {
        let code = match error {
            MalformedSet::Permission { .. } => "permission_malformed",
            MalformedSet::TooMany => "scope_too_long",
        };
        Self::new("scope", code, error)
    }

    /// A permission that the owner's role does not hold.
    pub fn not_held(permission: &Permission) -> Self {
        Self::new(
            "scope",
            "permission_not_held",
            format!("your role does not hold {permission}, so a token cannot either"),
        )
    }
}

impl From<InvalidField> for ServiceError {
    fn from(field: InvalidField) -> Self {
        Self::Invalid(vec![field])
    }
}
