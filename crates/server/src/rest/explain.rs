//! `/v1/explain`.

use super::{inventory::owner, shapes::texts};
use crate::{
    app::App,
    caller::Acting,
    error::{InvalidField, ServiceError},
    problem::{ApiError, Json},
    service::explain::{Explained, Named},
};
use axum::extract::State;
use hallpass_domain::{
    id::TokenId, organization::Organization, permission::Permission, token::Prefix,
    verdict::Verdict,
};
use hallpass_wire::{ExplainQuestion, ExplainStep, ExplainedToken, Explanation, Problem};

/// Explain what a token may do
///
/// The verdict that `POST /v1/verify` would give now, check by check, without the token's secret and without noting a
/// use. Of the organization in force. Needs `hallpass:tokens`, but for your own tokens.
#[utoipa::path(post, path = "/v1/explain", tag = "Verification", operation_id = "explain",
    request_body = ExplainQuestion,
    responses(
        (status = 200, body = Explanation),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`token_malformed`, `permission_malformed`, `address_malformed`, `body_malformed`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`permission_missing`, `csrf_required`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`not_answering`"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn explain(
    State(app): State<App>,
    Acting(actor): Acting,
    Json(body): Json<ExplainQuestion>,
) -> Result<Json<Explanation>, ApiError> {
    let needed = body.permission.as_deref().map(Permission::parse);
    let needed = needed.transpose().map_err(|error| {
        ServiceError::from(InvalidField::new(
            "permission",
            "permission_malformed",
            error,
        ))
    })?;
    let address = body.address.as_deref().map(super::verify::address);
    let address = address.transpose().map_err(ServiceError::from)?;
    app.services.check_again(&actor).await?;
    let explained = app
        .services
        .explain(&actor, named(&body.token)?, needed.as_ref(), address)
        .await?;
    Ok(Json(shape(explained, &actor.organization)))
}

/// What was sent is not told back: it may be a whole token.
fn named(text: &str) -> Result<Named, ServiceError> {
    if let Ok(id) = TokenId::parse(text) {
        return Ok(Named::Id(id));
    }
    Prefix::parse(text).map(Named::Prefix).map_err(|_| {
        let why = "send the token's id or its first 10 characters, and never the whole token";
        InvalidField::new("token", "token_malformed", why).into()
    })
}

fn shape(explained: Explained, organization: &Organization) -> Explanation {
    let steps = explained.steps.into_iter().map(|step| ExplainStep {
        check: step.check.word().to_owned(),
        outcome: step.outcome.word().to_owned(),
        sentence: step.sentence,
    });
    let verdict = match explained.verdict {
        Verdict::Allow => "allow",
        Verdict::Deny(reason) => reason.word(),
    };
    Explanation {
        verdict: verdict.to_owned(),
        token: ExplainedToken {
            id: explained.row.id.to_string(),
            prefix: explained.prefix.to_string(),
            name: explained.row.name.to_string(),
            kind: explained.row.kind.word().to_owned(),
        },
        owner: owner(&explained.row.owner, organization),
        role: explained.role,
        permissions: texts(&explained.permissions),
        steps: steps.collect(),
    }
}
