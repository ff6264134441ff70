//! Asks before a member, a user or an organization is suspended, and says what stops working.

use super::{PageError, member, organizations, page, users, view::Frame, visitor::Visitor, words};
use crate::{app::App, error::ServiceError};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use hallpass_domain::{access_token::TokenState, id::OrganizationId};
use hallpass_store::InventoryFilter;

#[derive(Template)]
#[template(path = "standing.html")]
struct StandingPage {
    frame: Frame,
    name: String,
    /// The page of it, where the answer is sent, too.
    back: String,
    /// What happens to people.
    who: String,
    again: &'static str,
    /// How many tokens stop, the rest of that sentence, and how they are called in the next.
    stops: Option<(String, String, &'static str)>,
    stay: &'static str,
}

/// What is said of so many tokens.
fn stops(tokens: u64, noun: &str, whose: &str) -> Option<(String, String, &'static str)> {
    let (is, them) = if tokens == 1 {
        ("is", "it")
    } else {
        ("are", "them")
    };
    let number = words::count(tokens, noun);
    (tokens > 0).then(|| (number, format!("{whose} {is} refused."), them))
}

pub(super) async fn ask_member(
    State(app): State<App>,
    visitor: Visitor,
    Path(user): Path<String>,
) -> Result<Response, PageError> {
    let found = member::find(&app, &visitor, &user).await?;
    let name = found.user.name.to_string();
    let organization = &visitor.person().organization.name;
    page(&StandingPage {
        frame: Frame::new(&visitor, "members"),
        back: format!("{}/{}", member::PATH, found.user.id),
        who: format!("They are signed out of {organization} and cannot sign in there."),
        again: "they",
        stops: stops(found.tokens, "token", &format!("of {name}")),
        stay: "Keep them",
        name,
    })
}

pub(super) async fn ask_user(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let user = users::find(&app, &visitor, &id).await?;
    let places = app.services.places_of(&visitor.actor(), user.id).await?;
    let tokens = places.iter().map(|(_, member)| member.tokens).sum();
    let name = user.name.to_string();
    let places = words::count(places.len() as u64, "organization");
    page(&StandingPage {
        frame: Frame::new(&visitor, "users"),
        back: format!("{}/{}", users::PATH, user.id),
        who: format!("They are signed out everywhere and cannot sign in, in {places}."),
        again: "they",
        stops: stops(tokens, "token", &format!("of {name}")),
        stay: "Keep them",
        name,
    })
}

async fn count_active(app: &App, organization: OrganizationId) -> Result<u64, ServiceError> {
    let filter = InventoryFilter {
        state: Some(TokenState::Active),
        ..InventoryFilter::default()
    };
    let (store, now) = (&app.services.store, app.services.clock.now());
    Ok(store.count_inventory(organization, &filter, now).await?)
}

pub(super) async fn ask_organization(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let acting = organizations::act(&app, &visitor, &id).await?;
    let found = app.services.show_organization(&acting).await?;
    let tokens = count_active(&app, acting.organization.id).await?;
    page(&StandingPage {
        frame: Frame::new(&visitor, "organizations"),
        name: found.organization.name.to_string(),
        back: format!("{}/{}", organizations::PATH, acting.organization.id),
        who: format!(
            "{} can no longer sign in there.",
            words::count(found.members, "member")
        ),
        again: "it",
        stops: stops(tokens, "token", "(API keys counted)"),
        stay: "Keep it",
    })
}
