//! What ends while a request is still arriving, and what is missing in memory: nothing is done or answered on it.

mod blocked;

use crate::kit::{Actor, Answer, Server, TOKENS, wish};
use axum::body::{Body, Bytes};
use hallpass_domain::id::TokenId;
use hallpass_server::{jobs::Jobs, observe::Door, service::verification::Asked};
use hallpass_store::FeedKey;
use serde_json::{Value, json};
use std::{convert::Infallible, sync::Arc};

/// Posts `body` to `path` as `asker`, whose body only arrives when `meanwhile` is done.
async fn late(
    asker: &Actor,
    path: &str,
    body: &Value,
    meanwhile: impl Future<Output = ()> + Send + 'static,
) -> Answer {
    late_by("POST", asker, path, body, meanwhile).await
}

async fn late_by(
    method: &str,
    asker: &Actor,
    path: &str,
    body: &Value,
    meanwhile: impl Future<Output = ()> + Send + 'static,
) -> Answer {
    let bytes = Bytes::from(body.to_string());
    let arriving = futures_util::stream::once(async move {
        meanwhile.await;
        Ok::<_, Infallible>(bytes)
    });
    let body = Body::from_stream(arriving);
    let kind = match method {
        "PATCH" => "application/merge-patch+json",
        _ => "application/json",
    };
    asker.send(method, path, Some(kind), body).await
}

#[tokio::test]
async fn a_token_revoked_while_its_request_arrives_makes_nothing() {
    let server = Server::sqlite().await;
    let mut made = wish("tool");
    made["scope"] = json!(["hallpass:own-tokens", "repo:read"]);
    let token = server.ada.token(made).await;
    let asker = server.bearer(&token.secret);
    let (ada, path) = (server.ada.clone(), token.path.clone());
    let mut child = wish("child");
    child["scope"] = json!(["repo:read"]);
    let answer = late(&asker, TOKENS, &child, async move {
        ada.delete(&path).await.is(204);
    })
    .await;
    answer.refused(401, "invalid_token");
    let names = server.ada.get(TOKENS).await.is(200).to_string();
    assert!(!names.contains("child"), "{names}");
}

#[tokio::test]
async fn a_session_ended_while_its_request_arrives_makes_nothing() {
    let server = Server::sqlite().await;
    let other = server.ada_again().await;
    let ending = other.clone();
    let answer = late(&other, TOKENS, &wish("late"), async move {
        ending.delete("/v1/sessions/current").await.is(204);
    })
    .await;
    answer.refused(401, "sign_in_required");
}

#[tokio::test]
async fn a_verifier_revoked_while_its_request_arrives_learns_nothing() {
    let server = Server::sqlite().await;
    let token = server
        .ada
        .token(json!({"name": "gate", "expirationDate": "2030-01-01T00:00:00Z", "scope": ["hallpass:verify"]}))
        .await;
    let (ada, path) = (server.ada.clone(), token.path.clone());
    let question = json!({"token": token.secret});
    let answer = late(
        &server.bearer(&token.secret),
        "/v1/verify",
        &question,
        async move {
            ada.delete(&path).await.is(204);
        },
    )
    .await;
    answer.refused(401, "invalid_token");
}

/// What only reads, but reads a body first, asks again too.
#[tokio::test]
async fn who_was_removed_while_their_question_arrives_learns_nothing() {
    let policy = json!({"policy": {
        "personalAccessTokens": {"mayNeverExpire": true},
        "apiKeys": {"mayNeverExpire": true},
    }});
    for (path, body) in [
        ("/v1/explain", json!({"token": "hp_000000"})),
        ("revocations", json!({"everything": true, "preview": true})),
        ("policy/preview", policy),
        ("audit/verify", json!({})),
    ] {
        for by_token in [false, true] {
            let server = Arc::new(Server::sqlite().await);
            let (bob, id) = server.person("Bob", "superuser").await;
            let token = bob.token(wish("tool")).await;
            let asker = if by_token {
                server.bearer(&token.secret)
            } else {
                bob.clone()
            };
            let path = match path.starts_with('/') {
                true => path.to_owned(),
                false => server.path(path),
            };
            let mut body = body.clone();
            if path == "/v1/explain" {
                body["token"] = json!(token.id);
            }
            let (ada, gone) = (server.ada.clone(), server.member_path(id));
            let answer = late(&asker, &path, &body, async move {
                ada.delete(&gone).await.is(204);
            })
            .await;
            assert_eq!(answer.status, 401, "{path} {by_token}: {}", answer.text());
        }
    }
}

/// A change that was trimmed from the feed before it was applied here cannot be known, so nothing is.
#[tokio::test]
async fn a_gap_in_the_feed_ends_all_answers() {
    let server = Server::sqlite().await;
    let token = server.ada.token(wish("laptop")).await;
    let asker = server.gateway().bearing(&token.secret);
    asker.get("/auth").await.is(204);
    let services = &server.services;
    let key = FeedKey::Token(TokenId::parse(&token.id).unwrap());
    let mut last = None;
    for _ in 0..2 {
        let tx = services.store.begin().await.unwrap();
        last = tx.commit(&[key]).await.unwrap();
    }
    services.store.trim_feed(last.unwrap()).await.unwrap();
    assert!(services.catch_up().await.is_err());
    asker.get("/auth").await.is(503);
    server
        .ada
        .post(TOKENS, &wish("another"))
        .await
        .refused(503, "not_answering");
}

/// The lock on the database decides too: without it nothing is answered and nothing is changed.
#[tokio::test]
async fn without_the_lock_nothing_is_answered_and_nothing_is_changed() {
    let server = Server::sqlite().await;
    let token = server.ada.token(wish("laptop")).await;
    let asker = server.gateway().bearing(&token.secret);
    server.services.set_sole(false);
    asker.get("/auth").await.is(503);
    server
        .ada
        .delete(&token.path)
        .await
        .refused(503, "not_answering");
    server.services.set_sole(true);
    asker.get("/auth").await.is(204);
}

#[tokio::test]
async fn a_use_noted_after_the_signal_to_stop_is_written() {
    let server = Server::sqlite().await;
    let token = server.ada.token(wish("laptop")).await;
    let jobs = Jobs::start(&server.services, &server.app.health);
    let services = Arc::clone(&server.services);
    let text = hallpass_domain::token::PlainToken::parse(token.secret.as_bytes()).unwrap();
    services
        .verify(Door::Gateway, &text, None, &Asked::default())
        .await;
    jobs.finish().await;
    let shown = server.ada.get(&token.path).await.is(200);
    assert_ne!(shown["lastUsed"], Value::Null);
}
