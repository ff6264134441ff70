//! `/v1/caller`.

use super::shapes;
use crate::{
    app::App,
    caller::{self, Acting},
    problem::{ApiError, Json},
};
use axum::extract::State;
use hallpass_wire::{Caller, Problem};
use http::HeaderMap;

/// Show who is asking
#[utoipa::path(get, path = "/v1/caller", tag = "Caller", operation_id = "showCaller",
    responses(
        (status = 200, body = Caller),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn caller(
    State(app): State<App>,
    Acting(actor): Acting,
    headers: HeaderMap,
) -> Result<Json<Caller>, ApiError> {
    let via = actor.via.clone();
    let person = match actor.user {
        Some(user) => app.services.find_person(user, actor.home, via).await?,
        None => None,
    };
    let shape = match person {
        Some(person) => shapes::caller(&person),
        None => shapes::key_caller(&actor),
    };
    let present = match actor.token() {
        Some(_) => None,
        None => caller::present(&app, &headers).await?,
    };
    Ok(Json(Caller {
        // Of the same moment as the organization that is told beside it.
        csrf: present
            .filter(|present| present.person.organization.id == actor.home)
            .map(|present| present.csrf),
        ..shape
    }))
}
