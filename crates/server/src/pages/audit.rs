//! The audit: every change and every refused attempt at one.

use super::{
    PageError,
    audit_filter::Filter,
    audit_line::{ACTIONS, LineView},
    audit_names::Names,
    form::Errors,
    page_with,
    view::Frame,
    visitor::{Asked, Sent, Visitor},
    words,
};
use crate::{
    app::App,
    error::{InvalidField, ServiceError},
    service::audit::{AuditedLine, ExpectedEnd, People, Verification, write_hex},
};
use askama::Template;
use axum::{extract::State, response::Response};
use hallpass_domain::{audit::Action, id::UserId, name::Email, permission::Permission};
use hallpass_wire::AuditExpected;
use http::StatusCode;

/// What a check of the chain found.
#[derive(Debug)]
struct Checked {
    good: bool,
    verdict: String,
    /// What to keep elsewhere, for the next check.
    end: String,
}

impl Checked {
    fn of(found: &Verification) -> Self {
        let (report, head) = (&found.report, &found.head);
        let lines = words::count(report.verified, "line");
        let mut verdict = match report.first_bad() {
            Some(finding) => format!(
                "The chain is broken: {finding}. {lines} before that are as they were written."
            ),
            None => format!("The chain holds: {lines} are as they were written."),
        };
        if report.unknown > 0 {
            let unknown = words::count(report.unknown, "line");
            verdict.push_str(&format!(
                " Of {unknown} only the place is known: the pepper they were sealed with is not here."
            ));
        }
        if let Some(line) = found.unexpected {
            verdict.push_str(&format!(
                " But line {line} is not the one that you noted: lines were cut off or written anew."
            ));
        }
        let code = head.code.as_ref().map(|code| write_hex(code.bytes()));
        Self {
            good: report.first_bad().is_none() && found.unexpected.is_none(),
            verdict,
            end: format!("{}:{}", head.seq, code.unwrap_or_default()),
        }
    }
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    frame: Frame,
    checked: Option<Checked>,
    /// What was noted at the last check, as it was typed.
    noted: String,
    errors: Errors,
    /// What the address asks for and there is not.
    unknown: Option<String>,
    filter: Filter,
    actions: Vec<(&'static str, &'static str, bool)>,
    narrowed: bool,
    /// Whether the lines of all organizations may be asked for.
    may_see_whole: bool,
    exports: [(&'static str, String); 2],
    rows: Vec<LineView>,
    more_href: Option<String>,
    first_href: Option<String>,
}

pub(super) async fn list(
    State(app): State<App>,
    visitor: Visitor,
    Asked(asked): Asked,
) -> Result<Response, PageError> {
    let list = AuditPage::new(&app, &visitor, Filter::read(&asked)).await?;
    page_with(StatusCode::OK, &list)
}

/// Lines, and where the next ones begin.
type Lines = (Vec<AuditedLine>, Option<i64>);

/// What the filter finds. Of an address that nobody has nothing is found, as of one who did nothing.
async fn find(app: &App, visitor: &Visitor, filter: &Filter) -> Result<Lines, ServiceError> {
    let (actor, mut people) = (visitor.actor(), People::new());
    let query = filter.store_query();
    let found = app
        .services
        .list_audit(&actor, &query, filter.whole, &mut people)
        .await?;
    Ok(if filter.unknown.is_empty() {
        found
    } else {
        (Vec::new(), None)
    })
}

/// The filter with the user whose address was typed.
async fn with_person(app: &App, filter: Filter) -> Result<Filter, ServiceError> {
    let Ok(email) = Email::parse(&filter.person) else {
        return Ok(filter);
    };
    let found = app.services.store.find_sign_in(&email).await?;
    let nobody = UserId::from_bytes([0; 16]);
    Ok(filter.of_actor(found.map_or(nobody, |found| found.user.id)))
}

impl AuditPage {
    async fn new(app: &App, visitor: &Visitor, asked: Filter) -> Result<Self, ServiceError> {
        let (actor, now) = (visitor.actor(), app.services.clock.now());
        actor.require(Permission::AUDIT)?;
        let filter = with_person(app, asked.clone()).await?;
        let (found, next) = find(app, visitor, &filter).await?;
        let names = Names::of(app, visitor, &found).await?;
        let line = |found| LineView::of(found, &asked, &names, now);
        let action = |(action, label): &(Action, &'static str)| {
            (action.word(), *label, action.word() == asked.action)
        };
        let export = |format| filter.export_href(actor.organization.id, format);
        Ok(Self {
            frame: Frame::new(visitor, "audit"),
            checked: None,
            noted: String::new(),
            errors: Errors::default(),
            unknown: asked.unknown.said(),
            actions: ACTIONS.iter().map(action).collect(),
            narrowed: asked.narrows(),
            may_see_whole: actor.may(Permission::DEPLOYMENT),
            exports: [("CSV", export("csv")), ("JSON", export("jsonl"))],
            rows: found.iter().map(line).collect(),
            more_href: next.map(|next| asked.from(Some(next)).href()),
            first_href: (!asked.before.is_empty()).then(|| asked.from(None).href()),
            filter: asked,
        })
    }
}

/// What was noted at an earlier check: the number of a line and its code, `82:25ff…`.
fn read_noted(text: &str) -> Result<Option<ExpectedEnd>, ServiceError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let malformed = || {
        let why = "a number, a colon and 64 digits from 0 to f, as a check showed them";
        InvalidField::new("expected", "expected_malformed", why)
    };
    let (seq, code) = text.split_once(':').ok_or_else(malformed)?;
    let wish = AuditExpected {
        expected_seq: Some(seq.trim().parse().map_err(|_| malformed())?),
        expected_code: Some(code.trim().to_owned()).filter(|code| !code.is_empty()),
    };
    ExpectedEnd::parse(&wish).map_err(|_| malformed().into())
}

pub(super) async fn verify(State(app): State<App>, sent: Sent) -> Result<Response, PageError> {
    let (visitor, noted) = (&sent.visitor, sent.fields.get("expected"));
    let mut list = AuditPage::new(&app, visitor, Filter::default()).await?;
    list.noted = noted.to_owned();
    match read_noted(noted) {
        Ok(expected) => {
            let found = app
                .services
                .verify_audit(&visitor.actor(), expected)
                .await?;
            list.checked = Some(Checked::of(&found));
            page_with(StatusCode::OK, &list)
        }
        Err(error) => {
            let status = error.face().status;
            list.errors = Errors::of_service(error)?;
            page_with(status, &list)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_read_as_it_was_shown() {
        let code = "25".repeat(32);
        assert!(read_noted(" ").unwrap().is_none());
        for good in [
            format!("82:{code}"),
            format!(" 82: {code} "),
            "0:".to_owned(),
        ] {
            assert!(read_noted(&good).unwrap().is_some(), "{good}");
        }
        for bad in ["82", "x:25", "82:25", &format!(":{code}"), &code] {
            assert!(read_noted(bad).is_err(), "{bad}");
        }
    }
}
