//! What is no patch, what no patch can change, and tokens that have ended.

use crate::{
    kit::{NEXT_MONTH, Server, TOKENS, wish},
    patching::{LATER, MERGE, PATCH, narrow, refuses},
};
use serde_json::{Value, json};

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
