//! `/v1/organizations/{organization}/invitations` and `/v1/invitations`.

use super::{members::role_named, named::Named, refusals::Refusals, sessions::signed_in, shapes};
use crate::{
    app::App,
    caller::{Acting, Context},
    cookies,
    error::{InvalidField, ServiceError},
    problem::{ApiError, Json},
    service::invitations::{NewPerson, Wish},
};
use axum::{extract::State, response::Response};
use hallpass_domain::{id::InvitationId, name::Email};
use hallpass_wire::{AcceptInvitation, Invitation, InvitationList, Invite, NewSession, Problem};
use http::{HeaderMap, StatusCode};

const TAG: &str = "Members";

/// List open invitations
///
/// Needs `hallpass:members`.
#[utoipa::path(get, path = "/v1/organizations/{organization}/invitations", tag = TAG, operation_id = "listInvitations",
    params(("organization" = String, Path, description = "The organization's id")),
    responses((status = 200, body = InvitationList), Refusals), security(("session" = []), ("token" = [])))]
pub(super) async fn list(
    State(app): State<App>,
    Acting(actor): Acting,
) -> Result<Json<InvitationList>, ApiError> {
    let found = app.services.list_invitations(&actor).await?;
    Ok(Json(InvitationList {
        items: found.iter().map(shapes::invitation).collect(),
    }))
}

/// Invite somebody
///
/// The link is in this answer and in no other; it works once, for seven days. An open invitation for the same address is
/// withdrawn.
#[utoipa::path(post, path = "/v1/organizations/{organization}/invitations", tag = TAG, operation_id = "invite",
    params(("organization" = String, Path, description = "The organization's id")),
    request_body = Invite,
    responses(
        (status = 201, body = Invitation),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`email_malformed`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`already_member`, `too_many`"),
        Refusals), security(("session" = []), ("token" = [])))]
pub(super) async fn invite(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    Json(body): Json<Invite>,
) -> Result<(StatusCode, Json<Invitation>), ApiError> {
    let wish = Wish {
        email: Email::parse(&body.email).map_err(InvalidField::email)?,
        role: role_named(&app, &actor, &body.role).await?,
        may_have_tokens: body.may_have_tokens,
    };
    let invited = app.services.invite(&actor, &wish, &context).await?;
    let mut shape = shapes::invitation(&invited.invitation);
    shape.link = Some(format!(
        "{}/invitation?code={}",
        app.base_url,
        invited.code.as_str()
    ));
    shape.code = Some(invited.code.to_string());
    Ok((StatusCode::CREATED, Json(shape)))
}

/// Withdraw an invitation
#[utoipa::path(delete, path = "/v1/organizations/{organization}/invitations/{id}", tag = TAG, operation_id = "withdrawInvitation",
    params(
        ("organization" = String, Path, description = "The organization's id"),
        ("id" = String, Path, description = "The invitation's id"),
    ),
    responses((status = 204, description = "Withdrawn"), Refusals), security(("session" = []), ("token" = [])))]
pub(super) async fn withdraw(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    Named(id): Named,
) -> Result<StatusCode, ApiError> {
    let id = InvitationId::parse(&id).map_err(|_| ServiceError::NotFound("invitation"))?;
    app.services
        .withdraw_invitation(&actor, id, &context)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Accept an invitation
///
/// With the password of the account that has the address, or with a name and a new password if there is none. The answer
/// is a session, as after a sign-in.
#[utoipa::path(post, path = "/v1/invitations/accept", tag = TAG, operation_id = "acceptInvitation",
    request_body = AcceptInvitation,
    responses(
        (status = 201, body = NewSession),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`name_required`, `password_too_short`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_failed`: not the password of the account that has the address"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`invitation_wrong`: used, withdrawn, too old, or no invitation at all"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "`too_many_attempts`, with `Retry-After`"),
    ), security(()))]
pub(super) async fn accept(
    State(app): State<App>,
    Context(context): Context,
    headers: HeaderMap,
    Json(body): Json<AcceptInvitation>,
) -> Result<Response, ApiError> {
    let person = NewPerson {
        name: body.name.unwrap_or_default(),
        password: body.password,
    };
    let device = cookies::read_device(&app, &headers);
    let started = app
        .services
        .accept_invitation(&body.code, &person, device.as_deref(), &context)
        .await?;
    Ok(signed_in(&app, &started))
}
