//! Making and changing a role.

use super::{
    PageError,
    form::{Errors, Fields},
    page_with,
    role::find,
    role_checks::RoleChecks,
    roles, see_other,
    view::Frame,
    visitor::{Sent, Visitor},
    words,
};
use crate::{
    app::App,
    error::{InvalidField, ServiceError},
    service::roles::{RoleWish, parse_description},
};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use hallpass_domain::{
    name::DisplayName,
    permission::{Permission, PermissionSet},
    role::Role,
};
use hallpass_store::RoleUse;
use http::StatusCode;
use std::collections::BTreeSet;

const PATH: &str = "/settings/organization/roles";

/// What was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Form {
    name: String,
    description: String,
    named: BTreeSet<String>,
    tokens: bool,
}

impl Form {
    fn empty() -> Self {
        Self {
            name: String::new(),
            description: String::new(),
            named: BTreeSet::new(),
            tokens: true,
        }
    }

    fn of(role: &Role) -> Self {
        let named = role.permissions.named().into_iter().flatten();
        Self {
            name: role.name.to_string(),
            description: role.description.clone(),
            named: named.map(Permission::to_string).collect(),
            tokens: role.tokens_by_default,
        }
    }

    fn read(fields: &Fields) -> Self {
        Self {
            name: fields.get("name").to_owned(),
            description: fields.get("description").to_owned(),
            named: fields.all("p").map(str::to_owned).collect(),
            tokens: fields.get("tokens") == "allowed",
        }
    }

    fn wish(&self) -> Result<RoleWish, ServiceError> {
        let name =
            DisplayName::parse(&self.name).map_err(|error| InvalidField::name("name", error));
        let description = parse_description(&self.description);
        let named = PermissionSet::parse(self.named.iter().map(String::as_str));
        let permissions = named.map_err(|error| InvalidField::scope(&error));
        match (name, description, permissions) {
            (Ok(name), Ok(description), Ok(permissions)) => Ok(RoleWish {
                name,
                description,
                permissions,
                tokens_by_default: self.tokens,
            }),
            (name, description, permissions) => {
                let wrong = [name.err(), description.err(), permissions.err()];
                Err(ServiceError::Invalid(wrong.into_iter().flatten().collect()))
            }
        }
    }
}

#[derive(Template)]
#[template(path = "role_form.html")]
struct RoleFormPage {
    frame: Frame,
    /// The role that is changed.
    id: Option<String>,
    built_in: bool,
    title: String,
    members: Option<String>,
    name: String,
    description: String,
    tokens: bool,
    checks: RoleChecks,
    errors: Errors,
}

async fn show_form(
    app: &App,
    visitor: &Visitor,
    of: Option<&RoleUse>,
    form: Form,
    status: StatusCode,
    errors: Errors,
) -> Result<Response, PageError> {
    let catalogue = app.services.store.catalogue().await;
    let catalogue = catalogue.map_err(ServiceError::from)?;
    let held = &visitor.person().permissions;
    let shown = RoleFormPage {
        frame: Frame::new(visitor, "roles"),
        id: of.map(|used| used.role.id.to_string()),
        built_in: of.is_some_and(|used| used.role.built_in().is_some()),
        title: of.map_or_else(|| "New role".to_owned(), |used| used.role.name.to_string()),
        members: of
            .filter(|used| used.members > 0)
            .map(|used| words::count(used.members, "member")),
        checks: RoleChecks::new(&catalogue, held, &form.named, &errors),
        name: form.name,
        description: form.description,
        tokens: form.tokens,
        errors,
    };
    page_with(status, &shown)
}

pub(super) async fn show_new(
    State(app): State<App>,
    visitor: Visitor,
) -> Result<Response, PageError> {
    visitor.actor().require(Permission::ROLES)?;
    let (form, errors) = (Form::empty(), Errors::default());
    show_form(&app, &visitor, None, form, StatusCode::OK, errors).await
}

pub(super) async fn create(State(app): State<App>, sent: Sent) -> Result<Response, PageError> {
    let (visitor, form) = (&sent.visitor, Form::read(&sent.fields));
    let made = async {
        let wish = form.wish()?;
        app.services
            .create_role(&visitor.actor(), wish, &visitor.context)
            .await
    };
    match made.await {
        Ok(_) => Ok(see_other(&format!("{PATH}?done=made"))),
        Err(error) => {
            let (status, errors) = (error.face().status, role_errors(error)?);
            show_form(&app, visitor, None, form, status, errors).await
        }
    }
}

/// Only what the visitor may change has a form.
async fn find_to_change(app: &App, visitor: &Visitor, id: &str) -> Result<RoleUse, ServiceError> {
    let actor = visitor.actor();
    let found = find(app, visitor, id).await?;
    let catalogue = app.services.catalogue_set().await?;
    if roles::may_change(&actor, &found.role, &catalogue) {
        return Ok(found);
    }
    actor.require(Permission::ROLES)?;
    actor.require_all(&found.role.holds(&catalogue, actor.organization.host))?;
    Err(ServiceError::RoleBuiltIn(
        "it is the same in every organization",
    ))
}

pub(super) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let found = find_to_change(&app, &visitor, &id).await?;
    let (form, errors) = (Form::of(&found.role), Errors::default());
    show_form(&app, &visitor, Some(&found), form, StatusCode::OK, errors).await
}

pub(super) async fn change(
    State(app): State<App>,
    Path(id): Path<String>,
    sent: Sent,
) -> Result<Response, PageError> {
    let (visitor, form) = (&sent.visitor, Form::read(&sent.fields));
    let found = find(&app, visitor, &id).await?;
    let done = async {
        let (wish, id) = (form.wish()?, found.role.id);
        app.services
            .change_role(&visitor.actor(), id, wish, &visitor.context)
            .await
    };
    match done.await {
        Ok(_) => Ok(see_other(&format!("{PATH}?done=changed"))),
        Err(error) => {
            let (status, errors) = (error.face().status, role_errors(error)?);
            show_form(&app, visitor, Some(&found), form, status, errors).await
        }
    }
}

/// What a role holds is told beside its permissions.
fn role_errors(error: ServiceError) -> Result<Errors, ServiceError> {
    match error {
        ServiceError::AboveActor(permission) => Ok(Errors::one(
            "may",
            format!("You do not hold {permission}, so you cannot give it, or take it away."),
        )),
        other => Errors::of_service(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: &str) -> Form {
        Form::read(&Fields::parse(form.as_bytes()))
    }

    #[test]
    fn a_form_becomes_a_wish() {
        let wish =
            read("name=Launch+crew&description=&p=repo%3A*&p=deploy%3Arun&tokens=allowed").wish();
        let wish = wish.unwrap();
        assert_eq!(wish.name.as_str(), "Launch crew");
        assert_eq!(wish.permissions.len(), 2);
        assert!(wish.tokens_by_default);
        assert!(!read("name=x").wish().unwrap().tokens_by_default);
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let wrong = read("name=&description=a%0Ab&p=nonsense")
            .wish()
            .unwrap_err();
        let errors = role_errors(wrong).unwrap();
        for field in ["name", "description", "may"] {
            assert!(errors.of(field).is_some(), "{field}: {errors:?}");
        }
    }
}
