//! What to tell people when something does not work: what happened, then what to do.

use super::{see_other, view::Frame, visitor::Visitor, words};
use crate::{app::App, error::ServiceError, http::RequestId};
use askama::Template;
use axum::{
    extract::{FromRequestParts, Request, State},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use http::{HeaderValue, header, request::Parts};
use std::sync::Arc;

/// A use case's error, on its way to a page.
#[derive(Debug)]
pub struct PageError(pub ServiceError);

impl From<ServiceError> for PageError {
    fn from(error: ServiceError) -> Self {
        Self(error)
    }
}

/// A page that only says something.
#[derive(Template)]
#[template(path = "told.html")]
pub(super) struct Told {
    /// What happened.
    pub(super) title: String,
    /// More of it.
    pub(super) detail: String,
    /// What to do.
    pub(super) what_to_do: Option<&'static str>,
    /// Where to go: an address and its words.
    pub(super) way_out: Option<(&'static str, &'static str)>,
    /// The status, for those who are asked for it.
    pub(super) status: Option<String>,
}

/// A failure that still wants its page: [`finish`] writes it when it knows the request's id.
#[derive(Clone, Debug)]
struct Unfinished(Arc<ServiceError>);

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let Self(error) = self;
        if matches!(error, ServiceError::SignInRequired) {
            return see_other("/sign-in");
        }
        let mut response = error.face().status.into_response();
        response
            .extensions_mut()
            .insert(Unfinished(Arc::new(error)));
        response
    }
}

/// Writes the page of a failure.
pub(super) async fn finish(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let asked = parts.clone();
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let Some(Unfinished(error)) = response.extensions_mut().remove() else {
        return response;
    };
    let mut page = failure_around(&app, &error, asked).await;
    if let Some(allow) = response.headers_mut().remove(header::ALLOW) {
        page.headers_mut().insert(header::ALLOW, allow);
    }
    page
}

/// There is no such page.
pub async fn missing(app: &App, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    failure_around(app, &ServiceError::NotFound("page"), parts).await
}

/// What is told to somebody who is signed in, with the frame that their pages have.
#[derive(Template)]
#[template(path = "told_within.html")]
struct ToldWithin {
    frame: Frame,
    told: Told,
}

