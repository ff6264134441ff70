//! Making an API key.

use super::{
    PageError,
    expiry::{self, Expiry, ExpiryView},
    form::{Errors, Fields, PasswordView},
    give::{self, RoleChoice},
    key,
    limits::{Limits, LimitsView},
    may_do::{MayDo, MayDoView},
    page_with,
    view::Frame,
    visitor::{Sent, Visitor},
    words,
};
use crate::{
    app::App,
    error::{InvalidField, ServiceError},
    service::{acting::Actor, api_keys::MadeKey},
};
use askama::Template;
use axum::{extract::State, response::Response};
use hallpass_domain::{id::RoleId, permission::Permission, policy::Lifetime, time::Timestamp};
use hallpass_wire::CreateApiKey;
use http::StatusCode;

/// What was typed, without the password.
#[derive(Debug)]
struct NewKey {
    name: String,
    role: Option<RoleId>,
    expiry: Expiry,
    may: MayDo,
    limits: Limits,
}

impl NewKey {
    fn empty(now: Timestamp) -> Self {
        Self {
            name: String::new(),
            role: None,
            expiry: Expiry::new("90", now),
            may: MayDo::of(None),
            limits: Limits::default(),
        }
    }

    fn read(fields: &Fields, now: Timestamp) -> Self {
        Self {
            name: fields.get("name").to_owned(),
            role: give::read(fields, "role"),
            expiry: Expiry::read(fields, now),
            may: MayDo::read(fields),
            limits: Limits::read(fields),
        }
    }

    fn request(&self) -> Result<CreateApiKey, ServiceError> {
        let role = self.role.ok_or_else(|| {
            InvalidField::new("role", "role_required", "Choose the role that it gets.")
        })?;
        let (expiration_date, never) = match self.expiry.asked()? {
            expiry::Asked::On(date) => (Some(date), None),
            expiry::Asked::Never => (None, Some(true)),
            expiry::Asked::Keep => (None, None),
        };
        Ok(CreateApiKey {
            name: self.name.clone(),
            role: role.to_string(),
            expiration_date,
            user_aware_token_never_expires: never,
            scope: self.may.scope(),
            not_before: self.limits.not_before(),
            allowed_addresses: self.limits.allowed(),
            denied_addresses: self.limits.denied(),
        })
    }
}

#[derive(Template)]
#[template(path = "new_key.html")]
struct NewKeyPage {
    frame: Frame,
    name: String,
    from: String,
    roles: Vec<RoleChoice>,
    expiry: ExpiryView,
    /// What the policy says of its life.
    policy: Option<String>,
    checklist: MayDoView,
    limits: LimitsView,
    password: PasswordView,
    errors: Errors,
}

/// How long keys may live, if the policy says so.
fn said(lifetime: Lifetime) -> Option<String> {
    match (lifetime.days_max, lifetime.may_never_expire) {
        (Some(days), _) => Some(format!(
            "The policy lets keys live for at most {}.",
            words::count(u64::from(days), "day")
        )),
        (None, false) => {
            Some("The policy asks for an end: a key may not live for ever.".to_owned())
        }
        (None, true) => None,
    }
}

async fn show_form(
    app: &App,
    visitor: &Visitor,
    form: NewKey,
    status: StatusCode,
    errors: Errors,
) -> Result<Response, PageError> {
    let (actor, store) = (visitor.actor(), &app.services.store);
    let catalogue = store.catalogue().await.map_err(ServiceError::from)?;
    let policy = store.find_policy(actor.organization.id).await;
    let policy = policy.map_err(ServiceError::from)?;
    let shown = NewKeyPage {
        frame: Frame::new(visitor, "keys"),
        from: form.expiry.from().to_string(),
        name: form.name,
        roles: give::roles(app, &actor, form.role).await?,
        expiry: form.expiry.view(None, &errors),
        policy: said(policy.key),
        checklist: form
            .may
            .view_of_key(&catalogue, &actor.permissions, &errors),
        limits: form.limits.view(app.services.clock.now(), &errors),
        password: PasswordView {
            asked: !app.services.is_recent(visitor.person()),
            required: true,
            hint: "Your sign-in is more than five minutes ago, so a new key needs your password once more.",
            errors: errors.clone(),
        },
        errors,
    };
    page_with(status, &shown)
}

pub(super) async fn show(State(app): State<App>, visitor: Visitor) -> Result<Response, PageError> {
    visitor.actor().require(Permission::KEYS)?;
    let form = NewKey::empty(app.services.clock.now());
    show_form(&app, &visitor, form, StatusCode::OK, Errors::default()).await
}

async fn try_create(app: &App, sent: &Sent, form: &NewKey) -> Result<MadeKey, ServiceError> {
    let (visitor, request) = (&sent.visitor, form.request()?);
    let person = visitor.confirmed(app, sent.fields.get("password")).await?;
    app.services
        .create_key(&Actor::of_session(&person), &request, &visitor.context)
        .await
}

pub(super) async fn create(State(app): State<App>, sent: Sent) -> Result<Response, PageError> {
    let visitor = &sent.visitor;
    let form = NewKey::read(&sent.fields, app.services.clock.now());
    match try_create(&app, &sent, &form).await {
        Ok(made) => {
            let title = format!("{} is ready.", made.found.key.name);
            key::show_secret(&app, visitor, made, title)
        }
        Err(error) => {
            let (status, errors) = (error.face().status, Errors::of_service(error)?);
            show_form(&app, visitor, form, status, errors).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: &str) -> NewKey {
        let now = Timestamp::parse("2026-11-22T10:15:00Z").unwrap();
        NewKey::read(&Fields::parse(form.as_bytes()), now)
    }

    #[test]
    fn a_form_becomes_a_wish() {
        let role = "role=019393a0-7e5c-7c31-9d0c-1f2e3d4c5b6a";
        let wish = read(&format!(
            "name=ci&{role}&expires=30&may=these&p=repo%3Aread&allowed=192.0.2.0%2F24"
        ));
        let wish = wish.request().unwrap();
        assert_eq!(
            wish.expiration_date.as_deref(),
            Some("2026-12-22T10:15:00Z")
        );
        assert_eq!(wish.scope, Some(vec!["repo:read".to_owned()]));
        assert_eq!(
            wish.allowed_addresses,
            Some(vec!["192.0.2.0/24".to_owned()])
        );
        let missing = read("name=ci&expires=30&may=all").request().unwrap_err();
        assert!(Errors::of_service(missing).unwrap().of("role").is_some());
        assert!(
            read(&format!("{role}&may=all")).request().is_err(),
            "no end was chosen"
        );
    }

    #[test]
    fn the_policy_is_said_before_it_refuses() {
        let lifetime = |days_max, may_never_expire| {
            said(Lifetime {
                days_max,
                may_never_expire,
            })
        };
        assert!(
            lifetime(Some(90), true)
                .unwrap()
                .contains("at most 90 days")
        );
        assert!(lifetime(None, false).unwrap().contains("an end"));
        assert_eq!(said(Lifetime::ANY), None);
    }
}
