//! Forward-auth: a proxy asks here about each request it was sent, and passes it on only after a 204.
//!
//! Any method and any path under `/auth` is taken, since proxies send their clients' ([`reference`](self#asked)). The
//! answers are 204, 401 and 403, because nginx turns every other status into a 500; 503 alone says that this node may
//! not answer. On a 204 every `X-Hallpass-*` header is there, empty if unset, so that a client's own header of the
//! same name never passes.
//!
//! # Asked
//! The proxy's configuration may name the permission in `X-Hallpass-Permission`. A client that names one itself can
//! only be refused for it. The original request is taken from `X-Original-Method` and `X-Original-URI` (nginx) or
//! `X-Forwarded-Method` and `X-Forwarded-Uri` (Caddy, Traefik).

mod identity;

use crate::{
    app::App,
    caller::refusal,
    credentials::{self, BadCredentials, Credential},
    http::guard_data,
    observe::{Door, Outcome},
    service::verification::{Asked, Verified},
};
use axum::{
    Router,
    extract::{Request, State},
    response::Response,
    routing::any,
};
use hallpass_domain::{
    permission::Permission,
    verdict::{DenyReason, Verdict},
};
use hallpass_engine::TokenView;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use std::net::IpAddr;
use subtle::ConstantTimeEq;

const PERMISSION: HeaderName = HeaderName::from_static("x-hallpass-permission");
const SECRET: HeaderName = HeaderName::from_static("x-hallpass-gateway-secret");
const ERROR: HeaderName = HeaderName::from_static("x-hallpass-error");

/// The identity, `Cache-Control` and what the protocol adds.
const HEADERS_OF_A_YES: usize = 16;

/// The routes of the listener for gateways.
pub fn router() -> Router<App> {
    Router::new()
        .route("/auth", any(auth))
        .route("/auth/", any(auth))
        .route("/auth/{*rest}", any(auth))
        .fallback(not_found)
}

/// No such address.
async fn not_found() -> Response {
    bare(StatusCode::NOT_FOUND)
}

async fn auth(State(app): State<App>, request: Request) -> Response {
    let began = tokio::time::Instant::now();
    let (method, uri, headers) = (request.method(), request.uri(), request.headers());
    let response = answer(&app, method, uri, headers).await;
    app.gateway_metrics
        .answered(method, response.status(), began.elapsed());
    response
}

async fn answer(app: &App, method: &Method, uri: &Uri, headers: &HeaderMap) -> Response {
    if !is_our_gateway(app, headers) {
        return refused(StatusCode::FORBIDDEN, "gateway_secret_wrong", None);
    }
    let Ok(needed) = needed(headers) else {
        return refused(StatusCode::FORBIDDEN, "permission_malformed", None);
    };
    let original = Original::read(method, uri, headers);
    let token = match check_addresses(uri, headers).and_then(|()| credentials::read(headers)) {
        Ok(Credential::Token(token)) => token,
        Ok(Credential::None) => {
            return refused(
                StatusCode::UNAUTHORIZED,
                "credentials_missing",
                Some("Bearer realm=\"hallpass\""),
            );
        }
        Ok(Credential::NotAToken(_)) => {
            app.services.metrics.verified(
                Door::Gateway,
                Outcome::Verdict(Verdict::Deny(DenyReason::Malformed)),
            );
            return denied(DenyReason::Malformed, None);
        }
        Err(bad) => return bad_request(bad),
    };
    let asked = Asked {
        method: Some(original.method),
        path: Some(original.address).filter(|address| !address.is_empty()),
        address: client_address(app, headers),
        agent: headers
            .get(header::USER_AGENT)
            .and_then(|agent| std::str::from_utf8(agent.as_bytes()).ok()),
    };
    match app
        .services
        .verify(Door::Gateway, &token, needed.as_ref(), &asked)
        .await
    {
        Verified::Allowed(view) => allowed(&view),
        Verified::Refused(reason, _) => denied(reason, needed.as_ref()),
        Verified::Unavailable => refused(StatusCode::SERVICE_UNAVAILABLE, "not_answering", None),
    }
}

/// The request that the proxy was sent.
struct Original<'a> {
    method: &'a str,
    address: &'a str,
}

