//! `/v1/organizations/{organization}/audit`.

use super::{
    export::{self, Format, Pages, Record},
    parameters::{self, Parameters},
};
use crate::{
    app::App,
    caller::{Acting, Context},
    error::{InvalidField, ServiceError},
    problem::{ApiError, Json},
    service::{
        acting::Actor,
        audit::{self, AuditedLine, ExpectedEnd, People, Verification, write_hex},
        inventory::moment,
    },
};
use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use hallpass_domain::{
    audit::Action,
    id::{TokenId, UserId},
    limits::BODY_BYTES_MAX,
};
use hallpass_store::AuditQuery;
use hallpass_wire::{
    AuditActor, AuditExpected, AuditFinding, AuditHead, AuditLine, AuditList, AuditReport, Problem,
};
use serde_json::Value;
use utoipa::IntoParams;

const TAG: &str = "Audit";
const LIST: &str = "audit";

/// The parameters of a search in the audit, for the description.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "read by the description of the API alone; the values are parsed one by one, so that each error names its parameter"
)]
pub(super) struct AuditParameters {
    /// By the person with this id.
    actor: Option<String>,
    /// With the token or key with this id.
    token: Option<String>,
    /// What was done, such as `token.created`: several by comma, or by sending this again.
    action: Option<String>,
    /// Done to this: mostly an id.
    target: Option<String>,
    /// From this address.
    address: Option<String>,
    /// Not before this moment.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Before this moment.
    #[param(format = DateTime)]
    until: Option<String>,
    /// `organization`, or `deployment` for the lines of all organizations: in the organization that runs the
    /// deployment, and with `hallpass:deployment`.
    scope: Option<String>,
}

const FILTER: [&str; 8] = [
    "actor", "token", "action", "target", "address", "since", "until", "scope",
];

/// What is asked for, and whether of the whole deployment.
fn wish(parameters: &Parameters) -> Result<(AuditQuery, bool), ServiceError> {
    let malformed =
        |name: &'static str| move |error| InvalidField::new(name, "id_malformed", error);
    let actor = parameters.get("actor").map(UserId::parse).transpose();
    let token = parameters.get("token").map(TokenId::parse).transpose();
    let scopes = [("organization", false), ("deployment", true)];
    let whole = parameters.word("scope", "scope_unknown", &scopes, false)?;
    let query = AuditQuery {
        actor_user: actor.map_err(malformed("actor"))?,
        actor_token: token.map_err(malformed("token"))?,
        actions: actions(parameters)?,
        target: parameters.text("target"),
        address: parameters.text("address"),
        since: moment("since", parameters.get("since"))?,
        until: moment("until", parameters.get("until"))?,
        ..AuditQuery::all(None, 0)
    };
    Ok((query, whole))
}

fn actions(parameters: &Parameters) -> Result<Vec<Action>, InvalidField> {
    let words = parameters.all("action").flat_map(|words| words.split(','));
    let action = |word| {
        Action::from_word(word).ok_or_else(|| {
            let why = "there is no such action; one is token.created";
            InvalidField::new("action", "action_unknown", why)
        })
    };
    words.map(action).collect()
}

