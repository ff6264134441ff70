//! Changing a token: JSON Merge Patch and JSON Patch, on the document of its four changeable parts.

use crate::kit::{NEXT_MONTH, Server, Token, wish};
use serde_json::{Value, json};

pub(crate) const LATER: &str = "2027-06-01T00:00:00Z";

pub(crate) async fn narrow(server: &Server) -> Token {
    server
        .ada
        .token(
            json!({"name": "ci", "expirationDate": NEXT_MONTH, "scope": ["repo:*", "report:read"]}),
        )
        .await
}

/// Refused, and nothing of the token is another.
pub(crate) async fn refuses(
    server: &Server,
    token: &Token,
    kind: &str,
    body: &Value,
    status: u16,
    code: &str,
) {
    let before = server.ada.get(&token.path).await.is(200);
    let answer = server
        .ada
        .send("PATCH", &token.path, Some(kind), body.to_string())
        .await;
    assert_eq!(answer.refused(status, code)["code"], code, "{body}");
    assert_eq!(server.ada.get(&token.path).await.is(200), before, "{body}");
}

pub(crate) const MERGE: &str = "application/merge-patch+json";
pub(crate) const PATCH: &str = "application/json-patch+json";

#[tokio::test]
async fn a_merge_patch_changes_what_it_names() {
    let server = Server::sqlite().await;
    let token = narrow(&server).await;
    let before = server.ada.get(&token.path).await.is(200);
    let mut expected = before.clone();
    assert_eq!(
        server.ada.patch(&token.path, &json!({})).await.is(200),
        expected
    );
    for (change, field, value) in [
        (json!({"name": " deploy "}), "name", json!("deploy")),
        (
            json!({"expirationDate": LATER}),
            "expirationDate",
            json!(LATER),
        ),
        (
            json!({"expirationDate": "2026-11-30T00:00:00Z"}),
            "expirationDate",
            json!("2026-11-30T00:00:00Z"),
        ),
        (
            json!({"userAwareTokenNeverExpires": true}),
            "userAwareTokenNeverExpires",
            json!(true),
        ),
        (
            json!({"expirationDate": null}),
            "expirationDate",
            json!(null),
        ),
        (
            json!({"scope": ["repo:read", "repo:write"]}),
            "scope",
            json!(["repo:read", "repo:write"]),
        ),
        (
            json!({"scope": ["repo:write"]}),
            "scope",
            json!(["repo:write"]),
        ),
    ] {
        expected[field] = value;
        assert_eq!(
            server.ada.patch(&token.path, &change).await.is(200),
            expected,
            "{change}"
        );
        assert_eq!(server.ada.get(&token.path).await.is(200), expected);
    }
    let json = server
        .ada
        .send(
            "PATCH",
            &token.path,
            Some("application/json; charset=utf-8"),
            r#"{"name":"x"}"#,
        )
        .await
        .is(200);
    assert_eq!(json["name"], "x");
}

#[tokio::test]
async fn a_json_patch_changes_what_it_names() {
    let server = Server::sqlite().await;
    let token = narrow(&server).await;
    for (operations, field, value) in [
        (
            json!([{"op": "replace", "path": "/name", "value": "deploy"}]),
            "name",
            json!("deploy"),
        ),
        (
            json!([{"op": "test", "path": "/name", "value": "deploy"}, {"op": "add", "path": "/expirationDate", "value": LATER}]),
            "expirationDate",
            json!(LATER),
        ),
        (
            json!([{"op": "add", "path": "/userAwareTokenNeverExpires", "value": true}, {"op": "remove", "path": "/expirationDate"}]),
            "expirationDate",
            json!(null),
        ),
        (
            json!([{"op": "remove", "path": "/scope/1"}]),
            "scope",
            json!(["repo:*"]),
        ),
        (
            json!([{"op": "replace", "path": "/scope/0", "value": "repo:read"}]),
            "scope",
            json!(["repo:read"]),
        ),
        (json!([]), "scope", json!(["repo:read"])),
    ] {
        assert_eq!(
            server
                .ada
                .operations(&token.path, &operations)
                .await
                .is(200)[field],
            value,
            "{operations}"
        );
    }
}

