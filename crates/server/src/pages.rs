//! The pages: server-rendered, for people. Everything essential works without a script.
//!
//! A handler reads a form, asks a service, shapes a view. What the views hold is in [`view`]; how a moment or a
//! number is said is in [`words`]. No rule of who may do what lives here.

pub mod assets;
mod expiry;
mod failure;
mod form;
mod list_query;
mod may_do;
mod new_token;
mod next;
mod revoke;
mod sessions;
mod set_up;
mod sign_in;
mod token;
mod tokens;
mod view;
mod visitor;
mod words;

use crate::{app::App, error::ServiceError};
use askama::Template;
use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
pub use failure::{PageError, failure};
use hallpass_domain::limits::FORM_BYTES_MAX;
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// Every page, and the files that pages load.
pub fn router() -> Router<App> {
    Router::new()
        .route("/", get(home))
        .route("/setup", get(set_up::show).post(set_up::submit))
        .route("/sign-in", get(sign_in::show).post(sign_in::submit))
        .route("/sign-out", post(sign_in::leave))
        .route("/settings", get(home))
        .route("/settings/tokens", get(tokens::list))
        .route(
            "/settings/tokens/new",
            get(new_token::show).post(new_token::create),
        )
        .route(
            "/settings/tokens/{id}",
            get(token::show).post(token::change),
        )
        .route(
            "/settings/tokens/{id}/revoke",
            get(revoke::ask).post(revoke::revoke),
        )
        .route("/settings/sessions", get(sessions::list))
        .route(
            "/settings/sessions/end-all",
            get(sessions::ask_end_all).post(sessions::end_all),
        )
        .route("/settings/sessions/{id}/end", post(sessions::end))
        .route("/assets/{file}", get(assets::serve))
        .method_not_allowed_fallback(async || PageError(ServiceError::MethodNotAllowed))
        .layer(axum::middleware::from_fn(failure::finish))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
}

/// To the first page that makes sense for whoever comes.
async fn home(State(app): State<App>, headers: HeaderMap) -> Result<Response, PageError> {
    let Some(present) = crate::caller::present(&app, &headers).await? else {
        return if app.services.needs_set_up().await? {
            set_up::nobody_yet()
        } else {
            Ok(see_other("/sign-in"))
        };
    };
    Ok(see_other(if present.person.membership.may_have_tokens {
        "/settings/tokens"
    } else {
        "/settings/sessions"
    }))
}

/// A rendered page.
fn page(template: &impl Template) -> Result<Response, PageError> {
    page_with(StatusCode::OK, template)
}

/// A rendered page with a status.
fn page_with(status: StatusCode, template: &impl Template) -> Result<Response, PageError> {
    let text = template
        .render()
        .map_err(|error| ServiceError::Internal(format!("a page was not rendered: {error}")))?;
    Ok((status, Html(text)).into_response())
}

/// After a POST the browser asks for `path`, which is one of ours and holds no character that a header cannot.
fn see_other(path: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(header::LOCATION, location);
    response
}
