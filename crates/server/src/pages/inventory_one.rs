//! One token or key of the organization, for those who answer for all of them.

use super::{
    PageError,
    inventory::RowView,
    inventory_filter::PATH,
    page, see_other,
    suspend::RestView,
    view::Frame,
    visitor::{Asked, Sent, Visitor},
    why::{self, WhyView},
};
use crate::{app::App, error::ServiceError};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use hallpass_domain::{id::TokenId, permission::Permission, token::Kind};
use hallpass_store::{InventoryOwner, InventoryRow};

#[derive(Template)]
#[template(path = "inventory_one.html")]
struct OnePage {
    frame: Frame,
    token: RowView,
    role: Option<String>,
    rest: Option<RestView>,
    done: &'static str,
    /// The page of the key, or of the member whose it is.
    owner_page: Option<String>,
    why: WhyView,
}

#[derive(Template)]
#[template(path = "inventory_one_revoke.html")]
struct RevokePage {
    frame: Frame,
    token: RowView,
}

/// The token that an address names.
pub(super) async fn find(
    app: &App,
    visitor: &Visitor,
    id: &str,
) -> Result<InventoryRow, ServiceError> {
    let actor = visitor.actor();
    actor.require(Permission::TOKENS)?;
    let id = TokenId::parse(id).map_err(|_| ServiceError::NotFound("token"))?;
    let found = app
        .services
        .store
        .find_in_inventory(actor.organization.id, id)
        .await?;
    found.ok_or(ServiceError::NotFound("token"))
}

/// Where there is more about a key, or about the owner of a token, if the visitor may go there.
fn owner_page(visitor: &Visitor, row: &InventoryRow) -> Option<String> {
    let actor = visitor.actor();
    let under = "/settings/organization";
    match (&row.owner, row.kind) {
        (InventoryOwner::User { id, .. }, _) if actor.may(Permission::MEMBERS) => {
            Some(format!("{under}/members/{id}"))
        }
        (_, Kind::ApiKey) if actor.may(Permission::KEYS) => {
            Some(format!("{under}/keys/{}", row.id))
        }
        _ => None,
    }
}

/// What was just done, as an address says it.
pub(super) fn done(asked: &str) -> &'static str {
    match asked {
        "suspended" => "It rests. Whatever uses it gets 401 until it is resumed.",
        "resumed" => "It is not suspended any more.",
        "revoked" => "It is revoked. Whatever still uses it gets 401 from now on.",
        _ => "",
    }
}

pub(super) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Asked(asked): Asked,
) -> Result<Response, PageError> {
    let row = find(&app, &visitor, &id).await?;
    let now = app.services.clock.now();
    let path = format!("{PATH}/{}", row.id);
    let (why, explained) = why::explain(&app, &visitor, row.id, &asked, path).await?;
    page(&OnePage {
        frame: Frame::new(&visitor, "all-tokens"),
        token: RowView::of(&row, explained.role.as_deref(), now),
        role: explained.role,
        rest: RestView::of(row.suspension.as_ref(), now),
        done: done(asked.get("done")),
        owner_page: owner_page(&visitor, &row),
        why,
    })
}

pub(super) async fn ask_revoke(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let row = find(&app, &visitor, &id).await?;
    page(&RevokePage {
        frame: Frame::new(&visitor, "all-tokens"),
        token: RowView::of(&row, None, app.services.clock.now()),
    })
}

pub(super) async fn revoke(
    State(app): State<App>,
    Path(id): Path<String>,
    sent: Sent,
) -> Result<Response, PageError> {
    let visitor = &sent.visitor;
    let id = find(&app, visitor, &id).await?.id;
    app.services
        .revoke_any(&visitor.actor(), id, &visitor.context)
        .await?;
    Ok(see_other(&format!("{PATH}/{id}?done=revoked")))
}
