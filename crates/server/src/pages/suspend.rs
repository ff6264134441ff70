//! Suspending a token or key and resuming it: one's own, any of the organization, or a key.

use super::{
    PageError,
    form::{Errors, Fields},
    inventory_one, key, page_with, see_other, token, tokens,
    view::{Frame, Moment},
    visitor::{Sent, Visitor},
    words,
};
use crate::{app::App, error::ServiceError};
use askama::{Template, filters::HtmlSafe};
use axum::{
    extract::{Path, State},
    response::Response,
};
use hallpass_domain::{access_token::Suspension, id::TokenId, time::Timestamp};
use hallpass_wire::SuspendToken;
use http::StatusCode;

/// A suspension, as it is told on the page of what rests.
#[derive(Debug, Template)]
#[template(path = "part/rest.html")]
pub(super) struct RestView {
    since: Moment,
    until: Option<Moment>,
    reason: String,
    by_owner: bool,
}

impl HtmlSafe for RestView {}

impl RestView {
    pub(super) fn of(rest: Option<&Suspension>, now: Timestamp) -> Option<Self> {
        rest.map(|rest| Self {
            since: Moment::past(rest.since, now),
            until: rest.until.map(|until| Moment::coming(until, now)),
            reason: rest.reason.clone(),
            by_owner: rest.by_owner,
        })
    }
}

/// On whose pages it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Own,
    All,
    Keys,
}

impl Place {
    const fn path(self) -> &'static str {
        match self {
            Self::Own => "/settings/tokens",
            Self::All => "/settings/organization/tokens",
            Self::Keys => "/settings/organization/keys",
        }
    }

    const fn section(self) -> &'static str {
        match self {
            Self::Own => "tokens",
            Self::All => "all-tokens",
            Self::Keys => "keys",
        }
    }
}

/// What is suspended.
struct Subject {
    id: TokenId,
    name: String,
    prefix: String,
}

async fn find(
    app: &App,
    visitor: &Visitor,
    place: Place,
    id: &str,
) -> Result<Subject, ServiceError> {
    let (id, name, prefix) = match place {
        Place::Own => {
            let token = token::find(app, visitor, id).await?.token;
            (token.id, token.name, token.prefix.to_string())
        }
        Place::All => {
            let row = inventory_one::find(app, visitor, id).await?;
            (row.id, row.name, row.prefix.to_string())
        }
        Place::Keys => {
            let key = key::find(app, visitor, id).await?.key;
            let prefix = key.current().map(|secret| secret.prefix.to_string());
            (key.id, key.name, prefix.unwrap_or_default())
        }
    };
    Ok(Subject {
        id,
        name: name.to_string(),
        prefix,
    })
}

/// What was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Form {
    reason: String,
    until: String,
}

impl Form {
    fn read(fields: &Fields) -> Self {
        Self {
            reason: fields.get("reason").to_owned(),
            until: fields.get("until").trim().to_owned(),
        }
    }

    fn wish(&self) -> SuspendToken {
        SuspendToken {
            reason: self.reason.clone(),
            until: (!self.until.is_empty()).then(|| format!("{}T00:00:00Z", self.until)),
        }
    }
}

#[derive(Template)]
#[template(path = "suspend.html")]
struct SuspendPage {
    frame: Frame,
    back: String,
    name: String,
    prefix: String,
    own: bool,
    form: Form,
    tomorrow: String,
    errors: Errors,
}

fn show(
    app: &App,
    visitor: &Visitor,
    place: Place,
    subject: &Subject,
    form: Form,
    (status, errors): (StatusCode, Errors),
) -> Result<Response, PageError> {
    let shown = SuspendPage {
        frame: Frame::new(visitor, place.section()),
        back: format!("{}/{}", place.path(), subject.id),
        name: subject.name.clone(),
        prefix: subject.prefix.clone(),
        own: place == Place::Own,
        form,
        tomorrow: words::date_field(app.services.clock.now().plus_days(1)),
        errors,
    };
    page_with(status, &shown)
}

async fn ask(app: &App, visitor: &Visitor, place: Place, id: &str) -> Result<Response, PageError> {
    if place == Place::Own
        && let Some(refused) = tokens::not_allowed(app, visitor).await?
    {
        return Ok(refused);
    }
    let subject = find(app, visitor, place, id).await?;
    let fine = (StatusCode::OK, Errors::default());
    show(app, visitor, place, &subject, Form::default(), fine)
}

async fn suspend(app: &App, sent: &Sent, place: Place, id: &str) -> Result<Response, PageError> {
    let (visitor, form) = (&sent.visitor, Form::read(&sent.fields));
    let subject = find(app, visitor, place, id).await?;
    let (wish, id, context) = (form.wish(), subject.id, &visitor.context);
    let (services, actor) = (&app.services, visitor.actor());
    let done = match place {
        Place::Own => {
            services
                .suspend_own(visitor.person(), id, &wish, context)
                .await
        }
        Place::All | Place::Keys => services.suspend_any(&actor, id, &wish, context).await,
    };
    match done {
        Ok(_) => Ok(see_other(&format!("{}/{id}?done=suspended", place.path()))),
        Err(error) => {
            let said = (error.face().status, Errors::of_service(error)?);
            show(app, visitor, place, &subject, form, said)
        }
    }
}

async fn resume(app: &App, sent: &Sent, place: Place, id: &str) -> Result<Response, PageError> {
    let (visitor, services) = (&sent.visitor, &app.services);
    let id = find(app, visitor, place, id).await?.id;
    let (actor, context) = (visitor.actor(), &visitor.context);
    match place {
        Place::Own => services.lift_own(visitor.person(), id, context).await?,
        Place::All | Place::Keys => services.lift_any(&actor, id, context).await?,
    }
    Ok(see_other(&format!("{}/{id}?done=resumed", place.path())))
}

/// The three handlers of a place.
macro_rules! handlers {
    ($place:ident, $ask:ident, $suspend:ident, $resume:ident) => {
        pub(super) async fn $ask(
            State(app): State<App>,
            visitor: Visitor,
            Path(id): Path<String>,
        ) -> Result<Response, PageError> {
            ask(&app, &visitor, Place::$place, &id).await
        }

        pub(super) async fn $suspend(
            State(app): State<App>,
            Path(id): Path<String>,
            sent: Sent,
        ) -> Result<Response, PageError> {
            suspend(&app, &sent, Place::$place, &id).await
        }

        pub(super) async fn $resume(
            State(app): State<App>,
            Path(id): Path<String>,
            sent: Sent,
        ) -> Result<Response, PageError> {
            resume(&app, &sent, Place::$place, &id).await
        }
    };
}
handlers!(Own, ask_own, suspend_own, resume_own);
handlers!(All, ask_any, suspend_any, resume_any);
handlers!(Keys, ask_key, suspend_key, resume_key);
