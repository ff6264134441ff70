//! All users of the deployment, for those who run it.

use super::{
    PageError, address, cut,
    form::Errors,
    page, page_with, searched, see_other,
    view::Frame,
    visitor::{Asked, Sent, Visitor},
};
use crate::{app::App, error::ServiceError};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use hallpass_domain::{
    id::UserId, limits::PAGE_ROWS_DEFAULT, member::User, name::fold_search, organization::Standing,
};
use http::StatusCode;

const PATH: &str = "/settings/deployment/users";

/// A user.
struct UserView {
    id: String,
    name: String,
    email: String,
    suspended: bool,
    is_you: bool,
}

impl UserView {
    fn of(user: &User, visitor: &Visitor) -> Self {
        Self {
            id: user.id.to_string(),
            name: user.name.to_string(),
            email: user.email.to_string(),
            suspended: !user.standing.is_active(),
            is_you: user.id == visitor.person().user.id,
        }
    }
}

#[derive(Template)]
#[template(path = "users.html")]
struct UsersPage {
    frame: Frame,
    removed: bool,
    search: String,
    rows: Vec<UserView>,
    more_href: Option<String>,
    first_href: Option<String>,
}

pub(super) async fn list(
    State(app): State<App>,
    visitor: Visitor,
    Asked(asked): Asked,
) -> Result<Response, PageError> {
    let (search, after) = (searched(&asked), asked.get("after"));
    let limit = PAGE_ROWS_DEFAULT + 1;
    let mut rows = app
        .services
        .list_users(&visitor.actor(), &fold_search(&search), after, limit)
        .await?;
    let more = cut(&mut rows);
    let href = |after: String| address(PATH, &[("search", search.clone()), ("after", after)]);
    page(&UsersPage {
        frame: Frame::new(&visitor, "users"),
        removed: asked.get("removed") == "1",
        more_href: rows
            .last()
            .filter(|_| more)
            .map(|last| href(last.email.key())),
        first_href: (!after.is_empty()).then(|| href(String::new())),
        rows: rows
            .iter()
            .map(|user| UserView::of(user, &visitor))
            .collect(),
        search: search.clone(),
    })
}

#[derive(Template)]
#[template(path = "user.html")]
struct UserPage {
    frame: Frame,
    user: UserView,
    saved: bool,
    errors: Errors,
}

#[derive(Template)]
#[template(path = "user_remove.html")]
struct RemovePage {
    frame: Frame,
    user: UserView,
    errors: Errors,
}

/// The user that an address names.
async fn find(app: &App, visitor: &Visitor, id: &str) -> Result<User, ServiceError> {
    let id = UserId::parse(id).map_err(|_| ServiceError::NotFound("user"))?;
    app.services.get_user(&visitor.actor(), id).await
}

pub(super) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Asked(asked): Asked,
) -> Result<Response, PageError> {
    let user = find(&app, &visitor, &id).await?;
    page(&UserPage {
        frame: Frame::new(&visitor, "users"),
        user: UserView::of(&user, &visitor),
        saved: asked.get("saved") == "1",
        errors: Errors::default(),
    })
}

pub(super) async fn change(
    State(app): State<App>,
    Path(id): Path<String>,
    sent: Sent,
) -> Result<Response, PageError> {
    let visitor = &sent.visitor;
    let user = find(&app, visitor, &id).await?;
    let standing = match sent.fields.get("standing") {
        "suspended" => Standing::Suspended,
        "active" => Standing::Active,
        _ => user.standing,
    };
    let (actor, context) = (visitor.actor(), &visitor.context);
    let done = app
        .services
        .set_user_standing(&actor, user.id, standing, context)
        .await;
    match done {
        Ok(_) => Ok(see_other(&format!("{PATH}/{}?saved=1", user.id))),
        Err(error) => show_again(visitor, &user, error),
    }
}

fn show_again(visitor: &Visitor, user: &User, error: ServiceError) -> Result<Response, PageError> {
    let status = error.face().status;
    let shown = UserPage {
        frame: Frame::new(visitor, "users"),
        user: UserView::of(user, visitor),
        saved: false,
        errors: Errors::of_service(error)?,
    };
    page_with(status, &shown)
}

/// Asks first, and says what ends.
pub(super) async fn ask_remove(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let user = find(&app, &visitor, &id).await?;
    show_remove(&visitor, &user, StatusCode::OK, Errors::default())
}

fn show_remove(
    visitor: &Visitor,
    user: &User,
    status: StatusCode,
    errors: Errors,
) -> Result<Response, PageError> {
    let asked = RemovePage {
        frame: Frame::new(visitor, "users"),
        user: UserView::of(user, visitor),
        errors,
    };
    page_with(status, &asked)
}

pub(super) async fn remove(
    State(app): State<App>,
    Path(id): Path<String>,
    sent: Sent,
) -> Result<Response, PageError> {
    let visitor = &sent.visitor;
    let user = find(&app, visitor, &id).await?;
    let done = app
        .services
        .remove_user(&visitor.actor(), user.id, &visitor.context)
        .await;
    match done {
        Ok(()) => Ok(see_other(&format!("{PATH}?removed=1"))),
        Err(error) => {
            let (status, errors) = (error.face().status, Errors::of_service(error)?);
            show_remove(visitor, &user, status, errors)
        }
    }
}
