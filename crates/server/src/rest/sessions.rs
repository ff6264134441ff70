//! `/v1/sessions`.

use super::shapes;
use crate::{
    app::App,
    caller::{Context, SignedIn},
    cookies,
    error::ServiceError,
    problem::{ApiError, Json},
    service::sessions::Started,
};
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use hallpass_domain::id::SessionId;
use hallpass_wire::{NewSession, Problem, Session, SessionList, SignIn};
use http::{HeaderMap, HeaderValue, StatusCode, header};

const TAG: &str = "Sessions";

/// Sign in
///
/// The session travels in the cookie of this answer. Requests that change something also carry `csrf` in
/// `X-Hallpass-CSRF`. It is the value for the organization in force: when the session goes to another one, the value before
/// is refused as `organization_switched`.
#[utoipa::path(post, path = "/v1/sessions", tag = TAG, operation_id = "signIn",
    request_body = SignIn,
    responses(
        (status = 201, body = NewSession),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_failed`, whether or not there is such an account"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "`too_many_attempts`, with `Retry-After`"),
    ), security(()))]
pub(super) async fn sign_in(
    State(app): State<App>,
    Context(context): Context,
    headers: HeaderMap,
    Json(body): Json<SignIn>,
) -> Result<Response, ApiError> {
    let device = cookies::read_device(&app, &headers);
    let started = app
        .services
        .sign_in(&body.email, &body.password, device.as_deref(), &context)
        .await?;
    let replaced = cookies::read_session(&app, &headers);
    app.services
        .end_replaced(replaced.as_ref(), &context)
        .await?;
    Ok(signed_in(&app, &started))
}

/// The answer to whoever has just signed in: the session, and its cookies.
pub(super) fn signed_in(app: &App, started: &Started) -> Response {
    let shape = NewSession {
        id: started.id.to_string(),
        csrf: started.csrf.clone(),
        expires: started.expires.to_string(),
        caller: shapes::caller(&started.person),
    };
    let mut response = (StatusCode::CREATED, Json(shape)).into_response();
    for cookie in [
        cookies::session_cookie(app, started),
        cookies::device_cookie(app, started),
    ]
    .into_iter()
    .flatten()
    {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// List your sessions
#[utoipa::path(get, path = "/v1/sessions", tag = TAG, operation_id = "listSessions",
    responses(
        (status = 200, body = SessionList),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`"),
    ), security(("session" = [])))]
pub(super) async fn list(
    State(app): State<App>,
    SignedIn(present): SignedIn,
) -> Result<Json<SessionList>, ApiError> {
    let found = app.services.list_sessions(&present.person).await?;
    let items = found.into_iter().map(|view| Session {
        id: view.id.to_string(),
        current: view.id == present.session,
        created: view.created.to_string(),
        last_seen: view.seen_at.to_string(),
        expires: view.expires_at.to_string(),
        address: view.address,
        user_agent: view.agent,
    });
    Ok(Json(SessionList {
        items: items.collect(),
    }))
}

/// Sign out everywhere
///
/// Ends every session of yours, this one too. Tokens go on working.
#[utoipa::path(delete, path = "/v1/sessions", tag = TAG, operation_id = "signOutEverywhere",
    responses(
        (status = 204, description = "Ended"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`csrf_required`"),
    ), security(("session" = [])))]
pub(super) async fn end_all(
    State(app): State<App>,
    SignedIn(present): SignedIn,
    Context(context): Context,
) -> Result<Response, ApiError> {
    app.services
        .end_all_sessions(&present.person, &context)
        .await?;
    Ok(signed_out(&app))
}

/// Sign out
#[utoipa::path(delete, path = "/v1/sessions/current", tag = TAG, operation_id = "signOut",
    responses(
        (status = 204, description = "Ended"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`csrf_required`"),
    ), security(("session" = [])))]
pub(super) async fn sign_out(
    State(app): State<App>,
    SignedIn(present): SignedIn,
    Context(context): Context,
) -> Result<Response, ApiError> {
    app.services
        .end_session(&present.person, present.session, &context)
        .await?;
    Ok(signed_out(&app))
}

/// End a session
#[utoipa::path(delete, path = "/v1/sessions/{id}", tag = TAG, operation_id = "endSession",
    params(("id" = String, Path, description = "The session's id")),
    responses(
        (status = 204, description = "Ended"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`csrf_required`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`, also for other people's"),
    ), security(("session" = [])))]
pub(super) async fn end(
    State(app): State<App>,
    SignedIn(present): SignedIn,
    Context(context): Context,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let id = SessionId::parse(&id).map_err(|_| ServiceError::NotFound("session"))?;
    app.services
        .end_session(&present.person, id, &context)
        .await?;
    Ok(if id == present.session {
        signed_out(&app)
    } else {
        StatusCode::NO_CONTENT.into_response()
    })
}

fn signed_out(app: &App) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::HeaderName::from_static("clear-site-data"),
        HeaderValue::from_static("\"cache\", \"storage\""),
    );
    if let Some(cookie) = cookies::clear_session_cookie(app) {
        headers.append(header::SET_COOKIE, cookie);
    }
    response
}
