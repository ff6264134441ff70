//! `/v1/caller` and `/v1/permissions`.

use super::shapes;
use crate::{
    app::App,
    caller::Anyone,
    problem::{ApiError, Json},
};
use axum::extract::State;
use hallpass_wire::{Caller, CatalogueEntry, Permissions, Problem};

/// Show who is asking
#[utoipa::path(get, path = "/v1/caller", tag = "Caller", operation_id = "showCaller",
    responses(
        (status = 200, body = Caller),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn caller(Anyone(person): Anyone) -> Json<Caller> {
    Json(shapes::caller(&person))
}

/// List the permissions there are
#[utoipa::path(get, path = "/v1/permissions", tag = "Caller", operation_id = "listPermissions",
    responses(
        (status = 200, body = Permissions),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn permissions(
    State(app): State<App>,
    Anyone(person): Anyone,
) -> Result<Json<Permissions>, ApiError> {
    let items = app
        .services
        .store
        .catalogue()
        .await?
        .into_iter()
        .map(|entry| CatalogueEntry {
            held: person.permissions.names(&entry.permission),
            name: entry.permission.to_string(),
            description: entry.description,
            risk: entry.risk.word().to_owned(),
        });
    Ok(Json(Permissions {
        items: items.collect(),
    }))
}
