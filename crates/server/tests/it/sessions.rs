//! A session from its begin to its end, and what a request made with its cookie must carry.

use crate::kit::{NEXT_MONTH, Server, TOKENS, wish};
use hallpass_domain::{member::Membership, organization::Standing};
use serde_json::json;

const HOUR: i64 = 3_600;

#[tokio::test]
async fn a_session_ends_twelve_hours_after_its_last_use() {
    let server = Server::sqlite().await;
    server.later(12 * HOUR - 1);
    server.ada.get("/v1/caller").await.is(200);
    server.later(12 * HOUR - 1);
    server.ada.get("/v1/caller").await.is(200);
    server.later(12 * HOUR);
    server
        .ada
        .get("/v1/caller")
        .await
        .refused(401, "sign_in_required");
}

#[tokio::test]
async fn a_session_ends_a_week_after_its_begin_however_much_it_is_used() {
    let server = Server::sqlite().await;
    for _ in 0..7 * 24 - 1 {
        server.later(HOUR);
        server.ada.get("/v1/caller").await.is(200);
    }
    server.later(HOUR - 1);
    server.ada.get("/v1/caller").await.is(200);
    server.later(1);
    server
        .ada
        .get("/v1/caller")
        .await
        .refused(401, "sign_in_required");
}

#[tokio::test]
async fn signing_out_ends_the_session_on_the_server() {
    let server = Server::sqlite().await;
    let other = server.ada_again().await;
    server.ada.delete("/v1/sessions/current").await.is(204);
    server
        .ada
        .get("/v1/caller")
        .await
        .refused(401, "sign_in_required");
    server
        .ada
        .delete("/v1/sessions/current")
        .await
        .refused(401, "sign_in_required");
    other.get("/v1/caller").await.is(200);
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session_and_no_token() {
    let server = Server::sqlite().await;
    let token = server.ada.token(wish("ci")).await;
    let (bob, _) = server.member("Bob").await;
    let others = [server.ada_again().await, server.ada_again().await];
    others[0].delete("/v1/sessions").await.is(204);
    for session in others.iter().chain([&server.ada]) {
        session
            .get("/v1/caller")
            .await
            .refused(401, "sign_in_required");
    }
    bob.get("/v1/caller").await.is(200);
    server.bearer(&token.secret).get("/v1/caller").await.is(200);
}

#[tokio::test]
async fn ones_sessions_are_listed_and_ended_one_by_one() {
    let server = Server::sqlite().await;
    server.later(120);
    let second = server.ada_again().await;
    let (bob, _) = server.member("Bob").await;
    let list = second.get("/v1/sessions").await;
    let text = list.text();
    let items = list.is(200)["items"].clone();
    let told: Vec<_> = items
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            (
                item["current"].as_bool().unwrap(),
                item["created"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (true, "2026-11-22T12:02:00Z"),
            (false, "2026-11-22T12:00:00Z")
        ]
    );
    assert!(
        !text.contains(&second.header("cookie")["hallpass=".len()..])
            && !text.contains(&second.header("x-hallpass-csrf"))
    );
    let first = format!("/v1/sessions/{}", items[1]["id"].as_str().unwrap());
    bob.delete(&first).await.refused(404, "not_found");
    bob.delete("/v1/sessions/x").await.refused(404, "not_found");
    server.ada.get("/v1/caller").await.is(200);
    second.delete(&first).await.is(204);
    server
        .ada
        .get("/v1/caller")
        .await
        .refused(401, "sign_in_required");
    second.delete(&first).await.refused(404, "not_found");
    // Ending this one signs out.
    let own = format!("/v1/sessions/{}", items[0]["id"].as_str().unwrap());
    let ended = second.delete(&own).await;
    ended.is(204);
    assert!(ended.header("set-cookie").starts_with("hallpass=; "));
    second
        .get("/v1/sessions")
        .await
        .refused(401, "sign_in_required");
}

#[tokio::test]
async fn a_token_is_no_session() {
    let server = Server::sqlite().await;
    let token = server
        .ada
        .token(
            json!({"name": "tool", "expirationDate": NEXT_MONTH, "scope": ["hallpass:own-tokens"]}),
        )
        .await;
    let tool = server.bearer(&token.secret);
    tool.get("/v1/sessions")
        .await
        .refused(401, "sign_in_required");
    tool.delete("/v1/sessions")
        .await
        .refused(401, "sign_in_required");
    tool.delete("/v1/sessions/current")
        .await
        .refused(401, "sign_in_required");
}

#[tokio::test]
async fn whoever_is_suspended_has_no_session() {
    let server = Server::sqlite().await;
    let (bob, id) = server.member("Bob").await;
    let organization = server.organization;
    let refused = async || bob.get("/v1/caller").await.refused(401, "sign_in_required");
    server
        .change(async |tx| vec![tx.set_user_standing(id, Standing::Suspended).await.unwrap()])
        .await;
    refused().await;
    server
        .change(async |tx| vec![tx.set_user_standing(id, Standing::Active).await.unwrap()])
        .await;
    bob.get("/v1/caller").await.is(200);
    server
        .put(Membership {
            standing: Standing::Suspended,
            ..server.membership(id)
        })
        .await;
    refused().await;
    server.put(server.membership(id)).await;
    server
        .change(async |tx| {
            vec![
                tx.set_organization_standing(organization, Standing::Suspended)
                    .await
                    .unwrap(),
            ]
        })
        .await;
    refused().await;
    server
        .change(async |tx| {
            vec![
                tx.set_organization_standing(organization, Standing::Active)
                    .await
                    .unwrap(),
            ]
        })
        .await;
    server
        .change(async |tx| vec![tx.delete_membership(organization, id).await.unwrap()])
        .await;
    refused().await;
}

#[tokio::test]
async fn making_a_token_and_prolonging_one_need_a_sign_in_of_the_last_five_minutes() {
    let server = Server::sqlite().await;
    server.later(299);
    let token = server.ada.token(wish("ci")).await;
    server.later(1);
    server
        .ada
        .post(TOKENS, &wish("late"))
        .await
        .refused(403, "recent_sign_in_required");
    for body in [
        json!({"expirationDate": "2027-06-01T00:00:00Z"}),
        json!({"expirationDate": null, "userAwareTokenNeverExpires": true}),
    ] {
        server
            .ada
            .patch(&token.path, &body)
            .await
            .refused(403, "recent_sign_in_required");
    }
    for body in [
        json!({"name": "renamed"}),
        json!({"expirationDate": "2026-12-01T00:00:00Z"}),
        json!({"scope": ["repo:read"]}),
        json!({"userAwareTokenNeverExpires": true}),
    ] {
        server.ada.patch(&token.path, &body).await.is(200);
    }
    assert_eq!(server.ada.names("").await, ["renamed"]);
    let present = server.ada_again().await;
    present
        .patch(
            &token.path,
            &json!({"expirationDate": "2027-06-01T00:00:00Z"}),
        )
        .await
        .is(200);
    present.token(wish("late")).await;
    server.later(3_600);
    server.ada.delete(&token.path).await.is(204);
}

/// What a browser on another site can make a visitor's browser send.
#[tokio::test]
async fn another_site_cannot_act_with_a_visitors_cookie() {
    let server = Server::sqlite().await;
    let token = server.ada.token(wish("ci")).await;
    let cookie = server.ada.without("x-hallpass-csrf");
    let (other, _) = server.member("Bob").await;
    let forgeries = [
        cookie.clone(),
        cookie.with("x-hallpass-csrf", ""),
        cookie.with("x-hallpass-csrf", "x".repeat(43)),
        cookie.with("x-hallpass-csrf", other.header("x-hallpass-csrf")),
        cookie.with(
            "x-hallpass-csrf",
            &server.ada.header("x-hallpass-csrf")[..42],
        ),
        server.ada.with("origin", "https://evil.example"),
        server.ada.with("origin", "null"),
        server
            .ada
            .with("origin", "http://hallpass.test.evil.example"),
        server
            .ada
            .with("host", "hallpass.test")
            .with("origin", "http://hallpass.test:81"),
        server.ada.with("sec-fetch-site", "cross-site"),
        server.ada.with("sec-fetch-site", "same-site"),
        server
            .ada
            .with("sec-fetch-site", "cross-site")
            .with("origin", "http://hallpass.test"),
    ];
    for forged in forgeries {
        forged
            .post(TOKENS, &wish("stolen"))
            .await
            .refused(403, "csrf_required");
        forged
            .patch(&token.path, &json!({"name": "x"}))
            .await
            .refused(403, "csrf_required");
        forged
            .delete(&token.path)
            .await
            .refused(403, "csrf_required");
        forged
            .delete("/v1/sessions")
            .await
            .refused(403, "csrf_required");
    }
    // A form can send these bodies without asking first.
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ] {
        server
            .ada
            .send("POST", TOKENS, Some(kind), wish("stolen").to_string())
            .await
            .refused(415, "unsupported_media_type");
        let sign_in =
            json!({"email": "ada@acme.example", "password": crate::kit::PASSWORD}).to_string();
        server
            .anon()
            .send("POST", "/v1/sessions", Some(kind), sign_in)
            .await
            .refused(415, "unsupported_media_type");
    }
    server
        .anon()
        .with("sec-fetch-site", "cross-site")
        .post("/v1/sessions", &json!({"email": "a", "password": "b"}))
        .await
        .refused(403, "csrf_required");
    assert_eq!(server.ada.names("?state=active").await, ["ci"]);
    for own in [
        server
            .ada
            .with("sec-fetch-site", "same-origin")
            .with("origin", "http://hallpass.test"),
        server.ada.with("sec-fetch-site", "none"),
        server.ada.with("origin", "http://hallpass.test"),
        server
            .ada
            .with("host", "127.0.0.1:4377")
            .with("origin", "http://127.0.0.1:4377"),
    ] {
        own.patch(&token.path, &json!({"name": "ci"})).await.is(200);
    }
}

#[tokio::test]
async fn nothing_is_changed_by_a_get() {
    let server = Server::sqlite().await;
    let token = server.ada.token(wish("ci")).await;
    for path in ["/v1/verify", "/v1/sessions/current"] {
        for method in ["GET", "HEAD"] {
            assert_eq!(
                server.ada.send(method, path, None, "").await.status,
                405,
                "{method} {path}"
            );
        }
        server
            .ada
            .get(path)
            .await
            .refused(405, "method_not_allowed");
    }
    for (method, path) in [
        ("POST", token.path.as_str()),
        ("PUT", &token.path),
        ("DELETE", TOKENS),
        ("PATCH", TOKENS),
        ("PUT", "/v1/sessions"),
        ("TRACE", "/v1/caller"),
        ("PROPFIND", TOKENS),
        ("get", TOKENS),
    ] {
        let answer = server
            .ada
            .send(method, path, Some("application/json"), "{}")
            .await;
        answer.refused(405, "method_not_allowed");
        assert!(
            answer.header("allow").contains("GET"),
            "{method} {path}: {:?}",
            answer.headers
        );
    }
    server.ada.get(&token.path).await.is(200);
    assert_eq!(
        server.ada.send("HEAD", &token.path, None, "").await.status,
        200
    );
}
