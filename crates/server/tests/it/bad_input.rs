//! Whatever is sent, the answer is a clear refusal, and nothing is changed by it.

use crate::kit::{Actor, Server, TOKENS, wish};
use hallpass_domain::limits::BODY_BYTES_MAX;

fn corpus() -> Vec<Vec<u8>> {
    let mut bodies: Vec<Vec<u8>> = [
        "",
        " ",
        "{",
        "}",
        "null",
        "nul",
        "[]x",
        "{}{}",
        "{'name':'x'}",
        "{name:1}",
        "// x\n{}",
        r#"{"name":"a","name":"b","expirationDate":"2026-12-22T12:00:00Z"}"#,
        r#"{"name":"a","\u006eame":"b","expirationDate":"2026-12-22T12:00:00Z"}"#,
        r#"{"name":1e999}"#,
        r#"{"name":-1e999,"expirationDate":1e400}"#,
        r#"{"name":99999999999999999999999999999999999999999}"#,
        r#"{"name":NaN}"#,
        r#"{"name":"\ud800"}"#,
        r#"{"name":"\u0000"}"#,
        r#"{"name":"a"}"#,
        r#"{"token":"x","token":"y"}"#,
        r#"{"email":"a","email":"b","password":"c"}"#,
        r#"[{"op":"add","path":"/name","path":"/scope","value":"x"}]"#,
        r#"[{"op":"test","path":"/name","value":{"a":1,"a":2}}]"#,
        r#"{"__proto__":{"role":"Superuser"}}"#,
        r#"{"constructor":1,"role":"Superuser","id":"x","org_id":"y","hash":"z","revoked_at":null}"#,
        "\u{feff}{\"name\":\"a\",\"expirationDate\":\"2026-12-22T12:00:00Z\"}",
        "name=a&expirationDate=2026-12-22T12:00:00Z",
        "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY y SYSTEM \"file:///etc/passwd\">]><x>&y;</x>",
    ]
    .into_iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    bodies.push(b"{\"name\":\"\xff\xfe\"}".to_vec());
    bodies.push(b"{\"name\":\"\xed\xa0\x80\"}".to_vec());
    bodies.push(b"{\"name\":\"a\0b\"}".to_vec());
    bodies.push(vec![0; 1_000]);
    for depth in ["[", "{\"a\":", "[{\"name\":"] {
        bodies.push(depth.repeat(10_000).into_bytes());
    }
    bodies.push([b"[".repeat(10_000), b"]".repeat(10_000)].concat());
    bodies.push(format!("{{\"name\":\"{}\"}}", "a".repeat(500_000)).into_bytes());
    bodies.push(format!("{{\"name\":{}}}", "9".repeat(500_000)).into_bytes());
    bodies.push(format!("{{{}\"name\":\"a\"}}", "\"x\":1,".repeat(50_000)).into_bytes());
    bodies
}

/// Every way in that reads a body.
async fn ways_in(server: &Server) -> Vec<(Actor, &'static str, String, &'static str)> {
    let token = server.ada.token(wish("ci")).await;
    let verifier = server.verifier().await;
    vec![
        (
            server.ada.clone(),
            "POST",
            TOKENS.to_owned(),
            "application/json",
        ),
        (
            server.ada.clone(),
            "PATCH",
            token.path.clone(),
            "application/merge-patch+json",
        ),
        (
            server.ada.clone(),
            "PATCH",
            token.path,
            "application/json-patch+json",
        ),
        (
            verifier,
            "POST",
            "/v1/verify".to_owned(),
            "application/json",
        ),
        (
            server.anon(),
            "POST",
            "/v1/sessions".to_owned(),
            "application/json",
        ),
    ]
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_nothing_is_changed() {
    let server = Server::sqlite().await;
    let ways = ways_in(&server).await;
    let before = (
        server.services.store.head().await.unwrap(),
        server.ada.get(TOKENS).await.is(200),
    );
    for (actor, method, path, kind) in &ways {
        for body in corpus() {
            let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
            let answer = actor.send(method, path, Some(kind), body.clone()).await;
            // A merge patch may name a thing as it is.
            if *method == "PATCH" && body == br#"{"name":"a"}"# && answer.status == 200 {
                actor
                    .patch(path, &serde_json::json!({"name": "ci"}))
                    .await
                    .is(200);
                continue;
            }
            assert!(
                (400..500).contains(&answer.status),
                "{method} {path} {shown}: {}",
                answer.status
            );
            let problem = answer.problem();
            assert!(problem["detail"].as_str().unwrap().len() < 500, "{problem}");
        }
    }
    let renamed = 2;
    assert_eq!(
        (
            server.services.store.head().await.unwrap(),
            server.ada.get(TOKENS).await.is(200)
        ),
        (before.0 + renamed, before.1)
    );
}

