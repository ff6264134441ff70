//! Who is asking, as types that a handler names: forget one, and there is no one to act for.

use crate::{
    app::App,
    cookies,
    credentials::{self, Credential},
    error::ServiceError,
    observe::Door,
    problem::ApiError,
    service::{
        Person, RequestContext, Via,
        acting::{Actor, Bearer, Noted},
        presented::{Presented, refusal, turned_away},
        sessions::Present,
        verification::{Asked, Verified},
    },
};
use axum::extract::{FromRequestParts, RawPathParams};
use hallpass_domain::{
    access_token::Expiration,
    audit::Action,
    id::{OrganizationId, RoleId, TokenId, UserId},
    permission::Permission,
    token::PlainToken,
    verdict::{DenyReason, Question, Verdict},
};
use hallpass_engine::{Answer, TokenView};
use http::{HeaderMap, HeaderName, Method, request::Parts};
use std::net::IpAddr;

const CSRF: HeaderName = HeaderName::from_static(hallpass_wire::CSRF_HEADER);

/// The session of a request, if it has an open one.
///
/// # Errors
/// The store's.
pub async fn present(app: &App, headers: &HeaderMap) -> Result<Option<Present>, ServiceError> {
    let Some(value) = cookies::read_session(app, headers) else {
        return Ok(None);
    };
    match app.services.find_present(&value).await {
        Ok(present) => Ok(Some(present)),
        Err(ServiceError::SignInRequired) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What the request tells of itself; put there by [`crate::http::watch`].
pub fn context(parts: &Parts) -> RequestContext {
    parts
        .extensions
        .get::<RequestContext>()
        .cloned()
        .unwrap_or_default()
}

/// Whether a request with this method changes nothing (RFC 9110 section 9.2.1).
pub const fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// What the request tells of itself.
#[derive(Clone, Debug)]
pub struct Context(pub RequestContext);

impl FromRequestParts<App> for Context {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        Ok(Self(context(parts)))
    }
}

/// A person in a session. A request that changes something carries the session's value in `X-Hallpass-CSRF`.
#[derive(Clone, Debug)]
pub struct SignedIn(pub Present);

impl FromRequestParts<App> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let present = present(app, &parts.headers)
            .await?
            .ok_or(ServiceError::SignInRequired)?;
        check_csrf(app, &present, parts).await?;
        Ok(Self(present))
    }
}

async fn check_csrf(app: &App, present: &Present, parts: &Parts) -> Result<(), ServiceError> {
    if is_safe(&parts.method) {
        return Ok(());
    }
    let sent = parts
        .headers
        .get(CSRF)
        .and_then(|value| value.to_str().ok())
        .ok_or(ServiceError::CrossSite)?;
    app.services.check_csrf(present, sent).await
}

/// Someone who manages their own tokens: a person in a session, or a token that may do so for its owner.
#[derive(Clone, Debug)]
pub struct Manager(pub Person);

