//! Forms and queries as pairs, and what to say about their fields.

use super::failure::PageError;
use crate::error::{InvalidField, ServiceError};
use askama::Template;
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
};
use hallpass_domain::limits::FORM_BYTES_MAX;
use http::header;
use std::fmt;
use zeroize::Zeroize;

/// The media type of a form.
const FORM: &str = "application/x-www-form-urlencoded";

/// The fields of a form or a query, in order. It may hold a password: no `Debug` of values, zeroed when dropped.
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads `a=1&b=2`; what is no UTF-8 becomes a character that no field of ours takes.
    pub(super) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The value of `name`; of a field that is sent twice the first counts, of one that is not sent "".
    pub(super) fn get(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// Every value of `name`.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Reads a form from a request's body.
    pub(super) async fn read(request: Request) -> Result<Self, PageError> {
        let kind = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if !kind
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .eq_ignore_ascii_case(FORM)
        {
            return Err(ServiceError::UnsupportedMediaType("the form of a page").into());
        }
        match Bytes::from_request(request, &()).await {
            Ok(body) => Ok(Self::parse(&body)),
            Err(rejection) if rejection.status() == http::StatusCode::PAYLOAD_TOO_LARGE => {
                Err(ServiceError::BodyTooLarge(FORM_BYTES_MAX).into())
            }
            Err(_) => Err(ServiceError::BadRequest {
                code: "body_malformed",
                detail: "the form did not arrive whole; send it again".to_owned(),
            }
            .into()),
        }
    }
}

impl Drop for Fields {
    fn drop(&mut self) {
        for (_, value) in &mut self.0 {
            value.zeroize();
        }
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

/// What is wrong with a form, each beside its field; `form` is the form as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Errors(Vec<(&'static str, String)>);

impl Errors {
    /// One thing is wrong.
    pub(super) fn one(field: &'static str, words: impl Into<String>) -> Self {
        Self(vec![(field, words.into())])
    }

    /// Whether nothing is wrong.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is wrong with `field`.
    pub(super) fn of(&self, field: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(name, _)| *name == field)
            .map(|(_, words)| words.as_str())
    }

    /// The line beside a field that says what is wrong with it.
    pub(super) fn said(&self, field: &'static str) -> Said<'_> {
        Said {
            field,
            words: self.of(field),
        }
    }

    /// The attributes that tie a field to its hint and to what is wrong with it.
    pub(super) fn attributes(&self, field: &'static str, hint: &'static str) -> Tied {
        Tied {
            field,
            wrong: self.of(field).is_some(),
            hint,
        }
    }

    /// What people can put right in the form; everything else is for a page of its own.
    pub(super) fn of_service(error: ServiceError) -> Result<Self, ServiceError> {
        if let ServiceError::Invalid(fields) = &error {
            return Ok(Self(fields.iter().map(said_on_pages).collect()));
        }
        let Some(field) = field_of(&error) else {
            return Err(error);
        };
        let words = said_plainly(&error).unwrap_or_else(|| error.detail());
        Ok(Self::one(field, words))
    }
}

/// The field beside which an error is said; none for what no form can put right.
fn field_of(error: &ServiceError) -> Option<&'static str> {
    use ServiceError as E;
    Some(match error {
        E::NameTaken(_) | E::KeyNameTaken(_) | E::NameInUse(_) => "name",
        E::RecentSignInRequired | E::SignInFailed | E::TooManyAttempts(_) => "password",
        E::AboveActor(_) => "role",
        E::AlreadyMember | E::EmailTaken => "email",
        E::RoleInUse => "move_to",
        E::LastSuperuser
        | E::ChangedMeanwhile
        | E::PreviewOutdated { .. }
        | E::TooManyTokens
        | E::TooManySecrets
        | E::SuspendedByAdmin
        | E::KeySuspended
        | E::TokenEnded
        | E::TooManyTokensToday
        | E::TooMany(_)
        | E::HostStays
        | E::OwnGate
        | E::RoleBuiltIn(_)
        | E::SetByFile(_)
        | E::PermissionBuiltIn(_) => "form",
        _ => return None,
    })
}

/// Where the words of the REST interface speak to a program, those for people.
fn said_plainly(error: &ServiceError) -> Option<String> {
    use ServiceError as E;
    Some(match error {
        E::NameTaken(prefix) => format!(
            "You already have a token with this name: {prefix}. Choose another name, or revoke that one first."
        ),
        E::KeyNameTaken(prefix) => format!(
            "There is a key with this name already: {prefix}. Choose another name, or revoke that one first."
        ),
        E::RecentSignInRequired => {
            "Your sign-in is more than five minutes ago. Type your password once more.".to_owned()
        }
        E::SignInFailed => "This is not your password.".to_owned(),
        E::TooManyAttempts(seconds) => format!(
            "Too many wrong passwords. Try again in {}.",
            super::words::span(*seconds)
        ),
        E::LastSuperuser => "This is the last active superuser of an organization, which keeps at least one. Make somebody else there a superuser first.".to_owned(),
        E::AboveActor(permission) => format!(
            "This holds {permission}, which you do not. You can only give and take away what you hold yourself."
        ),
        E::RoleInUse => "Somebody has this role. Choose the role that its members get, and withdraw the open invitations to it.".to_owned(),
        E::ChangedMeanwhile => "Somebody else changed something here at the same time. Look at it as it is now, then send it once more.".to_owned(),
        E::PreviewOutdated { expected, found } => format!(
            "Nothing was changed: it would be {found} by now, not {expected}. Look at them once more, then confirm."
        ),
        _ => return None,
    })
}

/// The service speaks of the fields of the REST interface; a form has others.
fn said_on_pages(field: &InvalidField) -> (&'static str, String) {
    let name = match field.field {
        "expirationDate" | "userAwareTokenNeverExpires" => "expires",
        "scope" => "may",
        other => other,
    };
    let words = match field.code {
        "expiration_required" => "Say when it ends, or tick that you know that it never does.",
        "expiration_not_in_future" => "Choose a day that is not over yet.",
        "expiration_malformed" => "Choose a date, such as 2027-01-31.",
        "scope_empty" => "Choose at least one permission.",
        "not_before_malformed"
        | "until_malformed"
        | "enforce_at_malformed"
        | "overlap_malformed" => "Choose a day, such as 2027-01-31.",
        "not_before_too_late" => "Choose a day before it ends.",
        "until_not_in_future" | "overlap_not_in_future" => "Choose a day that is still to come.",
        "overlap_too_long" => "Choose at most 30 days from now.",
        "overlap_required" => "Say what becomes of the old secret.",
        "enforce_at_out_of_range" => "Choose a day of the next 365.",
        "days_malformed" => "Type a number of days from 1 to 3,650, or nothing for no limit.",
        "scope_too_long" => {
            return (
                name,
                format!(
                    "Choose at most {} permissions.",
                    hallpass_domain::limits::SCOPE_PERMISSIONS_MAX
                ),
            );
        }
        _ => field.detail.as_str(),
    };
    (name, words.to_owned())
}

/// See [`Errors::said`].
#[derive(Debug)]
pub(super) struct Said<'a> {
    field: &'static str,
    words: Option<&'a str>,
}

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(words) = self.words else {
            return Ok(());
        };
        let words =
            askama::filters::escape(words, askama::filters::Html).map_err(|_| fmt::Error)?;
        write!(
            f,
            r#"<p class="wrong" id="{}-wrong">{words}</p>"#,
            self.field
        )
    }
}

