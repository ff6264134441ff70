//! `/v1/users`: the users of the deployment.

use super::{
    members::user_id,
    named::Named,
    organizations::{display_name, standing},
    parameters::{self, Parameters},
    refusals::Refusals,
    shapes,
};
use crate::{
    app::App,
    caller::{Acting, Context},
    error::InvalidField,
    problem::{ApiError, Json},
    service::users::NewUser,
};
use axum::extract::{RawQuery, State};
use hallpass_domain::name::Email;
use hallpass_wire::{ChangeUser, CreateUser, Problem, User, UserList};
use http::StatusCode;

const TAG: &str = "Users";
const LIST: &str = "users";

/// List all users
///
/// For those who hold `hallpass:deployment` in the organization that runs the deployment.
#[utoipa::path(get, path = "/v1/users", tag = TAG, operation_id = "listUsers",
    params(
        ("search" = Option<String>, Query, description = "With this in their name or address"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 50 unless you say otherwise"),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the answer before"),
    ),
    responses((status = 200, body = UserList), Refusals), security(("session" = []), ("token" = [])))]
pub(super) async fn list(
    State(app): State<App>,
    Acting(actor): Acting,
    RawQuery(query): RawQuery,
) -> Result<Json<UserList>, ApiError> {
    let asked = Parameters::read(query.as_deref(), &["search", "limit", "cursor"], &[])?;
    let (search, limit) = (asked.search()?, asked.limit()?);
    let after = asked
        .cursor(LIST, |place| Some(place.to_owned()))?
        .unwrap_or_default();
    let found = app
        .services
        .list_users(&actor, &search, &after, limit + 1)
        .await?;
    let (found, next_cursor) = parameters::page(found, limit, |last| {
        parameters::cursor(LIST, &last.email.key())
    });
    Ok(Json(UserList {
        items: found.iter().map(shapes::user).collect(),
        next_cursor,
    }))
}

/// Make a user
///
/// They are a member of nothing yet. Without a password they cannot sign in with one.
#[utoipa::path(post, path = "/v1/users", tag = TAG, operation_id = "createUser",
    request_body = CreateUser,
    responses(
        (status = 201, body = User),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`email_malformed`, `name_malformed`, `password_too_short`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`email_taken`"),
        Refusals), security(("session" = []), ("token" = [])))]
pub(super) async fn create(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    Json(body): Json<CreateUser>,
) -> Result<(StatusCode, Json<User>), ApiError> {
    let new = NewUser {
        email: Email::parse(&body.email).map_err(InvalidField::email)?,
        name: display_name("name", &body.name)?,
        password: body.password,
    };
    let user = app.services.create_user(&actor, new, &context).await?;
    Ok((StatusCode::CREATED, Json(shapes::user(&user))))
}

/// Show a user
#[utoipa::path(get, path = "/v1/users/{id}", tag = TAG, operation_id = "showUser",
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 200, body = User), Refusals), security(("session" = []), ("token" = [])))]
pub(super) async fn show(
    State(app): State<App>,
    Acting(actor): Acting,
    Named(id): Named,
) -> Result<Json<User>, ApiError> {
    let user = app.services.get_user(&actor, user_id(&id)?).await?;
    Ok(Json(shapes::user(&user)))
}

/// Suspend or resume a user
///
/// In every organization. When this returns, none of their tokens works, or those work again that nothing else keeps.
#[utoipa::path(patch, path = "/v1/users/{id}", tag = TAG, operation_id = "changeUser",
    params(("id" = String, Path, description = "The user's id")),
    request_body = ChangeUser,
    responses(
        (status = 200, body = User),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`standing_unknown`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`last_superuser`"),
        Refusals), security(("session" = []), ("token" = [])))]
pub(super) async fn change(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    Named(id): Named,
    Json(body): Json<ChangeUser>,
) -> Result<Json<User>, ApiError> {
    let user = app
        .services
        .set_user_standing(&actor, user_id(&id)?, standing(&body.standing)?, &context)
        .await?;
    Ok(Json(shapes::user(&user)))
}

/// Remove a user
///
/// Their memberships end, their tokens are revoked everywhere, and their address is free.
#[utoipa::path(delete, path = "/v1/users/{id}", tag = TAG, operation_id = "removeUser",
    params(("id" = String, Path, description = "The user's id")),
    responses(
        (status = 204, description = "Removed"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`last_superuser`"),
        Refusals), security(("session" = []), ("token" = [])))]
pub(super) async fn remove(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    Named(id): Named,
) -> Result<StatusCode, ApiError> {
    app.services
        .remove_user(&actor, user_id(&id)?, &context)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