impl FromRequestParts<App> for Manager {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let Some(token) = read_token(&parts.headers)? else {
            let SignedIn(present) =
                <SignedIn as FromRequestParts<App>>::from_request_parts(parts, app).await?;
            return Ok(Self(present.person));
        };
        let needed = Permission::parse(Permission::OWN_TOKENS)
            .map_err(|error| ServiceError::Internal(error.to_string()))?;
        match verify(app, parts, &token, Some(&needed)).await {
            Ok(asking) => Ok(Self(asking.person(app).await?)),
            Err(refused @ ServiceError::PermissionMissing(_)) if !is_safe(&parts.method) => {
                Err(note_refused(app, parts, &token, refused).await?.into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Writes down that a token tried to change tokens without the permission to.
async fn note_refused(
    app: &App,
    parts: &Parts,
    token: &PlainToken,
    refused: ServiceError,
) -> Result<ServiceError, ServiceError> {
    let (services, context) = (&app.services, context(parts));
    let question = Question {
        needed: None,
        address: context.address,
        now: services.clock.now(),
    };
    let answer = services.engine.verify(token, &services.peppers, &question);
    let Answer::Known { token: view, .. } = answer else {
        return Ok(refused);
    };
    let actor = Asking::of(&view, &question).actor(app).await?;
    let action = match parts.method {
        Method::POST => Action::TokenCreated,
        Method::DELETE => Action::TokenRevoked,
        _ => Action::TokenChanged,
    };
    let noted = Noted::new(action, parts.uri.path());
    let attempt = services.attempt(&actor, &context, noted, async { Err::<(), _>(refused) });
    Ok(attempt.await.err().unwrap_or(ServiceError::NotAnswering))
}

/// A token that asks about itself. Nothing but that it works is needed.
#[derive(Clone, Debug)]
pub struct OwnToken {
    /// Its id.
    pub id: TokenId,
    /// Its owner.
    pub person: Person,
}

impl FromRequestParts<App> for OwnToken {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let token = read_token(&parts.headers)?.ok_or(ServiceError::SignInRequired)?;
        let asking = verify(app, parts, &token, None).await?;
        Ok(Self {
            id: asking.id,
            person: asking.person(app).await?,
        })
    }
}

/// A credential that may ask about tokens.
#[derive(Clone, Debug)]
pub struct Verifier {
    token: PlainToken,
    needed: Permission,
    address: Option<IpAddr>,
    /// The organization whose tokens it can ask about; none is every one.
    pub within: Option<OrganizationId>,
}

impl Verifier {
    /// Whether it may still ask, now that the request's body has arrived. The use itself is noted already.
    ///
    /// # Errors
    /// [`ServiceError::CredentialRefused`], [`ServiceError::NotAnswering`].
    pub fn check_again(&self, app: &App) -> Result<(), ServiceError> {
        let services = &app.services;
        let question = Question {
            needed: Some(&self.needed),
            address: self.address,
            now: services.clock.now(),
        };
        let answer = services
            .engine
            .verify(&self.token, &services.peppers, &question);
        match answer.verdict() {
            Some(Verdict::Allow) => Ok(()),
            Some(Verdict::Deny(reason)) => Err(turned_away(reason)),
            None => Err(ServiceError::NotAnswering),
        }
    }
}

impl FromRequestParts<App> for Verifier {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let token = read_token(&parts.headers)?.ok_or(ServiceError::SignInRequired)?;
        let needed = Permission::parse(Permission::VERIFY)
            .map_err(|error| ServiceError::Internal(error.to_string()))?;
        let asking = verify(app, parts, &token, Some(&needed)).await?;
        Ok(Self {
            within: (!asking.host).then_some(asking.organization),
            token,
            needed,
            address: context(parts).address,
        })
    }
}

/// Somebody who acts in an organization: a person in a session, a token of theirs, or a key. Where the address names
/// the `organization`, it is that one.
#[derive(Clone, Debug)]
pub struct Acting(pub Actor);

impl FromRequestParts<App> for Acting {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let actor = match read_token(&parts.headers)? {
            Some(token) => verify(app, parts, &token, None).await?.actor(app).await?,
            None => {
                let SignedIn(present) =
                    <SignedIn as FromRequestParts<App>>::from_request_parts(parts, app).await?;
                Actor::of_session(&present.person)
            }
        };
        let Some(named) = organization_named(parts, app).await else {
            return Ok(Self(actor));
        };
        let id =
            OrganizationId::parse(&named).map_err(|_| ServiceError::NotFound("organization"))?;
        match app.services.act_in(&actor, id).await {
            Err(error) if !is_safe(&parts.method) => {
                Err(note_abroad(app, parts, &actor, id, error).await.into())
            }
            acting => Ok(Self(acting?)),
        }
    }
}

/// Writes down, at home, that somebody tried to change something in an organization that is not there for them.
async fn note_abroad(
    app: &App,
    parts: &Parts,
    actor: &Actor,
    id: OrganizationId,
    error: ServiceError,
) -> ServiceError {
    let attempted = format!("{} {}", parts.method, parts.uri.path());
    let (services, context) = (&app.services, context(parts));
    let noted = services.note_refusal(actor, &context, id.to_string(), &attempted, &error);
    match noted.await {
        Ok(()) => error,
        Err(failed) => failed,
    }
}

/// What the address has in the place of `{organization}`.
async fn organization_named(parts: &mut Parts, app: &App) -> Option<String> {
    let named = RawPathParams::from_request_parts(parts, app).await.ok()?;
    let mut named = named.iter().filter(|(name, _)| *name == "organization");
    named.next().map(|(_, value)| value.to_owned())
}

/// A token that works, and what it may be used for here.
struct Asking {
    id: TokenId,
    organization: OrganizationId,
    user: Option<UserId>,
    role: Option<RoleId>,
    presented: Presented,
    expiration: Expiration,
    /// Its organization runs the deployment.
    host: bool,
}

impl Asking {
    fn of(view: &TokenView<'_>, question: &Question<'_>) -> Self {
        Self {
            presented: Presented::of(view, question.address, question.needed),
            id: view.id(),
            organization: view.organization_id(),
            user: view.user_id(),
            role: view.role_id(),
            host: view.facts().host,
            expiration: view.expires_at().map_or(Expiration::Never, Expiration::At),
        }
    }

