//! All organizations of the deployment, for those who run it.

use super::{
    PageError, address, cut,
    form::{Errors, Fields},
    invite::InvitedView,
    organization::read_name,
    page, page_with, searched, see_other,
    view::{Frame, Moment},
    visitor::{Asked, Sent, Visitor},
    words,
};
use crate::{
    app::App,
    error::{InvalidField, ServiceError},
    service::{
        acting::Actor,
        invitations::{Invited, Wish},
        organizations::OrganizationChange,
    },
};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use hallpass_domain::{
    id::OrganizationId,
    limits::PAGE_ROWS_DEFAULT,
    name::{Email, fold_search},
    organization::Standing,
    permission::Permission,
    role::BuiltInRole,
    time::Timestamp,
};
use hallpass_store::OrganizationRow;
use http::StatusCode;

pub(super) const PATH: &str = "/settings/deployment/organizations";
/// Characters of an id in a cursor; what follows is the moment, in microseconds.
const ID_CHARS: usize = 36;

/// An organization.
struct OrganizationView {
    id: String,
    name: String,
    host: bool,
    suspended: bool,
    members: String,
    created: Moment,
    created_day: String,
}

impl OrganizationView {
    fn of(found: &OrganizationRow, now: Timestamp) -> Self {
        let organization = &found.organization;
        Self {
            id: organization.id.to_string(),
            name: organization.name.to_string(),
            host: organization.host,
            suspended: !organization.standing.is_active(),
            members: words::count(found.members, "member"),
            created: Moment::past(found.created, now),
            created_day: words::day(found.created),
        }
    }
}

#[derive(Template)]
#[template(path = "organizations.html")]
struct OrganizationsPage {
    frame: Frame,
    search: String,
    rows: Vec<OrganizationView>,
    more_href: Option<String>,
    first_href: Option<String>,
}

fn read_after(text: &str) -> Option<(Timestamp, OrganizationId)> {
    let (id, micros) = text.split_at_checked(ID_CHARS)?;
    let at = Timestamp::from_micros(micros.parse().ok()?);
    Some((at, OrganizationId::parse(id).ok()?))
}

pub(super) async fn list(
    State(app): State<App>,
    visitor: Visitor,
    Asked(asked): Asked,
) -> Result<Response, PageError> {
    let (search, after) = (searched(&asked), read_after(asked.get("after")));
    let limit = PAGE_ROWS_DEFAULT + 1;
    let mut rows = app
        .services
        .list_organizations(&visitor.actor(), &fold_search(&search), after, limit)
        .await?;
    let more = cut(&mut rows);
    let href = |after: String| address(PATH, &[("search", search.clone()), ("after", after)]);
    let next = |last: &OrganizationRow| {
        let (id, micros) = (last.organization.id, last.created.micros());
        href(format!("{id}{micros}"))
    };
    let now = app.services.clock.now();
    page(&OrganizationsPage {
        frame: Frame::new(&visitor, "organizations"),
        more_href: rows.last().filter(|_| more).map(next),
        first_href: after.map(|_| href(String::new())),
        rows: rows
            .iter()
            .map(|row| OrganizationView::of(row, now))
            .collect(),
        search,
    })
}

#[derive(Template)]
#[template(path = "organization_new.html")]
struct NewPage {
    frame: Frame,
    name: String,
    email: String,
    errors: Errors,
}

pub(super) async fn show_new(visitor: Visitor) -> Result<Response, PageError> {
    visitor.actor().require(Permission::DEPLOYMENT)?;
    page(&NewPage {
        frame: Frame::new(&visitor, "organizations"),
        name: String::new(),
        email: String::new(),
        errors: Errors::default(),
    })
}

/// The address in a form; none if none is typed.
fn read_email(fields: &Fields) -> Result<Option<Email>, ServiceError> {
    match fields.get("email").trim() {
        "" => Ok(None),
        text => Ok(Some(Email::parse(text).map_err(InvalidField::email)?)),
    }
}

pub(super) async fn create(State(app): State<App>, sent: Sent) -> Result<Response, PageError> {
    let visitor = &sent.visitor;
    match try_create(&app, &sent).await {
        Ok(made) => show_made(&app, visitor, made).await,
        Err(error) => {
            let status = error.face().status;
            let [name, email] = ["name", "email"].map(|field| sent.fields.get(field).to_owned());
            let form = NewPage {
                frame: Frame::new(visitor, "organizations"),
                name,
                email,
                errors: Errors::of_service(error)?,
            };
            page_with(status, &form)
        }
    }
}

/// An organization that is there, and what came of inviting its first superuser.
struct Made {
    acting: Actor,
    invited: Option<Result<Invited, ServiceError>>,
}

async fn try_create(app: &App, sent: &Sent) -> Result<Made, ServiceError> {
    let (actor, context) = (sent.visitor.actor(), &sent.visitor.context);
    let (name, email) = (read_name(&sent.fields)?, read_email(&sent.fields)?);
    let made = app
        .services
        .create_organization(&actor, name, context)
        .await?;
    let acting = app.services.act_in(&actor, made.organization.id).await?;
    let invited = match email {
        Some(email) => Some(invite_superuser(app, &acting, email, &sent.visitor).await),
        None => None,
    };
    Ok(Made { acting, invited })
}

