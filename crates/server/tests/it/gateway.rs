//! Forward-auth: what a gateway may send, and what it gets.

use crate::kit::{Actor, Engine, NEXT_MONTH, Plan, Server, exchange, wish};
use http::Version;
use serde_json::json;

const IDENTITY: [&str; 13] = [
    "x-hallpass-token-id",
    "x-hallpass-token-name",
    "x-hallpass-token-kind",
    "x-hallpass-token-prefix",
    "x-hallpass-owner-type",
    "x-hallpass-user-id",
    "x-hallpass-user-name",
    "x-hallpass-organization-id",
    "x-hallpass-organization-name",
    "x-hallpass-role",
    "x-hallpass-permissions",
    "x-hallpass-expires",
    "x-hallpass-error",
];

async fn with_token(server: &Server) -> Actor {
    server
        .gateway()
        .bearing(&server.ada.token(wish("ci")).await.secret)
}

#[tokio::test]
async fn an_allow_says_who_in_every_header_and_overwrites_what_a_client_sent() {
    let server = Server::sqlite().await;
    let token = server.ada.token(json!({"name": "naïve 日本 100% \"x\"", "userAwareTokenNeverExpires": true, "scope": ["repo:*", "report:read"]})).await;
    let honest = server.gateway().bearing(&token.secret);
    let forged = IDENTITY
        .into_iter()
        .fold(honest.clone(), |actor, name| actor.with(name, "forged"));
    for actor in [honest, forged] {
        let answer = actor.get("/auth").await;
        assert_eq!(
            (
                answer.status,
                answer.body.len(),
                answer.header("cache-control")
            ),
            (204, 0, "no-store")
        );
        let told: Vec<(&str, &str)> = IDENTITY
            .into_iter()
            .map(|name| (name, answer.header(name)))
            .collect();
        let (ada, organization) = (server.ada_id.to_string(), server.organization.to_string());
        let expected = [
            token.id.as_str(),
            "na%C3%AFve %E6%97%A5%E6%9C%AC 100%25 %22x%22",
            "personal_access_token",
            &token.prefix,
            "user",
            &ada,
            "Ada Lovelace",
            &organization,
            "Acme Rockets",
            "Superuser",
            "repo:read repo:write report:read",
            "",
            "",
        ];
        assert_eq!(told, IDENTITY.into_iter().zip(expected).collect::<Vec<_>>());
        for name in IDENTITY {
            assert_eq!(
                answer.headers.get_all(name).iter().count(),
                1,
                "{name} is there, once, even if empty"
            );
        }
        assert!(!format!("{:?}", answer.headers).contains(&token.secret[10..]));
    }
    let ends = server.ada.token(wish("ends")).await;
    assert_eq!(
        server
            .gateway()
            .bearing(&ends.secret)
            .get("/auth")
            .await
            .header("x-hallpass-expires"),
        NEXT_MONTH
    );
}

#[tokio::test]
async fn a_refusal_names_nobody() {
    let server = Server::sqlite().await;
    let token = server.ada.token(wish("ci")).await;
    server.ada.delete(&token.path).await.is(204);
    let actor = IDENTITY
        .into_iter()
        .fold(server.gateway().bearing(&token.secret), |actor, name| {
            actor.with(name, "forged")
        });
    let answer = actor.get("/auth").await;
    assert_eq!(
        (answer.status, answer.header("x-hallpass-error")),
        (401, "revoked")
    );
    assert!(
        IDENTITY[..12]
            .iter()
            .all(|name| !answer.headers.contains_key(*name)),
        "{:?}",
        answer.headers
    );
    assert_eq!(
        answer.header("www-authenticate"),
        "Bearer realm=\"hallpass\", error=\"invalid_token\", error_description=\"it was revoked\""
    );
}

#[tokio::test]
async fn any_method_path_and_version_is_asked_about() {
    let server = Server::sqlite().await;
    let actor = with_token(&server).await;
    for method in [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "REPORT", "QUERY",
        "TRACE",
    ] {
        assert_eq!(
            actor.send(method, "/auth", None, "").await.status,
            204,
            "{method}"
        );
    }
    for path in [
        "/auth/",
        "/auth/repos/octo",
        "/auth/a%20b/../..//c?x=1&y",
        "/auth?rd=https://app.example/",
        "/auth/?",
    ] {
        assert_eq!(actor.get(path).await.status, 204, "{path}");
    }
    assert_eq!(
        actor.speaking(Version::HTTP_10).get("/auth").await.status,
        204
    );
    assert_eq!(
        actor
            .with("host", "other.example")
            .send("POST", "/auth", Some("application/json"), "")
            .await
            .status,
        204
    );
    for path in ["/", "/authx", "/v1/caller", "/auth.json"] {
        let answer = actor.get(path).await;
        assert_eq!(answer.status, 404, "{path} is not asked here");
        answer.does_nothing_in_a_browser();
    }
}

