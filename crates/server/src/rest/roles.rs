//! `/v1/organizations/{organization}/roles`.

use super::{
    named::Named, organizations::display_name, parameters::Parameters, refusals::Refusals, shapes,
};
use crate::{
    app::App,
    caller::{Acting, Context},
    error::{InvalidField, ServiceError},
    problem::{ApiError, Json},
    service::roles::{RoleWish, parse_description},
};
use axum::extract::{RawQuery, State};
use hallpass_domain::{id::RoleId, permission::PermissionSet};
use hallpass_wire::{Problem, Role, RoleDeleted, RoleList, WriteRole};
use http::StatusCode;

const TAG: &str = "Roles and permissions";

fn wish(body: &WriteRole) -> Result<RoleWish, ServiceError> {
    let permissions =
        PermissionSet::parse(body.permissions.iter().map(String::as_str)).map_err(|error| {
            InvalidField {
                field: "permissions",
                ..InvalidField::scope(&error)
            }
        })?;
    Ok(RoleWish {
        name: display_name("name", &body.name)?,
        description: parse_description(&body.description)?,
        permissions,
        tokens_by_default: body.tokens_by_default.unwrap_or(true),
    })
}

fn role_id(text: &str) -> Result<RoleId, ServiceError> {
    RoleId::parse(text).map_err(|_| ServiceError::NotFound("role"))
}

/// List the roles
///
/// The built-in ones and the organization's own, with how many have them. Needs `hallpass:members`, `hallpass:keys` or
/// `hallpass:roles`.
#[utoipa::path(get, path = "/v1/organizations/{organization}/roles", tag = TAG, operation_id = "listRoles",
    params(("organization" = String, Path, description = "The organization's id")),
    responses((status = 200, body = RoleList), Refusals), security(("session" = []), ("token" = [])))]
pub(super) async fn list(
    State(app): State<App>,
    Acting(actor): Acting,
) -> Result<Json<RoleList>, ApiError> {
    let found = app.services.list_roles(&actor).await?;
    let catalogue = app.services.catalogue_set().await?;
    let host = actor.organization.host;
    Ok(Json(RoleList {
        items: found
            .iter()
            .map(|used| shapes::role(used, &catalogue, host))
            .collect(),
    }))
}

/// Make a role
///
/// It can hold nothing that you do not hold. Needs `hallpass:roles`.
#[utoipa::path(post, path = "/v1/organizations/{organization}/roles", tag = TAG, operation_id = "createRole",
    params(("organization" = String, Path, description = "The organization's id")),
    request_body = WriteRole,
    responses(
        (status = 201, body = Role),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`name_malformed`, `description_malformed`, `permission_malformed`, `permission_unknown`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`name_taken`, `too_many`"),
        Refusals), security(("session" = []), ("token" = [])))]
pub(super) async fn create(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    Json(body): Json<WriteRole>,
) -> Result<(StatusCode, Json<Role>), ApiError> {
    let made = app
        .services
        .create_role(&actor, wish(&body)?, &context)
        .await?;
    let catalogue = app.services.catalogue_set().await?;
    let shape = shapes::role(&made, &catalogue, actor.organization.host);
    Ok((StatusCode::CREATED, Json(shape)))
}

/// Show a role
#[utoipa::path(get, path = "/v1/organizations/{organization}/roles/{id}", tag = TAG, operation_id = "showRole",
    params(
        ("organization" = String, Path, description = "The organization's id"),
        ("id" = String, Path, description = "The role's id"),
    ),
    responses((status = 200, body = Role), Refusals), security(("session" = []), ("token" = [])))]
pub(super) async fn show(
    State(app): State<App>,
    Acting(actor): Acting,
    Named(id): Named,
) -> Result<Json<Role>, ApiError> {
    let found = app.services.get_role(&actor, role_id(&id)?).await?;
    let catalogue = app.services.catalogue_set().await?;
    Ok(Json(shapes::role(
        &found,
        &catalogue,
        actor.organization.host,
    )))
}

/// Change a role
///
/// All of it is replaced. Acts at once on everybody who has it and on their tokens. *Member* and *Viewer* are changed, for
/// all organizations, by those who hold `hallpass:deployment`.
#[utoipa::path(put, path = "/v1/organizations/{organization}/roles/{id}", tag = TAG, operation_id = "changeRole",
    params(
        ("organization" = String, Path, description = "The organization's id"),
        ("id" = String, Path, description = "The role's id"),
    ),
    request_body = WriteRole,
    responses(
        (status = 200, body = Role),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`name_malformed`, `description_malformed`, `permission_malformed`, `permission_unknown`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`name_taken`, `role_built_in`, `changed_meanwhile`"),
        Refusals), security(("session" = []), ("token" = [])))]
pub(super) async fn change(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    Named(id): Named,
    Json(body): Json<WriteRole>,
) -> Result<Json<Role>, ApiError> {
    let changed = app
        .services
        .change_role(&actor, role_id(&id)?, wish(&body)?, &context)
        .await?;
    let catalogue = app.services.catalogue_set().await?;
    Ok(Json(shapes::role(
        &changed,
        &catalogue,
        actor.organization.host,
    )))
}

/// Delete a role
///
/// Its members move to the role that `moveMembersTo` names, with the same change. API keys that have it are revoked, since
/// a key's role never changes.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/roles/{id}", tag = TAG, operation_id = "deleteRole",
    params(
        ("organization" = String, Path, description = "The organization's id"),
        ("id" = String, Path, description = "The role's id"),
        ("moveMembersTo" = Option<String>, Query, description = "The role its members get: its id, or its name"),
    ),
    responses(
        (status = 200, body = RoleDeleted),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`role_in_use`, `role_built_in`, `last_superuser`, `changed_meanwhile`"),
        Refusals), security(("session" = []), ("token" = [])))]
pub(super) async fn delete(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    Named(id): Named,
    RawQuery(query): RawQuery,
) -> Result<Json<RoleDeleted>, ApiError> {
    let asked = Parameters::read(query.as_deref(), &["moveMembersTo"], &[])?;
    let to = match asked.get("moveMembersTo") {
        Some(text) => Some(app.services.resolve_role(&actor, text).await?),
        None => None,
    };
    let keys_revoked = app
        .services
        .delete_role(&actor, role_id(&id)?, to, &context)
        .await?;
    Ok(Json(RoleDeleted { keys_revoked }))
}
