//! One role: finding it, and deleting it.

use super::{
    PageError,
    form::Errors,
    give::{self, RoleChoice},
    page_with, see_other,
    view::Frame,
    visitor::{Sent, Visitor},
    words,
};
use crate::{app::App, error::ServiceError};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use hallpass_domain::{
    id::RoleId,
    role::{BuiltInRole, Role},
};
use hallpass_store::RoleUse;
use http::StatusCode;

#[derive(Template)]
#[template(path = "role_delete.html")]
struct DeletePage {
    frame: Frame,
    id: String,
    name: String,
    /// How many members move.
    members: Option<String>,
    /// How many keys are revoked.
    keys: Option<String>,
    roles: Vec<RoleChoice>,
    errors: Errors,
}

/// The role that an address names.
pub(super) async fn find(app: &App, visitor: &Visitor, id: &str) -> Result<RoleUse, ServiceError> {
    let id = RoleId::parse(id).map_err(|_| ServiceError::NotFound("role"))?;
    app.services.get_role(&visitor.actor(), id).await
}

/// Asks first, and says what moves and what ends.
pub(super) async fn ask_delete(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let found = find(&app, &visitor, &id).await?;
    if found.role.organization.is_none() {
        return Err(ServiceError::RoleBuiltIn("it cannot be deleted").into());
    }
    let to = Some(BuiltInRole::Member.id());
    let status = StatusCode::OK;
    show_delete(&app, &visitor, &found, to, status, Errors::default()).await
}

async fn show_delete(
    app: &App,
    visitor: &Visitor,
    found: &RoleUse,
    to: Option<RoleId>,
    status: StatusCode,
    errors: Errors,
) -> Result<Response, PageError> {
    let Role { id, name, .. } = &found.role;
    let mut roles = give::roles(app, &visitor.actor(), to).await?;
    roles.retain(|role| role.id != *id);
    let some = |number, unit| (number > 0).then(|| words::count(number, unit));
    let asked = DeletePage {
        frame: Frame::new(visitor, "roles"),
        id: id.to_string(),
        name: name.to_string(),
        members: some(found.members, "member"),
        keys: some(found.keys, "API key"),
        roles,
        errors,
    };
    page_with(status, &asked)
}

pub(super) async fn delete(
    State(app): State<App>,
    Path(id): Path<String>,
    sent: Sent,
) -> Result<Response, PageError> {
    let (visitor, to) = (&sent.visitor, give::read(&sent.fields, "move_to"));
    let found = find(&app, visitor, &id).await?;
    let done = app
        .services
        .delete_role(&visitor.actor(), found.role.id, to, &visitor.context)
        .await;
    match done {
        Ok(_) => Ok(see_other("/settings/organization/roles?done=deleted")),
        Err(error) => {
            let (status, errors) = (error.face().status, Errors::of_service(error)?);
            show_delete(&app, visitor, &found, to, status, errors).await
        }
    }
}
