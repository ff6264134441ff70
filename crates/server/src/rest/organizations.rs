//! `/v1/organizations`.

use super::{
    parameters::{self, Parameters},
    refusals::Refusals,
    shapes,
};
use crate::{
    app::App,
    caller::{Acting, Context, SignedIn},
    error::{InvalidField, ServiceError},
    problem::{ApiError, Json},
    service::organizations::OrganizationChange,
};
use axum::extract::{RawQuery, State};
use hallpass_domain::{id::OrganizationId, name::DisplayName, organization::Standing};
use hallpass_wire::{
    Caller, ChangeOrganization, CreateOrganization, Organization, OrganizationList,
    OwnOrganization, OwnOrganizations, Problem, SwitchOrganization,
};
use http::StatusCode;

const TAG: &str = "Organizations";
const LIST: &str = "organizations";

/// A standing as it is written.
pub(super) fn standing(text: &str) -> Result<Standing, ServiceError> {
    match text {
        "active" => Ok(Standing::Active),
        "suspended" => Ok(Standing::Suspended),
        _ => Err(InvalidField::new("standing", "standing_unknown", "active or suspended").into()),
    }
}

pub(super) fn display_name(field: &'static str, text: &str) -> Result<DisplayName, ServiceError> {
    Ok(DisplayName::parse(text).map_err(|error| InvalidField::name(field, error))?)
}

/// List all organizations
///
/// For those who hold `hallpass:deployment` in the organization that runs the deployment.
#[utoipa::path(get, path = "/v1/organizations", tag = TAG, operation_id = "listOrganizations",
    params(
        ("search" = Option<String>, Query, description = "With this in their name"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 50 unless you say otherwise"),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the answer before"),
    ),
    responses((status = 200, body = OrganizationList), Refusals), security(("session" = []), ("token" = [])))]
pub(super) async fn list(
    State(app): State<App>,
    Acting(actor): Acting,
    RawQuery(query): RawQuery,
) -> Result<Json<OrganizationList>, ApiError> {
    let asked = Parameters::read(query.as_deref(), &["search", "limit", "cursor"], &[])?;
    let (search, limit) = (asked.search()?, asked.limit()?);
    let after = asked.cursor(LIST, |place| {
        parameters::read_place(place, OrganizationId::parse)
    })?;
    let found = app
        .services
        .list_organizations(&actor, &search, after, limit + 1)
        .await?;
    let (found, next_cursor) = parameters::page(found, limit, |last| {
        parameters::cursor(LIST, &parameters::place(last.created, last.organization.id))
    });
    Ok(Json(OrganizationList {
        items: found.iter().map(shapes::organization_row).collect(),
        next_cursor,
    }))
}

/// Make an organization
///
/// Nobody is in it yet: invite its first superuser, or make a user and add them.
#[utoipa::path(post, path = "/v1/organizations", tag = TAG, operation_id = "createOrganization",
    request_body = CreateOrganization,
    responses(
        (status = 201, body = Organization),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`name_required`, `name_too_long`, `name_malformed`"),
        Refusals), security(("session" = []), ("token" = [])))]
pub(super) async fn create(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    Json(body): Json<CreateOrganization>,
) -> Result<(StatusCode, Json<Organization>), ApiError> {
    let name = display_name("name", &body.name)?;
    let made = app
        .services
        .create_organization(&actor, name, &context)
        .await?;
    Ok((StatusCode::CREATED, Json(shapes::organization_row(&made))))
}

/// Show an organization
#[utoipa::path(get, path = "/v1/organizations/{organization}", tag = TAG, operation_id = "showOrganization",
    params(("organization" = String, Path, description = "The organization's id")),
    responses((status = 200, body = Organization), Refusals), security(("session" = []), ("token" = [])))]
pub(super) async fn show(
    State(app): State<App>,
    Acting(actor): Acting,
) -> Result<Json<Organization>, ApiError> {
    let found = app.services.show_organization(&actor).await?;
    Ok(Json(shapes::organization_row(&found)))
}

/// Rename, suspend or resume an organization
///
/// Needs `hallpass:organization`. Suspended, nothing in it works and nobody in it can sign in; somebody of the
/// organization that runs the deployment resumes it.
#[utoipa::path(patch, path = "/v1/organizations/{organization}", tag = TAG, operation_id = "changeOrganization",
    params(("organization" = String, Path, description = "The organization's id")),
    request_body = ChangeOrganization,
    responses(
        (status = 200, body = Organization),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`name_malformed`, `standing_unknown`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`host_stays`"),
        Refusals), security(("session" = []), ("token" = [])))]
pub(super) async fn change(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    Json(body): Json<ChangeOrganization>,
) -> Result<Json<Organization>, ApiError> {
    let change = OrganizationChange {
        name: body
            .name
            .as_deref()
            .map(|name| display_name("name", name))
            .transpose()?,
        standing: body.standing.as_deref().map(standing).transpose()?,
    };
    let found = app
        .services
        .change_organization(&actor, &change, &context)
        .await?;
    Ok(Json(shapes::organization_row(&found)))
}

/// List the organizations you are in
#[utoipa::path(get, path = "/v1/caller/organizations", tag = "Caller", operation_id = "listOwnOrganizations",
    responses(
        (status = 200, body = OwnOrganizations),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn list_own(
    State(app): State<App>,
    Acting(actor): Acting,
) -> Result<Json<OwnOrganizations>, ApiError> {
    let user = actor.user.ok_or(ServiceError::CredentialRefused(
        "it belongs to an organization, not to a person",
    ))?;
    let found = app.services.organizations_of(user).await?;
    let items = found
        .into_iter()
        .map(|(organization, role)| OwnOrganization {
            id: organization.id.to_string(),
            name: organization.name.to_string(),
            role,
            current: organization.id == actor.home,
        });
    Ok(Json(OwnOrganizations {
        items: items.collect(),
    }))
}

/// Go to another of your organizations
///
/// The session is there from then on, for pages too. Tokens stay where they were made. The answer tells the value that
/// `X-Hallpass-CSRF` must carry from then on.
#[utoipa::path(put, path = "/v1/sessions/current/organization", tag = "Sessions", operation_id = "switchOrganization",
    request_body = SwitchOrganization,
    responses(
        (status = 200, body = Caller),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`csrf_required`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`: you are no active member there"),
    ), security(("session" = [])))]
pub(super) async fn switch(
    State(app): State<App>,
    SignedIn(present): SignedIn,
    Context(context): Context,
    Json(body): Json<SwitchOrganization>,
) -> Result<Json<Caller>, ApiError> {
    let to = OrganizationId::parse(&body.organization)
        .map_err(|_| ServiceError::NotFound("organization"))?;
    let there = app
        .services
        .switch_organization(&present.person, to, &context)
        .await?;
    Ok(Json(Caller {
        csrf: Some(app.services.csrf_in(&present, to)),
        ..shapes::caller(&there)
    }))
}
