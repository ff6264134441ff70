//! What every answer carries, whatever was asked and however it went.

use crate::kit::{Actor, Answer, Engine, Plan, Server, TOKENS, wish};
use serde_json::Value;

const PAGES: [&str; 20] = [
    "/",
    "/setup",
    "/sign-in",
    "/settings",
    "/settings/tokens",
    "/settings/tokens/new",
    "/settings/sessions",
    "/settings/sessions/end-all",
    "/settings/organization",
    "/settings/organization/members",
    "/settings/organization/members/invite",
    "/settings/organization/roles",
    "/settings/organization/roles/new",
    "/settings/deployment/organizations",
    "/settings/deployment/users",
    "/settings/deployment/permissions/new",
    "/invitation?code=x",
    "/docs",
    "/openapi.json",
    "/no-such-page",
];

/// An id that nobody has.
pub(crate) const NOBODYS_ID: &str = "019393a0-7e5c-7c31-9d0c-1f2e3d4c5b6a";

/// Every operation of the API: method and path, with an id that nobody has.
pub(crate) fn operations() -> Vec<(String, String)> {
    let api = serde_json::to_value(hallpass_server::rest::openapi()).unwrap();
    let paths = api["paths"].as_object().unwrap().clone();
    let all = paths.into_iter().flat_map(|(path, item)| {
        let path = ["{id}", "{organization}", "{user}"]
            .into_iter()
            .fold(path, |path, named| path.replace(named, NOBODYS_ID))
            .replace("{name}", "repo:read");
        let methods: Vec<String> = item
            .as_object()
            .unwrap()
            .keys()
            .map(|method| method.to_uppercase())
            .collect();
        methods
            .into_iter()
            .map(move |method| (method, path.clone()))
    });
    all.collect()
}

#[track_caller]
fn check(answer: &Answer, secure: bool, what: &str) {
    let is_page = answer.header("content-type").starts_with("text/html");
    let policy = answer.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; ") && policy.contains("frame-ancestors 'none'"),
        "{what}: {policy}"
    );
    assert!(
        !policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"),
        "{what}: {policy}"
    );
    if is_page {
        assert!(
            policy.contains("base-uri 'none'")
                && policy.contains("form-action 'self'")
                && policy.contains("script-src 'self'"),
            "{what}: {policy}"
        );
    } else {
        assert!(policy.contains("sandbox"), "{what}: {policy}");
    }
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), value, "{what}: {name}");
        assert_eq!(
            answer.headers.get_all(name).iter().count(),
            1,
            "{what}: {name}"
        );
    }
    assert!(
        answer.header("permissions-policy").contains("camera=()"),
        "{what}"
    );
    assert_eq!(answer.header("x-request-id").len(), 16, "{what}");
    assert!(
        answer.header("cache-control") == "no-store" || what.contains("/assets/"),
        "{what}: {}",
        answer.header("cache-control")
    );
    assert_eq!(
        answer.header("strict-transport-security"),
        if secure {
            "max-age=63072000; includeSubDomains"
        } else {
            ""
        },
        "{what}"
    );
    for name in [
        "server",
        "x-powered-by",
        "access-control-allow-origin",
        "access-control-allow-credentials",
    ] {
        assert!(!answer.headers.contains_key(name), "{what}: {name}");
    }
    if !answer.body.is_empty() {
        assert!(
            answer.header("content-type").contains("charset=utf-8"),
            "{what}: {}",
            answer.header("content-type")
        );
    }
}

async fn check_all(actor: &Actor, secure: bool) {
    for (method, path) in operations() {
        let answer = actor
            .send(&method, &path, Some("application/json"), "{}")
            .await;
        check(&answer, secure, &format!("{method} {path}"));
        assert!(answer.status < 500, "{method} {path}");
    }
    let assets = [
        hallpass_server::pages::assets::stylesheet(),
        hallpass_server::pages::assets::script(),
        hallpass_server::pages::assets::icon(),
    ];
    for path in PAGES.into_iter().chain(assets) {
        for method in ["GET", "HEAD", "POST", "OPTIONS"] {
            let answer = actor.send(method, path, None, "").await;
            check(&answer, secure, &format!("{method} {path}"));
            assert!(answer.status < 500, "{method} {path}: {}", answer.status);
        }
    }
}

