//! The one-time set-up: the first organization and its first account.

use super::{
    PageError,
    failure::Told,
    form::Errors,
    page, page_with,
    sign_in::begun,
    visitor::{Asked, SentByAnyone},
};
use crate::{app::App, error::ServiceError, service::set_up::SetUp};
use askama::Template;
use axum::{extract::State, response::Response};
use http::StatusCode;

#[derive(Template, Default)]
#[template(path = "set_up.html")]
struct SetUpPage<'a> {
    code: &'a str,
    organization: &'a str,
    name: &'a str,
    email: &'a str,
    errors: Errors,
}

pub(super) async fn show(
    State(app): State<App>,
    Asked(asked): Asked,
) -> Result<Response, PageError> {
    let code = asked.get("code");
    app.services.check_set_up_code(code).await?;
    page(&SetUpPage {
        code,
        ..SetUpPage::default()
    })
}

pub(super) async fn submit(
    State(app): State<App>,
    sent: SentByAnyone,
) -> Result<Response, PageError> {
    let code = sent.fields.get("code");
    app.services.check_set_up_code(code).await?;
    let [organization, name, email, password] =
        ["organization", "name", "email", "password"].map(|field| sent.fields.get(field));
    let [organization, name, email, password] =
        [organization, name, email, password].map(str::to_owned);
    let wish = SetUp {
        organization,
        name,
        email,
        password,
    };
    match app.services.set_up(&wish, &sent.context).await {
        Ok(started) => Ok(begun(&app, &started, "/settings/tokens")),
        Err(error @ ServiceError::Invalid(_)) => show_again(code, &wish, error),
        Err(error) => Err(error.into()),
    }
}

/// The form once more, as it was typed, with what is wrong; never the password.
fn show_again(code: &str, wish: &SetUp, error: ServiceError) -> Result<Response, PageError> {
    let SetUp {
        organization,
        name,
        email,
        ..
    } = wish;
    let status = error.face().status;
    let errors = Errors::of_service(error)?;
    page_with(
        status,
        &SetUpPage {
            code,
            organization,
            name,
            email,
            errors,
        },
    )
}

/// What a visitor sees as long as there is nobody.
pub(super) fn nobody_yet() -> Result<Response, PageError> {
    let told = Told {
        title: "Nobody is here yet".to_owned(),
        detail: "Hallpass runs, and waits for its first account.".to_owned(),
        what_to_do: Some(
            "Open the set-up link that was printed in the terminal where Hallpass was started. It works once; each start prints a new one.",
        ),
        way_out: None,
        status: None,
    };
    page_with(StatusCode::OK, &told)
}
