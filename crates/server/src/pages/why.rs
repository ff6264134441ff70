//! What a token may do right now, and why: the verdict, step by step.

use super::{
    form::{Errors, Fields},
    visitor::Visitor,
};
use crate::{
    app::App,
    error::{InvalidField, ServiceError},
    rest::read_address,
    service::explain::{Explained, Named, Told},
};
use askama::{Template, filters::HtmlSafe};
use hallpass_domain::{
    id::TokenId,
    permission::Permission,
    verdict::{Outcome, Verdict},
};
use std::net::IpAddr;

/// A check and what came of it, in words.
#[derive(Debug)]
struct StepView {
    word: &'static str,
    colour: &'static str,
    sentence: String,
}

impl StepView {
    fn of(told: &Told) -> Self {
        let (word, colour) = match told.outcome {
            Outcome::Holds => ("holds", "good"),
            Outcome::Fails => ("fails", "bad"),
            Outcome::NotReached => ("not reached", ""),
        };
        Self {
            word,
            colour,
            sentence: told.sentence.clone(),
        }
    }
}

/// The verdict and the form that asks for another one.
#[derive(Debug, Template)]
#[template(path = "part/why.html")]
pub(super) struct WhyView {
    /// The page that it stands on.
    path: String,
    permission: String,
    address: String,
    allowed: bool,
    verdict: String,
    steps: Vec<StepView>,
    /// All that it may do now.
    may: Vec<String>,
    /// Permissions to choose from.
    known: Vec<String>,
    errors: Errors,
}

impl HtmlSafe for WhyView {}

/// What somebody wants to know of a token, as far as it can be understood.
fn question(fields: &Fields) -> (Option<Permission>, Option<IpAddr>, Vec<InvalidField>) {
    let (permission, address) = (
        fields.get("permission").trim(),
        fields.get("address").trim(),
    );
    let needed = (!permission.is_empty()).then(|| Permission::parse(permission));
    let address = (!address.is_empty()).then(|| read_address(address));
    let mut wrong = Vec::new();
    let needed = needed.and_then(|needed| {
        let refused = |error| InvalidField::new("permission", "permission_malformed", error);
        needed.map_err(|error| wrong.push(refused(error))).ok()
    });
    let address = address.and_then(|address| address.map_err(|error| wrong.push(error)).ok());
    (needed, address, wrong)
}

/// Explains the token `id` on the page `path`, whose query holds the question.
pub(super) async fn explain(
    app: &App,
    visitor: &Visitor,
    id: TokenId,
    asked: &Fields,
    path: String,
) -> Result<(WhyView, Explained), ServiceError> {
    let (needed, address, wrong) = question(asked);
    let explained = app
        .services
        .explain(&visitor.actor(), Named::Id(id), needed.as_ref(), address)
        .await?;
    let errors = if wrong.is_empty() {
        Errors::default()
    } else {
        Errors::of_service(ServiceError::Invalid(wrong))?
    };
    let catalogue = app.services.store.catalogue().await?;
    let view = WhyView {
        path,
        permission: asked.get("permission").to_owned(),
        address: asked.get("address").to_owned(),
        allowed: explained.verdict == Verdict::Allow,
        verdict: said(explained.verdict, needed.as_ref()),
        steps: explained.steps.iter().map(StepView::of).collect(),
        may: explained
            .permissions
            .iter()
            .map(Permission::to_string)
            .collect(),
        known: catalogue
            .iter()
            .map(|entry| entry.permission.to_string())
            .collect(),
        errors,
    };
    Ok((view, explained))
}

fn said(verdict: Verdict, needed: Option<&Permission>) -> String {
    match (verdict, needed) {
        (Verdict::Allow, None) => "It works right now.".to_owned(),
        (Verdict::Allow, Some(needed)) => format!("It may do {needed} right now."),
        (Verdict::Deny(_), None) => "It does not work right now.".to_owned(),
        (Verdict::Deny(_), Some(needed)) => format!("It may not do {needed} right now."),
    }
}