#[tokio::test]
async fn a_body_has_a_greatest_size() {
    let server = Server::sqlite().await;
    for (actor, method, path, kind) in ways_in(&server).await {
        let body = vec![b' '; BODY_BYTES_MAX + 1];
        let answer = actor.send(method, &path, Some(kind), body.clone()).await;
        answer.refused(413, "body_too_large");
        // In pieces, without a length that could be refused beforehand.
        let pieces = futures_util::stream::iter(
            body.chunks(100_000)
                .map(|piece| Ok::<_, std::io::Error>(axum::body::Bytes::copy_from_slice(piece)))
                .collect::<Vec<_>>(),
        );
        let answer = actor
            .send(
                method,
                &path,
                Some(kind),
                axum::body::Body::from_stream(pieces),
            )
            .await;
        answer.refused(413, "body_too_large");
    }
}

#[tokio::test]
async fn a_token_in_an_address_is_refused_whatever_it_is_called() {
    let server = Server::sqlite().await;
    let token = server.ada.token(wish("ci")).await;
    for path in [
        format!("{TOKENS}?access_token={}", token.secret),
        format!("{TOKENS}?private_token={}", token.secret),
        format!("{TOKENS}/{}", token.secret),
        format!("/{}", token.secret),
        format!("/sign-in?next=/x{}x", token.secret),
        format!("{TOKENS}?t={}", token.secret.replace('_', "%5F")),
        format!("/{}", token.secret.replace('_', "%255f")),
    ] {
        for actor in [
            server.anon(),
            server.ada.clone(),
            server.bearer(&token.secret),
        ] {
            let answer = actor.get(&path).await;
            if path.starts_with("/v1") {
                answer.refused(400, "token_in_address");
            }
            assert_eq!(answer.status, 400, "{path}");
            assert!(
                !answer.text().contains(&token.secret[10..]),
                "{}",
                answer.text()
            );
        }
    }
    assert_eq!(
        server.ada.names(&format!("?search={}", token.prefix)).await,
        ["ci"],
        "a prefix is no secret"
    );
}

#[tokio::test]
async fn odd_addresses_and_headers_are_no_fault_of_ours() {
    let server = Server::sqlite().await;
    for path in [
        "/v1/personal-access-tokens/%00",
        "/v1/personal-access-tokens/%ff",
        "/v1/sessions/%2e%2e",
        "/v1/personal-access-tokens?search=%ff%fe",
        "/v1/personal-access-tokens?limit=99999999999999999999",
        "/%",
        "//",
        "/v1//verify",
    ] {
        for method in ["GET", "DELETE", "PATCH", "POST"] {
            let answer = server
                .ada
                .send(method, path, Some("application/merge-patch+json"), "{}")
                .await;
            assert!(answer.status < 500, "{method} {path}: {}", answer.status);
        }
    }
    for (name, value) in [
        ("cookie", &b"\xff\xfe"[..]),
        ("cookie", b"hallpass"),
        ("cookie", b"hallpass=\"x\"; ;;==;"),
        ("user-agent", b"\xff\t\xe2\x80\xae"),
        ("origin", b"\xff"),
        ("x-forwarded-for", b"\xff,,"),
        ("content-type", b"\xff"),
        ("idempotency-key", b"\xff"),
        ("x-hallpass-csrf", b"\xff"),
        ("sec-fetch-site", b"\xff"),
        ("host", b""),
    ] {
        let actor = server
            .ada
            .without("cookie")
            .with("cookie", server.ada.header("cookie"))
            .with(name, value);
        for answer in [
            actor.get("/v1/caller").await,
            actor.post(TOKENS, &wish("x")).await,
            actor.get("/").await,
        ] {
            assert!(
                answer.status < 500,
                "{name}: {} {}",
                answer.status,
                answer.text()
            );
        }
    }
}
