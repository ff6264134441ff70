//! What every request to the listener for people goes through: its id, its client's address, the headers of every
//! answer, the refusal of tokens in addresses and of other sites' forms, one line in the log.

use crate::{
    app::App,
    caller, credentials,
    error::ServiceError,
    listen::Peer,
    observe::scrub,
    problem::{self, ApiError},
    service::RequestContext,
};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use hallpass_domain::{Entropy, limits::USE_AGENT_BYTES_MAX};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use std::fmt;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What pages may load: our own files and nothing else.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// What is no page may load nothing, should a browser take it for one.
const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";
/// Two years (RFC 6797).
const TRANSPORT_SECURITY: &str = "max-age=63072000; includeSubDomains";

/// The name of one request, in its answer and in the log.
#[derive(Clone, Debug)]
pub struct RequestId(String);

impl RequestId {
    fn draw(entropy: &impl Entropy) -> Self {
        let mut random = [0; 8];
        entropy.fill(&mut random);
        Self(random.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The outermost layer of the listener for people.
pub async fn watch(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let began = tokio::time::Instant::now();
    let id = RequestId::draw(&app.services.entropy);
    let context = context(&app, &request);
    // A token in the address is refused, and must not live on in the log.
    let (method, path) = (
        request.method().clone(),
        scrub(request.uri().path()).into_owned(),
    );
    let address = context.address;
    request.extensions_mut().insert(context);
    request.extensions_mut().insert(id.clone());
    let response = match check(&app, &request) {
        Ok(()) => next.run(request).await,
        Err(refused) if is_api(&path) => ApiError(refused).into_response(),
        Err(refused) => crate::pages::failure(&refused),
    };
    let mut response = problem::finish(response, &id);
    protect(&app, response.headers_mut(), &id);
    let took = began.elapsed();
    tracing::info!(
        target: "hallpass::access",
        request = %id,
        %method,
        path,
        status = response.status().as_u16(),
        micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        address = address.map(tracing::field::display),
    );
    response
}

/// Programs are answered with problems, people with pages.
pub fn is_api(path: &str) -> bool {
    path.starts_with("/v1")
}

fn context(app: &App, request: &Request) -> RequestContext {
    let peer = request
        .extensions()
        .get::<Peer>()
        .map(|peer| peer.address.ip());
    let forwarded: Vec<&str> = request
        .headers()
        .get_all(X_FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    RequestContext {
        address: peer.map(|peer| app.client_address(peer, forwarded.into_iter())),
        agent: agent(request.headers()),
    }
}

/// The `User-Agent`, cut to what is kept and without what cannot be seen.
pub fn agent(headers: &HeaderMap) -> Option<String> {
    let text = String::from_utf8_lossy(headers.get(header::USER_AGENT)?.as_bytes()).into_owned();
    let mut clean: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let mut end = clean.len().min(USE_AGENT_BYTES_MAX);
    while !clean.is_char_boundary(end) {
        end -= 1;
    }
    clean.truncate(end);
    Some(clean)
}

fn check(app: &App, request: &Request) -> Result<(), ServiceError> {
    let address = request
        .uri()
        .path_and_query()
        .map_or("", |address| address.as_str());
    credentials::check_address(address).map_err(|bad| ServiceError::BadRequest {
        code: bad.code(),
        detail: bad.to_string(),
    })?;
    if caller::is_safe(request.method()) || is_own_site(app, request.headers()) {
        Ok(())
    } else {
        Err(ServiceError::CrossSite)
    }
}

/// Whether a request that changes something comes from our own pages, or from no browser at all: every browser
/// sends `Sec-Fetch-Site` or, for such requests, `Origin`.
fn is_own_site(app: &App, headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    origin == &*app.base_url
        || origin
            .parse::<Uri>()
            .is_ok_and(|origin| origin.authority().map(http::uri::Authority::as_str) == host)
}

fn protect(app: &App, headers: &mut HeaderMap, id: &RequestId) {
    let is_page = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    guard(headers, if is_page { PAGE_POLICY } else { DATA_POLICY });
    if app.secure_cookies {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static(TRANSPORT_SECURITY),
        );
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(X_REQUEST_ID, id);
    }
}

/// Tells browsers to do nothing with an answer that is no page, for listeners whose answers may reach one.
pub(crate) fn guard_data(headers: &mut HeaderMap) {
    guard(headers, DATA_POLICY);
}

fn guard(headers: &mut HeaderMap, policy: &'static str) {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
