//! The roles that somebody may give: what the services would take from them, and no more, is offered.

use super::form::Fields;
use crate::{app::App, error::ServiceError, service::acting::Actor};
use hallpass_domain::id::RoleId;

/// A role to choose.
#[derive(Clone, Debug)]
pub(super) struct RoleChoice {
    pub(super) id: RoleId,
    pub(super) name: String,
    /// Whether who gets it may have tokens, unless somebody says otherwise.
    pub(super) tokens: bool,
    pub(super) chosen: bool,
}

/// The roles that `actor` may give, with `chosen` chosen.
pub(super) async fn roles(
    app: &App,
    actor: &Actor,
    chosen: Option<RoleId>,
) -> Result<Vec<RoleChoice>, ServiceError> {
    let catalogue = app.services.catalogue_set().await?;
    let all = app.services.list_roles(actor).await?;
    let host = actor.organization.host;
    Ok(all
        .into_iter()
        .map(|used| used.role)
        .filter(|role| actor.require_all(&role.holds(&catalogue, host)).is_ok())
        .map(|role| RoleChoice {
            id: role.id,
            name: role.name.to_string(),
            tokens: role.tokens_by_default,
            chosen: Some(role.id) == chosen,
        })
        .collect())
}

/// The role that a form names in `field`.
pub(super) fn read(fields: &Fields, field: &'static str) -> Option<RoleId> {
    RoleId::parse(fields.get(field)).ok()
}