impl<'a> Original<'a> {
    fn read(method: &'a Method, uri: &'a Uri, headers: &'a HeaderMap) -> Self {
        let first = |names: [&'static str; 2]| {
            names
                .into_iter()
                .find_map(|name| headers.get(name)?.to_str().ok())
        };
        let own = uri.path_and_query().map_or("", |own| own.as_str());
        Self {
            method: first(["x-original-method", "x-forwarded-method"]).unwrap_or(method.as_str()),
            address: first(["x-original-uri", "x-forwarded-uri"])
                .unwrap_or_else(|| own.strip_prefix("/auth").unwrap_or(own)),
        }
    }
}

/// No token in any of the addresses that the request came with, whichever of them the proxy meant.
fn check_addresses(uri: &Uri, headers: &HeaderMap) -> Result<(), BadCredentials> {
    credentials::check_address(uri.path_and_query().map_or("", |own| own.as_str()))?;
    let named = ["x-original-uri", "x-forwarded-uri"]
        .into_iter()
        .flat_map(|name| headers.get_all(name));
    named
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .try_for_each(|address| credentials::check_address(&address))
}

fn is_our_gateway(app: &App, headers: &HeaderMap) -> bool {
    let Some(secret) = &app.gateway_secret else {
        return true;
    };
    headers
        .get(SECRET)
        .is_some_and(|sent| sent.as_bytes().ct_eq(secret.expose().as_bytes()).into())
}

/// The permission that the proxy's configuration names, if it names one.
fn needed(headers: &HeaderMap) -> Result<Option<Permission>, ()> {
    let mut values = headers.get_all(PERMISSION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(());
    }
    match value.to_str().map_err(|_| ())?.trim() {
        "" => Ok(None),
        text => Permission::parse(text).map(Some).map_err(|_| ()),
    }
}

/// The peer is the proxy itself, so what it says of the client counts: the last address that is not a proxy of ours.
fn client_address(app: &App, headers: &HeaderMap) -> Option<IpAddr> {
    let lines = headers.get_all("x-forwarded-for").iter();
    app.last_untrusted(lines.filter_map(|line| line.to_str().ok()))
}

fn allowed(view: &TokenView<'_>) -> Response {
    let mut response = Response::new(axum::body::Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    *response.headers_mut() = HeaderMap::with_capacity(HEADERS_OF_A_YES);
    identity::write(view, response.headers_mut());
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// RFC 6750 section 3.1: a good token that is not enough is a 403, all else a 401 `invalid_token`.
fn denied(reason: DenyReason, needed: Option<&Permission>) -> Response {
    if reason.is_about_permission() {
        let scope = needed.map_or("", Permission::as_str);
        let challenge =
            format!("Bearer realm=\"hallpass\", error=\"insufficient_scope\", scope=\"{scope}\"");
        return refused(StatusCode::FORBIDDEN, reason.word(), Some(&challenge));
    }
    let challenge = format!(
        "Bearer realm=\"hallpass\", error=\"invalid_token\", error_description=\"{}\"",
        describe(refusal(reason))
    );
    refused(StatusCode::UNAUTHORIZED, reason.word(), Some(&challenge))
}

/// What would be a 400 elsewhere: nginx would make a 500 of it.
fn bad_request(bad: BadCredentials) -> Response {
    let challenge = format!(
        "Bearer realm=\"hallpass\", error=\"invalid_request\", error_description=\"{}\"",
        describe(&bad.to_string())
    );
    refused(StatusCode::UNAUTHORIZED, bad.code(), Some(&challenge))
}

/// RFC 6750 section 3: visible ASCII without quotation marks and backslashes.
fn describe(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '“' | '”' | '"' | '\\' => '\'',
            '…' => '.',
            '\u{20}'..='\u{7e}' => c,
            _ => '?',
        })
        .collect()
}

fn refused(status: StatusCode, code: &'static str, challenge: Option<&str>) -> Response {
    let mut response = bare(status);
    let headers = response.headers_mut();
    headers.insert(ERROR, HeaderValue::from_static(code));
    if let Some(challenge) = challenge.and_then(|challenge| HeaderValue::from_str(challenge).ok()) {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// Some proxies pass whatever is no 204 on as it is, and it may end in a browser.
fn bare(status: StatusCode) -> Response {
    let mut response = Response::new(axum::body::Body::empty());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    guard_data(headers);
    response
}
