//! The organization in force: its name, and going over to another one.

use super::{
    PageError,
    form::{Errors, Fields},
    page_with, see_other,
    view::{Frame, Moment},
    visitor::{Asked, Sent, Visitor},
    words,
};
use crate::{
    app::App,
    error::{InvalidField, ServiceError},
    service::organizations::OrganizationChange,
};
use askama::Template;
use axum::{extract::State, response::Response};
use hallpass_domain::{id::OrganizationId, name::DisplayName, permission::Permission};
use http::StatusCode;

#[derive(Template)]
#[template(path = "organization.html")]
struct OrganizationPage {
    frame: Frame,
    saved: bool,
    id: String,
    name: String,
    host: bool,
    members: String,
    created: Moment,
    created_day: String,
    errors: Errors,
}

async fn show_page(
    app: &App,
    visitor: &Visitor,
    name: Option<&str>,
    saved: bool,
    status: StatusCode,
    errors: Errors,
) -> Result<Response, PageError> {
    let actor = visitor.actor();
    actor.require(Permission::ORGANIZATION)?;
    let found = app.services.show_organization(&actor).await?;
    let organization = &found.organization;
    let shown = OrganizationPage {
        frame: Frame::new(visitor, "organization"),
        saved,
        id: organization.id.to_string(),
        name: name.unwrap_or(organization.name.as_str()).to_owned(),
        host: organization.host,
        members: words::count(found.members, "member"),
        created: Moment::past(found.created, app.services.clock.now()),
        created_day: words::day(found.created),
        errors,
    };
    page_with(status, &shown)
}

pub(super) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Asked(asked): Asked,
) -> Result<Response, PageError> {
    let saved = asked.get("saved") == "1";
    show_page(
        &app,
        &visitor,
        None,
        saved,
        StatusCode::OK,
        Errors::default(),
    )
    .await
}

/// Renames it, or goes over to another one: the menu in the bar of every page sends `to`.
pub(super) async fn change(State(app): State<App>, sent: Sent) -> Result<Response, PageError> {
    if sent.fields.get("to").is_empty() {
        rename(&app, &sent).await
    } else {
        switch(&app, &sent).await
    }
}

async fn switch(app: &App, sent: &Sent) -> Result<Response, PageError> {
    let to = OrganizationId::parse(sent.fields.get("to"))
        .map_err(|_| ServiceError::NotFound("organization"))?;
    let visitor = &sent.visitor;
    app.services
        .switch_organization(visitor.person(), to, &visitor.context)
        .await?;
    Ok(see_other("/"))
}

/// The name in a form.
pub(super) fn read_name(fields: &Fields) -> Result<DisplayName, ServiceError> {
    DisplayName::parse(fields.get("name")).map_err(|error| InvalidField::name("name", error).into())
}

async fn rename(app: &App, sent: &Sent) -> Result<Response, PageError> {
    let visitor = &sent.visitor;
    let done = async {
        let change = OrganizationChange {
            name: Some(read_name(&sent.fields)?),
            standing: None,
        };
        app.services
            .change_organization(&visitor.actor(), &change, &visitor.context)
            .await
    };
    match done.await {
        Ok(_) => Ok(see_other("/settings/organization?saved=1")),
        Err(error) => {
            let (status, errors) = (error.face().status, Errors::of_service(error)?);
            let typed = Some(sent.fields.get("name"));
            show_page(app, visitor, typed, false, status, errors).await
        }
    }
}
