//! `/v1/organizations/{organization}/policy`.

use super::shapes;
use crate::{
    app::App,
    caller::{Acting, Context},
    problem::{ApiError, Json},
    service::policy::{Consequence, Decision, Preview, parse_enforce_at, parse_policy},
};
use axum::extract::State;
use hallpass_domain::policy::{Lifetime, Policy};
use hallpass_store::{InventoryOwner, InventoryRow, PolicyChange, PolicyEffect};
use hallpass_wire::{
    ConcernedToken, NextPolicy, Owner, Policies, PolicyLifetime, PolicyPreview, PreviewPolicy,
    Problem, PutPolicy,
};
use http::StatusCode;

const TAG: &str = "Policy";

/// Show the policy
///
/// Takes `hallpass:policy`. What the organization's tokens must keep to now, and what is to come.
#[utoipa::path(get, path = "/v1/organizations/{organization}/policy", tag = TAG, operation_id = "showPolicy",
    params(("organization" = String, Path, description = "The organization's id")),
    responses(
        (status = 200, body = Policies),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`permission_missing`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn show(
    State(app): State<App>,
    Acting(actor): Acting,
) -> Result<Json<Policies>, ApiError> {
    let (now, next) = app.services.get_policy(&actor).await?;
    Ok(Json(policies(&now, next.as_ref())))
}

/// Preview a policy
///
/// Takes `hallpass:policy`. Says what the policy would do to the tokens and keys there are, and changes nothing.
#[utoipa::path(post, path = "/v1/organizations/{organization}/policy/preview", tag = TAG, operation_id = "previewPolicy",
    request_body = PreviewPolicy,
    params(("organization" = String, Path, description = "The organization's id")),
    responses(
        (status = 200, body = PolicyPreview),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`days_malformed`, `permission_malformed`, `permission_unknown`, `addresses_malformed`, `addresses_too_many`, `enforce_at_malformed`, `enforce_at_out_of_range`, `body_malformed`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`permission_missing`, `csrf_required`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn preview(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    Json(body): Json<PreviewPolicy>,
) -> Result<Json<PolicyPreview>, ApiError> {
    let policy = parse_policy(&body.policy)?;
    let at = parse_enforce_at(body.enforce_at.as_deref(), app.services.clock.now())?;
    app.services.check_again(&actor).await?;
    let seen = app.services.preview_policy(&actor, &policy, at, &context);
    Ok(Json(shown(seen.await?, &shapes::organization_of(&actor))))
}

/// Decide the policy
///
/// Takes `hallpass:policy`; in a session, a sign-in of the last five minutes. The whole policy, at once or from
/// `enforceAt` on, until when the owners of the tokens concerned see a `policyNotice`. `expected` repeats what the
/// preview said; if it is something else by now, nothing is changed. While a change is planned, say `replacesPlanned`.
#[utoipa::path(put, path = "/v1/organizations/{organization}/policy", tag = TAG, operation_id = "putPolicy",
    request_body = PutPolicy,
    params(("organization" = String, Path, description = "The organization's id")),
    responses(
        (status = 200, body = Policies),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`days_malformed`, `permission_malformed`, `permission_unknown`, `addresses_malformed`, `addresses_too_many`, `enforce_at_malformed`, `enforce_at_out_of_range`, `body_malformed`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`permission_missing`, `recent_sign_in_required`, `csrf_required`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`preview_outdated`, `policy_change_planned`, `changed_meanwhile`"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn put(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    Json(body): Json<PutPolicy>,
) -> Result<Json<Policies>, ApiError> {
    let now = app.services.clock.now();
    let decision = Decision {
        policy: parse_policy(&body.policy)?,
        enforce_at: parse_enforce_at(body.enforce_at.as_deref(), now)?,
        expected: PolicyEffect {
            shortened: body.expected.shortened,
            revoked: body.expected.revoked,
            unused: body.expected.unused,
        },
        replaces_planned: body.replaces_planned,
    };
    app.services.put_policy(&actor, &decision, &context).await?;
    let (now, next) = app.services.get_policy(&actor).await?;
    Ok(Json(policies(&now, next.as_ref())))
}

/// Withdraw what is to come
///
/// Takes `hallpass:policy`. The policy stays as it is now.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/policy/change", tag = TAG, operation_id = "withdrawPolicy",
    params(("organization" = String, Path, description = "The organization's id")),
    responses(
        (status = 204, description = "Withdrawn"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`permission_missing`, `csrf_required`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`: nothing is to come"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`changed_meanwhile`"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn withdraw(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
) -> Result<StatusCode, ApiError> {
    app.services.withdraw_policy(&actor, &context).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn lifetime(lifetime: Lifetime) -> PolicyLifetime {
    PolicyLifetime {
        days_max: lifetime.days_max.map(i64::from),
        may_never_expire: lifetime.may_never_expire,
    }
}

fn shape(policy: &Policy) -> hallpass_wire::Policy {
    hallpass_wire::Policy {
        personal_access_tokens: lifetime(policy.personal),
        api_keys: lifetime(policy.key),
        forbidden_permissions: shapes::texts(&policy.forbidden),
        unused_days_max: policy.unused_days_max.map(i64::from),
        allowed_addresses: policy.networks.iter().map(ToString::to_string).collect(),
        owners_may_lift: policy.owner_may_lift,
    }
}

fn policies(now: &Policy, next: Option<&PolicyChange>) -> Policies {
    Policies {
        now: shape(now),
        next: next.map(|change| NextPolicy {
            policy: shape(&change.policy),
            enforce_at: change.enforce_at.to_string(),
            decided: change.made.to_string(),
            decided_by: change.user.map(|user| user.to_string()),
        }),
    }
}

fn shown(seen: Preview, organization: &Owner) -> PolicyPreview {
    let first = seen.first.into_iter();
    PolicyPreview {
        effect: hallpass_wire::PolicyEffect {
            shortened: seen.effect.shortened,
            revoked: seen.effect.revoked,
            unused: seen.effect.unused,
        },
        tokens: first
            .map(|(row, what)| concerned(row, what, organization))
            .collect(),
        narrowed: seen.losses.narrowed,
        used_from_outside: seen.losses.outside,
        asker_refused: seen.losses.asker_refused,
        replaces_planned: seen.planned.map(|planned| planned.enforce_at.to_string()),
    }
}

fn concerned(row: InventoryRow, what: Consequence, organization: &Owner) -> ConcernedToken {
    let (effect, new_end) = match what {
        Consequence::Shortened(end) => ("shortened", Some(end.to_string())),
        Consequence::Revoked => ("revoked", None),
        Consequence::Unused => ("unused", None),
    };
    ConcernedToken {
        id: row.id.to_string(),
        kind: row.kind.word().to_owned(),
        name: row.name.to_string(),
        prefix: row.prefix.to_string(),
        owner: match row.owner {
            InventoryOwner::User { id, name, .. } => Owner {
                kind: "user".to_owned(),
                id: id.to_string(),
                name: name.to_string(),
            },
            InventoryOwner::Organization { .. } => organization.clone(),
        },
        created: row.created.to_string(),
        last_used: row.last_use.map(|last| last.at.to_string()),
        expiration_date: row.expiration.date().map(|date| date.to_string()),
        effect: effect.to_owned(),
        new_expiration_date: new_end,
    }
}
