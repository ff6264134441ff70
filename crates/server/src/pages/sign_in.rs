//! Signing in and out.

use super::{
    PageError,
    form::Fields,
    next::local_path,
    page_with, see_other, set_up,
    visitor::{Asked, SentAnywhere, SentByAnyone},
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
    let form = SignInPage {
        next,
        email: "",
        note: note(&asked),
        wrong: None,
    };
    page_with(StatusCode::OK, &form)
}

/// Why the visitor is here, if they did not just come.
fn note(asked: &Fields) -> Option<&'static str> {
    match (asked.get("out"), asked.get("over")) {
        ("1", _) => Some("You are signed out."),
        (_, "1") => Some(
            "Your session had ended, so what you sent was not done. Sign in and send it once more.",
        ),
        _ => None,
    }
}

pub(super) async fn submit(
    State(app): State<App>,
    sent: SentByAnyone,
) -> Result<Response, PageError> {
    let [next, email, password] = ["next", "email", "password"].map(|field| sent.fields.get(field));
    match app
        .services
        .sign_in(email, password, sent.device.as_deref(), &sent.context)
        .await
    {
        Ok(started) => {
            app.services
                .end_replaced(sent.replaced.as_ref(), &sent.context)
                .await?;
            Ok(begun(&app, &started, local_path(next)))
        }
        Err(error) => show_again(local_path(next), email, error),
    }
}

/// The form once more, with what is wrong; never the password.
fn show_again(next: &str, email: &str, error: ServiceError) -> Result<Response, PageError> {
    let wrong = match &error {
        ServiceError::SignInFailed => "The e-mail address or the password is not right.".to_owned(),
        ServiceError::TooManyAttempts(seconds) => {
            let wait = words::span(*seconds);
            format!(
                "Too many failed attempts. Try again in {wait}. A browser that has signed in before need not wait."
            )
        }
        _ => return Err(error.into()),
    };
    let form = SignInPage {
        next,
        email,
        note: None,
        wrong: Some(wrong),
    };
    let mut response = page_with(error.face().status, &form)?;
    let wait = error
        .retry_after()
        .map(|seconds| (header::RETRY_AFTER, HeaderValue::from(seconds)));
    response.headers_mut().extend(wait);
    Ok(response)
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

pub(super) async fn leave(
    State(app): State<App>,
    SentAnywhere(visitor): SentAnywhere,
) -> Result<Response, PageError> {
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
