//! Adding, changing and deleting a permission of the catalogue, for all organizations.

use super::{
    PageError,
    form::{Errors, Fields},
    page, page_with, see_other,
    view::Frame,
    visitor::{Sent, Visitor},
};
use crate::{app::App, error::ServiceError, service::permissions::parse_entry};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use hallpass_domain::permission::{CatalogueEntry, Permission, Risk, Source};
use http::StatusCode;

const DONE: &str = "/settings/organization/roles?done=permission";

/// What was typed.
#[derive(Clone, Debug, Default)]
struct Form {
    name: String,
    description: String,
    risk: String,
}

impl Form {
    fn of(entry: &CatalogueEntry) -> Self {
        Self {
            name: entry.permission.to_string(),
            description: entry.description.clone(),
            risk: entry.risk.word().to_owned(),
        }
    }

    fn read(fields: &Fields) -> Self {
        let [name, description, risk] =
            ["name", "description", "risk"].map(|field| fields.get(field).to_owned());
        Self {
            name,
            description,
            risk,
        }
    }
}

#[derive(Template)]
#[template(path = "permission.html")]
struct PermissionPage {
    frame: Frame,
    is_new: bool,
    name: String,
    description: String,
    risks: [(&'static str, &'static str, bool); 3],
    errors: Errors,
}

#[derive(Template)]
#[template(path = "permission_delete.html")]
struct DeletePage {
    frame: Frame,
    name: String,
    description: String,
}

impl PermissionPage {
    fn new(visitor: &Visitor, form: Form, is_new: bool, errors: Errors) -> Self {
        let risk = Risk::from_word(&form.risk).unwrap_or_default();
        Self {
            frame: Frame::new(visitor, "roles"),
            is_new,
            name: form.name,
            description: form.description,
            risks: [
                ("low", "Low", risk == Risk::Low),
                ("medium", "Medium", risk == Risk::Medium),
                ("high", "High", risk == Risk::High),
            ],
            errors,
        }
    }
}

/// The permission that an address names, if it is changed here.
async fn find(app: &App, visitor: &Visitor, name: &str) -> Result<CatalogueEntry, ServiceError> {
    visitor.actor().require(Permission::DEPLOYMENT)?;
    let catalogue = app.services.store.catalogue().await?;
    let found = catalogue
        .into_iter()
        .find(|entry| entry.permission.as_str() == name)
        .ok_or(ServiceError::NotFound("permission"))?;
    match found.source {
        Source::Api => Ok(found),
        Source::File => Err(ServiceError::SetByFile(name.to_owned())),
        Source::Product => Err(ServiceError::NotFound("permission")),
    }
}

pub(super) async fn show_new(visitor: Visitor) -> Result<Response, PageError> {
    visitor.actor().require(Permission::DEPLOYMENT)?;
    let form = Form::default();
    page(&PermissionPage::new(
        &visitor,
        form,
        true,
        Errors::default(),
    ))
}

pub(super) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Response, PageError> {
    let form = Form::of(&find(&app, &visitor, &name).await?);
    page(&PermissionPage::new(
        &visitor,
        form,
        false,
        Errors::default(),
    ))
}

pub(super) async fn create(State(app): State<App>, sent: Sent) -> Result<Response, PageError> {
    put(&app, &sent, Form::read(&sent.fields), true).await
}

pub(super) async fn change(
    State(app): State<App>,
    Path(name): Path<String>,
    sent: Sent,
) -> Result<Response, PageError> {
    find(&app, &sent.visitor, &name).await?;
    let form = Form {
        name,
        ..Form::read(&sent.fields)
    };
    put(&app, &sent, form, false).await
}

async fn put(app: &App, sent: &Sent, form: Form, is_new: bool) -> Result<Response, PageError> {
    let visitor = &sent.visitor;
    let done = async {
        let entry = parse_entry(&form.name, &form.description, Some(&form.risk))?;
        app.services
            .put_permission(&visitor.actor(), entry, &visitor.context)
            .await
    };
    match done.await {
        Ok(_) => Ok(see_other(DONE)),
        Err(error) => {
            let (status, errors) = (error.face().status, Errors::of_service(error)?);
            page_with(status, &PermissionPage::new(visitor, form, is_new, errors))
        }
    }
}

/// Asks first.
pub(super) async fn ask_delete(
    State(app): State<App>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Response, PageError> {
    let found = find(&app, &visitor, &name).await?;
    let asked = DeletePage {
        frame: Frame::new(&visitor, "roles"),
        name: found.permission.to_string(),
        description: found.description,
    };
    page_with(StatusCode::OK, &asked)
}

pub(super) async fn delete(
    State(app): State<App>,
    Path(name): Path<String>,
    sent: Sent,
) -> Result<Response, PageError> {
    let visitor = &sent.visitor;
    let permission = Permission::parse(&name).map_err(|_| ServiceError::NotFound("permission"))?;
    app.services
        .delete_permission(&visitor.actor(), &permission, &visitor.context)
        .await?;
    Ok(see_other(DONE))
}
