//! One member: their role, the gate, their standing.

use super::{
    PageError,
    form::{Errors, Fields},
    give::{self, RoleChoice},
    members::MemberView,
    page, page_with, rail, see_other,
    view::Frame,
    visitor::{Asked, Sent, Visitor},
};
use crate::{app::App, error::ServiceError, service::members::MemberChange};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use hallpass_domain::{id::UserId, organization::Standing};
use hallpass_store::MemberRow;
use http::StatusCode;

pub(super) const PATH: &str = "/settings/organization/members";

#[derive(Template)]
#[template(path = "member.html")]
struct MemberPage {
    frame: Frame,
    member: MemberView,
    saved: bool,
    /// The roles to choose from; none where the member holds more than the visitor.
    roles: Vec<RoleChoice>,
    open: bool,
    tokens_href: Option<String>,
    errors: Errors,
}

#[derive(Template)]
#[template(path = "member_remove.html")]
struct RemovePage {
    frame: Frame,
    member: MemberView,
    errors: Errors,
}

/// The member that an address names.
pub(super) async fn find(
    app: &App,
    visitor: &Visitor,
    id: &str,
) -> Result<MemberRow, ServiceError> {
    let id = UserId::parse(id).map_err(|_| ServiceError::NotFound("member"))?;
    app.services.get_member(&visitor.actor(), id).await
}

pub(super) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Path(user): Path<String>,
    Asked(asked): Asked,
) -> Result<Response, PageError> {
    let found = find(&app, &visitor, &user).await?;
    let change = MemberChange::default();
    let mut shown = member_page(&app, &visitor, &found, change, Errors::default()).await?;
    shown.saved = asked.get("saved") == "1";
    page(&shown)
}

/// The page with what `change` wishes in its form.
async fn member_page(
    app: &App,
    visitor: &Visitor,
    found: &MemberRow,
    change: MemberChange,
    errors: Errors,
) -> Result<MemberPage, ServiceError> {
    let actor = visitor.actor();
    let mut roles = give::roles(app, &actor, change.role.or(Some(found.membership.role))).await?;
    if !roles.iter().any(|role| role.id == found.membership.role) {
        // Whoever may not give their role may not take it away either.
        roles.clear();
    }
    let member = MemberView::of(found, visitor.person().user.id, app.services.clock.now());
    Ok(MemberPage {
        frame: Frame::new(visitor, "members"),
        open: change.may_have_tokens.unwrap_or(member.open),
        tokens_href: rail::all_tokens(&actor).map(|path| format!("{path}?owner={}", member.id)),
        member,
        saved: false,
        roles,
        errors,
    })
}

/// What a form wishes: that of the role and the gate, or a button of the standing.
fn wish(fields: &Fields) -> MemberChange {
    let standing = match fields.get("standing") {
        "active" => Some(Standing::Active),
        "suspended" => Some(Standing::Suspended),
        _ => None,
    };
    let about_role = fields.get("about") == "role";
    MemberChange {
        role: give::read(fields, "role").filter(|_| about_role),
        standing: standing.filter(|_| !about_role),
        may_have_tokens: about_role.then(|| fields.get("tokens") == "allowed"),
    }
}

pub(super) async fn change(
    State(app): State<App>,
    Path(user): Path<String>,
    sent: Sent,
) -> Result<Response, PageError> {
    let visitor = &sent.visitor;
    let found = find(&app, visitor, &user).await?;
    let (id, wished) = (found.user.id, wish(&sent.fields));
    let done = app
        .services
        .change_member(&visitor.actor(), id, wished, &visitor.context)
        .await;
    match done {
        Ok(_) => Ok(see_other(&format!("{PATH}/{id}?saved=1"))),
        Err(error) => {
            let (status, errors) = (error.face().status, Errors::of_service(error)?);
            page_with(
                status,
                &member_page(&app, visitor, &found, wished, errors).await?,
            )
        }
    }
}

/// Asks first, and says what ends.
pub(super) async fn ask_remove(
    State(app): State<App>,
    visitor: Visitor,
    Path(user): Path<String>,
) -> Result<Response, PageError> {
    let found = find(&app, &visitor, &user).await?;
    show_remove(&app, &visitor, &found, StatusCode::OK, Errors::default())
}

fn show_remove(
    app: &App,
    visitor: &Visitor,
    found: &MemberRow,
    status: StatusCode,
    errors: Errors,
) -> Result<Response, PageError> {
    let member = MemberView::of(found, visitor.person().user.id, app.services.clock.now());
    let asked = RemovePage {
        frame: Frame::new(visitor, "members"),
        member,
        errors,
    };
    page_with(status, &asked)
}

pub(super) async fn remove(
    State(app): State<App>,
    Path(user): Path<String>,
    sent: Sent,
) -> Result<Response, PageError> {
    let visitor = &sent.visitor;
    let found = find(&app, visitor, &user).await?;
    let done = app
        .services
        .remove_member(&visitor.actor(), found.user.id, &visitor.context)
        .await;
    match done {
        // Who has left has no session here any more.
        Ok(()) if found.user.id == visitor.person().user.id => Ok(see_other("/")),
        Ok(()) => Ok(see_other(&format!("{PATH}?removed=1"))),
        Err(error) => {
            let status = error.face().status;
            show_remove(&app, visitor, &found, status, Errors::of_service(error)?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: &str) -> MemberChange {
        wish(&Fields::parse(form.as_bytes()))
    }

    #[test]
    fn each_form_changes_what_it_shows_and_nothing_else() {
        let role = "019393a0-7e5c-7c31-9d0c-1f2e3d4c5b6a";
        let both = read(&format!("about=role&role={role}&tokens=allowed"));
        assert_eq!(both.may_have_tokens, Some(true));
        assert_eq!(both.role.unwrap().to_string(), role);
        assert_eq!(
            read(&format!("about=role&role={role}")).may_have_tokens,
            Some(false),
            "a box that is not ticked is not sent"
        );
        let standing = read("standing=suspended");
        assert_eq!(
            standing,
            MemberChange {
                standing: Some(Standing::Suspended),
                ..MemberChange::default()
            }
        );
        assert_eq!(read("standing=gone"), MemberChange::default());
    }
}
