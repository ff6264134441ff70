//! Changing the policy: the form, and what was typed into it.

use super::{
    PageError,
    form::{Errors, Fields},
    limits::lines,
    may_do::Item,
    page_with, role_checks,
    view::Frame,
    visitor::{Asked, Sent, Visitor},
    words,
};
use crate::{
    app::App,
    error::ServiceError,
    service::policy::{parse_enforce_at, parse_policy},
};
use askama::Template;
use axum::{extract::State, response::Response};
use hallpass_domain::{
    limits::POLICY_AHEAD_DAYS_MAX,
    permission::Permission,
    policy::{Lifetime, Policy},
    time::Timestamp,
};
use hallpass_wire::PolicyLifetime;
use http::StatusCode;
use std::collections::BTreeSet;

/// How long something may live, as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) days: String,
    pub(super) never: bool,
}

impl Life {
    fn of(lifetime: Lifetime) -> Self {
        Self {
            days: days(lifetime.days_max),
            never: lifetime.may_never_expire,
        }
    }

    fn wish(&self) -> PolicyLifetime {
        PolicyLifetime {
            days_max: wished(&self.days),
            may_never_expire: self.never,
        }
    }
}

fn days(days: Option<u32>) -> String {
    days.map(|days| days.to_string()).unwrap_or_default()
}

/// What is no number is refused as one that cannot be.
fn wished(days: &str) -> Option<i64> {
    let days = days.trim();
    (!days.is_empty()).then(|| days.parse().unwrap_or(0))
}

/// What was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) personal: Life,
    pub(super) key: Life,
    pub(super) forbidden: BTreeSet<String>,
    pub(super) unused: String,
    pub(super) networks: String,
    pub(super) lift: bool,
    /// Whether it holds from a day on, and not at once.
    pub(super) later: bool,
    pub(super) on: String,
}

impl Form {
    fn of(policy: &Policy, from: Option<Timestamp>) -> Self {
        let networks: Vec<String> = policy.networks.iter().map(ToString::to_string).collect();
        Self {
            personal: Life::of(policy.personal),
            key: Life::of(policy.key),
            forbidden: policy.forbidden.iter().map(Permission::to_string).collect(),
            unused: days(policy.unused_days_max),
            networks: networks.join("\n"),
            lift: policy.owner_may_lift,
            later: true,
            on: from.map(words::date_field).unwrap_or_default(),
        }
    }

    pub(super) fn read(fields: &Fields) -> Self {
        let life = |days, never| Life {
            days: fields.get(days).trim().to_owned(),
            never: fields.get(never) == "1",
        };
        Self {
            personal: life("personal_days", "personal_never"),
            key: life("key_days", "key_never"),
            forbidden: fields.all("p").map(str::to_owned).collect(),
            unused: fields.get("unused").trim().to_owned(),
            networks: fields.get("networks").to_owned(),
            lift: fields.get("lift") == "1",
            later: fields.get("start") != "now",
            on: fields.get("on").trim().to_owned(),
        }
    }

    /// As hidden fields have it.
    pub(super) fn pairs(&self) -> Vec<(&'static str, String)> {
        let tick = |is: bool| if is { "1" } else { "" }.to_owned();
        let mut pairs = vec![
            ("personal_days", self.personal.days.clone()),
            ("personal_never", tick(self.personal.never)),
            ("key_days", self.key.days.clone()),
            ("key_never", tick(self.key.never)),
            ("unused", self.unused.clone()),
            ("networks", self.networks.clone()),
            ("lift", tick(self.lift)),
            ("start", if self.later { "later" } else { "now" }.to_owned()),
            ("on", self.on.clone()),
        ];
        pairs.extend(self.forbidden.iter().map(|name| ("p", name.clone())));
        pairs
    }

