//! Making a token, and the one page that shows its secret.

use super::{
    PageError,
    expiry::{self, Expiry, ExpiryView},
    form::{Errors, Fields, PasswordView},
    limits::{Limits, LimitsView},
    may_do::{MayDo, MayDoView},
    page_with,
    policy::ComingView,
    tokens,
    tokens::{Banner, Shown},
    view::Frame,
    visitor::{Asked, Sent, Visitor},
};
use crate::{app::App, error::ServiceError, service::token_creation::Created};
use askama::Template;
use axum::{extract::State, response::Response};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hallpass_domain::{Entropy, id::TokenId, time::Timestamp};
use hallpass_wire::CreateToken;
use http::StatusCode;

/// What was typed into the form, without the password.
#[derive(Debug)]
struct NewToken {
    name: String,
    expiry: Expiry,
    may: MayDo,
    limits: Limits,
    /// The same for one form however often it is sent, so that it makes one token.
    key: String,
}

impl NewToken {
    fn empty(app: &App) -> Self {
        Self {
            name: String::new(),
            expiry: Expiry::default_at(app.services.clock.now()),
            may: MayDo::default(),
            limits: Limits::default(),
            key: draw_key(app),
        }
    }

    fn read(fields: &Fields, now: Timestamp) -> Self {
        Self {
            name: fields.get("name").to_owned(),
            expiry: Expiry::read(fields, now),
            may: MayDo::read(fields),
            limits: Limits::read(fields),
            key: fields.get("key").to_owned(),
        }
    }

    fn request(&self) -> Result<CreateToken, ServiceError> {
        let (expiration_date, never) = match self.expiry.asked()? {
            expiry::Asked::On(date) => (Some(date), None),
            expiry::Asked::Never => (None, Some(true)),
            expiry::Asked::Keep => (None, None),
        };
        Ok(CreateToken {
            name: self.name.clone(),
            expiration_date,
            user_aware_token_never_expires: never,
            scope: self.may.scope(),
            not_before: self.limits.not_before(),
            allowed_addresses: self.limits.allowed(),
            denied_addresses: self.limits.denied(),
        })
    }
}

fn draw_key(app: &App) -> String {
    let mut random = [0; 16];
    app.services.entropy.fill(&mut random);
    URL_SAFE_NO_PAD.encode(random)
}

#[derive(Template)]
#[template(path = "new_token.html")]
struct NewTokenPage {
    frame: Frame,
    key: String,
    from: String,
    name: String,
    taken_by: Option<String>,
    expiry: ExpiryView,
    checklist: MayDoView,
    /// What a policy that is to come changes.
    coming: Option<ComingView>,
    limits: LimitsView,
    password: PasswordView,
    errors: Errors,
}

pub(super) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Asked(asked): Asked,
) -> Result<Response, PageError> {
    if let Some(refused) = tokens::not_allowed(&app, &visitor).await? {
        return Ok(refused);
    }
    let mut form = NewToken::empty(&app);
    if let Ok(like) = TokenId::parse(asked.get("like")) {
        let like = app.services.get_token(visitor.person(), like).await?.token;
        form.name = like.name.to_string();
        form.may = MayDo::of(like.scope.as_ref());
    }
    show_form(
        &app,
        &visitor,
        form,
        StatusCode::OK,
        Errors::default(),
        None,
    )
    .await
}

async fn show_form(
    app: &App,
    visitor: &Visitor,
    form: NewToken,
    status: StatusCode,
    errors: Errors,
    taken_by: Option<String>,
) -> Result<Response, PageError> {
    let person = visitor.person();
    let catalogue = app
        .services
        .store
        .catalogue()
        .await
        .map_err(ServiceError::from)?;
    page_with(
        status,
        &NewTokenPage {
            frame: Frame::new(visitor, "tokens"),
            key: form.key,
            from: form.expiry.from().to_string(),
            name: form.name,
            taken_by,
            expiry: form.expiry.view(None, &errors),
            checklist: form.may.view_of_new(
                &catalogue,
                &person.permissions,
                person.role.name.as_str(),
                &errors,
            ),
            coming: ComingView::of(app, visitor).await?,
            limits: form.limits.view(app.services.clock.now(), &errors),
            password: PasswordView {
                asked: !app.services.is_recent(person),
                required: true,
                hint: "Your sign-in is more than five minutes ago, so a new token needs your password once more.",
                errors: errors.clone(),
            },
            errors,
        },
    )
}

