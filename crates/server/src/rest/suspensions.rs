//! Suspending tokens and keys, by their owner and by those who answer for the organization.

use super::{api_keys::InOrganization, personal_access_tokens::parse_id, shapes};
use crate::{
    app::App,
    caller::{Acting, Context, Manager},
    problem::{ApiError, Json},
};
use axum::extract::{Path, State};
use hallpass_wire::{Problem, SuspendToken, Suspension};
use http::StatusCode;

const TAG: &str = "Suspension";

/// Suspend a token of yours
///
/// When this returns, the token is refused everywhere; nothing of it is deleted. Suspending it again says something
/// else about why and until when.
#[utoipa::path(post, path = "/v1/personal-access-tokens/{id}/suspension", tag = TAG, operation_id = "suspendPersonalAccessToken",
    request_body = SuspendToken,
    params(("id" = String, Path, description = "The token's id")),
    responses(
        (status = 200, body = Suspension),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`reason_malformed`, `until_malformed`, `until_not_in_future`, `body_malformed`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`suspended_by_admin`, `csrf_required`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`, also for other people's"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`token_ended`, `changed_meanwhile`"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn suspend_own(
    State(app): State<App>,
    Manager(person): Manager,
    Context(context): Context,
    Path(id): Path<String>,
    Json(body): Json<SuspendToken>,
) -> Result<Json<Suspension>, ApiError> {
    let suspended = app
        .services
        .suspend_own(&person, parse_id(&id)?, &body, &context)
        .await?;
    Ok(Json(shapes::suspension(&suspended)))
}

/// Lift the suspension of a token of yours
///
/// One that you began; one that somebody else began only if the organization's policy says so. Lifting where there is
/// none succeeds.
#[utoipa::path(delete, path = "/v1/personal-access-tokens/{id}/suspension", tag = TAG, operation_id = "resumePersonalAccessToken",
    params(("id" = String, Path, description = "The token's id")),
    responses(
        (status = 204, description = "Lifted"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`suspended_by_admin`, `tokens_not_allowed`, `wider_than_asker`, `csrf_required`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`, also for other people's"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`token_ended`, `changed_meanwhile`"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn lift_own(
    State(app): State<App>,
    Manager(person): Manager,
    Context(context): Context,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    app.services
        .lift_own(&person, parse_id(&id)?, &context)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Suspend any token or key of the organization
///
/// Takes `hallpass:tokens`; for API keys, `hallpass:keys` is enough. Its owner can lift it only if the policy says so.
#[utoipa::path(post, path = "/v1/organizations/{organization}/tokens/{id}/suspension", tag = TAG, operation_id = "suspendToken",
    request_body = SuspendToken,
    params(("organization" = String, Path, description = "The organization's id"), ("id" = String, Path, description = "The token's or key's id")),
    responses(
        (status = 200, body = Suspension),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`reason_malformed`, `until_malformed`, `until_not_in_future`, `body_malformed`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`permission_missing`, `csrf_required`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`token_ended`, `changed_meanwhile`"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn suspend_any(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    Path(path): Path<InOrganization>,
    Json(body): Json<SuspendToken>,
) -> Result<Json<Suspension>, ApiError> {
    let suspended = app
        .services
        .suspend_any(&actor, parse_id(&path.id)?, &body, &context)
        .await?;
    Ok(Json(shapes::suspension(&suspended)))
}

/// Lift the suspension of any token or key of the organization
///
/// Takes `hallpass:tokens`; for API keys, `hallpass:keys` is enough. Whoever began it. Lifting where there is none
/// succeeds.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/tokens/{id}/suspension", tag = TAG, operation_id = "resumeToken",
    params(("organization" = String, Path, description = "The organization's id"), ("id" = String, Path, description = "The token's or key's id")),
    responses(
        (status = 204, description = "Lifted"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`permission_missing`, `csrf_required`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`token_ended`, `changed_meanwhile`"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn lift_any(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    Path(path): Path<InOrganization>,
) -> Result<StatusCode, ApiError> {
    app.services
        .lift_any(&actor, parse_id(&path.id)?, &context)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
