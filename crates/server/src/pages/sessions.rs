//! Where one is signed in.

use super::{
    PageError, page, see_other, sign_in,
    view::{Frame, Moment},
    visitor::{Asked, SentAnywhere, Visitor},
    words,
};
use crate::{app::App, error::ServiceError};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use hallpass_domain::{id::SessionId, time::Timestamp};
use hallpass_store::SessionView;

struct SessionLine {
    id: String,
    device: String,
    agent: String,
    address: String,
    created: Moment,
    seen: Moment,
    ends: Moment,
    is_this: bool,
}

impl SessionLine {
    fn of(session: &SessionView, this: SessionId, now: Timestamp) -> Self {
        let agent = session.agent.clone().unwrap_or_default();
        Self {
            id: session.id.to_string(),
            device: words::device(&agent),
            agent,
            address: session
                .address
                .clone()
                .unwrap_or_else(|| "unknown".to_owned()),
            created: Moment::past(session.created, now),
            seen: Moment::past(session.seen_at, now),
            ends: Moment::coming(session.expires_at, now),
            is_this: session.id == this,
        }
    }
}

#[derive(Template)]
#[template(path = "sessions.html")]
struct SessionsPage {
    frame: Frame,
    ended: bool,
    /// Whether they may have tokens where they are.
    open: bool,
    organization_id: String,
    sessions: Vec<SessionLine>,
}

#[derive(Template)]
#[template(path = "end_all.html")]
struct EndAllPage {
    frame: Frame,
    how_many: String,
}

pub(super) async fn list(
    State(app): State<App>,
    visitor: Visitor,
    Asked(asked): Asked,
) -> Result<Response, PageError> {
    let now = app.services.clock.now();
    let sessions = app.services.list_sessions(visitor.person()).await?;
    page(&SessionsPage {
        frame: Frame::new(&visitor, "sessions"),
        ended: asked.get("ended") == "1",
        open: visitor.person().membership.may_have_tokens,
        organization_id: visitor.person().organization.id.to_string(),
        sessions: sessions
            .iter()
            .map(|session| SessionLine::of(session, visitor.present.session, now))
            .collect(),
    })
}

pub(super) async fn end(
    State(app): State<App>,
    Path(id): Path<String>,
    SentAnywhere(visitor): SentAnywhere,
) -> Result<Response, PageError> {
    let id = SessionId::parse(&id).map_err(|_| ServiceError::NotFound("session"))?;
    match app
        .services
        .end_session(visitor.person(), id, &visitor.context)
        .await
    {
        // It ended by itself in the meantime: that is what was wanted.
        Ok(()) | Err(ServiceError::NotFound(_)) => Ok(see_other("/settings/sessions?ended=1")),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn ask_end_all(
    State(app): State<App>,
    visitor: Visitor,
) -> Result<Response, PageError> {
    let open = app.services.list_sessions(visitor.person()).await?.len();
    let how_many = if open == 1 {
        "One session ends".to_owned()
    } else {
        format!("{open} sessions end")
    };
    page(&EndAllPage {
        frame: Frame::new(&visitor, "sessions"),
        how_many,
    })
}

pub(super) async fn end_all(
    State(app): State<App>,
    SentAnywhere(visitor): SentAnywhere,
) -> Result<Response, PageError> {
    app.services
        .end_all_sessions(visitor.person(), &visitor.context)
        .await?;
    Ok(sign_in::signed_out(&app))
}
