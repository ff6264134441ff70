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

/// What the proxy was sent, as nginx is told to say it, and as Caddy and Traefik say it.
const ADDRESSES: [HeaderName; 2] = [
    HeaderName::from_static("x-original-uri"),
    HeaderName::from_static("x-forwarded-uri"),
];
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
        let found = Found::read(&head.headers);
        if !is_our_gateway(app, found.secret) {
            return Err(refused(StatusCode::FORBIDDEN, "gateway_secret_wrong", None));
        }
        let Ok(needed) = needed(found.permission) else {
            return Err(refused(StatusCode::FORBIDDEN, "permission_malformed", None));
        };
        let token = found.token(head).map_err(|none| none.answer(app))?;
        let asked = Asked {
            method: Some(found.method(&head.method)),
            path: Some(found.path(&head.uri)).filter(|path| !path.is_empty()),
            address: found.client(app, &head.headers),
            agent: found
                .agent
                .and_then(|agent| std::str::from_utf8(agent.as_bytes()).ok()),
            within: None,
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
    methods: [Line<'h>; 2],
    addresses: [Line<'h>; 2],
    clients: Line<'h>,
    agent: Option<&'h HeaderValue>,
}

/// How often a header came.
#[derive(Clone, Copy, Default)]
enum Line<'h> {
    #[default]
    None,
    One(&'h HeaderValue),
    /// The first of several.
    More(&'h HeaderValue),
}

impl<'h> Line<'h> {
    fn see(&mut self, value: &'h HeaderValue) {
        *self = match self {
            Self::None => Self::One(value),
            Self::One(first) | Self::More(first) => Self::More(first),
        };
    }

    /// The first, if it is text.
    fn text(self) -> Option<&'h str> {
        match self {
            Self::None => None,
            Self::One(first) | Self::More(first) => first.to_str().ok(),
        }
    }
}

impl<'h> Found<'h> {
    fn read(headers: &'h HeaderMap) -> Self {
        let mut found = Self::default();
        for (name, value) in headers {
            match name.as_str() {
                "x-hallpass-gateway-secret" => first(&mut found.secret, Some(value)),
                "x-hallpass-permission" => found.permission.see(value),
                "x-original-method" => found.methods[0].see(value),
                "x-forwarded-method" => found.methods[1].see(value),
                "x-original-uri" => found.addresses[0].see(value),
                "x-forwarded-uri" => found.addresses[1].see(value),
                "x-forwarded-for" => found.clients.see(value),
                "user-agent" => first(&mut found.agent, Some(value)),
                _ => found.places.see(name, value),
            }
        }
        found
    }

    /// Refuses a token in any of the addresses that the request came with, whichever of them the proxy meant.
    fn check_addresses(&self, head: &Parts) -> Result<(), BadCredentials> {
        credentials::check_address(own_address(&head.uri))?;
        let check = |value: &HeaderValue| {
            credentials::check_address(&String::from_utf8_lossy(value.as_bytes()))
        };
        for (line, name) in self.addresses.iter().zip(ADDRESSES) {
            match line {
                Line::None => {}
                Line::One(value) => check(value)?,
                Line::More(_) => head.headers.get_all(name).iter().try_for_each(check)?,
            }
        }
        Ok(())
    }

    fn token(&self, head: &Parts) -> Result<PlainToken, NoToken> {
        self.check_addresses(head).map_err(NoToken::Bad)?;
        match self.places.read() {
            Ok(Credential::Token(token)) => Ok(token),
            Ok(Credential::None) => Err(NoToken::Missing),
            Ok(Credential::NotAToken(_)) => Err(NoToken::Malformed),
            Err(bad) => Err(NoToken::Bad(bad)),
        }
    }

    fn method(&self, own: &'h Method) -> &'h str {
        let [original, forwarded] = self.methods;
        original.text().or(forwarded.text()).unwrap_or(own.as_str())
    }

    fn path(&self, own: &'h Uri) -> &'h str {
        let own = own_address(own);
        let [original, forwarded] = self.addresses;
        original
            .text()
            .or(forwarded.text())
            .unwrap_or_else(|| own.strip_prefix("/auth").unwrap_or(own))
    }

    /// The peer is the proxy itself, so what it says of the client counts: the last address that is not a proxy of
    /// ours.
    fn client(&self, app: &App, headers: &HeaderMap) -> Option<IpAddr> {
        match self.clients {
            Line::None => None,
            Line::One(line) => app.last_untrusted(line.to_str().into_iter()),
            Line::More(_) => {
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
        Line::More(_) => return Err(()),
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
