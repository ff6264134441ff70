//! `POST /v1/verify`: its questions and its answers.

use crate::kit::{Case, NEXT_MONTH, stranger, wish};
use hallpass_domain::limits::VERIFY_BATCH_MAX;
use serde_json::{Value, json};

const VERIFY: &str = "/v1/verify";

#[tokio::test]
async fn an_answer_tells_all_but_the_secret() {
    let case = Case::new().await;
    let answer = case
        .verifier
        .post(
            VERIFY,
            &json!({"token": case.token.secret, "permission": "repo:read"}),
        )
        .await;
    assert_eq!(
        answer.is(200),
        json!({
            "active": true, "id": case.token.id, "prefix": case.token.prefix, "name": "ci", "kind": "personal_access_token",
            "organization": {"id": case.server.organization.to_string(), "name": "Acme Rockets"},
            "owner": {"type": "user", "id": case.bob.user.to_string(), "name": "Bob"},
            "permissions": ["repo:read", "repo:write"], "expirationDate": NEXT_MONTH,
        })
    );
    assert!(!answer.text().contains(&case.token.secret[10..]));
    assert_eq!(answer.header("cache-control"), "no-store");
    let refused = case
        .verifier
        .post(
            VERIFY,
            &json!({"token": case.token.secret, "permission": "deploy:run"}),
        )
        .await
        .is(200);
    assert_eq!(
        (
            &refused["active"],
            &refused["reason"],
            &refused["permissions"],
            &refused["id"]
        ),
        (
            &json!(false),
            &json!("permission_missing"),
            &Value::Null,
            &json!(case.token.id)
        )
    );
}

#[tokio::test]
async fn what_is_unknown_or_malformed_tells_nothing_else() {
    let case = Case::new().await;
    let mistyped = format!("{}x", &case.token.secret[..47]);
    for (secret, reason) in [
        (stranger(), "unknown"),
        (mistyped, "malformed"),
        (String::new(), "malformed"),
        ("é".repeat(24), "malformed"),
        ("x".repeat(10_000), "malformed"),
    ] {
        let answer = case
            .verifier
            .post(VERIFY, &json!({"token": secret}))
            .await
            .is(200);
        assert_eq!(answer, json!({"active": false, "reason": reason}));
    }
}

#[tokio::test]
async fn only_who_holds_the_permission_may_ask() {
    let case = Case::new().await;
    let server = &case.server;
    let body = json!({"token": case.token.secret});
    server
        .anon()
        .post(VERIFY, &body)
        .await
        .refused(401, "sign_in_required");
    server
        .ada
        .post(VERIFY, &body)
        .await
        .refused(401, "sign_in_required");
    server
        .bearer(&case.token.secret)
        .post(VERIFY, &body)
        .await
        .refused(403, "permission_missing");
    server
        .bearer(&stranger())
        .post(VERIFY, &body)
        .await
        .refused(401, "invalid_token");
    for scope in [json!(["repo:read"]), json!(["hallpass:own-tokens"])] {
        let other = server
            .ada
            .token(json!({"name": scope.to_string(), "expirationDate": NEXT_MONTH, "scope": scope}))
            .await;
        server
            .bearer(&other.secret)
            .post(VERIFY, &body)
            .await
            .refused(403, "permission_missing");
    }
    for (name, scope) in [("null", Value::Null), ("wildcard", json!(["hallpass:*"]))] {
        let other = server
            .ada
            .token(json!({"name": name, "expirationDate": NEXT_MONTH, "scope": scope}))
            .await;
        server
            .bearer(&other.secret)
            .post(VERIFY, &body)
            .await
            .is(200);
    }
}

