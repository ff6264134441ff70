//! Giving an API key a new secret.

use super::{
    PageError,
    form::{Errors, Fields, PasswordView},
    key,
    keys::KeyView,
    page_with,
    view::Frame,
    visitor::{Sent, Visitor},
    words,
};
use crate::{
    app::App,
    error::ServiceError,
    service::{acting::Actor, api_keys::MadeKey},
};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use hallpass_domain::{limits::KEY_OVERLAP_DAYS_MAX, time::SECONDS_PER_DAY};
use hallpass_store::KeyWithUse;
use hallpass_wire::RotateKey;
use http::StatusCode;

/// The spans without a use that are offered, in days.
const QUIET_DAYS: [i64; 4] = [1, 3, 7, 14];

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Form {
    overlap: String,
    until: String,
    quiet: String,
}

impl Form {
    fn empty() -> Self {
        Self {
            overlap: String::new(),
            until: String::new(),
            quiet: "3".to_owned(),
        }
    }

    fn read(fields: &Fields) -> Self {
        Self {
            overlap: fields.get("overlap").to_owned(),
            until: fields.get("until").trim().to_owned(),
            quiet: fields.get("quiet").to_owned(),
        }
    }

    /// What belongs to a choice that was not made is not sent.
    fn wish(&self) -> RotateKey {
        let is = |overlap| self.overlap == overlap;
        let quiet = self.quiet.parse::<i64>().ok();
        RotateKey {
            overlap: (!self.overlap.is_empty()).then(|| self.overlap.clone()),
            until: is("until").then(|| format!("{}T23:59:59Z", self.until)),
            quiet_for_seconds: quiet
                .filter(|days| is("quiet") && QUIET_DAYS.contains(days))
                .map(|days| days * SECONDS_PER_DAY),
        }
    }
}

#[derive(Template)]
#[template(path = "rotate.html")]
struct RotatePage {
    frame: Frame,
    key: KeyView,
    form: Form,
    quiet: Vec<(i64, String)>,
    tomorrow: String,
    latest: String,
    password: PasswordView,
    errors: Errors,
}

fn show_form(
    app: &App,
    visitor: &Visitor,
    found: &KeyWithUse,
    form: Form,
    (status, errors): (StatusCode, Errors),
) -> Result<Response, PageError> {
    let now = app.services.clock.now();
    let shown = RotatePage {
        frame: Frame::new(visitor, "keys"),
        key: KeyView::of(found, now),
        form,
        quiet: QUIET_DAYS
            .map(|days| (days, words::count(days.unsigned_abs(), "day")))
            .to_vec(),
        tomorrow: words::date_field(now.plus_days(1)),
        latest: words::date_field(now.plus_days(KEY_OVERLAP_DAYS_MAX - 1)),
        password: PasswordView {
            asked: !app.services.is_recent(visitor.person()),
            required: true,
            hint: "Your sign-in is more than five minutes ago, so a new secret needs your password once more.",
            errors: errors.clone(),
        },
        errors,
    };
    page_with(status, &shown)
}

pub(super) async fn ask(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let found = key::find(&app, &visitor, &id).await?;
    let fine = (StatusCode::OK, Errors::default());
    show_form(&app, &visitor, &found, Form::empty(), fine)
}

async fn try_rotate(
    app: &App,
    sent: &Sent,
    found: &KeyWithUse,
    form: &Form,
) -> Result<MadeKey, ServiceError> {
    let visitor = &sent.visitor;
    let person = visitor.confirmed(app, sent.fields.get("password")).await?;
    let (actor, wish) = (Actor::of_session(&person), form.wish());
    app.services
        .rotate_key(&actor, found.key.id, &wish, &visitor.context)
        .await
}

pub(super) async fn rotate(
    State(app): State<App>,
    Path(id): Path<String>,
    sent: Sent,
) -> Result<Response, PageError> {
    let (visitor, form) = (&sent.visitor, Form::read(&sent.fields));
    let found = key::find(&app, visitor, &id).await?;
    match try_rotate(&app, &sent, &found, &form).await {
        Ok(made) => {
            let title = format!("{} has a new secret.", made.found.key.name);
            key::show_secret(&app, visitor, made, title)
        }
        Err(error) => {
            let said = (error.face().status, rotate_errors(error)?);
            show_form(&app, visitor, &found, form, said)
        }
    }
}

/// A key's role is not chosen here, so what is said of it stands above the form.
fn rotate_errors(error: ServiceError) -> Result<Errors, ServiceError> {
    match error {
        ServiceError::AboveActor(permission) => Ok(Errors::one(
            "form",
            format!(
                "This key may do {permission}, which you do not hold: whoever has its secret has that, too."
            ),
        )),
        other => Errors::of_service(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_chosen_is_sent() {
        let wish = |form: &str| Form::read(&Fields::parse(form.as_bytes())).wish();
        let rest = "&until=2027-01-31&quiet=3";
        let none = wish(&format!("overlap=none{rest}"));
        assert_eq!((none.until, none.quiet_for_seconds), (None, None));
        let until = wish(&format!("overlap=until{rest}"));
        assert_eq!(until.until.as_deref(), Some("2027-01-31T23:59:59Z"));
        assert_eq!(until.quiet_for_seconds, None);
        let quiet = wish(&format!("overlap=quiet{rest}"));
        assert_eq!(
            (quiet.until, quiet.quiet_for_seconds),
            (None, Some(3 * SECONDS_PER_DAY))
        );
        assert_eq!(wish(rest).overlap, None, "and the service asks for it");
    }
}
