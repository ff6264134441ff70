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
mod question;

use crate::{
    app::App, credentials::BadCredentials, http::guard_data, observe::Door,
    service::presented::refusal, service::verification::Verified,
};
use bytes::Bytes;
use futures_util::{
    FutureExt,
    future::{BoxFuture, Either, Ready, ready},
};
use hallpass_domain::{permission::Permission, verdict::DenyReason};
use hallpass_engine::TokenView;
use http::{HeaderName, HeaderValue, Request, StatusCode, header, request::Parts};
use http_body_util::Empty;
use question::Question;
use std::{
    convert::Infallible,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

const ERROR: HeaderName = HeaderName::from_static("x-hallpass-error");

/// The answer to a gateway: all of it is in the headers.
pub type Answer = http::Response<Empty<Bytes>>;

/// An answer that is there, or, for the first use of a bcrypt token, one to wait for.
type Answering =
    Either<Ready<Result<Answer, Infallible>>, BoxFuture<'static, Result<Answer, Infallible>>>;

/// What answers on the listener for gateways. There is one address and no router, and what can be said at once is said
/// without a future: each layer would be paid for with every request of a product.
#[derive(Clone, Debug)]
pub struct Gateway<A> {
    answer: A,
}

/// Answers with the verdict on the request's token.
pub fn service(app: &App) -> Gateway<impl Fn(&Parts) -> Said + Clone + use<>> {
    let app = app.clone();
    Gateway::new(move |head| auth(&app, head))
}

impl<A: Fn(&Parts) -> Said> Gateway<A> {
    /// A gateway's listener that answers what `answer` says to the head of a request.
    pub const fn new(answer: A) -> Self {
        Self { answer }
    }
}

/// What came of a request.
pub enum Said {
    /// This.
    Now(Answer),
    /// Not yet known.
    Later(BoxFuture<'static, Answer>),
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Now(_) => "Now",
            Self::Later(_) => "Later",
        })
    }
}

impl<A, B> hyper::service::Service<Request<B>> for Gateway<A>
where
    A: Fn(&Parts) -> Said,
{
    type Response = Answer;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<B>) -> Answering {
        let (head, _) = request.into_parts();
        // A panic is answered, not a closed connection. The panic itself is logged where it happens.
        match catch_unwind(AssertUnwindSafe(|| (self.answer)(&head))) {
            Ok(Said::Now(answer)) => Either::Left(ready(Ok(answer))),
            Ok(Said::Later(answer)) => {
                let answer = AssertUnwindSafe(answer).catch_unwind();
                Either::Right(
                    answer
                        .map(|answer| Ok(answer.unwrap_or_else(|_| broken())))
                        .boxed(),
                )
            }
            Err(_) => Either::Left(ready(Ok(broken()))),
        }
    }
}

fn broken() -> Answer {
    refused(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", None)
}

fn auth(app: &App, head: &Parts) -> Said {
    match head.uri.path().strip_prefix("/auth") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {}
        _ => return Said::Now(bare(StatusCode::NOT_FOUND)),
    }
    let question = match Question::read(app, head) {
        Ok(question) => question,
        Err(answer) => return Said::Now(answer),
    };
    let Question {
        token,
        needed,
        asked,
    } = &question;
    let verified = app
        .services
        .verify_at_once(Door::Gateway, token, needed.as_ref(), asked);
    match verified {
        Some(verified) => Said::Now(told(&verified, needed.as_ref())),
        None => Said::Later(auth_slowly(app.clone(), head.clone()).boxed()),
    }
}

async fn auth_slowly(app: App, head: Parts) -> Answer {
    match Question::read(&app, &head) {
        Ok(Question {
            token,
            needed,
            asked,
        }) => {
            let verified = app
                .services
                .verify(Door::Gateway, &token, needed.as_ref(), &asked);
            told(&verified.await, needed.as_ref())
        }
        Err(answer) => answer,
    }
}

fn told(verified: &Verified<'_>, needed: Option<&Permission>) -> Answer {
    match verified {
        Verified::Allowed(view) => allowed(view),
        Verified::Refused(reason, _) => denied(*reason, needed),
        Verified::Unavailable => refused(StatusCode::SERVICE_UNAVAILABLE, "not_answering", None),
    }
}

fn allowed(view: &TokenView<'_>) -> Answer {
    let mut response = Answer::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    *response.headers_mut() = identity::headers(view);
    response
}

/// RFC 6750 section 3.1: a good token that is not enough is a 403, all else a 401 `invalid_token`. Another token is no
/// help from an address that is not allowed, so there is no challenge.
fn denied(reason: DenyReason, needed: Option<&Permission>) -> Answer {
    if reason == DenyReason::AddressNotAllowed {
        return refused(StatusCode::FORBIDDEN, reason.word(), None);
    }
    if reason.is_about_what_was_asked() {
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
fn bad_request(bad: BadCredentials) -> Answer {
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

fn refused(status: StatusCode, code: &'static str, challenge: Option<&str>) -> Answer {
    let mut response = bare(status);
    let headers = response.headers_mut();
    headers.insert(ERROR, HeaderValue::from_static(code));
    if let Some(challenge) = challenge.and_then(|challenge| HeaderValue::from_str(challenge).ok()) {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// Some proxies pass whatever is no 204 on as it is, and it may end in a browser.
fn bare(status: StatusCode) -> Answer {
    let mut response = Answer::default();
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    guard_data(headers);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::service::Service as _;

    async fn asked(say: impl Fn(&Parts) -> Said) -> Answer {
        let Ok(answer) = Gateway::new(say).call(Request::new(())).await;
        answer
    }

    #[tokio::test]
    async fn a_panic_is_answered_whenever_it_comes() {
        let at_once = asked(|_| panic!("at once")).await;
        let later = asked(|_| Said::Later(async { panic!("later") }.boxed())).await;
        for answer in [at_once, later] {
            assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(answer.headers()[ERROR], "internal_error");
            assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
            assert!(answer.headers().contains_key("content-security-policy"));
        }
    }

    #[test]
    fn from_an_address_that_is_not_allowed_no_other_token_is_asked_for() {
        let answer = denied(DenyReason::AddressNotAllowed, None);
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        assert_eq!(answer.headers()[ERROR], "address_not_allowed");
        assert!(!answer.headers().contains_key(header::WWW_AUTHENTICATE));
    }
}
