//! `/v1/verify`.

use crate::{
    app::App,
    caller::Verifier,
    error::{InvalidField, ServiceError},
    observe::Door,
    problem::{ApiError, Json, misfit},
    service::verification::{Asked, Verified},
};
use axum::{body::Bytes, extract::State};
use hallpass_domain::{
    limits::{BODY_BYTES_MAX, VERIFY_BATCH_MAX},
    permission::Permission,
    token::PlainToken,
    verdict::DenyReason,
};
use hallpass_engine::{OwnerView, TokenView};
use hallpass_wire::{
    OrganizationReference, Owner, Problem, VerifyAnswer, VerifyAnswers, VerifyQuestion,
    VerifyQuestions,
};
use http::{HeaderMap, header};
use std::net::IpAddr;

/// Ask whether a token may do something
///
/// One question, or a list of up to 1000, answered in its order. `active` alone decides; it is true only if the token
/// works and, when a `permission` is named, holds it now. The answer is not to be kept. The request named by `method`,
/// `path`, `address` and `userAgent` is shown to the token's owner as its last use.
#[utoipa::path(post, path = "/v1/verify", tag = "Verification", operation_id = "verify",
    request_body = VerifyQuestions,
    responses(
        (status = 200, body = VerifyAnswers),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`body_malformed`, `permission_malformed`, `address_malformed`, `batch_too_large`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`: of the asking credential"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`permission_missing`: the asking credential does not hold `hallpass:verify`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`not_answering`: take it for a no"),
    ), security(("token" = [])))]
pub(super) async fn verify(
    State(app): State<App>,
    verifier: Verifier,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Json<VerifyAnswers>, ApiError> {
    let body = body.map_err(|_| ServiceError::BodyTooLarge(BODY_BYTES_MAX))?;
    verifier.check_again(&app)?;
    match parse(&headers, &body)? {
        VerifyQuestions::One(question) => Ok(Json(VerifyAnswers::One(Box::new(
            answer(&app, &verifier, &question).await?,
        )))),
        VerifyQuestions::Many(questions) => {
            let mut answers = Vec::with_capacity(questions.len());
            for question in &questions {
                answers.push(answer(&app, &verifier, question).await?);
            }
            Ok(Json(VerifyAnswers::Many(answers)))
        }
    }
}

/// Read by hand: what an untagged union says of a wrong field helps nobody.
fn parse(headers: &HeaderMap, body: &[u8]) -> Result<VerifyQuestions, ServiceError> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    if !kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .eq_ignore_ascii_case("application/json")
    {
        return Err(ServiceError::UnsupportedMediaType(
            "Content-Type: application/json",
        ));
    }
    let malformed = |error: serde_json::Error| ServiceError::BadRequest {
        code: "body_malformed",
        detail: misfit(&error.to_string()),
    };
    let is_list = body.trim_ascii_start().first() == Some(&b'[');
    if !is_list {
        return serde_json::from_slice(body)
            .map(VerifyQuestions::One)
            .map_err(malformed);
    }
    let questions: Vec<VerifyQuestion> = serde_json::from_slice(body).map_err(malformed)?;
    if questions.len() > VERIFY_BATCH_MAX {
        return Err(ServiceError::BadRequest {
            code: "batch_too_large",
            detail: format!(
                "at most {VERIFY_BATCH_MAX} questions; this has {}",
                questions.len()
            ),
        });
    }
    Ok(VerifyQuestions::Many(questions))
}

async fn answer(
    app: &App,
    verifier: &Verifier,
    question: &VerifyQuestion,
) -> Result<VerifyAnswer, ServiceError> {
    let needed = question
        .permission
        .as_deref()
        .map(Permission::parse)
        .transpose()
        .map_err(|error| InvalidField::new("permission", "permission_malformed", error))?;
    let address = question.address.as_deref().map(address).transpose()?;
    let Ok(token) = PlainToken::parse(question.token.as_bytes()) else {
        app.services.metrics.verified(
            Door::Rest,
            hallpass_domain::verdict::Verdict::Deny(DenyReason::Malformed),
        );
        return Ok(refused(DenyReason::Malformed));
    };
    let asked = Asked {
        method: question.method.as_deref(),
        path: question.path.as_deref(),
        address,
        agent: question.user_agent.as_deref(),
        within: verifier.within,
    };
    match app
        .services
        .verify(Door::Rest, &token, needed.as_ref(), &asked)
        .await
    {
        Verified::Allowed(view) => Ok(VerifyAnswer {
            active: true,
            ..told(&view)
        }),
        Verified::Refused(reason, None) => Ok(refused(reason)),
        Verified::Refused(reason, Some(view)) => Ok(VerifyAnswer {
            active: false,
            reason: Some(reason.word().to_owned()),
            permissions: None,
            ..told(&view)
        }),
        Verified::Unavailable => Err(ServiceError::NotAnswering),
    }
}

pub(super) fn address(text: &str) -> Result<IpAddr, InvalidField> {
    text.parse().map_err(|_| {
        InvalidField::new(
            "address",
            "address_malformed",
            "an address such as 192.0.2.7 or 2001:db8::17",
        )
    })
}

fn refused(reason: DenyReason) -> VerifyAnswer {
    VerifyAnswer {
        reason: Some(reason.word().to_owned()),
        ..VerifyAnswer::default()
    }
}

fn told(view: &TokenView<'_>) -> VerifyAnswer {
    let organization = OrganizationReference {
        id: view.organization_id().to_string(),
        name: view.organization_name().to_string(),
    };
    let owner = match view.owner() {
        OwnerView::User { id, name } => Owner {
            kind: "user".to_owned(),
            id: id.to_string(),
            name: name.to_string(),
        },
        OwnerView::Organization => Owner {
            kind: "organization".to_owned(),
            id: organization.id.clone(),
            name: organization.name.clone(),
        },
    };
    VerifyAnswer {
        active: false,
        reason: None,
        id: Some(view.id().to_string()),
        prefix: Some(view.prefix().to_string()),
        name: Some(view.name().to_string()),
        kind: Some(view.kind().word().to_owned()),
        organization: Some(organization),
        owner: Some(owner),
        permissions: Some(super::shapes::texts(&view.permissions())),
        expiration_date: view.expires_at().map(|at| at.to_string()),
    }
}
