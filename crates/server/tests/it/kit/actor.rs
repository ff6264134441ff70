//! Somebody who asks: a session, a token, nobody.

use super::{Answer, TOKENS};
use axum::{Router, body::Body};
use hallpass_server::{app::App, cookies, listen::Peer, service::sessions::Started};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Version, header};
use serde_json::Value;
use std::net::SocketAddr;
use tower::ServiceExt;

/// A token as its maker got it.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) prefix: String,
    pub(crate) path: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Actor {
    router: Router,
    headers: HeaderMap,
    peer: SocketAddr,
    version: Version,
}

impl Actor {
    pub(crate) fn new(router: Router) -> Self {
        Self {
            router,
            headers: HeaderMap::new(),
            peer: "198.51.100.7:40000".parse().unwrap(),
            version: Version::HTTP_11,
        }
    }

    /// With the cookie and the value of a session.
    pub(crate) fn signed_in(&self, app: &App, started: &Started) -> Self {
        let cookie = cookies::session_cookie(app, started).unwrap();
        let pair = cookie
            .to_str()
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        self.without("cookie")
            .without("x-hallpass-csrf")
            .with("cookie", &pair)
            .with("x-hallpass-csrf", &started.csrf)
    }

    /// The same session with the value that it has in another organization, as `caller` tells it.
    pub(crate) fn going_on_with(&self, caller: &Value) -> Self {
        self.without("x-hallpass-csrf")
            .with("x-hallpass-csrf", caller["csrf"].as_str().unwrap())
    }

    pub(crate) fn bearing(&self, secret: &str) -> Self {
        self.with("authorization", format!("Bearer {secret}"))
    }

    /// With one more header.
    pub(crate) fn with(&self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let mut actor = self.clone();
        actor.headers.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value.as_ref()).unwrap(),
        );
        actor
    }

    pub(crate) fn without(&self, name: &str) -> Self {
        let mut actor = self.clone();
        actor.headers.remove(name);
        actor
    }

    pub(crate) fn header(&self, name: &str) -> String {
        self.headers
            .get(name)
            .map_or(String::new(), |value| value.to_str().unwrap().to_owned())
    }

    /// From this address.
    pub(crate) fn at(&self, address: &str) -> Self {
        Self {
            peer: SocketAddr::new(address.parse().unwrap(), 40_000),
            ..self.clone()
        }
    }

    pub(crate) fn speaking(&self, version: Version) -> Self {
        Self {
            version,
            ..self.clone()
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None, Body::empty()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None, Body::empty()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some("application/json"), body.to_string())
            .await
    }

    /// JSON by any method.
    pub(crate) async fn send_json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, path, Some("application/json"), body.to_string())
            .await
    }

    /// A change that is plain JSON.
    pub(crate) async fn patch_json(&self, path: &str, body: &Value) -> Answer {
        self.send_json("PATCH", path, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send("PUT", path, Some("application/json"), body.to_string())
            .await
    }

    /// A JSON Merge Patch.
    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(
            "PATCH",
            path,
            Some("application/merge-patch+json"),
            body.to_string(),
        )
        .await
    }

    /// A JSON Patch.
    pub(crate) async fn operations(&self, path: &str, body: &Value) -> Answer {
        self.send(
            "PATCH",
            path,
            Some("application/json-patch+json"),
            body.to_string(),
        )
        .await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        kind: Option<&str>,
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .version(self.version)
            .body(body.into())
            .unwrap();
        *request.headers_mut() = self.headers.clone();
        if let Some(kind) = kind {
            request
                .headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_str(kind).unwrap());
        }
        request.extensions_mut().insert(Peer {
            address: self.peer,
            tls: false,
        });
        Answer::read(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// Makes a token, or fails the test.
    pub(crate) async fn token(&self, wish: Value) -> Token {
        let made = self.post(TOKENS, &wish).await.is(201);
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        Token {
            path: format!("{TOKENS}/{}", text("id")),
            id: text("id"),
            secret: text("secret"),
            prefix: text("prefix"),
        }
    }

    /// The codes of the tokens' names in a list, in its order.
    pub(crate) async fn names(&self, query: &str) -> Vec<String> {
        let page = self.get(&format!("{TOKENS}{query}")).await.is(200);
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect()
    }
}