#[tokio::test]
async fn a_batch_is_answered_in_its_order_up_to_a_thousand() {
    let case = Case::new().await;
    let question = |n: usize| match n % 3 {
        0 => json!({"token": case.token.secret, "permission": "repo:read"}),
        1 => json!({"token": case.token.secret, "permission": "deploy:run"}),
        _ => json!({"token": stranger()}),
    };
    let batch: Vec<Value> = (0..VERIFY_BATCH_MAX).map(question).collect();
    let answers = case.verifier.post(VERIFY, &json!(batch)).await.is(200);
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), 1000);
    for (n, answer) in answers.iter().enumerate() {
        assert_eq!(answer["active"], n % 3 == 0, "{n}");
        assert_eq!(
            answer["reason"],
            [Value::Null, json!("permission_missing"), json!("unknown")][n % 3]
        );
    }
    let more: Vec<Value> = (0..=VERIFY_BATCH_MAX).map(question).collect();
    case.verifier
        .post(VERIFY, &json!(more))
        .await
        .refused(400, "batch_too_large");
    assert_eq!(
        case.verifier.post(VERIFY, &json!([])).await.is(200),
        json!([])
    );
    let padded = format!(" \n[{}]", question(0));
    assert_eq!(
        case.verifier
            .send("POST", VERIFY, Some("application/json"), padded)
            .await
            .is(200)[0]["active"],
        true
    );
}

#[tokio::test]
async fn a_wrong_question_is_told_what_is_wrong() {
    let case = Case::new().await;
    for (body, code) in [
        (
            json!({"token": case.token.secret, "permission": "Repo"}),
            "permission_malformed",
        ),
        (
            json!({"token": case.token.secret, "address": "somewhere"}),
            "address_malformed",
        ),
        (
            json!({"token": case.token.secret, "address": "192.0.2.7:80"}),
            "address_malformed",
        ),
        (
            json!([{"token": case.token.secret}, {"token": "x", "permission": ""}]),
            "permission_malformed",
        ),
        (json!({}), "body_malformed"),
        (json!({"token": null}), "body_malformed"),
        (
            json!({"token": case.token.secret, "scope": "repo:read"}),
            "body_malformed",
        ),
        (json!([[]]), "body_malformed"),
        (json!(case.token.secret), "body_malformed"),
        (
            json!({"token": 7, case.token.secret.as_str(): 1}),
            "body_malformed",
        ),
    ] {
        let answer = case.verifier.post(VERIFY, &body).await;
        answer.refused(400, code);
        assert!(
            !answer.text().contains(&case.token.secret),
            "{}",
            answer.text()
        );
    }
    case.verifier
        .send("POST", VERIFY, Some("text/plain"), "{}")
        .await
        .refused(415, "unsupported_media_type");
}

#[tokio::test]
async fn an_unknown_permission_is_held_by_nobody() {
    let case = Case::new().await;
    assert_eq!(
        case.server
            .verdict(&case.verifier, &case.token.secret, Some("moon:land"))
            .await,
        "permission_missing"
    );
    let ada = case.server.ada.token(wish("all")).await;
    assert_eq!(
        case.server
            .verdict(&case.verifier, &ada.secret, Some("moon:land"))
            .await,
        "permission_missing"
    );
    assert_eq!(
        case.server
            .verdict(&case.verifier, &ada.secret, Some("hallpass:own-tokens"))
            .await,
        "permission_missing"
    );
}

#[tokio::test]
async fn a_node_that_may_not_answer_says_so_and_never_yes() {
    let case = Case::new().await;
    case.server.services.engine.set_answering(false);
    let refused = case
        .verifier
        .post(VERIFY, &json!({"token": case.token.secret}))
        .await;
    refused.refused(503, "not_answering");
    assert_eq!(refused.header("retry-after"), "1");
    case.server
        .bearer(&case.token.secret)
        .get("/v1/caller")
        .await
        .refused(503, "not_answering");
    let door = case
        .server
        .gateway()
        .bearing(&case.token.secret)
        .get("/auth")
        .await;
    assert_eq!(
        (door.status, door.header("x-hallpass-error")),
        (503, "not_answering")
    );
    case.server.services.engine.set_answering(true);
    case.says("allow").await;
}