/// Show the audit
///
/// Every change and every refused attempt at one, the newest first. Needs `hallpass:audit`.
#[utoipa::path(get, path = "/v1/organizations/{organization}/audit", tag = TAG, operation_id = "listAudit",
    params(
        ("organization" = String, Path, description = "The organization's id"), AuditParameters,
        ("limit" = Option<u32>, Query, description = "Lines in one answer: 1 to 100, 50 if nothing is said"),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the answer before"),
    ),
    responses(
        (status = 200, body = AuditList),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`id_malformed`, `action_unknown`, `date_malformed`, `scope_unknown`, `limit_malformed`, `cursor_malformed`, `parameter_unknown`, `parameter_doubled`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`permission_missing`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`, also for organizations of others"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn list(
    State(app): State<App>,
    Acting(actor): Acting,
    RawQuery(query): RawQuery,
) -> Result<Json<AuditList>, ApiError> {
    let known = [&FILTER[..], &["limit", "cursor"]].concat();
    let parameters = Parameters::read(query.as_deref(), &known, &["action"])?;
    let (mut query, whole) = wish(&parameters)?;
    query.limit = parameters.limit()?;
    query.before = parameters.cursor(LIST, |place| place.parse().ok())?;
    let (lines, next) = app
        .services
        .list_audit(&actor, &query, whole, &mut People::new())
        .await?;
    Ok(Json(AuditList {
        items: lines.into_iter().map(line).collect(),
        next_cursor: next.map(|next| parameters::cursor(LIST, &next.to_string())),
    }))
}

/// Export the audit
///
/// The same as a file, the newest line first, at most 100000 of them: go on with `until`. In CSV, a cell that a
/// spreadsheet would take for a formula has a `'` before it. The export is in the audit itself. Needs `hallpass:audit`.
#[utoipa::path(get, path = "/v1/organizations/{organization}/audit/export", tag = TAG, operation_id = "exportAudit",
    params(
        ("organization" = String, Path, description = "The organization's id"), AuditParameters,
        ("format" = Option<String>, Query, description = "`csv` or `jsonl`; `csv` if nothing is said"),
    ),
    responses(
        (status = 200, description = "The file", content((String = "text/csv"), (AuditLine = "application/x-ndjson"))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`format_unknown`, and as in the list"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`permission_missing`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`, also for organizations of others"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn export(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let known = [&FILTER[..], &["format"]].concat();
    let parameters = Parameters::read(query.as_deref(), &known, &["action"])?;
    let formats = [("csv", Format::Csv), ("jsonl", Format::JsonLines)];
    let format = parameters.word("format", "format_unknown", &formats, Format::Csv)?;
    let (wish, whole) = wish(&parameters)?;
    let told = audit::told(format.word(), whole, &query.unwrap_or_default());
    app.services
        .begin_audit_export(&actor, whole, told, &context)
        .await?;
    let pages = AuditPages {
        app,
        actor,
        query: wish,
        whole,
        people: People::new(),
        done: false,
    };
    Ok(export::file("audit", format, pages).into_response())
}

/// Verify the audit
///
/// Reads every line of the deployment and names the first that is not as it was written: edited, removed, put in or
/// moved. Send what an earlier verification said of the end, and an end that was cut off or written anew is found too.
/// Needs `hallpass:audit`.
#[utoipa::path(post, path = "/v1/organizations/{organization}/audit/verify", tag = TAG, operation_id = "verifyAudit",
    params(("organization" = String, Path, description = "The organization's id")),
    request_body = Option<AuditExpected>,
    responses(
        (status = 200, body = AuditReport),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`code_malformed`, `expected_seq_missing`, `body_malformed`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`permission_missing`, `csrf_required`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`, also for organizations of others"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn verify(
    State(app): State<App>,
    Acting(actor): Acting,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Json<AuditReport>, ApiError> {
    let body = body.map_err(|_| ServiceError::BodyTooLarge(BODY_BYTES_MAX))?;
    let wish = if body.is_empty() {
        AuditExpected::default()
    } else {
        serde_json::from_slice(&body).map_err(|error| ServiceError::BadRequest {
            code: "body_malformed",
            detail: crate::problem::misfit(&error.to_string()),
        })?
    };
    let expected = ExpectedEnd::parse(&wish)?;
    app.services.check_again(&actor).await?;
    let found = app.services.verify_audit(&actor, expected).await?;
    Ok(Json(report(&found)))
}

fn report(found: &Verification) -> AuditReport {
    let (report, head) = (&found.report, &found.head);
    let bad = report.first_bad().map(|finding| AuditFinding {
        seq: finding.seq,
        what: finding.wrong.word().to_owned(),
        detail: format!("{finding}"),
    });
    let unexpected = found.unexpected.map(|seq| AuditFinding {
        seq,
        what: "not_as_expected".to_owned(),
        detail: format!("line {seq} is not the one that the earlier verification saw"),
    });
    AuditReport {
        verified: report.verified,
        chained_after: head.chained_after,
        unknown: report.unknown,
        head: AuditHead {
            seq: head.seq,
            code: head.code.map(|code| write_hex(code.bytes())),
        },
        first_bad: bad
            .into_iter()
            .chain(unexpected)
            .min_by_key(|finding| finding.seq),
    }
}

struct AuditPages {
    app: App,
    actor: Actor,
    query: AuditQuery,
    whole: bool,
    people: People,
    done: bool,
}

impl Pages for AuditPages {
    type Row = AuditLine;

    async fn next(&mut self, most: u32) -> Result<Vec<AuditLine>, ServiceError> {
        if self.done {
            return Ok(Vec::new());
        }
        self.query.limit = most;
        let (lines, next) = self
            .app
            .services
            .list_audit(&self.actor, &self.query, self.whole, &mut self.people)
            .await?;
        self.query.before = next;
        self.done = next.is_none();
        Ok(lines.into_iter().map(line).collect())
    }
}

impl Record for AuditLine {
    const COLUMNS: &'static [&'static str] = &[
        "seq",
        "id",
        "at",
        "organization",
        "actorId",
        "actorName",
        "actorEmail",
        "token",
        "action",
        "target",
        "address",
        "agent",
        "before",
        "after",
        "detail",
    ];

    fn cells(&self) -> Vec<String> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let json = |value: &Option<Value>| value.as_ref().map_or(String::new(), Value::to_string);
        let actor = self.actor.as_ref();
        vec![
            self.seq.to_string(),
            self.id.clone(),
            self.at.clone(),
            text(&self.organization),
            actor.map_or(String::new(), |actor| actor.id.clone()),
            actor.map_or(String::new(), |actor| text(&actor.name)),
            actor.map_or(String::new(), |actor| text(&actor.email)),
            text(&self.token),
            self.action.clone(),
            text(&self.target),
            text(&self.address),
            text(&self.agent),
            json(&self.before),
            json(&self.after),
            json(&self.detail),
        ]
    }
}

fn line(found: AuditedLine) -> AuditLine {
    let AuditedLine { line, actor } = found;
    // What is no JSON was not written by this program, and is shown as it is.
    let json = |text: Option<String>| {
        text.map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text)))
    };
    AuditLine {
        seq: line.seq,
        id: line.id.to_string(),
        at: line.at.to_string(),
        organization: line.organization.map(|id| id.to_string()),
        actor: line.actor_user.map(|id| AuditActor {
            id: id.to_string(),
            name: actor.as_ref().map(|user| user.name.to_string()),
            email: actor.as_ref().map(|user| user.email.to_string()),
        }),
        token: line.actor_token.map(|id| id.to_string()),
        action: line.action,
        target: line.target,
        address: line.address,
        agent: line.agent,
        before: json(line.before),
        after: json(line.after),
        detail: json(line.detail),
    }
}
