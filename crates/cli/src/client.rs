//! Requests to the server's REST interface. No redirect is followed and nothing is sent twice.

use crate::{
    exit::{Exit, Failure, clean},
    host::Host,
    limits::{ANSWER_BYTES_MAX, CONNECT_SECONDS_MAX, REQUEST_SECONDS_MAX},
};
use hallpass_domain::token::PlainToken;
use hallpass_wire::{CSRF_HEADER, Problem};
use rustls::crypto::aws_lc_rs;
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt, io::Read, sync::Arc, time::Duration};
use ureq::{
    Agent,
    http::{HeaderValue, Method, Request, Response, header, request},
    tls::{RootCerts, TlsConfig, TlsProvider},
};
use zeroize::Zeroizing;

/// What a request proves itself with.
pub(crate) enum Proof {
    /// Nothing: signing in.
    Nobody,
    /// A token.
    Token(PlainToken),
    /// A session: its cookies, and the value that changes must carry.
    Session {
        cookies: Zeroizing<String>,
        csrf: Zeroizing<String>,
    },
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("Nobody"),
            Self::Token(token) => token.fmt(f),
            Self::Session { .. } => f.write_str("Session"),
        }
    }
}

/// A server and what its requests prove themselves with.
#[derive(Debug)]
pub(crate) struct Client {
    agent: Agent,
    host: Host,
    proof: Proof,
    /// It works with the token of `hallpass login`.
    by_login: bool,
}

/// An answer that says yes.
struct Answer {
    cookies: Zeroizing<String>,
    body: Zeroizing<Vec<u8>>,
}

