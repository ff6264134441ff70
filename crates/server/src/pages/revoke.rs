//! Taking a token back.

use super::{
    PageError, page, see_other, token, tokens,
    view::{Frame, TokenView},
    visitor::{Sent, Visitor},
};
use crate::app::App;
use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use hallpass_domain::access_token::TokenState;

#[derive(Template)]
#[template(path = "revoke.html")]
struct RevokePage {
    frame: Frame,
    token: TokenView,
    /// Whether anything is refused that was not before.
    works: bool,
}

/// Asks first, and says what used it lately. The list shows the same in a dialog.
pub(super) async fn ask(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    if let Some(refused) = tokens::not_allowed(&app, &visitor).await? {
        return Ok(refused);
    }
    let found = token::find(&app, &visitor, &id).await?;
    let now = app.services.clock.now();
    match found.token.state(now) {
        TokenState::Revoked => Ok(see_other(&format!(
            "/settings/tokens?revoked={}",
            found.token.id
        ))),
        state => page(&RevokePage {
            frame: Frame::new(&visitor, "tokens"),
            token: TokenView::of(&found, now),
            works: state != TokenState::Expired,
        }),
    }
}

pub(super) async fn revoke(
    State(app): State<App>,
    Path(id): Path<String>,
    sent: Sent,
) -> Result<Response, PageError> {
    let visitor = &sent.visitor;
    if let Some(refused) = tokens::not_allowed(&app, visitor).await? {
        return Ok(refused);
    }
    let id = token::find(&app, visitor, &id).await?.token.id;
    app.services
        .revoke_token(visitor.person(), id, &visitor.context)
        .await?;
    Ok(see_other(&format!("/settings/tokens?revoked={id}")))
}
