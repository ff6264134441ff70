//! Revoking many tokens: `/v1/organizations/{organization}/revocations` and `/v1/personal-access-tokens/revoke-all`.

use super::{inventory::items, named::Named, personal_access_tokens::parse_id, refusals::Refusals};
use crate::{
    app::App,
    caller::{Acting, Context, Manager},
    problem::{ApiError, Json},
    service::revocations::Doomed,
};
use axum::extract::State;
use hallpass_wire::{Problem, Revocation, RevocationOutcome};
use http::StatusCode;

/// Revoke many tokens
///
/// Exactly one of `filter`, `user`, `madeBefore` and `everything`. When this returns, they are refused everywhere, the
/// asking token too if it is one of them. With `preview: true` nothing is revoked; send what it said as `expected`, and
/// nothing is revoked if it is another number by then. Needs `hallpass:tokens`, and `hallpass:keys` if keys may be
/// among them; `madeBefore` and `everything` need `hallpass:organization`.
#[utoipa::path(post, path = "/v1/organizations/{organization}/revocations", tag = "Inventory", operation_id = "revokeMany",
    params(("organization" = String, Path, description = "The organization's id")),
    request_body = Revocation,
    responses(
        (status = 200, body = RevocationOutcome),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`revocation_unclear`, `filter_empty`, `date_in_future`, `date_malformed`, `kind_unknown`, `id_malformed`, `state_unknown`, `permission_malformed`, `search_malformed`, `body_malformed`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`permission_missing`, `csrf_required`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`: the organization, or the member"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`preview_outdated`, `changed_meanwhile`"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn revoke(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    Json(body): Json<Revocation>,
) -> Result<Json<RevocationOutcome>, ApiError> {
    let services = &app.services;
    let doomed = Doomed::parse(&body, services.clock.now())?;
    let preview = body.preview == Some(true);
    let (count, first) = if preview {
        services.check_again(&actor).await?;
        let (count, first) = services.preview_revocation(&actor, &doomed).await?;
        (Some(count), first)
    } else {
        let count = services
            .revoke_many(&actor, &doomed, body.expected, &context)
            .await?;
        (count, Vec::new())
    };
    Ok(Json(RevocationOutcome {
        preview,
        count,
        items: items(&first, &actor.organization),
    }))
}

/// Revoke all your tokens
///
/// All your own in the organization in force, the asking one too. When this returns, they are refused everywhere.
#[utoipa::path(post, path = "/v1/personal-access-tokens/revoke-all", tag = "Personal access tokens", operation_id = "revokeAllPersonalAccessTokens",
    responses(
        (status = 204, description = "Revoked"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`permission_missing`, `csrf_required`"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn revoke_own(
    State(app): State<App>,
    Manager(person): Manager,
    Context(context): Context,
) -> Result<StatusCode, ApiError> {
    app.services.revoke_own_tokens(&person, &context).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Revoke any token or key of the organization
///
/// Needs `hallpass:tokens`, or `hallpass:keys` for a key. When this returns, it is refused everywhere. Revoking a revoked
/// one succeeds.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/tokens/{id}", tag = "Inventory", operation_id = "revokeAny",
    params(
        ("organization" = String, Path, description = "The organization's id"),
        ("id" = String, Path, description = "The token's or key's id"),
    ),
    responses((status = 204, description = "Revoked"), Refusals), security(("session" = []), ("token" = [])))]
pub(super) async fn revoke_any(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    Named(id): Named,
) -> Result<StatusCode, ApiError> {
    app.services
        .revoke_any(&actor, parse_id(&id)?, &context)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