#[tokio::test]
async fn a_failed_test_changes_nothing() {
    let server = Server::sqlite().await;
    let token = narrow(&server).await;
    let patch = json!([{"op": "replace", "path": "/name", "value": "x"}, {"op": "test", "path": "/scope/0", "value": "report:read"}]);
    refuses(&server, &token, PATCH, &patch, 409, "patch_test_failed").await;
}

#[tokio::test]
async fn without_a_date_the_acknowledgement_is_needed_here_too() {
    let server = Server::sqlite().await;
    let token = narrow(&server).await;
    for body in [
        json!({"expirationDate": null}),
        json!({"expirationDate": null, "userAwareTokenNeverExpires": false}),
        json!({"expirationDate": null, "userAwareTokenNeverExpires": null}),
    ] {
        refuses(&server, &token, MERGE, &body, 400, "expiration_required").await;
    }
    refuses(
        &server,
        &token,
        PATCH,
        &json!([{"op": "remove", "path": "/expirationDate"}]),
        400,
        "expiration_required",
    )
    .await;
    refuses(
        &server,
        &token,
        MERGE,
        &json!({"expirationDate": "2026-11-22T12:00:00Z"}),
        400,
        "expiration_not_in_future",
    )
    .await;
    refuses(
        &server,
        &token,
        MERGE,
        &json!({"expirationDate": "soon"}),
        400,
        "expiration_malformed",
    )
    .await;
    let both = json!({"expirationDate": null, "userAwareTokenNeverExpires": true});
    assert_eq!(
        server.ada.patch(&token.path, &both).await.is(200)["expirationDate"],
        Value::Null
    );
    refuses(
        &server,
        &token,
        MERGE,
        &json!({"userAwareTokenNeverExpires": false}),
        400,
        "expiration_required",
    )
    .await;
    assert_eq!(
        server
            .ada
            .patch(
                &token.path,
                &json!({"expirationDate": LATER, "userAwareTokenNeverExpires": false})
            )
            .await
            .is(200)["expirationDate"],
        LATER
    );
}

#[tokio::test]
async fn permissions_only_become_fewer() {
    let server = Server::sqlite().await;
    let token = narrow(&server).await;
    for scope in [
        json!(null),
        json!(["repo:*", "report:read", "deploy:run"]),
        json!(["deploy:run"]),
        json!(["report:*"]),
        json!(["repo:read", "hallpass:own-tokens"]),
    ] {
        refuses(
            &server,
            &token,
            MERGE,
            &json!({"scope": scope}),
            400,
            "scope_widened",
        )
        .await;
    }
    refuses(
        &server,
        &token,
        PATCH,
        &json!([{"op": "add", "path": "/scope/-", "value": "deploy:run"}]),
        400,
        "scope_widened",
    )
    .await;
    refuses(
        &server,
        &token,
        PATCH,
        &json!([{"op": "remove", "path": "/scope"}]),
        400,
        "scope_widened",
    )
    .await;
    refuses(
        &server,
        &token,
        MERGE,
        &json!({"scope": []}),
        400,
        "scope_empty",
    )
    .await;
    refuses(
        &server,
        &token,
        MERGE,
        &json!({"scope": ["repo"]}),
        400,
        "permission_malformed",
    )
    .await;
    let whole = server.ada.token(wish("whole")).await;
    refuses(
        &server,
        &whole,
        MERGE,
        &json!({"scope": ["hallpass:own-tokens"]}),
        400,
        "scope_widened",
    )
    .await;
    refuses(
        &server,
        &whole,
        MERGE,
        &json!({"scope": ["billing:pay"]}),
        400,
        "permission_not_held",
    )
    .await;
    assert_eq!(
        server
            .ada
            .patch(&whole.path, &json!({"scope": ["repo:read"]}))
            .await
            .is(200)["scope"],
        json!(["repo:read"])
    );
    refuses(
        &server,
        &whole,
        MERGE,
        &json!({"scope": null}),
        400,
        "scope_widened",
    )
    .await;
}
