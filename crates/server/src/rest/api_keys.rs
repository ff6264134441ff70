//! `/v1/organizations/{organization}/api-keys`.

use super::{
    list_query,
    parameters::{self, Parameters, SEPARATOR},
    personal_access_tokens::parse_id,
    shapes,
};
use crate::{
    app::App,
    caller::{Acting, Context},
    error::ServiceError,
    problem::{ApiError, Json},
    service::access_tokens::RECENT_USES_DAYS,
};
use axum::{
    extract::{Path, RawQuery, State},
    response::{IntoResponse, Response},
};
use hallpass_domain::{id::TokenId, time::Timestamp};
use hallpass_store::{KeyQuery, KeyWithUse};
use hallpass_wire::{ApiKey, ApiKeyList, CreateApiKey, Problem, RotateKey};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use utoipa::IntoParams;

const TAG: &str = "API keys";

/// What an address names below an organization, which [`Acting`] has read already.
#[derive(Debug, Deserialize)]
pub(super) struct InOrganization {
    pub(super) id: String,
}

/// The parameters of a list of keys, for the description.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "read by the description of the API alone; the values are parsed one by one, so that each error names its parameter"
)]
pub(super) struct KeyParameters {
    /// Only keys in this state: `active`, `expired`, `revoked` or `suspended`.
    state: Option<String>,
    /// Only keys with this in their name or prefix.
    #[param(max_length = 100)]
    search: Option<String>,
    /// Keys in one answer.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
    /// The `nextCursor` of the answer before.
    cursor: Option<String>,
}

const LIST: &str = "api-keys";

fn parse_query(query: Option<&str>, now: Timestamp) -> Result<KeyQuery, ServiceError> {
    let asked = Parameters::read(query, &["state", "search", "limit", "cursor"], &[])?;
    Ok(KeyQuery {
        state: asked.get("state").map(list_query::state).transpose()?,
        search: asked.search()?,
        after: asked.cursor(LIST, |place| {
            let (id, name) = place.split_once(SEPARATOR)?;
            Some((name.to_owned(), TokenId::parse(id).ok()?))
        })?,
        limit: asked.limit()?,
        now,
        recent_since: now.plus_days(-RECENT_USES_DAYS),
    })
}

fn write_cursor(last: &KeyWithUse) -> String {
    let place = format!("{}{SEPARATOR}{}", last.key.id, last.key.name.key());
    parameters::cursor(LIST, &place)
}