#[tokio::test]
async fn every_answer_is_protected() {
    for secure in [false, true] {
        let mut plan = Plan::new(Engine::Sqlite);
        plan.secure_cookies = secure;
        let server = plan.start().await;
        let token = server.ada.token(wish("ci")).await;
        let strange = server.anon().with("origin", "https://evil.example");
        let odd = server
            .anon()
            .with("authorization", "Bearer")
            .with("sec-fetch-site", "cross-site");
        for actor in [
            server.anon(),
            server.ada.clone(),
            server.bearer(&token.secret),
            strange,
            odd,
        ] {
            check_all(&actor, secure).await;
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_in_the_words_of_its_door() {
    let server = Server::sqlite().await;
    for path in [
        "/v1",
        "/v1/",
        "/v1/nothing",
        "/v1/personal-access-tokens/x/y",
        "/v1/verify/",
    ] {
        server.ada.get(path).await.refused(404, "not_found");
    }
    for path in [
        "/nothing",
        "/metrics",
        "/healthz",
        "/readyz",
        "/auth",
        "/debug",
        "/.env",
        "/assets/../Cargo.toml",
    ] {
        let answer = server.ada.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(
            answer.header("content-type").starts_with("text/html"),
            "{path}: a page for people"
        );
    }
}

#[tokio::test]
async fn a_wrong_method_names_the_right_ones() {
    let server = Server::sqlite().await;
    for (path, allowed) in [
        (TOKENS, ["GET", "POST"]),
        ("/v1/sessions/current", ["DELETE", ""]),
        ("/v1/verify", ["POST", ""]),
    ] {
        let answer = server.ada.send("PUT", path, None, "").await;
        answer.refused(405, "method_not_allowed");
        assert!(
            allowed
                .iter()
                .all(|method| answer.header("allow").contains(method)),
            "{path}: {}",
            answer.header("allow")
        );
    }
}

/// The body never comes: the clock of the runtime runs while nothing else does.
#[tokio::test]
async fn what_takes_too_long_is_told_so() {
    let server = Server::sqlite().await;
    let never = axum::body::Body::from_stream(futures_util::stream::pending::<
        Result<axum::body::Bytes, std::io::Error>,
    >());
    tokio::time::pause();
    let answer = server
        .anon()
        .send("POST", "/v1/sessions", Some("application/json"), never)
        .await;
    tokio::time::resume();
    answer.refused(408, "request_timeout");
    check(&answer, false, "408");
}

#[tokio::test]
async fn the_clients_address_is_the_peers_unless_a_trusted_proxy_says_otherwise() {
    let mut plan = Plan::new(Engine::Sqlite);
    plan.trusted_proxies = vec!["10.0.0.0/8", "2001:db8:1::/48"];
    let server = plan.start().await;
    let addresses = async |actor: &Actor| -> Value {
        server.ada.get("/v1/caller").await.is(200);
        let signed = actor
            .post(
                "/v1/sessions",
                &serde_json::json!({"email": "ada@acme.example", "password": crate::kit::PASSWORD}),
            )
            .await
            .is(201);
        let list = server.ada.get("/v1/sessions").await.is(200);
        let items = list["items"].as_array().unwrap().clone();
        items
            .into_iter()
            .find(|item| item["id"] == signed["id"])
            .unwrap()["address"]
            .clone()
    };
    let anon = server.anon();
    for (peer, forwarded, expected) in [
        ("198.51.100.7", vec![], "198.51.100.7"),
        ("198.51.100.7", vec!["203.0.113.9"], "198.51.100.7"),
        ("10.0.0.1", vec![], "10.0.0.1"),
        ("10.0.0.1", vec!["203.0.113.9"], "203.0.113.9"),
        (
            "10.0.0.1",
            vec!["192.0.2.1, 203.0.113.9, 10.0.0.2"],
            "203.0.113.9",
        ),
        ("10.0.0.1", vec!["192.0.2.1", "203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", vec!["203.0.113.9, nonsense"], "10.0.0.1"),
        ("2001:db8:1::1", vec!["2001:db8::17"], "2001:db8::17"),
        ("::ffff:10.0.0.1", vec!["203.0.113.9"], "203.0.113.9"),
    ] {
        let actor = forwarded
            .iter()
            .fold(anon.at(peer), |actor, value| {
                actor.with("x-forwarded-for", value)
            })
            .with("x-real-ip", "192.0.2.66");
        assert_eq!(addresses(&actor).await, expected, "{peer} {forwarded:?}");
    }
}