async fn invite_superuser(
    app: &App,
    acting: &Actor,
    email: Email,
    visitor: &Visitor,
) -> Result<Invited, ServiceError> {
    let wish = Wish {
        email,
        role: BuiltInRole::Superuser.id(),
        may_have_tokens: None,
    };
    app.services.invite(acting, &wish, &visitor.context).await
}

async fn show_made(app: &App, visitor: &Visitor, made: Made) -> Result<Response, PageError> {
    let mut shown = one(app, visitor, &made.acting).await?;
    shown.said = Some("The organization is there. Nobody is in it yet.");
    match made.invited {
        Some(Ok(invited)) => shown.invited = Some(InvitedView::new(app, &invited)),
        // The organization is made all the same, and the form to invite stands below.
        Some(Err(error)) => shown.errors = Errors::of_service(error)?,
        None => {}
    }
    page(&shown)
}

#[derive(Template)]
#[template(path = "organization_one.html")]
struct OnePage {
    frame: Frame,
    organization: OrganizationView,
    said: Option<&'static str>,
    invited: Option<InvitedView>,
    email: String,
    errors: Errors,
}

/// The visitor, acting in the organization that an address names.
pub(super) async fn act(app: &App, visitor: &Visitor, id: &str) -> Result<Actor, ServiceError> {
    let actor = visitor.actor();
    actor.require(Permission::DEPLOYMENT)?;
    let id = OrganizationId::parse(id).map_err(|_| ServiceError::NotFound("organization"))?;
    app.services.act_in(&actor, id).await
}

async fn one(app: &App, visitor: &Visitor, acting: &Actor) -> Result<OnePage, ServiceError> {
    let found = app.services.show_organization(acting).await?;
    Ok(OnePage {
        frame: Frame::new(visitor, "organizations"),
        organization: OrganizationView::of(&found, app.services.clock.now()),
        said: None,
        invited: None,
        email: String::new(),
        errors: Errors::default(),
    })
}

pub(super) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Asked(asked): Asked,
) -> Result<Response, PageError> {
    let acting = act(&app, &visitor, &id).await?;
    let mut shown = one(&app, &visitor, &acting).await?;
    shown.said = (asked.get("saved") == "1")
        .then_some("Saved. It holds from now on, for everybody and everything in it.");
    page(&shown)
}

/// Suspends or resumes it, or invites a superuser.
pub(super) async fn change(
    State(app): State<App>,
    Path(id): Path<String>,
    sent: Sent,
) -> Result<Response, PageError> {
    let visitor = &sent.visitor;
    let acting = act(&app, visitor, &id).await?;
    let done = match sent.fields.get("standing") {
        "active" => set_standing(&app, visitor, &acting, Standing::Active).await,
        "suspended" => set_standing(&app, visitor, &acting, Standing::Suspended).await,
        _ => return invite(&app, &sent, &acting).await,
    };
    match done {
        Ok(()) => Ok(see_other(&format!(
            "{PATH}/{}?saved=1",
            acting.organization.id
        ))),
        Err(error) => show_again(&app, visitor, &acting, "", error).await,
    }
}

async fn set_standing(
    app: &App,
    visitor: &Visitor,
    acting: &Actor,
    standing: Standing,
) -> Result<(), ServiceError> {
    let change = OrganizationChange {
        name: None,
        standing: Some(standing),
    };
    app.services
        .change_organization(acting, &change, &visitor.context)
        .await?;
    Ok(())
}

async fn invite(app: &App, sent: &Sent, acting: &Actor) -> Result<Response, PageError> {
    let (visitor, typed) = (&sent.visitor, sent.fields.get("email"));
    let done = async {
        let email = Email::parse(typed).map_err(InvalidField::email)?;
        invite_superuser(app, acting, email, visitor).await
    };
    match done.await {
        Ok(made) => {
            let mut shown = one(app, visitor, acting).await?;
            shown.invited = Some(InvitedView::new(app, &made));
            page_with(StatusCode::OK, &shown)
        }
        Err(error) => show_again(app, visitor, acting, typed, error).await,
    }
}

async fn show_again(
    app: &App,
    visitor: &Visitor,
    acting: &Actor,
    email: &str,
    error: ServiceError,
) -> Result<Response, PageError> {
    let (status, errors) = (error.face().status, Errors::of_service(error)?);
    let mut shown = one(app, visitor, acting).await?;
    (shown.email, shown.errors) = (email.to_owned(), errors);
    page_with(status, &shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_that_is_none_is_ignored() {
        let id = "019393a0-7e5c-7c31-9d0c-1f2e3d4c5b6a";
        let (at, found) = read_after(&format!("{id}1764000000000000")).unwrap();
        assert_eq!(
            (at.micros(), found.to_string()),
            (1_764_000_000_000_000, id.to_owned())
        );
        for strange in ["", "x", id, &format!("{id}x"), &"x".repeat(60)] {
            assert_eq!(read_after(strange), None, "{strange}");
        }
    }

    #[test]
    fn nobody_need_be_invited_at_once() {
        let read = |form: &str| read_email(&Fields::parse(form.as_bytes()));
        assert!(matches!(read("email=+"), Ok(None)));
        assert!(matches!(read("email=bob%40acme.example"), Ok(Some(_))));
        assert!(read("email=bob").is_err());
    }
}
