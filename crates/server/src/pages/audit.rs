//! The audit: every change and every refused attempt at one.

use super::{
    PageError,
    audit_filter::Filter,
    audit_line::{ACTIONS, LineView},
    page,
    view::Frame,
    visitor::{Asked, Sent, Visitor},
    words,
};
use crate::{
    app::App,
    service::audit::{People, Verification, write_hex},
};
use askama::Template;
use axum::{extract::State, response::Response};
use hallpass_domain::permission::Permission;

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
        let code = head.code.as_ref().map(|code| write_hex(code.bytes()));
        Self {
            good: report.first_bad().is_none(),
            verdict,
            end: format!("{} {}", head.seq, code.unwrap_or_default()),
        }
    }
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    frame: Frame,
    checked: Option<Checked>,
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
    show(&app, &visitor, Filter::read(&asked), None).await
}

async fn show(
    app: &App,
    visitor: &Visitor,
    filter: Filter,
    checked: Option<Checked>,
) -> Result<Response, PageError> {
    let (actor, now) = (visitor.actor(), app.services.clock.now());
    let (found, next) = app
        .services
        .list_audit(
            &actor,
            &filter.store_query(),
            filter.whole,
            &mut People::new(),
        )
        .await?;
    let may_see_tokens = actor.may(Permission::TOKENS);
    let line = |found| LineView::of(found, &filter, may_see_tokens, now);
    let action = |(action, label): &(hallpass_domain::audit::Action, &'static str)| {
        (action.word(), *label, action.word() == filter.action)
    };
    let export = |format| filter.export_href(actor.organization.id, format);
    page(&AuditPage {
        frame: Frame::new(visitor, "audit"),
        checked,
        actions: ACTIONS.iter().map(action).collect(),
        narrowed: filter.narrows(),
        may_see_whole: actor.may(Permission::DEPLOYMENT),
        exports: [("CSV", export("csv")), ("JSON", export("jsonl"))],
        rows: found.iter().map(line).collect(),
        more_href: next.map(|next| filter.from(Some(next)).href()),
        first_href: (!filter.before.is_empty()).then(|| filter.from(None).href()),
        filter,
    })
}

pub(super) async fn verify(State(app): State<App>, sent: Sent) -> Result<Response, PageError> {
    let visitor = &sent.visitor;
    let found = app.services.verify_audit(&visitor.actor(), None).await?;
    let checked = Some(Checked::of(&found));
    show(&app, visitor, Filter::default(), checked).await
}
