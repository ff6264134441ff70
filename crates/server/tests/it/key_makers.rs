//! Whoever makes or rotates a key gives away no more than they hold.

use crate::{
    api_keys::{key, key_wish, role, with_role},
    both_engines,
    kit::{NEXT_MONTH, Server, TOKENS, wish},
};
use hallpass_domain::role::BuiltInRole;
use serde_json::{Value, json};

both_engines!(
    a_key_holds_no_more_than_its_maker,
    a_credential_makes_no_key_wider_or_longer_lived_than_itself,
);

async fn a_key_holds_no_more_than_its_maker(server: Server) {
    let (bob, _) = with_role(&server, "Bob", BuiltInRole::Admin).await;
    let keys = server.of_acme("api-keys");
    let ask = async |wish: Value| bob.post(&keys, &wish).await;
    ask(key_wish("a", BuiltInRole::Superuser))
        .await
        .refused(403, "above_your_role");
    ask(key_wish("a", BuiltInRole::Admin)).await.is(201);
    let nowhere =
        json!({"name": "b", "role": server.ada_id.to_string(), "expirationDate": NEXT_MONTH});
    ask(nowhere).await.refused(404, "not_found");
    let scoped = |scope: &[&str]| {
        let mut wish = key_wish("c", BuiltInRole::Viewer);
        wish["scope"] = json!(scope);
        wish
    };
    for scope in ["repo:write", "deploy:*", "hallpass:own-tokens"] {
        ask(scoped(&[scope]))
            .await
            .refused(400, "permission_not_held");
    }
    ask(scoped(&[])).await.refused(400, "scope_empty");
    ask(scoped(&["repo:*"])).await.is(201);
    let never = json!({"name": "d", "role": role(BuiltInRole::Viewer)});
    ask(never).await.refused(400, "expiration_required");
    server.later(301);
    ask(key_wish("e", BuiltInRole::Viewer))
        .await
        .refused(403, "recent_sign_in_required");
}

async fn a_credential_makes_no_key_wider_or_longer_lived_than_itself(server: Server) {
    let keys = server.of_acme("api-keys");
    let narrow = server.ada.token(json!({"name": "narrow", "expirationDate": NEXT_MONTH, "scope": ["hallpass:keys", "repo:read"], "allowedAddresses": ["198.51.100.0/24"]})).await;
    let narrow = server.bearer(&narrow.secret);
    let base = json!({"name": "one", "role": role(BuiltInRole::Viewer), "expirationDate": NEXT_MONTH, "scope": ["repo:read"], "allowedAddresses": ["198.51.100.7"]});
    let with = |field: &str, value: Value| {
        let mut wish = base.clone();
        wish[field] = value;
        wish
    };
    for wider in [
        with("scope", Value::Null),
        with("scope", json!(["repo:*"])),
        with("expirationDate", json!("2026-12-22T12:00:01Z")),
        with("allowedAddresses", Value::Null),
        with("allowedAddresses", json!(["198.51.0.0/16"])),
    ] {
        narrow
            .post(&keys, &wider)
            .await
            .refused(403, "wider_than_asker");
    }
    let above = with("role", json!(role(BuiltInRole::Member)));
    narrow
        .post(&keys, &above)
        .await
        .refused(403, "above_your_role");
    let made = narrow.post(&keys, &base).await.is(201);
    assert_eq!(made["createdBy"]["user"], server.ada_id.to_string());
    assert!(made["createdBy"]["token"].is_string());

    // A key that makes keys, with nobody behind it.
    let maker = key(&server, &server.ada, &key_wish("maker", BuiltInRole::Admin)).await;
    let maker = server.bearer(&maker.secret);
    let made = maker
        .post(&keys, &key_wish("two", BuiltInRole::Viewer))
        .await
        .is(201);
    assert_eq!(made["createdBy"]["user"], Value::Null);
    let mut longer = key_wish("three", BuiltInRole::Viewer);
    longer["expirationDate"] = json!("2027-12-22T12:00:00Z");
    maker
        .post(&keys, &longer)
        .await
        .refused(403, "wider_than_asker");
    maker
        .post(TOKENS, &wish("a key has no person"))
        .await
        .refused(403, "permission_missing");

    // Whoever rotates a key holds its new secret.
    let strong = key(&server, &server.ada, &longer).await;
    let rotate = format!("{}/rotate", strong.path);
    let none = json!({"overlap": "none"});
    maker
        .post(&rotate, &none)
        .await
        .refused(403, "wider_than_asker");
    narrow
        .post(&rotate, &none)
        .await
        .refused(403, "wider_than_asker");
    let all = key(
        &server,
        &server.ada,
        &key_wish("all", BuiltInRole::Superuser),
    )
    .await;
    maker
        .post(&format!("{}/rotate", all.path), &none)
        .await
        .refused(403, "above_your_role");
}
