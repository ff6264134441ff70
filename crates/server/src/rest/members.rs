//! `/v1/organizations/{organization}/members`.

use super::{
    named::Named,
    organizations::standing,
    parameters::{self, Parameters},
    refusals::Refusals,
    shapes,
};
use crate::{
    app::App,
    caller::{Acting, Context},
    error::ServiceError,
    problem::{ApiError, Json},
    service::{
        acting::Actor,
        members::{MemberChange, NewMember},
    },
};
use axum::extract::{RawQuery, State};
use hallpass_domain::{
    id::{RoleId, UserId},
    permission::Permission,
    role::BuiltInRole,
};
use hallpass_store::MemberQuery;
use hallpass_wire::{AddMember, ChangeMember, Member, MemberList, Problem};
use http::StatusCode;

const TAG: &str = "Members";
const LIST: &str = "members";

pub(super) fn user_id(text: &str) -> Result<UserId, ServiceError> {
    UserId::parse(text).map_err(|_| ServiceError::NotFound("user"))
}

/// List the members
///
/// Needs `hallpass:members`.
#[utoipa::path(get, path = "/v1/organizations/{organization}/members", tag = TAG, operation_id = "listMembers",
    params(
        ("organization" = String, Path, description = "The organization's id"),
        ("search" = Option<String>, Query, description = "With this in their name or address"),
        ("role" = Option<String>, Query, description = "With this role: its id, or its name"),
        ("standing" = Option<String>, Query, description = "`active` or `suspended`"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 50 unless you say otherwise"),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the answer before"),
    ),
    responses((status = 200, body = MemberList), Refusals), security(("session" = []), ("token" = [])))]
pub(super) async fn list(
    State(app): State<App>,
    Acting(actor): Acting,
    RawQuery(query): RawQuery,
) -> Result<Json<MemberList>, ApiError> {
    let known = ["search", "role", "standing", "limit", "cursor"];
    let asked = Parameters::read(query.as_deref(), &known, &[])?;
    let limit = asked.limit()?;
    let role = match asked.get("role") {
        Some(text) => Some(role_named(&app, &actor, text).await?),
        None => None,
    };
    let query = MemberQuery {
        search: asked.search()?,
        role,
        standing: asked.get("standing").map(standing).transpose()?,
        after: asked
            .cursor(LIST, |place| Some(place.to_owned()))?
            .unwrap_or_default(),
        limit: limit + 1,
    };
    let found = app.services.list_members(&actor, &query).await?;
    let (found, next_cursor) = parameters::page(found, limit, |last| {
        parameters::cursor(LIST, &last.sort_key())
    });
    Ok(Json(MemberList {
        items: found.iter().map(shapes::member).collect(),
        next_cursor,
    }))
}

/// The role that is named. Who may not manage members is not told whether there is one: the use case refuses them
/// whatever it is, and writes that down.
pub(super) async fn role_named(
    app: &App,
    actor: &Actor,
    text: &str,
) -> Result<RoleId, ServiceError> {
    if actor.may(Permission::MEMBERS) {
        app.services.resolve_role(actor, text).await
    } else {
        Ok(BuiltInRole::Viewer.id())
    }
}

/// Make a user a member
///
/// For those who manage the users of the deployment; all others invite.
#[utoipa::path(post, path = "/v1/organizations/{organization}/members", tag = TAG, operation_id = "addMember",
    params(("organization" = String, Path, description = "The organization's id")),
    request_body = AddMember,
    responses(
        (status = 201, body = Member),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`already_member`"),
        Refusals), security(("session" = []), ("token" = [])))]
pub(super) async fn add(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    Json(body): Json<AddMember>,
) -> Result<(StatusCode, Json<Member>), ApiError> {
    let new = NewMember {
        user: user_id(&body.user)?,
        role: role_named(&app, &actor, &body.role).await?,
        may_have_tokens: body.may_have_tokens,
    };
    let member = app.services.add_member(&actor, new, &context).await?;
    Ok((StatusCode::CREATED, Json(shapes::member(&member))))
}

/// Show a member
#[utoipa::path(get, path = "/v1/organizations/{organization}/members/{user}", tag = TAG, operation_id = "showMember",
    params(
        ("organization" = String, Path, description = "The organization's id"),
        ("user" = String, Path, description = "The user's id"),
    ),
    responses((status = 200, body = Member), Refusals), security(("session" = []), ("token" = [])))]
pub(super) async fn show(
    State(app): State<App>,
    Acting(actor): Acting,
    Named(user): Named,
) -> Result<Json<Member>, ApiError> {
    let member = app.services.get_member(&actor, user_id(&user)?).await?;
    Ok(Json(shapes::member(&member)))
}

/// Change a member
///
/// Their role, their standing, and whether they may have tokens. When this returns, their tokens may do what that leaves
/// them. You can only give and take away a role that holds nothing you do not hold.
#[utoipa::path(patch, path = "/v1/organizations/{organization}/members/{user}", tag = TAG, operation_id = "changeMember",
    params(
        ("organization" = String, Path, description = "The organization's id"),
        ("user" = String, Path, description = "The user's id"),
    ),
    request_body = ChangeMember,
    responses(
        (status = 200, body = Member),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`standing_unknown`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`last_superuser`, `changed_meanwhile`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`permission_missing`, `above_your_role`, `own_gate`, `csrf_required`, `address_not_allowed`"),
        Refusals), security(("session" = []), ("token" = [])))]
pub(super) async fn change(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    Named(user): Named,
    Json(body): Json<ChangeMember>,
) -> Result<Json<Member>, ApiError> {
    let role = match &body.role {
        Some(text) => Some(role_named(&app, &actor, text).await?),
        None => None,
    };
    let change = MemberChange {
        role,
        standing: body.standing.as_deref().map(standing).transpose()?,
        may_have_tokens: body.may_have_tokens,
    };
    let member = app
        .services
        .change_member(&actor, user_id(&user)?, change, &context)
        .await?;
    Ok(Json(shapes::member(&member)))
}

/// Remove a member
///
/// Their tokens here are revoked with it, so that they stay dead if the person comes back. Everybody may leave.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/members/{user}", tag = TAG, operation_id = "removeMember",
    params(
        ("organization" = String, Path, description = "The organization's id"),
        ("user" = String, Path, description = "The user's id"),
    ),
    responses(
        (status = 204, description = "Removed"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`last_superuser`, `changed_meanwhile`"),
        Refusals), security(("session" = []), ("token" = [])))]
pub(super) async fn remove(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    Named(user): Named,
) -> Result<StatusCode, ApiError> {
    app.services
        .remove_member(&actor, user_id(&user)?, &context)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
