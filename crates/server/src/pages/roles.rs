//! The roles of the organization in force, and the catalogue of permissions.

use super::{
    PageError, may_do, page,
    view::{Frame, Scope},
    visitor::{Asked, Visitor},
    words,
};
use crate::{app::App, error::ServiceError, service::acting::Actor};
use askama::{Template, filters::HtmlSafe};
use axum::{extract::State, response::Response};
use hallpass_domain::{
    permission::{CatalogueEntry, Permission, PermissionSet, Source},
    role::{Role, RolePermissions},
};
use hallpass_store::RoleUse;

/// What a role holds, in a cell.
#[derive(Debug, Template)]
#[template(path = "part/holds.html")]
enum Holds {
    All,
    AllBut(Scope),
    Nothing,
    These(Scope),
}

impl HtmlSafe for Holds {}

impl Holds {
    fn of(permissions: &RolePermissions) -> Self {
        match permissions {
            RolePermissions::All => Self::All,
            RolePermissions::AllBut(exceptions) => Self::AllBut(Scope::of(Some(exceptions))),
            RolePermissions::Named(named) if named.is_empty() => Self::Nothing,
            RolePermissions::Named(named) => Self::These(Scope::of(Some(named))),
        }
    }
}

/// A role in the list.
struct RoleLine {
    id: String,
    name: String,
    description: String,
    built_in: bool,
    holds: Holds,
    tokens: bool,
    members: String,
    has_members: bool,
    keys: String,
    can_change: bool,
    can_delete: bool,
}

/// Whether `actor` may change a role: it holds nothing that they do not, and what is built in belongs to all.
pub(super) fn may_change(actor: &Actor, role: &Role, catalogue: &PermissionSet) -> bool {
    let held = role.holds(catalogue, actor.organization.host);
    let fixed = role
        .built_in()
        .is_some_and(|built_in| built_in.fixed_permissions().is_some());
    let shared = role.organization.is_none();
    actor.may(Permission::ROLES)
        && !fixed
        && actor.require_all(&held).is_ok()
        && (!shared || actor.may(Permission::DEPLOYMENT))
}

impl RoleLine {
    fn of(used: &RoleUse, actor: &Actor, catalogue: &PermissionSet) -> Self {
        let role = &used.role;
        let can_change = may_change(actor, role, catalogue);
        Self {
            id: role.id.to_string(),
            name: role.name.to_string(),
            description: role.description.clone(),
            built_in: role.built_in().is_some(),
            holds: Holds::of(&role.permissions),
            tokens: role.tokens_by_default,
            members: words::grouped(used.members),
            has_members: used.members > 0,
            keys: words::grouped(used.keys),
            can_change,
            can_delete: can_change && role.organization.is_some(),
        }
    }
}

/// A permission in the catalogue.
struct PermissionLine {
    name: String,
    description: String,
    risk: (&'static str, &'static str),
    source: &'static str,
    can_change: bool,
}

impl PermissionLine {
    fn of(entry: &CatalogueEntry, actor: &Actor) -> Self {
        Self {
            name: entry.permission.to_string(),
            description: entry.description.clone(),
            risk: may_do::risk(entry.risk).unwrap_or(("low risk", "")),
            source: match entry.source {
                Source::Product => "Hallpass itself",
                Source::File => "the settings file",
                Source::Api => "people",
            },
            can_change: entry.source == Source::Api && actor.may(Permission::DEPLOYMENT),
        }
    }
}

#[derive(Template)]
#[template(path = "roles.html")]
struct RolesPage {
    frame: Frame,
    said: Option<&'static str>,
    roles: Vec<RoleLine>,
    can_make: bool,
    permissions: Vec<PermissionLine>,
    can_add: bool,
}

pub(super) async fn list(
    State(app): State<App>,
    visitor: Visitor,
    Asked(asked): Asked,
) -> Result<Response, PageError> {
    let actor = visitor.actor();
    let roles = app.services.list_roles(&actor).await?;
    let entries = app.services.store.catalogue().await;
    let entries = entries.map_err(ServiceError::from)?;
    let catalogue = app.services.catalogue_set().await?;
    page(&RolesPage {
        frame: Frame::new(&visitor, "roles"),
        said: said(asked.get("done")),
        roles: roles
            .iter()
            .map(|used| RoleLine::of(used, &actor, &catalogue))
            .collect(),
        can_make: actor.may(Permission::ROLES),
        permissions: entries
            .iter()
            .map(|entry| PermissionLine::of(entry, &actor))
            .collect(),
        can_add: actor.may(Permission::DEPLOYMENT),
    })
}

/// What was done just before.
fn said(done: &str) -> Option<&'static str> {
    Some(match done {
        "made" => "The role is there. Give it to somebody under Members.",
        "changed" => {
            "Saved. It holds from now on, for everybody who has the role and for their tokens."
        }
        "deleted" => "The role is gone.",
        "permission" => "The catalogue is changed. It holds from now on.",
        _ => return None,
    })
}
