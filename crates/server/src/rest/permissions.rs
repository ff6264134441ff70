//! `/v1/permissions`: the catalogue.

use super::{named::Named, refusals::Refusals};
use crate::{
    app::App,
    caller::{Acting, Context},
    error::ServiceError,
    problem::{ApiError, Json},
    service::permissions::parse_entry,
};
use axum::extract::State;
use hallpass_domain::permission::Permission;
use hallpass_wire::{CatalogueEntry, Permissions, Problem, PutPermission};
use http::StatusCode;

const TAG: &str = "Roles and permissions";

/// List the permissions there are
#[utoipa::path(get, path = "/v1/permissions", tag = TAG, operation_id = "listPermissions",
    responses(
        (status = 200, body = Permissions),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn list(
    State(app): State<App>,
    Acting(actor): Acting,
) -> Result<Json<Permissions>, ApiError> {
    let all = app.services.store.catalogue().await?;
    let catalogue = all.iter().map(|entry| entry.permission.clone()).collect();
    let held = actor.role.holds(&catalogue, actor.organization.host);
    let items = all.into_iter().map(|entry| CatalogueEntry {
        held: held.names(&entry.permission),
        name: entry.permission.to_string(),
        description: entry.description,
        risk: entry.risk.word().to_owned(),
        source: entry.source.word().to_owned(),
    });
    Ok(Json(Permissions {
        items: items.collect(),
    }))
}

/// Add a permission, or change what is said of it
///
/// For those who hold `hallpass:deployment` in the organization that runs the deployment. What the settings file names
/// is changed there.
#[utoipa::path(put, path = "/v1/permissions/{name}", tag = TAG, operation_id = "putPermission",
    params(("name" = String, Path, description = "`resource:action`")),
    request_body = PutPermission,
    responses(
        (status = 201, body = CatalogueEntry, description = "Added"),
        (status = 200, body = CatalogueEntry, description = "Changed"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`permission_malformed`, `description_malformed`, `risk_unknown`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`set_by_file`, `too_many`"),
        Refusals), security(("session" = []), ("token" = [])))]
pub(super) async fn put(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    Named(name): Named,
    Json(body): Json<PutPermission>,
) -> Result<(StatusCode, Json<CatalogueEntry>), ApiError> {
    let entry = parse_entry(&name, &body.description, body.risk.as_deref())?;
    let is_new = app
        .services
        .put_permission(&actor, entry.clone(), &context)
        .await?;
    let status = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let shape = CatalogueEntry {
        held: actor.permissions.names(&entry.permission),
        name: entry.permission.to_string(),
        description: entry.description,
        risk: entry.risk.word().to_owned(),
        source: entry.source.word().to_owned(),
    };
    Ok((status, Json(shape)))
}

/// Take a permission out of the catalogue
///
/// From then on nobody holds it, whatever their role or token names.
#[utoipa::path(delete, path = "/v1/permissions/{name}", tag = TAG, operation_id = "deletePermission",
    params(("name" = String, Path, description = "`resource:action`")),
    responses(
        (status = 204, description = "Gone"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`set_by_file`, `permission_built_in`"),
        Refusals), security(("session" = []), ("token" = [])))]
pub(super) async fn delete(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    Named(name): Named,
) -> Result<StatusCode, ApiError> {
    let permission = Permission::parse(&name).map_err(|_| ServiceError::NotFound("permission"))?;
    app.services
        .delete_permission(&actor, &permission, &context)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