#[tokio::test]
async fn on_the_wire_old_and_odd_gateways_get_their_answer() {
    let server = Server::sqlite().await;
    let (served, token) = (server.serve(), server.ada.token(wish("ci")).await.secret);
    for head in [
        "GET /auth HTTP/1.0\r\n".to_owned(),
        "GET /auth HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n".to_owned(),
        "POST /auth HTTP/1.1\r\nHost: \r\nContent-Type: application/json\r\nContent-Length: 0\r\nConnection: close\r\n".to_owned(),
        "PUT /auth/x?y=z HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=x\r\nConnection: close\r\n".to_owned(),
        "PROPFIND /auth HTTP/1.1\r\nHost: a\r\nDepth: 1\r\nConnection: close\r\n".to_owned(),
    ] {
        let allowed = exchange(served.gateway, format!("{head}Authorization: Bearer {token}\r\n\r\n").as_bytes()).await;
        let status = allowed.split(' ').nth(1).unwrap();
        assert_eq!(status, "204", "{head} {allowed}");
        assert!(allowed.contains("x-hallpass-user-name: Ada Lovelace\r\n") && allowed.contains("x-hallpass-error: \r\n"), "{allowed}");
        let refused = exchange(served.gateway, format!("{head}\r\n").as_bytes()).await;
        assert_eq!(refused.split(' ').nth(1), Some("401"), "{refused}");
    }
}

#[tokio::test]
async fn the_proxys_configuration_names_the_permission() {
    let server = Server::sqlite().await;
    let token = server
        .ada
        .token(json!({"name": "ci", "expirationDate": NEXT_MONTH, "scope": ["repo:read"]}))
        .await;
    let actor = server.gateway().bearing(&token.secret);
    let needs = |permission: &str| actor.with("x-hallpass-permission", permission);
    for held in ["repo:read", " repo:read ", ""] {
        assert_eq!(needs(held).get("/auth").await.status, 204, "{held}");
    }
    for missing in ["repo:write", "repo:*", "moon:land", "hallpass:own-tokens"] {
        let answer = needs(missing).get("/auth").await;
        assert_eq!(
            (answer.status, answer.header("x-hallpass-error")),
            (403, "permission_missing")
        );
        assert_eq!(
            answer.header("www-authenticate"),
            format!("Bearer realm=\"hallpass\", error=\"insufficient_scope\", scope=\"{missing}\"")
        );
    }
    for malformed in [
        "repo",
        "Repo:read",
        "repo:read repo:write",
        "repo:read,repo:write",
        "é:é",
        ":",
    ] {
        let answer = needs(malformed).get("/auth").await;
        assert_eq!(
            (answer.status, answer.header("x-hallpass-error")),
            (403, "permission_malformed"),
            "{malformed}"
        );
    }
    let doubled = needs("repo:read")
        .with("x-hallpass-permission", "repo:read")
        .get("/auth")
        .await;
    assert_eq!(
        (doubled.status, doubled.header("x-hallpass-error")),
        (403, "permission_malformed")
    );
    // Without a token there is nothing to be short of.
    let none = server
        .gateway()
        .with("x-hallpass-permission", "repo:read")
        .get("/auth")
        .await;
    assert_eq!(
        (none.status, none.header("x-hallpass-error")),
        (401, "credentials_missing")
    );
}

#[tokio::test]
async fn a_token_in_any_address_is_refused() {
    let server = Server::sqlite().await;
    let token = server.ada.token(wish("ci")).await.secret;
    let actor = server.gateway().bearing(&token);
    let address = format!("/repos?private_token={token}");
    let odd = [b"/\xff?x=", token.as_bytes()].concat();
    let clean = actor.with("x-original-uri", "/repos");
    let once = address.replace("hpp_", "h%70p%5F");
    let twice = once.replace('%', "%25");
    for asked in [
        actor.with("x-original-uri", &once).get("/auth"),
        actor.with("x-original-uri", &twice).get("/auth"),
        clean.with("x-forwarded-uri", &once).get("/auth"),
        clean.get(&format!("/auth{once}")),
        actor.with("x-original-uri", &address).get("/auth"),
        actor.with("x-forwarded-uri", &address).get("/auth"),
        clean.with("x-forwarded-uri", &address).get("/auth"),
        actor.with("x-original-uri", &odd).get("/auth"),
        actor.get(&format!("/auth{address}")),
        clean.get(&format!("/auth{address}")),
    ] {
        let answer = asked.await;
        assert_eq!(
            (answer.status, answer.header("x-hallpass-error")),
            (401, "token_in_address")
        );
        answer.does_nothing_in_a_browser();
    }
    assert_eq!(clean.get("/auth").await.status, 204);
}

#[tokio::test]
async fn beyond_loopback_a_gateway_proves_itself() {
    let mut plan = Plan::new(Engine::Sqlite);
    plan.gateway_secret = Some("between gateway and hallpass");
    let server = plan.start().await;
    let actor = with_token(&server).await;
    for wrong in [
        actor.clone(),
        actor.with("x-hallpass-gateway-secret", ""),
        actor.with("x-hallpass-gateway-secret", "between gateway and hallpas"),
    ] {
        let answer = wrong.get("/auth").await;
        assert_eq!(
            (answer.status, answer.header("x-hallpass-error")),
            (403, "gateway_secret_wrong")
        );
        answer.does_nothing_in_a_browser();
    }
    assert_eq!(
        actor
            .with("x-hallpass-gateway-secret", "between gateway and hallpass")
            .get("/auth")
            .await
            .status,
        204
    );
}
