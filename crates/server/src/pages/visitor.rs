//! Who is looking at a page, as types that a handler names.

use super::{failure::PageError, form::Fields, next::local_path, see_other};
use crate::{
    app::App,
    caller, cookies,
    error::ServiceError,
    service::{
        Person, RequestContext, Via,
        acting::Actor,
        sessions::{Present, SessionValue},
    },
};
use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    response::{IntoResponse, Response},
};
use hallpass_domain::organization::Organization;
use http::request::Parts;

/// Somebody who is signed in. Others are sent to sign in, and come back.
#[derive(Debug)]
pub(super) struct Visitor {
    /// Who, and by which session.
    pub(super) present: Present,
    /// From where.
    pub(super) context: RequestContext,
    /// The organizations that they can be in, each with their role there.
    pub(super) places: Vec<(Organization, String)>,
    device: Option<String>,
}

impl Visitor {
    /// The person as somebody who acts in the organization in force.
    pub(super) fn actor(&self) -> Actor {
        Actor::of_session(self.person())
    }

    /// The person.
    pub(super) const fn person(&self) -> &Person {
        &self.present.person
    }

    /// The person, proved to be present if `password` was typed.
    ///
    /// # Errors
    /// [`ServiceError::SignInFailed`], [`ServiceError::TooManyAttempts`].
    pub(super) async fn confirmed(
        &self,
        app: &App,
        password: &str,
    ) -> Result<Person, ServiceError> {
        let mut person = self.present.person.clone();
        if password.is_empty() || app.services.is_recent(&person) {
            return Ok(person);
        }
        app.services
            .confirm_presence(&person, password, self.device.as_deref(), &self.context)
            .await?;
        person.via = Via::Session {
            id: self.present.session,
            signed_in_at: app.services.clock.now(),
        };
        Ok(person)
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let found = caller::present(app, &parts.headers)
            .await
            .map_err(|error| PageError(error).into_response())?;
        let present = found.ok_or_else(|| sign_in_first(parts))?;
        let places = app.services.organizations_of(present.person.user.id).await;
        Ok(Self {
            places: places.map_err(|error| PageError(error).into_response())?,
            present,
            context: caller::context(parts),
            device: cookies::read_device(app, &parts.headers),
        })
    }
}

fn sign_in_first(parts: &Parts) -> Response {
    let asked = parts
        .uri
        .path_and_query()
        .map_or("/", |asked| asked.as_str());
    let next: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("next", local_path(asked))
        .finish();
    let over = if caller::is_safe(&parts.method) {
        ""
    } else {
        "&over=1"
    };
    see_other(&format!("/sign-in?{next}{over}"))
}

/// A form that somebody who is signed in sent from one of these pages.
#[derive(Debug)]
pub(super) struct Sent {
    /// Who.
    pub(super) visitor: Visitor,
    /// What they typed.
    pub(super) fields: Fields,
}

impl FromRequest<App> for Sent {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let sent = Self::read(request, app).await?;
        match sent.check(app).await {
            Ok(()) => Ok(sent),
            Err(error) => Err(PageError(error).into_response()),
        }
    }
}

impl Sent {
    async fn read(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, app).await?;
        let fields = Fields::read(Request::from_parts(parts, body))
            .await
            .map_err(IntoResponse::into_response)?;
        Ok(Self { visitor, fields })
    }

    async fn check(&self, app: &App) -> Result<(), ServiceError> {
        let services = &app.services;
        services
            .check_csrf(&self.visitor.present, self.fields.get("csrf"))
            .await
    }
}

/// The same for what concerns the person alone, such as signing out: it means the same in every organization of theirs.
#[derive(Debug)]
pub(super) struct SentAnywhere(pub(super) Visitor);

impl FromRequest<App> for SentAnywhere {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let sent = Sent::read(request, app).await?;
        match sent.check(app).await {
            Ok(()) | Err(ServiceError::OrganizationSwitched(_)) => Ok(Self(sent.visitor)),
            Err(error) => Err(PageError(error).into_response()),
        }
    }
}

/// A form that somebody sent who need not be signed in. That it comes from these pages is seen to for every door.
#[derive(Debug)]
pub(super) struct SentByAnyone {
    /// What they typed.
    pub(super) fields: Fields,
    /// From where.
    pub(super) context: RequestContext,
    /// The cookie of a device that has signed in before.
    pub(super) device: Option<String>,
    /// The session that a sign-in replaces.
    pub(super) replaced: Option<SessionValue>,
}

impl FromRequest<App> for SentByAnyone {
    type Rejection = PageError;

    async fn from_request(request: Request, app: &App) -> Result<Self, PageError> {
        let (parts, body) = request.into_parts();
        let (context, device, replaced) = (
            caller::context(&parts),
            cookies::read_device(app, &parts.headers),
            cookies::read_session(app, &parts.headers),
        );
        Ok(Self {
            replaced,
            fields: Fields::read(Request::from_parts(parts, body)).await?,
            context,
            device,
        })
    }
}

/// What stands after the `?`. Parts that no page knows are ignored: links get strange tails.
#[derive(Debug)]
pub(super) struct Asked(pub(super) Fields);

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(Fields::parse(
            parts.uri.query().unwrap_or_default().as_bytes(),
        )))
    }
}