pub(super) async fn create(State(app): State<App>, sent: Sent) -> Result<Response, PageError> {
    if let Some(refused) = tokens::not_allowed(&app, &sent.visitor).await? {
        return Ok(refused);
    }
    let form = NewToken::read(&sent.fields, app.services.clock.now());
    match try_create(&app, &sent, &form).await {
        Ok(created) => show_created(&app, &sent.visitor, created).await,
        Err(error) => show_again(&app, &sent.visitor, form, error).await,
    }
}

async fn try_create(app: &App, sent: &Sent, form: &NewToken) -> Result<Created, ServiceError> {
    let request = form.request()?;
    let person = sent
        .visitor
        .confirmed(app, sent.fields.get("password"))
        .await?;
    app.services
        .create_token(&person, &request, Some(&form.key), &sent.visitor.context)
        .await
}

async fn show_created(
    app: &App,
    visitor: &Visitor,
    created: Created,
) -> Result<Response, PageError> {
    let (name, prefix) = (
        created.token.name.to_string(),
        created.token.prefix.to_string(),
    );
    let banner = match created.secret {
        Some(secret) => Banner::Made {
            name,
            prefix,
            secret: Shown(secret),
        },
        None => Banner::MadeBefore { name, prefix },
    };
    tokens::show(app, visitor, &Fields::parse(b""), banner).await
}

/// The form once more, as it was typed, with what is wrong.
async fn show_again(
    app: &App,
    visitor: &Visitor,
    mut form: NewToken,
    error: ServiceError,
) -> Result<Response, PageError> {
    let status = error.face().status;
    if matches!(error, ServiceError::IdempotencyKeyReused) {
        form.key = draw_key(app);
        let errors = Errors::one(
            "form",
            "You made a token with this form before. To make one more, as it stands here, press Create token again.",
        );
        return show_form(app, visitor, form, status, errors, None).await;
    }
    let taken_by = if let ServiceError::NameTaken(prefix) = &error {
        Some(prefix.to_string())
    } else {
        None
    };
    let errors = Errors::of_service(error)?;
    show_form(app, visitor, form, status, errors, taken_by).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: &str) -> NewToken {
        NewToken::read(
            &Fields::parse(form.as_bytes()),
            Timestamp::parse("2026-11-22T10:15:00Z").unwrap(),
        )
    }

    #[test]
    fn a_form_becomes_a_wish() {
        let wish = read("name=laptop&expires=30&may=these&p=repo%3Aread&key=k")
            .request()
            .unwrap();
        assert_eq!(wish.name, "laptop");
        assert_eq!(
            wish.expiration_date.as_deref(),
            Some("2026-12-22T10:15:00Z")
        );
        assert_eq!(
            (wish.user_aware_token_never_expires, wish.scope),
            (None, Some(vec!["repo:read".to_owned()]))
        );
        let never = read("name=x&expires=never&never=known&may=all")
            .request()
            .unwrap();
        assert_eq!(
            (
                never.expiration_date,
                never.user_aware_token_never_expires,
                never.scope
            ),
            (None, Some(true), None)
        );
    }

    #[test]
    fn a_form_that_says_nothing_never_means_forever() {
        assert!(read("name=x&may=all").request().is_err());
        let kept = read("name=x&may=all&expires=keep").request().unwrap();
        assert_eq!(
            (kept.expiration_date, kept.user_aware_token_never_expires),
            (None, None),
            "which the service refuses"
        );
    }
}