impl askama::filters::HtmlSafe for Said<'_> {}

/// See [`Errors::attributes`].
#[derive(Debug)]
pub(super) struct Tied {
    field: &'static str,
    wrong: bool,
    hint: &'static str,
}

impl fmt::Display for Tied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.wrong, self.hint) {
            (false, "") => Ok(()),
            (false, hint) => write!(f, r#" aria-describedby="{hint}""#),
            (true, "") => write!(
                f,
                r#" aria-invalid="true" aria-describedby="{}-wrong""#,
                self.field
            ),
            (true, hint) => write!(
                f,
                r#" aria-invalid="true" aria-describedby="{}-wrong {hint}""#,
                self.field
            ),
        }
    }
}

impl askama::filters::HtmlSafe for Tied {}

/// The field that asks again for the password of someone whose sign-in is not recent.
#[derive(Debug, Template)]
#[template(path = "part/password.html")]
pub(super) struct PasswordView {
    pub(super) asked: bool,
    pub(super) required: bool,
    pub(super) hint: &'static str,
    pub(super) errors: Errors,
}

impl askama::filters::HtmlSafe for PasswordView {}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_domain::{access_token::ExpirationRefused, token::Prefix};

    #[test]
    fn fields_are_read_in_order_and_the_first_counts() {
        let fields = Fields::parse(
            b"name=a+b%20c&p=repo%3Aread&p=repo%3Awrite&name=second&empty=&=x&bad=%ff%zz",
        );
        assert_eq!(fields.get("name"), "a b c");
        assert_eq!(
            fields.all("p").collect::<Vec<_>>(),
            ["repo:read", "repo:write"]
        );
        assert_eq!((fields.get("empty"), fields.get("absent")), ("", ""));
        assert_eq!(fields.get("bad"), "\u{fffd}%zz");
    }

    #[test]
    fn a_password_is_not_in_the_debug_text() {
        assert_eq!(
            format!("{:?}", Fields::parse(b"password=canary&name=x")),
            r#"["password", "name"]"#
        );
    }

    #[test]
    fn what_is_wrong_stands_beside_its_field_and_is_escaped() {
        let errors = Errors::one("name", "a <b> & \"c\"");
        assert_eq!(
            errors.said("name").to_string(),
            r#"<p class="wrong" id="name-wrong">a &#60;b&#62; &#38; &#34;c&#34;</p>"#
        );
        assert_eq!(
            errors.attributes("name", "name-hint").to_string(),
            r#" aria-invalid="true" aria-describedby="name-wrong name-hint""#
        );
        assert_eq!(errors.attributes("may", "").to_string(), "");
        assert_eq!(errors.said("may").to_string(), "");
    }

    #[test]
    fn every_refusal_that_can_be_put_right_finds_its_field() {
        let field = |error| Errors::of_service(error).unwrap().0;
        for whole in [
            ServiceError::TooManyTokens,
            ServiceError::TooManyTokensToday,
            ServiceError::ChangedMeanwhile,
        ] {
            assert_eq!(field(whole)[0].0, "form");
        }
        let required = field(InvalidField::expiration(ExpirationRefused::Required).into());
        assert_eq!(required[0].0, "expires");
        assert!(
            !required[0].1.contains("expirationDate"),
            "pages do not speak of the REST interface's fields"
        );
        assert_eq!(
            field(InvalidField::new("scope", "scope_empty", "x").into())[0].0,
            "may"
        );
        let taken = field(ServiceError::NameTaken(
            Prefix::parse("hpp_b81XaP").unwrap(),
        ));
        assert!(taken[0].0 == "name" && taken[0].1.contains("hpp_b81XaP"));
        for error in [
            ServiceError::RecentSignInRequired,
            ServiceError::SignInFailed,
            ServiceError::TooManyAttempts(90),
        ] {
            assert_eq!(field(error)[0].0, "password");
        }
        assert!(Errors::of_service(ServiceError::NotFound("token")).is_err());
    }
}
