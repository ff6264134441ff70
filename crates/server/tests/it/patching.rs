//! Changing a token: JSON Merge Patch and JSON Patch, on the document of its four changeable parts.

use crate::kit::{NEXT_MONTH, Server, TOKENS, Token, wish};
use serde_json::{Value, json};

const LATER: &str = "2027-06-01T00:00:00Z";

async fn narrow(server: &Server) -> Token {
    server
        .ada
        .token(
            json!({"name": "ci", "expirationDate": NEXT_MONTH, "scope": ["repo:*", "report:read"]}),
        )
        .await
}

/// Refused, and nothing of the token is another.
async fn refuses(
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

const MERGE: &str = "application/merge-patch+json";
const PATCH: &str = "application/json-patch+json";

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

#[tokio::test]
async fn nothing_else_can_be_changed() {
    let server = Server::sqlite().await;
    let token = narrow(&server).await;
    for member in [
        "id",
        "role",
        "owner",
        "hash",
        "secret",
        "prefix",
        "organization",
        "created",
        "revoked",
        "state",
        "lastUsed",
        "org_id",
        "revoked_at",
    ] {
        refuses(
            &server,
            &token,
            MERGE,
            &json!({"name": "x", member: "y"}),
            400,
            "patch_malformed",
        )
        .await;
        let patch = json!([{"op": "replace", "path": "/name", "value": "x"}, {"op": "add", "path": format!("/{member}"), "value": "y"}]);
        refuses(&server, &token, PATCH, &patch, 400, "patch_malformed").await;
    }
}

#[tokio::test]
async fn what_is_no_patch_is_refused() {
    let server = Server::sqlite().await;
    let token = narrow(&server).await;
    for body in [
        json!([]),
        json!("x"),
        json!(null),
        json!(7),
        json!({"name": null}),
        json!({"name": 7}),
        json!({"scope": {"0": "repo:read"}}),
    ] {
        refuses(&server, &token, MERGE, &body, 400, "patch_malformed").await;
    }
    for operation in [
        json!({"op": "replace", "path": "/nothing", "value": 1}),
        json!({"op": "remove", "path": "/name"}),
        json!({"op": "remove", "path": "/scope/7"}),
        json!({"op": "move", "from": "/name", "path": "/id"}),
        json!({"op": "copy", "from": "/name", "path": "/scope"}),
        json!({"op": "replace", "path": "", "value": null}),
        json!({"op": "replace", "path": "", "value": []}),
    ] {
        refuses(
            &server,
            &token,
            PATCH,
            &json!([operation]),
            400,
            "patch_malformed",
        )
        .await;
    }
    for body in [
        json!({}),
        json!([{"op": "replace"}]),
        json!([{"op": "shred", "path": "/name"}]),
        json!([{"op": "replace", "path": "name", "value": "x"}]),
        json!([7]),
    ] {
        refuses(&server, &token, PATCH, &body, 400, "body_malformed").await;
    }
    let many = Value::Array(vec![
        json!({"op": "test", "path": "/name", "value": "ci"});
        51
    ]);
    refuses(&server, &token, PATCH, &many, 400, "patch_malformed").await;
    server
        .ada
        .operations(
            &token.path,
            &Value::Array(vec![
                json!({"op": "test", "path": "/name", "value": "ci"});
                50
            ]),
        )
        .await
        .is(200);
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/xml",
        "",
    ] {
        refuses(
            &server,
            &token,
            kind,
            &json!({"name": "x"}),
            415,
            "unsupported_media_type",
        )
        .await;
    }
    server
        .ada
        .send("PATCH", &token.path, None, r#"{"name":"x"}"#)
        .await
        .refused(415, "unsupported_media_type");
}

#[tokio::test]
async fn a_patch_cannot_grow_its_document_without_bound() {
    let server = Server::sqlite().await;
    let token = narrow(&server).await;
    // Each copy would double the document: fifty of them, a petabyte.
    let doubling: Vec<Value> = (0..50)
        .map(|n| json!({"op": "copy", "from": "", "path": format!("/{n}")}))
        .collect();
    refuses(
        &server,
        &token,
        PATCH,
        &Value::Array(doubling),
        400,
        "patch_malformed",
    )
    .await;
}

#[tokio::test]
async fn what_has_ended_stays_as_it_is() {
    let server = Server::sqlite().await;
    let (revoked, expired) = (
        server.ada.token(wish("revoked")).await,
        server
            .ada
            .token(json!({"name": "expired", "expirationDate": "2026-11-22T12:01:00Z"}))
            .await,
    );
    server.ada.delete(&revoked.path).await.is(204);
    server.later(60);
    for token in [&revoked, &expired] {
        for body in [
            json!({"name": "x"}),
            json!({"expirationDate": LATER}),
            json!({}),
        ] {
            refuses(&server, token, MERGE, &body, 409, "token_ended").await;
        }
    }
    let again = server.ada.token(wish("revoked")).await;
    assert_ne!(again.id, revoked.id, "its name is free");
    server.ada.delete(&expired.path).await.is(204);
    assert_eq!(
        server.ada.get(&expired.path).await.is(200)["state"],
        "revoked"
    );
}

#[tokio::test]
async fn a_token_shows_and_revokes_itself() {
    let server = Server::sqlite().await;
    let token = server
        .ada
        .token(json!({"name": "ci", "expirationDate": NEXT_MONTH, "scope": ["repo:read"]}))
        .await;
    let own = server.bearer(&token.secret);
    let path = format!("{TOKENS}/self");
    assert_eq!(own.get(&path).await.is(200)["id"], token.id);
    own.get(&token.path)
        .await
        .refused(403, "permission_missing");
    server.ada.get(&path).await.refused(401, "sign_in_required");
    own.patch(&path, &json!({"name": "x"}))
        .await
        .refused(405, "method_not_allowed");
    assert!(own.delete(&path).await.is(204).is_null());
    let refused = own.get(&path).await;
    refused.refused(401, "invalid_token");
    assert!(
        refused
            .header("www-authenticate")
            .contains("error=\"invalid_token\"")
    );
    own.delete(&path).await.refused(401, "invalid_token");
    assert_eq!(
        server.ada.get(&token.path).await.is(200)["state"],
        "revoked"
    );
}
