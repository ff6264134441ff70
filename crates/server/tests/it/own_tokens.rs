//! The one credential that manages tokens: it names `hallpass:own-tokens`, and makes none wider or longer-lived than
//! itself.

use crate::kit::{Actor, NEXT_MONTH, Server, TOKENS, Token, wish};
use serde_json::{Value, json};

const TOOL: [&str; 3] = ["hallpass:own-tokens", "repo:*", "report:read"];

async fn tool(server: &Server) -> (Actor, Token) {
    let token = server
        .ada
        .token(json!({"name": "tool", "expirationDate": NEXT_MONTH, "scope": TOOL}))
        .await;
    (server.bearer(&token.secret), token)
}

#[tokio::test]
async fn a_token_that_names_it_manages_its_owners_tokens() {
    let server = Server::sqlite().await;
    let (tool, own) = tool(&server).await;
    // Long after any sign-in, without a cookie: the token stands for itself.
    server.later(3_600);
    let made = tool
        .token(json!({"name": "made", "expirationDate": NEXT_MONTH, "scope": ["repo:read"]}))
        .await;
    assert_eq!(tool.names("?sort=name").await, ["made", "tool"]);
    tool.get(&made.path).await.is(200);
    assert_eq!(
        tool.patch(&made.path, &json!({"name": "renamed"}))
            .await
            .is(200)["name"],
        "renamed"
    );
    tool.delete(&made.path).await.is(204);
    assert_eq!(
        server
            .gateway()
            .bearing(&made.secret)
            .get("/auth")
            .await
            .status,
        401
    );
    tool.delete(&own.path).await.is(204);
    tool.get(TOKENS).await.refused(401, "invalid_token");
    let actions = crate::kit::audit_actions(&server).await;
    assert_eq!(
        actions[2..],
        [
            "token.created",
            "token.created",
            "token.changed",
            "token.revoked",
            "token.revoked"
        ]
    );
}

#[tokio::test]
async fn no_wildcard_no_role_and_no_null_gives_it() {
    let server = Server::sqlite().await;
    for (name, scope) in [
        ("null", Value::Null),
        ("wildcard", json!(["hallpass:*"])),
        ("both", json!(["hallpass:*", "repo:*"])),
        ("verify", json!(["hallpass:verify"])),
    ] {
        let token = server
            .ada
            .token(json!({"name": name, "expirationDate": NEXT_MONTH, "scope": scope}))
            .await;
        let actor = server.bearer(&token.secret);
        actor.get(TOKENS).await.refused(403, "permission_missing");
        actor
            .get(&token.path)
            .await
            .refused(403, "permission_missing");
        actor
            .post(
                TOKENS,
                &json!({"name": "x", "expirationDate": NEXT_MONTH, "scope": ["repo:read"]}),
            )
            .await
            .refused(403, "permission_missing");
        actor
            .patch(&token.path, &json!({"name": "x"}))
            .await
            .refused(403, "permission_missing");
        actor
            .delete(&token.path)
            .await
            .refused(403, "permission_missing");
        actor.get("/v1/caller").await.is(200);
    }
}

#[tokio::test]
async fn it_makes_none_wider_than_itself() {
    let server = Server::sqlite().await;
    let (tool, _) = tool(&server).await;
    for scope in [
        Value::Null,
        json!(["deploy:run"]),
        json!(["repo:read", "deploy:run"]),
        json!(["report:*"]),
        json!(["hallpass:*"]),
        json!(["hallpass:verify"]),
    ] {
        let body = json!({"name": "x", "expirationDate": NEXT_MONTH, "scope": scope});
        tool.post(TOKENS, &body)
            .await
            .refused(403, "wider_than_asker");
    }
    tool.post(TOKENS, &wish("x"))
        .await
        .refused(403, "wider_than_asker");
    for (n, scope) in [
        json!(["repo:*"]),
        json!(["repo:write", "report:read"]),
        json!(TOOL),
    ]
    .into_iter()
    .enumerate()
    {
        tool.token(
            json!({"name": format!("narrow {n}"), "expirationDate": NEXT_MONTH, "scope": scope}),
        )
        .await;
    }
}

