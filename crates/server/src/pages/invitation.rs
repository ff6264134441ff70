//! Accepting an invitation: with an account by its password, without one by making it.

use super::{
    PageError,
    form::Errors,
    page_with,
    sign_in::begun,
    view::Moment,
    visitor::{Asked, SentByAnyone},
};
use crate::{
    app::App,
    error::ServiceError,
    service::invitations::{NewPerson, Offer},
};
use askama::Template;
use axum::{extract::State, response::Response};
use http::StatusCode;

#[derive(Template)]
#[template(path = "invitation.html")]
struct InvitationPage<'a> {
    code: &'a str,
    organization: &'a str,
    role: &'a str,
    email: &'a str,
    /// Whether an account has the address already. Not whose: whoever holds the link need not be the person invited.
    has_account: bool,
    may_have_tokens: bool,
    until: Moment,
    name: &'a str,
    errors: Errors,
}

pub(super) async fn show(
    State(app): State<App>,
    Asked(asked): Asked,
) -> Result<Response, PageError> {
    let code = asked.get("code");
    let offer = app.services.look_at_invitation(code).await?;
    show_offer(&offer, code, "", StatusCode::OK, Errors::default())
}

fn show_offer(
    offer: &Offer,
    code: &str,
    name: &str,
    status: StatusCode,
    errors: Errors,
) -> Result<Response, PageError> {
    let shown = InvitationPage {
        code,
        organization: offer.organization.name.as_str(),
        role: offer.role.name.as_str(),
        email: offer.invitation.email.as_str(),
        has_account: offer.account.is_some(),
        may_have_tokens: offer.invitation.may_have_tokens,
        until: Moment::dated(offer.invitation.expires_at),
        name,
        errors,
    };
    page_with(status, &shown)
}

pub(super) async fn accept(
    State(app): State<App>,
    sent: SentByAnyone,
) -> Result<Response, PageError> {
    let [code, name, password] = ["code", "name", "password"].map(|field| sent.fields.get(field));
    let offer = app.services.look_at_invitation(code).await?;
    let person = NewPerson {
        name: name.to_owned(),
        password: password.to_owned(),
    };
    let accepted = app
        .services
        .accept_invitation(code, &person, sent.device.as_deref(), &sent.context)
        .await;
    match accepted {
        Ok(started) => {
            app.services
                .end_replaced(sent.replaced.as_ref(), &sent.context)
                .await?;
            Ok(begun(&app, &started, "/"))
        }
        Err(error) => show_again(&offer, code, name, error),
    }
}

/// The form once more, with what is wrong; never the password.
fn show_again(
    offer: &Offer,
    code: &str,
    name: &str,
    error: ServiceError,
) -> Result<Response, PageError> {
    let status = error.face().status;
    let errors = match error {
        // The link leads nowhere for them any more: a page of its own says so.
        error @ (ServiceError::AlreadyMember | ServiceError::EmailTaken) => {
            return Err(error.into());
        }
        error => Errors::of_service(error)?,
    };
    show_offer(offer, code, name, status, errors)
}
