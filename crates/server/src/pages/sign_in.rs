//! Signing in and out.

use super::{
    PageError,
    next::local_path,
    page_with, see_other, set_up,
    visitor::{Asked, Sent, SentByAnyone},
    words,
};
use crate::{app::App, caller, cookies, error::ServiceError, service::sessions::Started};
use askama::Template;
use axum::{extract::State, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    next: &'a str,
    email: &'a str,
    note: Option<&'static str>,
    wrong: Option<String>,
}

pub(super) async fn show(
    State(app): State<App>,
    headers: HeaderMap,
    Asked(asked): Asked,
) -> Result<Response, PageError> {
    let next = local_path(asked.get("next"));
    if caller::present(&app, &headers).await?.is_some() {
        return Ok(see_other(next));
    }
    if app.services.needs_set_up().await? {
        return set_up::nobody_yet();
    }
    let note = match (asked.get("out"), asked.get("over")) {
        ("1", _) => Some("You are signed out."),
        (_, "1") => Some(
            "Your session had ended, so what you sent was not done. Sign in and send it once more.",
        ),
        _ => None,
    };
    page_with(
        StatusCode::OK,
        &SignInPage {
            next,
            email: "",
            note,
            wrong: None,
        },
    )
}

pub(super) async fn submit(
    State(app): State<App>,
    sent: SentByAnyone,
) -> Result<Response, PageError> {
    let (next, email) = (
        local_path(sent.fields.get("next")),
        sent.fields.get("email"),
    );
    match app
        .services
        .sign_in(
            email,
            sent.fields.get("password"),
            sent.device.as_deref(),
            &sent.context,
        )
        .await
    {
        Ok(started) => Ok(begun(&app, &started, next)),
        Err(error) => {
            let wrong = match &error {
                ServiceError::SignInFailed => {
                    "The e-mail address or the password is not right.".to_owned()
                }
                ServiceError::TooManyAttempts(seconds) => format!(
                    "Too many failed attempts. Try again in {}. A browser that has signed in before need not wait.",
                    words::span(*seconds)
                ),
                _ => return Err(error.into()),
            };
            let mut response = page_with(
                error.face().status,
                &SignInPage {
                    next,
                    email,
                    note: None,
                    wrong: Some(wrong),
                },
            )?;
            if let Some(seconds) = error.retry_after() {
                response
                    .headers_mut()
                    .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            Ok(response)
        }
    }
}

/// Hands out the cookies of a session that has just begun, and goes on to `next`.
pub(super) fn begun(app: &App, started: &Started, next: &str) -> Response {
    let mut response = see_other(next);
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

pub(super) async fn leave(State(app): State<App>, sent: Sent) -> Result<Response, PageError> {
    let visitor = sent.visitor;
    app.services
        .end_session(visitor.person(), visitor.present.session, &visitor.context)
        .await?;
    Ok(signed_out(&app))
}

/// Takes the session's cookie away and what the browser kept of these pages. The cookie that says that this device
/// has signed in before stays: without it, a stranger who hammers at the account would delay its owner.
pub(super) fn signed_out(app: &App) -> Response {
    let mut response = see_other("/sign-in?out=1");
    response
        .headers_mut()
        .extend(cookies::clear_session_cookie(app).map(|cookie| (header::SET_COOKIE, cookie)));
    response.headers_mut().insert(
        HeaderName::from_static("clear-site-data"),
        HeaderValue::from_static(r#""cache", "storage""#),
    );
    response
}