    /// The policy, and from when on it holds; nothing is at once.
    pub(super) fn wish(&self, now: Timestamp) -> Result<(Policy, Option<Timestamp>), ServiceError> {
        let policy = parse_policy(&hallpass_wire::Policy {
            personal_access_tokens: self.personal.wish(),
            api_keys: self.key.wish(),
            forbidden_permissions: self.forbidden.iter().cloned().collect(),
            unused_days_max: wished(&self.unused),
            allowed_addresses: lines(&self.networks),
            owners_may_lift: self.lift,
        });
        let on = self.later.then(|| format!("{}T00:00:00Z", self.on));
        match (policy, parse_enforce_at(on.as_deref(), now)) {
            (Ok(policy), Ok(at)) => Ok((policy, at)),
            (Err(ServiceError::Invalid(mut wrong)), Err(ServiceError::Invalid(more))) => {
                wrong.extend(more);
                Err(ServiceError::Invalid(wrong))
            }
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }
}

#[derive(Template)]
#[template(path = "policy_form.html")]
struct PolicyFormPage {
    frame: Frame,
    form: Form,
    items: Vec<Item>,
    tomorrow: String,
    latest: String,
    errors: Errors,
}

/// The form, as it was typed.
pub(super) async fn show_form(
    app: &App,
    visitor: &Visitor,
    form: Form,
    status: StatusCode,
    errors: Errors,
) -> Result<Response, PageError> {
    visitor.actor().require(Permission::POLICY)?;
    let catalogue = app.services.store.catalogue().await;
    let catalogue = catalogue.map_err(ServiceError::from)?;
    let all = app.services.catalogue_set().await?;
    let now = app.services.clock.now();
    let shown = PolicyFormPage {
        frame: Frame::new(visitor, "policy"),
        items: role_checks::items(&catalogue, &all, &form.forbidden),
        tomorrow: words::date_field(now.plus_days(1)),
        latest: words::date_field(now.plus_days(POLICY_AHEAD_DAYS_MAX)),
        form,
        errors,
    };
    page_with(status, &shown)
}

/// The policy as it is, or as it is to come, for changing.
pub(super) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Asked(asked): Asked,
) -> Result<Response, PageError> {
    let (policy, next) = app.services.get_policy(&visitor.actor()).await?;
    let form = match next.filter(|_| asked.get("from") == "coming") {
        Some(next) => Form::of(&next.policy, Some(next.enforce_at)),
        None => Form::of(&policy, None),
    };
    show_form(&app, &visitor, form, StatusCode::OK, Errors::default()).await
}

/// Back from the preview, with what was typed.
pub(super) async fn again(State(app): State<App>, sent: Sent) -> Result<Response, PageError> {
    let form = Form::read(&sent.fields);
    show_form(&app, &sent.visitor, form, StatusCode::OK, Errors::default()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-22T10:15:00Z").unwrap()
    }

    fn read(form: &str) -> Form {
        Form::read(&Fields::parse(form.as_bytes()))
    }

    #[test]
    fn a_form_becomes_a_policy_and_stays_as_it_was_typed() {
        let form = read(
            "personal_days=90&key_never=1&p=deploy%3A*&unused=180&networks=192.0.2.0%2F24%0A2001%3Adb8%3A%3A%2F32&lift=1&start=later&on=2027-01-01",
        );
        let (policy, at) = form.wish(now()).unwrap();
        assert_eq!(policy.personal.days_max, Some(90));
        assert!(policy.key.may_never_expire && policy.owner_may_lift);
        assert_eq!(
            (policy.networks.len(), policy.unused_days_max),
            (2, Some(180))
        );
        assert_eq!(at.unwrap().to_string(), "2027-01-01T00:00:00Z");
        let again = super::super::address("", &form.pairs());
        assert_eq!(read(again.trim_start_matches('?')), form);
        assert_eq!(Form::of(&policy, at), form);
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let form = read("personal_days=ninety&unused=0&networks=home&start=later");
        let errors = Errors::of_service(form.wish(now()).unwrap_err()).unwrap();
        for field in [
            "personalAccessTokens",
            "unusedDaysMax",
            "allowedAddresses",
            "enforceAt",
        ] {
            assert!(errors.of(field).is_some(), "{field}: {errors:?}");
        }
        assert_eq!(read("start=now").wish(now()).unwrap().1, None, "at once");
    }
}
