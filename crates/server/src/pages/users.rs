//! All users of the deployment, for those who run it.

use super::{
    PageError, address, cut,
    form::Errors,
    page, page_with, searched, see_other,
    view::Frame,
    visitor::{Asked, Sent, Visitor},
    words,
};
use crate::{app::App, error::ServiceError};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use hallpass_domain::{
    id::UserId,
    limits::PAGE_ROWS_DEFAULT,
    member::User,
    name::fold_search,
    organization::{Organization, Standing},
};
use hallpass_store::MemberRow;
use http::StatusCode;

pub(super) const PATH: &str = "/settings/deployment/users";

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
    places: Vec<PlaceView>,
    more_places: bool,
    saved: bool,
    errors: Errors,
}

/// An organization that a user is in.
struct PlaceView {
    id: String,
    name: String,
    role: String,
    /// What is not in good standing there, in words; empty if nothing is.
    standing: &'static str,
    tokens: String,
}

impl PlaceView {
    fn of((organization, member): &(Organization, MemberRow)) -> Self {
        let standing = if !organization.standing.is_active() {
            "organization suspended"
        } else if !member.membership.standing.is_active() {
            "suspended there"
        } else {
            ""
        };
        Self {
            id: organization.id.to_string(),
            name: organization.name.to_string(),
            role: member.role_name.clone(),
            standing,
            tokens: words::count(member.tokens, "token"),
        }
    }
}

impl UserPage {
    async fn new(app: &App, visitor: &Visitor, user: &User) -> Result<Self, ServiceError> {
        let mut places = app.services.places_of(&visitor.actor(), user.id).await?;
        let more_places = cut(&mut places);
        Ok(Self {
            frame: Frame::new(visitor, "users"),
            user: UserView::of(user, visitor),
            places: places.iter().map(PlaceView::of).collect(),
            more_places,
            saved: false,
            errors: Errors::default(),
        })
    }
}

#[derive(Template)]
#[template(path = "user_remove.html")]
struct RemovePage {
    frame: Frame,
    user: UserView,
    errors: Errors,
}

/// The user that an address names.
pub(super) async fn find(app: &App, visitor: &Visitor, id: &str) -> Result<User, ServiceError> {
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
        saved: asked.get("saved") == "1",
        ..UserPage::new(&app, &visitor, &user).await?
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
        Err(error) => show_again(&app, visitor, &user, error).await,
    }
}

async fn show_again(
    app: &App,
    visitor: &Visitor,
    user: &User,
    error: ServiceError,
) -> Result<Response, PageError> {
    let status = error.face().status;
    let shown = UserPage {
        errors: Errors::of_service(error)?,
        ..UserPage::new(app, visitor, user).await?
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
