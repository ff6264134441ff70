//! `/v1/caller`.

use super::shapes;
use crate::{
    app::App,
    caller::Acting,
    problem::{ApiError, Json},
};
use axum::extract::State;
use hallpass_wire::{Caller, Problem};

/// Show who is asking
#[utoipa::path(get, path = "/v1/caller", tag = "Caller", operation_id = "showCaller",
    responses(
        (status = 200, body = Caller),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn caller(
    State(app): State<App>,
    Acting(actor): Acting,
) -> Result<Json<Caller>, ApiError> {
    let via = actor.via.clone();
    let person = match actor.user {
        Some(user) => app.services.find_person(user, actor.home, via).await?,
        None => None,
    };
    Ok(Json(match person {
        Some(person) => shapes::caller(&person),
        None => shapes::key_caller(&actor),
    }))
}