/// The page about `error`: whoever is signed in keeps the way to every other page. A fault of ours asks nothing more.
async fn failure_around(app: &App, error: &ServiceError, mut asked: Parts) -> Response {
    let id = asked.extensions.get::<RequestId>().cloned();
    let mut response = failure_in(error, id.as_ref());
    if !error.face().status.is_client_error() || is_of_a_link(error) {
        return response;
    }
    let Ok(visitor) = Visitor::from_request_parts(&mut asked, app).await else {
        return response;
    };
    let page = ToldWithin {
        frame: Frame::new(&visitor, ""),
        told: told(error, id.as_ref().map(RequestId::to_string).as_deref()),
    };
    if let Ok(text) = page.render() {
        *response.body_mut() = text.into();
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    response
}

/// Links that work once are followed by people who are not signed in, or not as the one who was meant.
const fn is_of_a_link(error: &ServiceError) -> bool {
    matches!(
        error,
        ServiceError::SetUpCodeWrong | ServiceError::AlreadySetUp | ServiceError::InvitationWrong
    )
}

/// The page about `error`, for doors that are not pages.
pub fn failure(error: &ServiceError) -> Response {
    failure_in(error, None)
}

/// The page about `error`, which came up in the request `id`.
fn failure_in(error: &ServiceError, id: Option<&RequestId>) -> Response {
    let face = error.face();
    let request = id.map(RequestId::to_string);
    if face.status.is_server_error() {
        tracing::error!(
            request,
            status = face.status.as_u16(),
            cause = error.cause(),
            "a page failed"
        );
    }
    let told = told(error, request.as_deref());
    // What cannot be rendered is still told, in plain words.
    let text = told.render().unwrap_or_else(|_| {
        format!(
            "<!doctype html><title>Hallpass</title><p>{}</p>",
            face.title
        )
    });
    let mut response = (face.status, Html(text)).into_response();
    if let Some(seconds) = error.retry_after() {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// What happened, more of it, what to do, where to go.
type Words = (
    String,
    String,
    Option<&'static str>,
    Option<(&'static str, &'static str)>,
);

/// What to say of a link that works once and does not.
fn about_link(error: &ServiceError) -> Words {
    match error {
        ServiceError::SetUpCodeWrong => (
            "This set-up link does not work".to_owned(),
            "It was cut, it is older than a day, or the server was started again since.".to_owned(),
            Some("Use the link that was printed last in the terminal where Hallpass runs. Each start prints a new one."),
            None,
        ),
        ServiceError::AlreadySetUp => (
            "Hallpass is set up already".to_owned(),
            "The set-up link works once, for the first account.".to_owned(),
            Some("Sign in with that account. If it was not you who made it, stop the server and start with an empty data directory."),
            Some(("/sign-in", "Sign in")),
        ),
        _ => (
            "This invitation does not work".to_owned(),
            "An invitation works once, for seven days. This one was used, has ended, was withdrawn, or its link was cut.".to_owned(),
            Some("Ask whoever invited you for a new link. If you have accepted it already, sign in."),
            Some(("/sign-in", "Sign in")),
        ),
    }
}

fn told(error: &ServiceError, request: Option<&str>) -> Told {
    let face = error.face();
    let home = Some(("/", "To the start"));
    let (title, detail, what_to_do, way_out) = match error {
        ServiceError::SetUpCodeWrong
        | ServiceError::AlreadySetUp
        | ServiceError::InvitationWrong => about_link(error),
        ServiceError::NotFound(what) => {
            (format!("There is no such {what}"), "It may have another address now, or it is not yours to see.".to_owned(), None, home)
        }
        ServiceError::CrossSite => (
            "This request did not come from these pages".to_owned(),
            "Nothing was changed. The form was too old, or another site tried to send it in your name.".to_owned(),
            Some("Go back, load the page again, and send the form once more."),
            home,
        ),
        ServiceError::OrganizationSwitched(there) => (
            format!("You switched to {there} meanwhile"),
            "Nothing was changed. The form was opened in another organization, and would have acted in this one.".to_owned(),
            Some("Open the page again where you are now, or switch back first, under your organization's name at the top of each page."),
            home,
        ),
        ServiceError::RoleLacks(permission) => (
            "Your role does not allow this".to_owned(),
            format!("It needs the permission {permission}."),
            Some("A superuser of the organization can give you a role that holds it."),
            home,
        ),
        ServiceError::TooManyAttempts(seconds) => {
            ("Too many attempts".to_owned(), format!("Wait {}, then try again.", words::span(*seconds)), None, home)
        }
        ServiceError::Busy | ServiceError::NotAnswering => (face.title.to_owned(), "Try again in a moment. Nothing was changed.".to_owned(), None, home),
        ServiceError::MethodNotAllowed => ("This address does not take that".to_owned(), error.detail(), None, home),
        _ => (face.title.to_owned(), error.detail(), None, home),
    };
    let request = request
        .map(|id| format!(" · request {id}"))
        .unwrap_or_default();
    Told {
        title,
        detail,
        what_to_do,
        way_out,
        status: Some(format!("{} {}{request}", face.status.as_u16(), face.code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;

    #[test]
    fn a_fault_of_ours_explains_itself_to_the_log_alone() {
        let text = told(&ServiceError::Internal("canary".to_owned()), Some("0a1b"))
            .render()
            .unwrap();
        assert!(!text.contains("canary"), "{text}");
        assert!(text.contains("500 internal · request 0a1b"));
    }

    #[test]
    fn a_wait_is_said_in_words_and_in_its_header() {
        let response = failure(&ServiceError::TooManyAttempts(90));
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()[header::RETRY_AFTER], "90");
        assert!(
            told(&ServiceError::TooManyAttempts(90), None)
                .detail
                .contains("90 seconds")
        );
    }

    #[test]
    fn who_is_not_signed_in_is_sent_to_sign_in() {
        let response = PageError(ServiceError::SignInRequired).into_response();
        assert_eq!(
            (response.status(), &response.headers()[header::LOCATION]),
            (StatusCode::SEE_OTHER, &HeaderValue::from_static("/sign-in"))
        );
    }
}
