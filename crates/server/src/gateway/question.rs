//! What a proxy asks, from the head of its request.

use super::{Answer, bad_request, denied, refused};
use crate::{
    app::App,
    credentials::{self, BadCredentials, Credential, Places},
    observe::{Door, Outcome},
    service::verification::Asked,
};
use hallpass_domain::{
    permission::Permission,
    token::PlainToken,
    verdict::{DenyReason, Verdict},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, request::Parts};
use std::net::IpAddr;
use subtle::ConstantTimeEq;

const CLIENTS: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What a proxy asks.
pub(super) struct Question<'h> {
    pub(super) token: PlainToken,
    pub(super) needed: Option<Permission>,
    pub(super) asked: Asked<'h>,
}

impl<'h> Question<'h> {
    /// Reads it, or answers at once what is no question.
    pub(super) fn read(app: &App, head: &'h Parts) -> Result<Self, Answer> {
        let found = Found::read(&head.uri, &head.headers);
        if !is_our_gateway(app, found.secret) {
            return Err(refused(StatusCode::FORBIDDEN, "gateway_secret_wrong", None));
        }
        let Ok(needed) = needed(found.permission) else {
            return Err(refused(StatusCode::FORBIDDEN, "permission_malformed", None));
        };
        let token = found.token().map_err(|none| none.answer(app))?;
        let asked = Asked {
            method: Some(found.method(&head.method)),
            path: Some(found.path(&head.uri)).filter(|path| !path.is_empty()),
            address: found.client(app, &head.headers),
            agent: found
                .agent
                .and_then(|agent| std::str::from_utf8(agent.as_bytes()).ok()),
        };
        Ok(Self {
            token,
            needed,
            asked,
        })
    }
}

/// The headers that matter, found in one pass: to look each of them up would be to hash a dozen names for every
/// request of a product.
#[derive(Default)]
struct Found<'h> {
    places: Places<'h>,
    secret: Option<&'h HeaderValue>,
    permission: Line<'h>,
    /// What the proxy was sent, as nginx is told to say it, and as Caddy and Traefik say it.
    methods: [Option<&'h str>; 2],
    addresses: [Option<&'h str>; 2],
    clients: Line<'h>,
    agent: Option<&'h HeaderValue>,
    /// A token stands in one of the addresses that the request came with, whichever of them the proxy meant.
    token_in_address: bool,
}

/// The value of a header, if it came once.
#[derive(Clone, Copy, Default)]
enum Line<'h> {
    #[default]
    None,
    One(&'h HeaderValue),
    More,
}

impl<'h> Line<'h> {
    fn see(&mut self, value: &'h HeaderValue) {
        *self = match self {
            Self::None => Self::One(value),
            Self::One(_) | Self::More => Self::More,
        };
    }
}

impl<'h> Found<'h> {
    fn read(uri: &Uri, headers: &'h HeaderMap) -> Self {
        let mut found = Self::default();
        found.check_address(own_address(uri));
        for (name, value) in headers {
            match name.as_str() {
                "x-hallpass-gateway-secret" => first(&mut found.secret, Some(value)),
                "x-hallpass-permission" => found.permission.see(value),
                "x-original-method" => first(&mut found.methods[0], value.to_str().ok()),
                "x-forwarded-method" => first(&mut found.methods[1], value.to_str().ok()),
                "x-original-uri" => found.see_address(0, value),
                "x-forwarded-uri" => found.see_address(1, value),
                "x-forwarded-for" => found.clients.see(value),
                "user-agent" => first(&mut found.agent, Some(value)),
                _ => found.places.see(name, value),
            }
        }
        found
    }

    fn see_address(&mut self, place: usize, value: &'h HeaderValue) {
        self.check_address(&String::from_utf8_lossy(value.as_bytes()));
        first(&mut self.addresses[place], value.to_str().ok());
    }

    fn check_address(&mut self, address: &str) {
        self.token_in_address |= credentials::check_address(address).is_err();
    }

    fn token(&self) -> Result<PlainToken, NoToken> {
        if self.token_in_address {
            return Err(NoToken::Bad(BadCredentials::InAddress));
        }
        match self.places.read() {
            Ok(Credential::Token(token)) => Ok(token),
            Ok(Credential::None) => Err(NoToken::Missing),
            Ok(Credential::NotAToken(_)) => Err(NoToken::Malformed),
            Err(bad) => Err(NoToken::Bad(bad)),
        }
    }

    fn method(&self, own: &'h Method) -> &'h str {
        self.methods[0].or(self.methods[1]).unwrap_or(own.as_str())
    }

    fn path(&self, own: &'h Uri) -> &'h str {
        let own = own_address(own);
        self.addresses[0]
            .or(self.addresses[1])
            .unwrap_or_else(|| own.strip_prefix("/auth").unwrap_or(own))
    }

    /// The peer is the proxy itself, so what it says of the client counts: the last address that is not a proxy of
    /// ours.
    fn client(&self, app: &App, headers: &HeaderMap) -> Option<IpAddr> {
        match self.clients {
            Line::None => None,
            Line::One(line) => app.last_untrusted(line.to_str().into_iter()),
            Line::More => {
                let lines = headers.get_all(CLIENTS).iter();
                app.last_untrusted(lines.filter_map(|line| line.to_str().ok()))
            }
        }
    }
}

fn own_address(uri: &Uri) -> &str {
    uri.path_and_query().map_or("", |own| own.as_str())
}

fn first<T>(place: &mut Option<T>, value: Option<T>) {
    if place.is_none() {
        *place = value;
    }
}

fn is_our_gateway(app: &App, sent: Option<&HeaderValue>) -> bool {
    let Some(secret) = &app.gateway_secret else {
        return true;
    };
    sent.is_some_and(|sent| sent.as_bytes().ct_eq(secret.expose().as_bytes()).into())
}

/// The permission that the proxy's configuration names, if it names one.
fn needed(line: Line<'_>) -> Result<Option<Permission>, ()> {
    let value = match line {
        Line::None => return Ok(None),
        Line::One(value) => value,
        Line::More => return Err(()),
    };
    match value.to_str().map_err(|_| ())?.trim() {
        "" => Ok(None),
        text => Permission::parse(text).map(Some).map_err(|_| ()),
    }
}

/// Why there is no token to ask about.
enum NoToken {
    Missing,
    Malformed,
    Bad(BadCredentials),
}

impl NoToken {
    fn answer(self, app: &App) -> Answer {
        match self {
            Self::Missing => refused(
                StatusCode::UNAUTHORIZED,
                "credentials_missing",
                Some("Bearer realm=\"hallpass\""),
            ),
            Self::Malformed => {
                let outcome = Outcome::Verdict(Verdict::Deny(DenyReason::Malformed));
                app.services.metrics.verified(Door::Gateway, outcome);
                denied(DenyReason::Malformed, None)
            }
            Self::Bad(bad) => bad_request(bad),
        }
    }
}
