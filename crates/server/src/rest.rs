//! The native API, under `/v1`.

mod api_keys;
mod audit;
mod caller;
mod docs;
mod explain;
mod export;
mod inventory;
mod invitations;
mod list_query;
mod members;
mod named;
mod organizations;
mod parameters;
mod permissions;
mod personal_access_tokens;
mod policy;
mod refusals;
mod revocations;
mod roles;
mod sessions;
mod shapes;
mod strict_json;
mod suspensions;
mod users;
mod verify;

use crate::{app::App, error::ServiceError, problem::ApiError};
use axum::Router;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// What the API says of itself.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Hallpass",
        description = "Personal access tokens: make them, see where they are used, revoke them; and ask whether one may do a thing.\n\nA token goes as `Authorization: Bearer`, `Authorization: Token`, `X-API-Key`, `PRIVATE-TOKEN`, or Basic (as user name or password). A token in an address is refused. Errors are problem details (RFC 9457) with a stable `code`. Unknown fields are refused.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    modifiers(&Security),
    tags(
        (name = "Personal access tokens", description = "Owned by one user, bound to the organization they were made in."),
        (name = "API keys", description = "Owned by an organization, with a role of their own; they survive whoever made them."),
        (name = "Suspension", description = "Refused for a while, but not destroyed."),
        (name = "Policy", description = "What an organization's tokens must keep to."),
        (name = "Verification", description = "May this token do this now?"),
        (name = "Organizations", description = "What users are members of and tokens are bound to."),
        (name = "Members", description = "Who is in an organization, with which role; and who is invited."),
        (name = "Roles and permissions", description = "Named sets of permissions, and the catalogue of all there are."),
        (name = "Users", description = "The people of the whole deployment."),
        (name = "Inventory", description = "Every token and key of an organization: looked through, exported, revoked together."),
        (name = "Audit", description = "Every change and every refused attempt at one, in a chain that shows what was tampered with."),
        (name = "Sessions", description = "Signing in, for browsers and programs."),
        (name = "Caller", description = "Who is asking, and what there is to be allowed."),
    )
)]
struct Description;

struct Security;

impl Modify for Security {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("A token. To manage tokens it must name `hallpass:own-tokens`; to verify, its owner's role and its scope must hold `hallpass:verify`.")).build();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
        let session = ApiKey::Cookie(ApiKeyValue::with_description(
            "hallpass",
            "A session, begun with `POST /v1/sessions`. The cookie is named `__Host-hallpass` but on plain-http loopback. Requests that change something also carry `X-Hallpass-CSRF`.",
        ));
        components.add_security_scheme("session", SecurityScheme::ApiKey(session));
    }
}

fn with_description() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(
            personal_access_tokens::create,
            personal_access_tokens::list
        ))
        .routes(routes!(
            personal_access_tokens::show_self,
            personal_access_tokens::revoke_self
        ))
        .routes(routes!(
            personal_access_tokens::show,
            personal_access_tokens::change,
            personal_access_tokens::revoke
        ))
        .routes(routes!(suspensions::suspend_own, suspensions::lift_own))
        .routes(routes!(suspensions::suspend_any, suspensions::lift_any))
        .routes(routes!(api_keys::create, api_keys::list))
        .routes(routes!(api_keys::show, api_keys::revoke))
        .routes(routes!(api_keys::rotate))
        .routes(routes!(policy::show, policy::put))
        .routes(routes!(policy::preview))
        .routes(routes!(policy::withdraw))
        .routes(routes!(verify::verify))
        .routes(routes!(
            sessions::sign_in,
            sessions::list,
            sessions::end_all
        ))
        .routes(routes!(sessions::sign_out))
        .routes(routes!(sessions::end))
        .routes(routes!(caller::caller))
        .merge(administration())
}

/// What administers an organization and the deployment.
fn administration() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(organizations::list, organizations::create))
        .routes(routes!(organizations::show, organizations::change))
        .routes(routes!(organizations::list_own))
        .routes(routes!(organizations::switch))
        .routes(routes!(members::list, members::add))
        .routes(routes!(members::show, members::change, members::remove))
        .routes(routes!(invitations::list, invitations::invite))
        .routes(routes!(invitations::withdraw))
        .routes(routes!(invitations::accept))
        .routes(routes!(roles::list, roles::create))
        .routes(routes!(roles::show, roles::change, roles::delete))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::show, users::change, users::remove))
        .routes(routes!(permissions::list))
        .routes(routes!(permissions::put, permissions::delete))
        .routes(routes!(explain::explain))
        .routes(routes!(inventory::list))
        .routes(routes!(inventory::export))
        .routes(routes!(revocations::revoke))
        .routes(routes!(revocations::revoke_own))
        .routes(routes!(revocations::revoke_any))
        .routes(routes!(audit::list))
        .routes(routes!(audit::export))
        .routes(routes!(audit::verify))
}

/// An address that somebody typed.
///
/// # Errors
/// That it is none.
pub(crate) fn read_address(text: &str) -> Result<std::net::IpAddr, crate::error::InvalidField> {
    verify::address(text)
}

/// The description of the API, OpenAPI 3.1.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut api = with_description().into_openapi();
    api.info.version = env!("CARGO_PKG_VERSION").to_owned();
    api
}

/// The routes of the API and its description.
pub fn router() -> Router<App> {
    let (router, _) = with_description().split_for_parts();
    router
        .merge(docs::router())
        .method_not_allowed_fallback(async || ApiError(ServiceError::MethodNotAllowed))
}