    /// Whoever acts with the token.
    async fn actor(self, app: &App) -> Result<Actor, ServiceError> {
        let bearer = Bearer {
            id: self.id,
            organization: self.organization,
            user: self.user,
            role: self.role,
            expiration: self.expiration,
        };
        let actor = app.services.actor_of_token(&bearer, self.presented).await?;
        actor.ok_or(ServiceError::CredentialRefused("it has ended meanwhile"))
    }

    /// The person behind the token.
    async fn person(&self, app: &App) -> Result<Person, ServiceError> {
        let user = self.user.ok_or(ServiceError::CredentialRefused(
            "it belongs to an organization, not to a person",
        ))?;
        let via = Via::Token {
            id: self.id,
            presented: Box::new(self.presented.clone()),
        };
        app.services
            .find_person(user, self.organization, via)
            .await?
            .ok_or(ServiceError::CredentialRefused(
                "its owner is no active member",
            ))
    }
}

fn read_token(headers: &HeaderMap) -> Result<Option<PlainToken>, ServiceError> {
    match credentials::read(headers) {
        Ok(Credential::None) => Ok(None),
        Ok(Credential::Token(token)) => Ok(Some(token)),
        Ok(Credential::NotAToken(_)) => Err(ServiceError::CredentialRefused(refusal(
            DenyReason::Malformed,
        ))),
        Err(bad) => Err(ServiceError::BadRequest {
            code: bad.code(),
            detail: bad.to_string(),
        }),
    }
}

async fn verify(
    app: &App,
    parts: &Parts,
    token: &PlainToken,
    needed: Option<&Permission>,
) -> Result<Asking, ServiceError> {
    let context = context(parts);
    let asked = Asked {
        method: Some(parts.method.as_str()),
        path: Some(parts.uri.path()),
        address: context.address,
        agent: context.agent.as_deref(),
        within: None,
    };
    match app.services.verify(Door::Own, token, needed, &asked).await {
        Verified::Allowed(view) => {
            let question = asked.question(needed, app.services.clock.now());
            Ok(Asking::of(&view, &question))
        }
        Verified::Refused(DenyReason::PermissionMissing, _) => Err(missing(needed)),
        Verified::Refused(reason, _) => Err(turned_away(reason)),
        Verified::Unavailable => Err(ServiceError::NotAnswering),
    }
}

/// Only these two are needed of a token that asks Hallpass itself.
fn missing(needed: Option<&Permission>) -> ServiceError {
    let is_verify = needed.is_some_and(|needed| needed.as_str() == Permission::VERIFY);
    ServiceError::PermissionMissing(if is_verify {
        Permission::VERIFY
    } else {
        Permission::OWN_TOKENS
    })
}