impl Client {
    /// A client of the server at `host`.
    pub(crate) fn new(host: Host, proof: Proof) -> Self {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()))
            .build();
        let mut config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(CONNECT_SECONDS_MAX)))
            .timeout_global(Some(Duration::from_secs(REQUEST_SECONDS_MAX)))
            .accept("application/json, application/problem+json")
            .user_agent(concat!("hallpass-cli/", env!("CARGO_PKG_VERSION")));
        if !host.is_encrypted() {
            // What is meant for this machine must not travel to a proxy in the clear.
            config = config.proxy(None);
        }
        Self {
            agent: config.build().into(),
            host,
            proof,
            by_login: false,
        }
    }

    /// The same, when its proof is the token that `hallpass login` made: then signing in again gives it more.
    #[must_use]
    pub(crate) const fn by_login(mut self, by_login: bool) -> Self {
        self.by_login = by_login;
        self
    }

    /// Whether it works with the token that `hallpass login` made.
    pub(crate) const fn is_by_login(&self) -> bool {
        self.by_login
    }

    /// The server's address.
    pub(crate) const fn host(&self) -> &Host {
        &self.host
    }

    /// The same server, with another proof.
    pub(crate) fn with_proof(&self, proof: Proof) -> Self {
        Self {
            agent: self.agent.clone(),
            host: self.host.clone(),
            proof,
            by_login: false,
        }
    }

    /// `GET path`.
    ///
    /// # Errors
    /// No connection, or the server's refusal.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let answer = self.send(Method::GET, path, &[])?;
        self.parse(&answer)
    }

    /// `GET path`: a file of any length, as it comes.
    ///
    /// # Errors
    /// No connection, or the server's refusal.
    pub(crate) fn get_file(&self, path: &str) -> Result<impl Read + use<>, Failure> {
        let request = self.begin(Method::GET, path)?;
        let request = request.body(()).map_err(|error| odd(&error))?;
        let request = self
            .agent
            .configure_request(request)
            .timeout_global(None)
            .timeout_recv_response(Some(Duration::from_secs(REQUEST_SECONDS_MAX)))
            .build();
        let response = self
            .agent
            .run(request)
            .map_err(|error| self.unreachable(&error))?;
        if response.status().is_success() {
            return Ok(response.into_body().into_reader());
        }
        match self.read(response) {
            Err(failure) => Err(failure),
            Ok(_) => Err(self.not_hallpass("answered something else than a file")),
        }
    }

    /// `POST path` with `body`.
    ///
    /// # Errors
    /// No connection, or the server's refusal.
    pub(crate) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let answer = self.send(Method::POST, path, &json(body)?)?;
        self.parse(&answer)
    }

    /// `POST path` with `body`; the answer and the cookies that came with it, as a request sends them back.
    ///
    /// # Errors
    /// No connection, or the server's refusal.
    pub(crate) fn post_for_cookies<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<(T, Zeroizing<String>), Failure> {
        let answer = self.send(Method::POST, path, &json(body)?)?;
        Ok((self.parse(&answer)?, answer.cookies))
    }

    /// `PUT path` with `body`.
    ///
    /// # Errors
    /// No connection, or the server's refusal.
    pub(crate) fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let answer = self.send(Method::PUT, path, &json(body)?)?;
        self.parse(&answer)
    }

    /// `PATCH path` with `body`.
    ///
    /// # Errors
    /// No connection, or the server's refusal.
    pub(crate) fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let answer = self.send(Method::PATCH, path, &json(body)?)?;
        self.parse(&answer)
    }

    /// `DELETE path`, and what the server says of it.
    ///
    /// # Errors
    /// No connection, or the server's refusal.
    pub(crate) fn delete_told<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let answer = self.send(Method::DELETE, path, &[])?;
        self.parse(&answer)
    }

    /// `DELETE path`.
    ///
    /// # Errors
    /// No connection, or the server's refusal.
    pub(crate) fn delete(&self, path: &str) -> Result<(), Failure> {
        self.send(Method::DELETE, path, &[]).map(drop)
    }

    fn begin(&self, method: Method, path: &str) -> Result<request::Builder, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.host));
        match &self.proof {
            Proof::Nobody => {}
            Proof::Token(token) => {
                let bearer = Zeroizing::new(format!("Bearer {}", token.expose()));
                request = request.header(header::AUTHORIZATION, secret_header(&bearer)?);
            }
            Proof::Session { cookies, csrf } => {
                request = request
                    .header(header::COOKIE, secret_header(cookies)?)
                    .header(CSRF_HEADER, secret_header(csrf)?);
            }
        }
        Ok(request)
    }

    fn send(&self, method: Method, path: &str, body: &[u8]) -> Result<Answer, Failure> {
        let mut request = self.begin(method, path)?;
        let sent = if body.is_empty() {
            self.agent
                .run(request.body(()).map_err(|error| odd(&error))?)
        } else {
            request = request.header(header::CONTENT_TYPE, "application/json");
            self.agent
                .run(request.body(body).map_err(|error| odd(&error))?)
        };
        self.read(sent.map_err(|error| self.unreachable(&error))?)
    }

    fn read(&self, mut response: Response<ureq::Body>) -> Result<Answer, Failure> {
        let status = response.status().as_u16();
        if let (300..400, Some(to)) = (status, response.headers().get(header::LOCATION)) {
            let to = clean(&String::from_utf8_lossy(to.as_bytes()));
            return Err(Failure::new(
                Exit::Unreachable,
                format!(
                    "{} sends us on to {to}, and a token is never carried along",
                    self.host
                ),
            )
            .next("If that is the right server, name it with --host."));
        }
        let cookies = cookies(&response);
        let body = response
            .body_mut()
            .with_config()
            .limit(ANSWER_BYTES_MAX)
            .read_to_vec()
            .map_err(|error| self.unreachable(&error))?;
        let body = Zeroizing::new(body);
        if (200..300).contains(&status) {
            return Ok(Answer { cookies, body });
        }
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => Err(Failure::of_problem(status, &problem, self.by_login)),
            Err(_) => Err(self.not_hallpass(&format!("answered {status} without saying why"))),
        }
    }

    fn parse<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Failure> {
        // The parser's own message could quote a secret.
        serde_json::from_slice(&answer.body).map_err(|_| {
            self.not_hallpass("answered something that this command does not understand")
        })
    }

    fn not_hallpass(&self, what: &str) -> Failure {
        Failure::new(Exit::Trouble, format!("{} {what}", self.host))
            .next("Is there a Hallpass at this address, of this version? --host names another one.")
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        let failure = Failure::new(
            Exit::Unreachable,
            format!("cannot reach {}: {}", self.host, clean(&error.to_string())),
        );
        match error {
            ureq::Error::Rustls(_) | ureq::Error::Tls(_) => {
                failure.next("Its certificate is not one that this machine trusts. SSL_CERT_FILE names a file of further authorities.")
            }
            ureq::Error::Timeout(_) => failure.next("Whether it did what was asked is not known: look before you repeat it."),
            _ => failure.next("Is it running (`hallpass serve`)? --host or HALLPASS_HOST names another address."),
        }
    }
}

fn json(body: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    serde_json::to_vec(body)
        .map(Zeroizing::new)
        .map_err(|_| Failure::new(Exit::Trouble, "the request cannot be written as JSON"))
}

fn secret_header(text: &str) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        Failure::new(
            Exit::Trouble,
            "what the server sent cannot be sent back in a header",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn odd(error: &ureq::http::Error) -> Failure {
    Failure::new(
        Exit::Trouble,
        format!("the request cannot be made: {error}"),
    )
}

/// The `name=value` of every cookie that was set.
fn cookies(response: &Response<ureq::Body>) -> Zeroizing<String> {
    let set = response.headers().get_all(header::SET_COOKIE);
    let pairs: Vec<&str> = set
        .iter()
        .filter_map(|value| value.to_str().ok()?.split(';').next())
        .map(str::trim)
        .collect();
    Zeroizing::new(pairs.join("; "))
}
