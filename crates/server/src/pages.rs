//! The pages: server-rendered, for people. Everything essential works without a script.
//!
//! A handler reads a form, asks a service, shapes a view. What the views hold is in [`view`]; how a moment or a
//! number is said is in [`words`]. No rule of who may do what lives here.

pub mod assets;
mod audit;
mod audit_filter;
mod audit_line;
mod audit_names;
mod expiry;
mod failure;
mod form;
mod frame;
mod give;
mod inventory;
mod inventory_filter;
mod inventory_one;
mod inventory_revoke;
mod invitation;
mod invite;
mod key;
mod keys;
mod last_use;
mod limits;
mod list_query;
mod may_do;
mod member;
mod members;
mod new_key;
mod new_token;
mod next;
mod organization;
mod organizations;
mod permission;
mod policy;
mod policy_form;
mod policy_preview;
mod rail;
mod revoke;
mod role;
mod role_checks;
mod role_form;
mod roles;
mod rotate;
mod sessions;
mod set_up;
mod sign_in;
mod standing;
mod suspend;
mod token;
mod tokens;
mod unknown;
mod users;
mod view;
mod visitor;
mod why;
mod words;

use crate::{app::App, error::ServiceError};
use askama::Template;
use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
pub use failure::{PageError, failure, missing};
use hallpass_domain::limits::{FORM_BYTES_MAX, PAGE_ROWS_DEFAULT, SEARCH_CHARS_MAX};
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// Every page, and the files that pages load.
pub fn router(app: &App) -> Router<App> {
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
        .route(
            "/settings/tokens/{id}/suspend",
            get(suspend::ask_own).post(suspend::suspend_own),
        )
        .route("/settings/tokens/{id}/resume", post(suspend::resume_own))
        .route("/settings/sessions", get(sessions::list))
        .route(
            "/settings/sessions/end-all",
            get(sessions::ask_end_all).post(sessions::end_all),
        )
        .route("/settings/sessions/{id}/end", post(sessions::end))
        .route(
            "/invitation",
            get(invitation::show).post(invitation::accept),
        )
        .route("/assets/{file}", get(assets::serve))
        .merge(of_organization())
        .merge(of_tokens())
        .merge(of_keys())
        .merge(of_policy())
        .merge(of_deployment())
        .method_not_allowed_fallback(async || PageError(ServiceError::MethodNotAllowed))
        .layer(axum::middleware::from_fn_with_state(
            app.clone(),
            failure::finish,
        ))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
}

/// What concerns the organization in force.
fn of_organization() -> Router<App> {
    let under = |rest: &str| format!("/settings/organization{rest}");
    Router::new()
        .route(
            &under(""),
            get(organization::show).post(organization::change),
        )
        .route(&under("/members"), get(members::list))
        .route(
            &under("/members/invite"),
            get(invite::show).post(invite::invite),
        )
        .route(&under("/invitations/{id}/withdraw"), post(invite::withdraw))
        .route(
            &under("/members/{user}"),
            get(member::show).post(member::change),
        )
        .route(&under("/members/{user}/suspend"), get(standing::ask_member))
        .route(
            &under("/members/{user}/remove"),
            get(member::ask_remove).post(member::remove),
        )
        .route(&under("/roles"), get(roles::list))
        .route(
            &under("/roles/new"),
            get(role_form::show_new).post(role_form::create),
        )
        .route(
            &under("/roles/{id}"),
            get(role_form::show).post(role_form::change),
        )
        .route(
            &under("/roles/{id}/delete"),
            get(role::ask_delete).post(role::delete),
        )
}

/// What concerns every token and key of the organization in force.
fn of_tokens() -> Router<App> {
    let under = |rest: &str| format!("/settings/organization/tokens{rest}");
    Router::new()
        .route(&under(""), get(inventory::list))
        .route(
            &under("/revoke"),
            get(inventory_revoke::ask).post(inventory_revoke::revoke),
        )
        .route(&under("/{id}"), get(inventory_one::show))
        .route(
            &under("/{id}/revoke"),
            get(inventory_one::ask_revoke).post(inventory_one::revoke),
        )
        .route(
            &under("/{id}/suspend"),
            get(suspend::ask_any).post(suspend::suspend_any),
        )
        .route(&under("/{id}/resume"), post(suspend::resume_any))
}

/// What concerns its API keys.
fn of_keys() -> Router<App> {
    let under = |rest: &str| format!("/settings/organization/keys{rest}");
    Router::new()
        .route(&under(""), get(keys::list))
        .route(&under("/new"), get(new_key::show).post(new_key::create))
        .route(&under("/{id}"), get(key::show))
        .route(
            &under("/{id}/revoke"),
            get(key::ask_revoke).post(key::revoke),
        )
        .route(
            &under("/{id}/rotate"),
            get(rotate::ask).post(rotate::rotate),
        )
        .route(
            &under("/{id}/suspend"),
            get(suspend::ask_key).post(suspend::suspend_key),
        )
        .route(&under("/{id}/resume"), post(suspend::resume_key))
}

/// What concerns its policy and its audit.
fn of_policy() -> Router<App> {
    let under = |rest: &str| format!("/settings/organization/policy{rest}");
    Router::new()
        .route(&under(""), get(policy::show).post(policy_preview::decide))
        .route(
            &under("/edit"),
            get(policy_form::show).post(policy_form::again),
        )
        .route(&under("/preview"), post(policy_preview::preview))
        .route(&under("/withdraw"), post(policy::withdraw))
        .route("/settings/organization/audit", get(audit::list))
        .route("/settings/organization/audit/verify", post(audit::verify))
}

/// What concerns all organizations.
fn of_deployment() -> Router<App> {
    let under = |rest: &str| format!("/settings/deployment{rest}");
    Router::new()
        .route(&under("/organizations"), get(organizations::list))
        .route(
            &under("/organizations/new"),
            get(organizations::show_new).post(organizations::create),
        )
        .route(
            &under("/organizations/{id}"),
            get(organizations::show).post(organizations::change),
        )
        .route(
            &under("/organizations/{id}/suspend"),
            get(standing::ask_organization),
        )
        .route(&under("/users/{id}/suspend"), get(standing::ask_user))
        .route(&under("/users"), get(users::list))
        .route(&under("/users/{id}"), get(users::show).post(users::change))
        .route(
            &under("/users/{id}/remove"),
            get(users::ask_remove).post(users::remove),
        )
        .route(
            &under("/permissions/new"),
            get(permission::show_new).post(permission::create),
        )
        .route(
            &under("/permissions/{name}"),
            get(permission::show).post(permission::change),
        )
        .route(
            &under("/permissions/{name}/delete"),
            get(permission::ask_delete).post(permission::delete),
        )
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

/// `path` with a query of those `pairs` that say something.
fn address(path: &str, pairs: &[(&str, String)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(name, value);
    }
    let query = query.finish();
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

/// Takes what is more than a page off `rows`, which were asked for one more than a page holds, and says whether there
/// was more.
fn cut<T>(rows: &mut Vec<T>) -> bool {
    let most = usize::try_from(PAGE_ROWS_DEFAULT).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    more
}

/// What was typed into a search field, as far as it is searched for.
fn searched(fields: &form::Fields) -> String {
    fields
        .get("search")
        .trim()
        .chars()
        .take(SEARCH_CHARS_MAX)
        .collect()
}
