//! Inviting somebody: the form, the one page that shows the link, and the invitations that are open.

use super::{
    PageError,
    form::{Errors, Fields},
    give::{self, RoleChoice},
    page_with, see_other,
    view::{Frame, Moment},
    visitor::{Asked, Sent, Visitor},
};
use crate::{
    app::App,
    error::{InvalidField, ServiceError},
    service::invitations::{Invited, Wish},
};
use askama::{Template, filters::HtmlSafe};
use axum::{
    extract::{Path, State},
    response::Response,
};
use hallpass_domain::{
    id::{InvitationId, RoleId},
    name::Email,
    role::BuiltInRole,
    time::Timestamp,
};
use hallpass_store::Invitation;
use http::StatusCode;
use zeroize::Zeroizing;

const PATH: &str = "/settings/organization/members/invite";

/// The link of an invitation on its way into the one page that shows it.
#[derive(Template)]
#[template(path = "part/invited.html")]
pub(super) struct InvitedView {
    email: String,
    until: Moment,
    link: Zeroizing<String>,
}

impl HtmlSafe for InvitedView {}

impl std::fmt::Debug for InvitedView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InvitedView(…)")
    }
}

impl InvitedView {
    pub(super) fn new(app: &App, made: &Invited) -> Self {
        let (base, code) = (&app.base_url, made.code.as_str());
        Self {
            email: made.invitation.email.to_string(),
            until: Moment::dated(made.invitation.expires_at),
            link: Zeroizing::new(format!("{base}/invitation?code={code}")),
        }
    }
}

/// An open invitation.
struct OpenInvitation {
    id: String,
    email: String,
    role: String,
    may_have_tokens: bool,
    made: Moment,
    ends: Moment,
}

impl OpenInvitation {
    fn of(open: &Invitation, now: Timestamp) -> Self {
        Self {
            id: open.id.to_string(),
            email: open.email.to_string(),
            role: open.role_name.clone(),
            may_have_tokens: open.may_have_tokens,
            made: Moment::past(open.created, now),
            ends: Moment::coming(open.expires_at, now),
        }
    }
}

/// What was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Form {
    email: String,
    role: Option<RoleId>,
    /// `role` for what the role says, `allowed` or `not`.
    tokens: &'static str,
}

impl Form {
    fn empty() -> Self {
        Self {
            email: String::new(),
            role: Some(BuiltInRole::Member.id()),
            tokens: "role",
        }
    }

    fn read(fields: &Fields) -> Self {
        Self {
            email: fields.get("email").to_owned(),
            role: give::read(fields, "role"),
            tokens: match fields.get("tokens") {
                "allowed" => "allowed",
                "not" => "not",
                _ => "role",
            },
        }
    }

    fn wish(&self) -> Result<Wish, ServiceError> {
        let email = Email::parse(&self.email).map_err(InvalidField::email)?;
        let role = self.role.ok_or_else(|| {
            InvalidField::new("role", "role_required", "Choose the role that they get.")
        })?;
        Ok(Wish {
            email,
            role,
            may_have_tokens: match self.tokens {
                "allowed" => Some(true),
                "not" => Some(false),
                _ => None,
            },
        })
    }
}

#[derive(Template)]
#[template(path = "invite.html")]
struct InvitePage {
    frame: Frame,
    invited: Option<InvitedView>,
    withdrawn: bool,
    email: String,
    roles: Vec<RoleChoice>,
    tokens: [(&'static str, &'static str, bool); 3],
    open: Vec<OpenInvitation>,
    errors: Errors,
}

async fn invite_page(
    app: &App,
    visitor: &Visitor,
    form: Form,
    errors: Errors,
) -> Result<InvitePage, ServiceError> {
    let (actor, now) = (visitor.actor(), app.services.clock.now());
    let open = app.services.list_invitations(&actor).await?;
    let choice = |word, label| (word, label, form.tokens == word);
    Ok(InvitePage {
        frame: Frame::new(visitor, "members"),
        invited: None,
        withdrawn: false,
        roles: give::roles(app, &actor, form.role).await?,
        tokens: [
            choice("role", "As the role says"),
            choice("allowed", "Allowed"),
            choice("not", "Not allowed"),
        ],
        open: open
            .iter()
            .map(|open| OpenInvitation::of(open, now))
            .collect(),
        email: form.email,
        errors,
    })
}

pub(super) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Asked(asked): Asked,
) -> Result<Response, PageError> {
    let mut shown = invite_page(&app, &visitor, Form::empty(), Errors::default()).await?;
    shown.withdrawn = asked.get("withdrawn") == "1";
    page_with(StatusCode::OK, &shown)
}

pub(super) async fn invite(State(app): State<App>, sent: Sent) -> Result<Response, PageError> {
    let (visitor, form) = (&sent.visitor, Form::read(&sent.fields));
    match try_invite(&app, visitor, &form).await {
        Ok(made) => {
            let mut shown = invite_page(&app, visitor, Form::empty(), Errors::default()).await?;
            shown.invited = Some(InvitedView::new(&app, &made));
            page_with(StatusCode::OK, &shown)
        }
        Err(error) => {
            let (status, errors) = (error.face().status, Errors::of_service(error)?);
            page_with(status, &invite_page(&app, visitor, form, errors).await?)
        }
    }
}

async fn try_invite(app: &App, visitor: &Visitor, form: &Form) -> Result<Invited, ServiceError> {
    let wish = form.wish()?;
    app.services
        .invite(&visitor.actor(), &wish, &visitor.context)
        .await
}

pub(super) async fn withdraw(
    State(app): State<App>,
    Path(id): Path<String>,
    sent: Sent,
) -> Result<Response, PageError> {
    let visitor = &sent.visitor;
    let id = InvitationId::parse(&id).map_err(|_| ServiceError::NotFound("invitation"))?;
    let done = app
        .services
        .withdraw_invitation(&visitor.actor(), id, &visitor.context)
        .await;
    match done {
        Ok(()) => Ok(see_other(&format!("{PATH}?withdrawn=1"))),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: &str) -> Form {
        Form::read(&Fields::parse(form.as_bytes()))
    }

    #[test]
    fn a_form_becomes_a_wish() {
        let role = "role=019393a0-7e5c-7c31-9d0c-1f2e3d4c5b6a&email=bob%40acme.example";
        for (tokens, expected) in [
            ("role", None),
            ("allowed", Some(true)),
            ("not", Some(false)),
            ("", None),
        ] {
            let wish = read(&format!("{role}&tokens={tokens}")).wish().unwrap();
            assert_eq!(wish.may_have_tokens, expected, "{tokens}");
            assert_eq!(wish.email.as_str(), "bob@acme.example");
        }
    }

    #[test]
    fn what_is_missing_is_said_beside_its_field() {
        let field = |form| Errors::of_service(read(form).wish().unwrap_err()).unwrap();
        assert!(field("email=bob&role=x").of("email").is_some());
        assert!(field("email=b%40c.example&role=x").of("role").is_some());
    }
}