#[tokio::test]
async fn it_is_passed_on_only_by_name() {
    let server = Server::sqlite().await;
    let (tool, _) = tool(&server).await;
    let heir = tool
        .token(
            json!({"name": "heir", "expirationDate": NEXT_MONTH, "scope": ["hallpass:own-tokens"]}),
        )
        .await;
    server.bearer(&heir.secret).get(TOKENS).await.is(200);
    server
        .bearer(&heir.secret)
        .post(
            TOKENS,
            &json!({"name": "x", "expirationDate": NEXT_MONTH, "scope": ["repo:read"]}),
        )
        .await
        .refused(403, "wider_than_asker");
    let plain = tool
        .token(json!({"name": "plain", "expirationDate": NEXT_MONTH, "scope": ["repo:*"]}))
        .await;
    server
        .bearer(&plain.secret)
        .get(TOKENS)
        .await
        .refused(403, "permission_missing");
}

#[tokio::test]
async fn it_makes_none_longer_lived_than_itself() {
    let server = Server::sqlite().await;
    let (tool, own) = tool(&server).await;
    let body = |date: Value, aware: bool| json!({"name": "x", "expirationDate": date, "userAwareTokenNeverExpires": aware, "scope": ["repo:read"]});
    for (date, aware) in [
        (json!("2026-12-22T12:00:00.000001Z"), false),
        (json!("2027-01-01T00:00:00Z"), true),
        (Value::Null, true),
    ] {
        tool.post(TOKENS, &body(date, aware))
            .await
            .refused(403, "wider_than_asker");
    }
    let made = tool.token(body(json!("2026-12-01T00:00:00Z"), false)).await;
    for date in [
        json!({"expirationDate": "2027-01-01T00:00:00Z"}),
        json!({"expirationDate": null, "userAwareTokenNeverExpires": true}),
    ] {
        tool.patch(&made.path, &date)
            .await
            .refused(403, "wider_than_asker");
        tool.patch(&own.path, &date)
            .await
            .refused(403, "wider_than_asker");
    }
    tool.patch(&made.path, &json!({"expirationDate": NEXT_MONTH}))
        .await
        .is(200);
    let forever = server.ada.token(json!({"name": "forever", "userAwareTokenNeverExpires": true, "scope": ["hallpass:own-tokens", "repo:read"]})).await;
    server
        .bearer(&forever.secret)
        .token(json!({"name": "too", "userAwareTokenNeverExpires": true, "scope": ["repo:read"]}))
        .await;
}

#[tokio::test]
async fn it_lets_no_token_live_longer_that_may_do_more_than_itself() {
    let server = Server::sqlite().await;
    let (tool, _) = tool(&server).await;
    let soon = json!("2026-11-23T00:00:00Z");
    let wide = server
        .ada
        .token(json!({"name": "wide", "expirationDate": soon}))
        .await;
    let other = server
        .ada
        .token(json!({"name": "other", "expirationDate": soon, "scope": ["deploy:run"]}))
        .await;
    for token in [&wide, &other] {
        tool.patch(&token.path, &json!({"expirationDate": NEXT_MONTH}))
            .await
            .refused(403, "wider_than_asker");
        assert_eq!(
            server.ada.get(&token.path).await.is(200)["expirationDate"],
            soon
        );
    }
    tool.patch(
        &wide.path,
        &json!({"scope": ["repo:read"], "expirationDate": NEXT_MONTH}),
    )
    .await
    .is(200);
}

#[tokio::test]
async fn it_stays_inside_what_its_owners_role_allows_now() {
    let server = Server::sqlite().await;
    let (bob, bob_id) = server.member("Bob").await;
    let token = bob.token(json!({"name": "tool", "expirationDate": NEXT_MONTH, "scope": ["hallpass:own-tokens", "repo:*"]})).await;
    let tool = server.bearer(&token.secret);
    server
        .put(hallpass_domain::member::Membership {
            may_have_tokens: false,
            ..server.membership(bob_id)
        })
        .await;
    tool.get(TOKENS).await.refused(401, "invalid_token");
    server.put(server.membership(bob_id)).await;
    tool.get(TOKENS).await.is(200);
    let ada = server.ada.token(wish("hers")).await;
    tool.get(&ada.path).await.refused(404, "not_found");
}
