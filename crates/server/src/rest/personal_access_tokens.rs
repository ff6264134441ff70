//! `/v1/personal-access-tokens`.

use super::{
    list_query::{self, ListParameters},
    shapes, strict_json,
};
use crate::{
    app::App,
    caller::{Context, Manager, OwnToken},
    error::ServiceError,
    problem::{ApiError, Json, misfit},
    service::{Person, policy_losses::Coming, token_change::Patch},
};
use axum::{
    body::Bytes,
    extract::{Path, RawQuery, State},
    response::{IntoResponse, Response},
};
use hallpass_domain::{id::TokenId, limits::JSON_PATCH_OPERATIONS_MAX};
use hallpass_wire::{
    CreateToken, JsonPatchOperation, PersonalAccessToken, PersonalAccessTokenList, Problem,
    TokenPatch,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};

const TAG: &str = "Personal access tokens";

/// Make a token
///
/// The secret is in this answer and in no other. In a session, the sign-in must be of the last five minutes. A token
/// makes none wider or longer-lived than itself. With an `Idempotency-Key`, the same request again gives the same
/// token, with status 200, `Idempotency-Replayed: true` and without its secret.
#[utoipa::path(post, path = "/v1/personal-access-tokens", tag = TAG, operation_id = "createPersonalAccessToken",
    request_body = CreateToken,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters; remembered for 24 hours")),
    responses(
        (status = 201, body = PersonalAccessToken, description = "Made. `Location` is its address."),
        (status = 200, body = PersonalAccessToken, description = "Was made before with this Idempotency-Key."),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`expiration_required`, `expiration_not_in_future`, `expiration_malformed`, `name_required`, `name_too_long`, `name_malformed`, `permission_malformed`, `permission_not_held`, `scope_empty`, `not_before_malformed`, `not_before_too_late`, `addresses_malformed`, `addresses_empty`, `addresses_too_many`, `policy_lifetime`, `policy_never_expires`, `policy_forbids_permission`, `body_malformed`, …"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`recent_sign_in_required`, `csrf_required`, `tokens_not_allowed`, `wider_than_asker`, `permission_missing`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`name_taken` (with the other token's `prefix`), `too_many_tokens`"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "`too_many_tokens_today`"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "`idempotency_key_reused`"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn create(
    State(app): State<App>,
    Manager(person): Manager,
    Context(context): Context,
    headers: HeaderMap,
    Json(body): Json<CreateToken>,
) -> Result<Response, ApiError> {
    let created = app
        .services
        .create_token(&person, &body, idempotency_key(&headers)?, &context)
        .await?;
    // The secret is shown now or never, whatever else can be read.
    let to_come = to_come(&app, &person).await.unwrap_or_default();
    let shape = shapes::token(
        &created.token,
        created.secret.as_ref(),
        &person,
        to_come.as_ref(),
        app.services.clock.now(),
    );
    let location = HeaderValue::from_str(&format!("/v1/personal-access-tokens/{}", shape.id))
        .map_err(|error| ServiceError::Internal(error.to_string()))?;
    let status = if created.secret.is_some() {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let mut response = (status, Json(shape)).into_response();
    response.headers_mut().insert(header::LOCATION, location);
    if status == StatusCode::OK {
        response.headers_mut().insert(
            hallpass_wire::REPLAYED_HEADER,
            HeaderValue::from_static("true"),
        );
    }
    Ok(response)
}

/// The policy that is to come where `person` is.
async fn to_come(app: &App, person: &Person) -> Result<Option<Coming>, ServiceError> {
    app.services.policy_to_come(person.organization.id).await
}

async fn shown(
    app: &App,
    token: &hallpass_domain::access_token::PersonalAccessToken,
    person: &Person,
) -> Result<PersonalAccessToken, ServiceError> {
    let to_come = to_come(app, person).await?;
    let now = app.services.clock.now();
    Ok(shapes::token(token, None, person, to_come.as_ref(), now))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, ServiceError> {
    let mut keys = headers.get_all(hallpass_wire::IDEMPOTENCY_HEADER).iter();
    let Some(key) = keys.next() else {
        return Ok(None);
    };
    let key = key.to_str().ok().filter(|_| keys.next().is_none());
    key.map(Some).ok_or_else(|| ServiceError::BadRequest {
        code: "idempotency_key_malformed",
        detail: "Idempotency-Key must come once, in visible ASCII characters".to_owned(),
    })
}

/// List your tokens
///
/// Your own tokens in the organization in force, revoked and expired ones too unless you ask for a `state`.
#[utoipa::path(get, path = "/v1/personal-access-tokens", tag = TAG, operation_id = "listPersonalAccessTokens",
    params(ListParameters),
    responses(
        (status = 200, body = PersonalAccessTokenList),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`state_unknown`, `date_malformed`, `search_malformed`, `sort_unknown`, `limit_malformed`, `cursor_malformed`, `parameter_unknown`, `parameter_doubled`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn list(
    State(app): State<App>,
    Manager(person): Manager,
    RawQuery(query): RawQuery,
) -> Result<Json<PersonalAccessTokenList>, ApiError> {
    let now = app.services.clock.now();
    let query = list_query::parse(query.as_deref(), now)?;
    let page = app.services.list_tokens(&person, &query).await?;
    let to_come = to_come(&app, &person).await?;
    Ok(Json(PersonalAccessTokenList {
        items: page
            .items
            .iter()
            .map(|item| shapes::token(&item.token, None, &person, to_come.as_ref(), now))
            .collect(),
        next_cursor: page
            .next
            .as_ref()
            .map(|next| list_query::write_cursor(&query, next)),
    }))
}

/// Show a token
#[utoipa::path(get, path = "/v1/personal-access-tokens/{id}", tag = TAG, operation_id = "showPersonalAccessToken",
    params(("id" = String, Path, description = "The token's id")),
    responses(
        (status = 200, body = PersonalAccessToken),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`, also for other people's"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn show(
    State(app): State<App>,
    Manager(person): Manager,
    Path(id): Path<String>,
) -> Result<Json<PersonalAccessToken>, ApiError> {
    let found = app.services.get_token(&person, parse_id(&id)?).await?;
    Ok(Json(shown(&app, &found.token, &person).await?))
}

/// Change a token
///
/// Its name, its end, its acknowledgement, its permissions, when and from where it works: as JSON Merge Patch (RFC 7396)
/// or as JSON Patch (RFC 6902) on the document of these. Permissions can only become fewer; a revoked or expired token
/// stays as it is; to let a token work longer, earlier or from more places, a session's sign-in must be of the last
/// five minutes.
#[utoipa::path(patch, path = "/v1/personal-access-tokens/{id}", tag = TAG, operation_id = "changePersonalAccessToken",
    params(("id" = String, Path, description = "The token's id")),
    request_body(content(
        (TokenPatch = "application/merge-patch+json"),
        (TokenPatch = "application/json"),
        (Vec<JsonPatchOperation> = "application/json-patch+json"),
    )),
    responses(
        (status = 200, body = PersonalAccessToken),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`patch_malformed`, `scope_widened`, `expiration_required`, `addresses_malformed`, `policy_lifetime`, `policy_forbids_permission`, …"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`recent_sign_in_required`, `csrf_required`, `tokens_not_allowed` (with who can allow it), `wider_than_asker`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`, also for other people's"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`name_taken`, `token_ended`, `patch_test_failed`, `changed_meanwhile`"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "`unsupported_media_type`"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn change(
    State(app): State<App>,
    Manager(person): Manager,
    Context(context): Context,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Json<PersonalAccessToken>, ApiError> {
    let body =
        body.map_err(|_| ServiceError::BodyTooLarge(hallpass_domain::limits::BODY_BYTES_MAX))?;
    let patch = parse_patch(&headers, &body)?;
    let token = app
        .services
        .change_token(&person, parse_id(&id)?, &patch, &context)
        .await?;
    Ok(Json(shown(&app, &token, &person).await?))
}

/// Revoke a token
///
/// When this returns, the token is refused everywhere. Revoking a revoked token succeeds.
#[utoipa::path(delete, path = "/v1/personal-access-tokens/{id}", tag = TAG, operation_id = "revokePersonalAccessToken",
    params(("id" = String, Path, description = "The token's id")),
    responses(
        (status = 204, description = "Revoked"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`csrf_required`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`, also for other people's"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn revoke(
    State(app): State<App>,
    Manager(person): Manager,
    Context(context): Context,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    app.services
        .revoke_token(&person, parse_id(&id)?, &context)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Show the token that asks
#[utoipa::path(get, path = "/v1/personal-access-tokens/self", tag = TAG, operation_id = "showSelf",
    responses(
        (status = 200, body = PersonalAccessToken),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
    ), security(("token" = [])))]
pub(super) async fn show_self(
    State(app): State<App>,
    own: OwnToken,
) -> Result<Json<PersonalAccessToken>, ApiError> {
    let found = app.services.get_token(&own.person, own.id).await?;
    Ok(Json(shown(&app, &found.token, &own.person).await?))
}

/// Revoke the token that asks
#[utoipa::path(delete, path = "/v1/personal-access-tokens/self", tag = TAG, operation_id = "revokeSelf",
    responses(
        (status = 204, description = "Revoked"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
    ), security(("token" = [])))]
pub(super) async fn revoke_self(
    State(app): State<App>,
    own: OwnToken,
    Context(context): Context,
) -> Result<StatusCode, ApiError> {
    app.services
        .revoke_token(&own.person, own.id, &context)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn parse_id(text: &str) -> Result<TokenId, ServiceError> {
    TokenId::parse(text).map_err(|_| ServiceError::NotFound("token"))
}

fn parse_patch(headers: &HeaderMap, body: &[u8]) -> Result<Patch, ServiceError> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let kind = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let malformed = |error: serde_json::Error| ServiceError::BadRequest {
        code: "body_malformed",
        detail: misfit(&error.to_string()),
    };
    match kind.as_str() {
        "application/merge-patch+json" | "application/json" => {
            strict_json::read(body).map(Patch::Merge).map_err(malformed)
        }
        "application/json-patch+json" => {
            let operations: json_patch::Patch = strict_json::read(body)
                .and_then(serde_json::from_value)
                .map_err(malformed)?;
            if operations.0.len() > JSON_PATCH_OPERATIONS_MAX {
                return Err(ServiceError::BadRequest {
                    code: "patch_malformed",
                    detail: format!("at most {JSON_PATCH_OPERATIONS_MAX} operations"),
                });
            }
            Ok(Patch::Operations(operations))
        }
        _ => Err(ServiceError::UnsupportedMediaType(
            "Content-Type: application/merge-patch+json or application/json-patch+json",
        )),
    }
}
