//! What a policy would do, and deciding it.

use super::{
    PageError,
    form::{Errors, Fields, PasswordView},
    inventory::RowView,
    page_with,
    policy::{PATH, Sentence, sentences},
    policy_form::{Form, show_form},
    see_other,
    view::Frame,
    visitor::{Sent, Visitor},
    words,
};
use crate::{
    app::App,
    error::ServiceError,
    service::{
        acting::Actor,
        policy::{Consequence, Decision, Preview},
        policy_losses::Losses,
    },
};
use askama::Template;
use axum::{extract::State, response::Response};
use hallpass_store::PolicyEffect;
use http::StatusCode;

/// A token that a policy concerns.
struct ConcernedView {
    token: RowView,
    words: String,
    colour: &'static str,
}

#[derive(Template)]
#[template(path = "policy_preview.html")]
struct PreviewPage {
    frame: Frame,
    sentences: Vec<Sentence>,
    /// From when on, in words.
    start: String,
    says: String,
    besides: Vec<String>,
    /// The day of the change that is planned and would not happen.
    planned: Option<String>,
    concerned: Vec<ConcernedView>,
    others: Option<String>,
    expected: PolicyEffect,
    pairs: Vec<(&'static str, String)>,
    password: PasswordView,
    errors: Errors,
}

/// What it would do, in one sentence.
fn says(effect: PolicyEffect) -> String {
    let would = |number: u64, what: &str| match number {
        0 => None,
        1 => Some(format!("1 token would be {what}")),
        many => Some(format!("{} tokens would be {what}", words::grouped(many))),
    };
    let parts: Vec<String> = [
        would(effect.shortened, "shortened"),
        would(effect.revoked, "revoked"),
        would(effect.unused, "revoked since nobody used it"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() {
        return "No token would be shortened, and none revoked.".to_owned();
    }
    format!("{}.", parts.join(", "))
}

/// What it would take away besides, a sentence each.
fn says_besides(losses: Losses) -> Vec<String> {
    let tokens = |number: u64, what: &str| {
        let verb = if number == 1 { "token" } else { "tokens" };
        (number > 0).then(|| format!("{} {verb} {what}", words::grouped(number)))
    };
    let all = [
        tokens(
            losses.narrowed,
            "would go on without a permission that this policy forbids.",
        ),
        tokens(
            losses.outside,
            "would be refused from where they were used last.",
        ),
    ];
    all.into_iter().flatten().collect()
}

fn told(consequence: Consequence) -> (String, &'static str) {
    match consequence {
        Consequence::Shortened(end) => (format!("ends {} instead", words::day(end)), "warn"),
        Consequence::Revoked => ("revoked".to_owned(), "bad"),
        Consequence::Unused => ("revoked: unused".to_owned(), "bad"),
    }
}

/// The preview of what was typed, or the form again if it cannot be.
async fn show(
    app: &App,
    visitor: &Visitor,
    form: Form,
    status: StatusCode,
    errors: Errors,
) -> Result<Response, PageError> {
    let now = app.services.clock.now();
    let previewed = async {
        let (policy, at) = form.wish(now)?;
        let preview = app
            .services
            .preview_policy(&visitor.actor(), &policy, at, &visitor.context)
            .await?;
        let start = at.map_or_else(
            || "At once, from the moment you confirm:".to_owned(),
            |at| format!("From {} on, as it looks today:", words::day(at)),
        );
        Ok::<_, ServiceError>((sentences(&policy), start, preview))
    };
    match previewed.await {
        Ok((sentences, start, preview)) => {
            let shown = PreviewPage::new(app, visitor, &form, (sentences, start), preview, errors);
            page_with(status, &shown)
        }
        Err(error) => {
            let (status, errors) = (error.face().status, Errors::of_service(error)?);
            show_form(app, visitor, form, status, errors).await
        }
    }
}

impl PreviewPage {
    fn new(
        app: &App,
        visitor: &Visitor,
        form: &Form,
        (sentences, start): (Vec<Sentence>, String),
        preview: Preview,
        errors: Errors,
    ) -> Self {
        let now = app.services.clock.now();
        let effect = preview.effect;
        let all = effect.shortened + effect.revoked + effect.unused;
        let others = all.saturating_sub(preview.first.len() as u64);
        let concerned = preview.first.iter().map(|(row, consequence)| {
            let (words, colour) = told(*consequence);
            ConcernedView {
                token: RowView::of(row, None, now),
                words,
                colour,
            }
        });
        Self {
            frame: Frame::new(visitor, "policy"),
            sentences,
            start,
            says: says(effect),
            besides: says_besides(preview.losses),
            planned: preview
                .planned
                .as_ref()
                .map(|planned| words::day(planned.enforce_at)),
            concerned: concerned.collect(),
            others: (others > 0).then(|| words::grouped(others)),
            expected: effect,
            pairs: form.pairs(),
            password: PasswordView {
                asked: !app.services.is_recent(visitor.person()),
                required: false,
                hint: "Your sign-in is more than five minutes ago, so a change of the policy needs your password once more.",
                errors: errors.clone(),
            },
            errors,
        }
    }
}

pub(super) async fn preview(State(app): State<App>, sent: Sent) -> Result<Response, PageError> {
    let form = Form::read(&sent.fields);
    show(&app, &sent.visitor, form, StatusCode::OK, Errors::default()).await
}

/// What was looked at; what is missing is as if it said nothing.
fn expected(fields: &Fields) -> PolicyEffect {
    let number = |name| fields.get(name).parse().unwrap_or(0);
    PolicyEffect {
        shortened: number("shortened"),
        revoked: number("revoked"),
        unused: number("unused_now"),
    }
}

async fn try_decide(app: &App, sent: &Sent, form: &Form) -> Result<&'static str, ServiceError> {
    let visitor = &sent.visitor;
    let (policy, enforce_at) = form.wish(app.services.clock.now())?;
    let person = visitor.confirmed(app, sent.fields.get("password")).await?;
    let decision = Decision {
        policy,
        enforce_at,
        expected: expected(&sent.fields),
        replaces_planned: sent.fields.get("replaces") == "1",
    };
    app.services
        .put_policy(&Actor::of_session(&person), &decision, &visitor.context)
        .await?;
    Ok(if enforce_at.is_some() {
        "decided"
    } else {
        "enforced"
    })
}

pub(super) async fn decide(State(app): State<App>, sent: Sent) -> Result<Response, PageError> {
    let form = Form::read(&sent.fields);
    match try_decide(&app, &sent, &form).await {
        Ok(done) => Ok(see_other(&format!("{PATH}?done={done}"))),
        Err(error) => {
            let (status, errors) = (error.face().status, Errors::of_service(error)?);
            show(&app, &sent.visitor, form, status, errors).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_would_do_is_one_sentence() {
        let effect = |shortened, revoked, unused| {
            says(PolicyEffect {
                shortened,
                revoked,
                unused,
            })
        };
        assert_eq!(
            effect(41, 3, 0),
            "41 tokens would be shortened, 3 tokens would be revoked."
        );
        assert!(effect(0, 0, 1).starts_with("1 token would be revoked since"));
        assert!(effect(0, 0, 0).starts_with("No token"));
    }
}