/// Make an API key
///
/// Takes `hallpass:keys`. The secret is in this answer and in no other. In a session, the sign-in must be of the last
/// five minutes. The key's role holds nothing that you do not, now; from then on the key does not look at you again. A
/// token or key makes none wider or longer-lived than itself.
#[utoipa::path(post, path = "/v1/organizations/{organization}/api-keys", tag = TAG, operation_id = "createApiKey",
    request_body = CreateApiKey,
    params(("organization" = String, Path, description = "The organization's id")),
    responses(
        (status = 201, body = ApiKey, description = "Made. `Location` is its address."),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`expiration_required`, `expiration_not_in_future`, `expiration_malformed`, `name_required`, `name_too_long`, `name_malformed`, `permission_malformed`, `permission_not_held`, `scope_empty`, `not_before_malformed`, `not_before_too_late`, `addresses_malformed`, `addresses_empty`, `policy_lifetime`, `policy_never_expires`, `body_malformed`, …"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`permission_missing`, `above_your_role`, `recent_sign_in_required`, `csrf_required`, `wider_than_asker`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`: the organization or the role"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`name_taken` (with the other key's `prefix`), `too_many`, `changed_meanwhile`"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn create(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    Json(body): Json<CreateApiKey>,
) -> Result<Response, ApiError> {
    let made = app.services.create_key(&actor, &body, &context).await?;
    let now = app.services.clock.now();
    let shape = shapes::key(&made.found, Some(&made.secret), &actor, now);
    let address = format!(
        "/v1/organizations/{}/api-keys/{}",
        actor.organization.id, shape.id
    );
    let location = HeaderValue::from_str(&address)
        .map_err(|error| ServiceError::Internal(error.to_string()))?;
    let headers = [(header::LOCATION, location)];
    Ok((StatusCode::CREATED, headers, Json(shape)).into_response())
}

/// List API keys
///
/// Takes `hallpass:keys`. By name; revoked and expired ones too unless you ask for a `state`.
#[utoipa::path(get, path = "/v1/organizations/{organization}/api-keys", tag = TAG, operation_id = "listApiKeys",
    params(("organization" = String, Path, description = "The organization's id"), KeyParameters),
    responses(
        (status = 200, body = ApiKeyList),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`state_unknown`, `search_malformed`, `limit_malformed`, `cursor_malformed`, `parameter_unknown`, `parameter_doubled`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`permission_missing`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn list(
    State(app): State<App>,
    Acting(actor): Acting,
    RawQuery(query): RawQuery,
) -> Result<Json<ApiKeyList>, ApiError> {
    let now = app.services.clock.now();
    let query = parse_query(query.as_deref(), now)?;
    let (keys, more) = app.services.list_keys(&actor, &query).await?;
    Ok(Json(ApiKeyList {
        items: keys
            .iter()
            .map(|found| shapes::key(found, None, &actor, now))
            .collect(),
        next_cursor: keys.last().filter(|_| more).map(write_cursor),
    }))
}

/// Show an API key
///
/// Takes `hallpass:keys`. Each secret says when it was last used, so that one sees whether an old one can go.
#[utoipa::path(get, path = "/v1/organizations/{organization}/api-keys/{id}", tag = TAG, operation_id = "showApiKey",
    params(("organization" = String, Path, description = "The organization's id"), ("id" = String, Path, description = "The key's id")),
    responses(
        (status = 200, body = ApiKey),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`permission_missing`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn show(
    State(app): State<App>,
    Acting(actor): Acting,
    Path(path): Path<InOrganization>,
) -> Result<Json<ApiKey>, ApiError> {
    let found = app.services.get_key(&actor, key_id(&path.id)?).await?;
    let now = app.services.clock.now();
    Ok(Json(shapes::key(&found, None, &actor, now)))
}

/// Revoke an API key
///
/// Takes `hallpass:keys`. When this returns, all its secrets are refused everywhere. Revoking a revoked key succeeds.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/api-keys/{id}", tag = TAG, operation_id = "revokeApiKey",
    params(("organization" = String, Path, description = "The organization's id"), ("id" = String, Path, description = "The key's id")),
    responses(
        (status = 204, description = "Revoked"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`permission_missing`, `csrf_required`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`changed_meanwhile`"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn revoke(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    Path(path): Path<InOrganization>,
) -> Result<StatusCode, ApiError> {
    app.services
        .revoke_key(&actor, key_id(&path.id)?, &context)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Rotate an API key
///
/// Takes `hallpass:keys`, and what the key may do. The key keeps its id and gets a new secret, which is in this answer
/// and in no other. `overlap` says what becomes of the old one, and has to be said.
#[utoipa::path(post, path = "/v1/organizations/{organization}/api-keys/{id}/rotate", tag = TAG, operation_id = "rotateApiKey",
    request_body = RotateKey,
    params(("organization" = String, Path, description = "The organization's id"), ("id" = String, Path, description = "The key's id")),
    responses(
        (status = 200, body = ApiKey, description = "Rotated."),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`overlap_required`, `overlap_malformed`, `overlap_too_long`, `overlap_not_in_future`, `body_malformed`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`permission_missing`, `above_your_role`, `recent_sign_in_required`, `csrf_required`, `wider_than_asker`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`token_ended`, `key_suspended`, `too_many_secrets`, `changed_meanwhile`"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn rotate(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    Path(path): Path<InOrganization>,
    Json(body): Json<RotateKey>,
) -> Result<Json<ApiKey>, ApiError> {
    let made = app
        .services
        .rotate_key(&actor, key_id(&path.id)?, &body, &context)
        .await?;
    let now = app.services.clock.now();
    let shape = shapes::key(&made.found, Some(&made.secret), &actor, now);
    Ok(Json(shape))
}

fn key_id(text: &str) -> Result<TokenId, ServiceError> {
    parse_id(text).map_err(|_| ServiceError::NotFound("API key"))
}
