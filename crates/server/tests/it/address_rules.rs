//! From where and from when on a token works: its own rules and the organization's, at every door.

use crate::{
    api_keys::{key, role},
    both_engines,
    kit::{NEXT_MONTH, Server, TOKENS, wish},
    policy::{lenient, put_at_once},
};
use hallpass_domain::{member::Membership, role::BuiltInRole};
use serde_json::{Value, json};

both_engines!(
    a_token_works_from_where_its_rules_say,
    a_key_keeps_to_the_organizations_networks_too,
    a_token_works_from_its_first_moment_on,
    rules_are_changed_by_their_owner,
);

/// What is said at both doors to a token used from this address.
async fn says(server: &Server, secret: &str, address: Option<&str>) -> String {
    let mut gateway = server.gateway().bearing(secret);
    if let Some(address) = address {
        gateway = gateway.with("x-forwarded-for", address);
    }
    let door = gateway.get("/auth").await;
    let verifier = server.anywhere().await;
    let asked = json!({"token": secret, "address": address});
    let answer = verifier.post("/v1/verify", &asked).await.is(200);
    let told = if answer["active"] == true {
        "allow".to_owned()
    } else {
        answer["reason"].as_str().unwrap().to_owned()
    };
    let error = if told == "allow" { "" } else { &told };
    assert_eq!(door.header("x-hallpass-error"), error, "{address:?}");
    told
}

impl Server {
    /// A verifier at an address that all tests' networks hold.
    async fn anywhere(&self) -> crate::kit::Actor {
        let verifier = self.verifier().await;
        verifier.at("192.0.2.200")
    }
}

fn rules(allowed: &[&str], denied: &[&str]) -> Value {
    let list = |list: &[&str]| {
        if list.is_empty() {
            Value::Null
        } else {
            json!(list)
        }
    };
    json!({"name": "ci", "expirationDate": NEXT_MONTH, "allowedAddresses": list(allowed), "deniedAddresses": list(denied)})
}

async fn a_token_works_from_where_its_rules_say(server: Server) {
    let token = server
        .ada
        .token(rules(&["192.0.2.0/24", "2001:db8::/32"], &["192.0.2.7"]))
        .await;
    let shown = server.ada.get(&token.path).await.is(200);
    assert_eq!(
        (&shown["allowedAddresses"], &shown["deniedAddresses"]),
        (
            &json!(["192.0.2.0/24", "2001:db8::/32"]),
            &json!(["192.0.2.7"])
        )
    );
    for (address, expected) in [
        (Some("192.0.2.8"), "allow"),
        (Some("::ffff:192.0.2.8"), "allow"),
        (Some("2001:db8::17"), "allow"),
        (Some("192.0.2.7"), "address_not_allowed"),
        (Some("198.51.100.7"), "address_not_allowed"),
        (None, "address_not_allowed"),
    ] {
        assert_eq!(
            says(&server, &token.secret, address).await,
            expected,
            "{address:?}"
        );
    }
    // Hallpass itself is a door too.
    let own = format!("{TOKENS}/self");
    let bearer = server.bearer(&token.secret);
    bearer.at("192.0.2.9").get(&own).await.is(200);
    bearer
        .at("192.0.2.7")
        .get(&own)
        .await
        .refused(403, "address_not_allowed");

    let denied = server.ada.token(json!({"name": "not there", "expirationDate": NEXT_MONTH, "deniedAddresses": ["198.51.100.0/24"]})).await;
    assert_eq!(
        says(&server, &denied.secret, Some("198.51.100.7")).await,
        "address_not_allowed"
    );
    assert_eq!(
        says(&server, &denied.secret, Some("203.0.113.7")).await,
        "allow"
    );

    let many: Vec<String> = (0..101).map(|n| format!("10.0.{n}.0/24")).collect();
    for (field, list, code) in [
        (
            "allowedAddresses",
            json!(["192.0.2.7/24"]),
            "addresses_malformed",
        ),
        ("deniedAddresses", json!(["here"]), "addresses_malformed"),
        ("allowedAddresses", json!([]), "addresses_empty"),
        ("deniedAddresses", json!(many), "addresses_too_many"),
    ] {
        let mut wish = wish("wrong");
        wish[field] = list;
        let told = server
            .ada_again()
            .await
            .post(TOKENS, &wish)
            .await
            .refused(400, code);
        assert_eq!(told["errors"][0]["field"], field);
    }
}

async fn a_key_keeps_to_the_organizations_networks_too(server: Server) {
    let mut wish = json!({"name": "ci", "role": role(BuiltInRole::Viewer), "expirationDate": NEXT_MONTH, "deniedAddresses": ["192.0.2.7"]});
    let key = key(&server, &server.ada, &wish).await;
    wish["name"] = json!("other");
    let rotated = server
        .ada
        .post(
            &format!("{}/rotate", key.path),
            &json!({"overlap": "until", "until": "2026-12-01T00:00:00Z"}),
        )
        .await
        .is(200);
    let mut policy = lenient();
    policy["allowedAddresses"] = json!(["192.0.2.0/24"]);
    put_at_once(&server, &policy).await.is(200);
    for secret in [&key.secret, rotated["secret"].as_str().unwrap()] {
        for (address, expected) in [
            ("192.0.2.8", "allow"),
            ("192.0.2.7", "address_not_allowed"),
            ("198.51.100.7", "address_not_allowed"),
        ] {
            assert_eq!(
                says(&server, secret, Some(address)).await,
                expected,
                "{address}"
            );
        }
    }
    put_at_once(&server, &lenient()).await.is(200);
    assert_eq!(
        says(&server, &key.secret, Some("198.51.100.7")).await,
        "allow"
    );
}

async fn a_token_works_from_its_first_moment_on(server: Server) {
    let mut wish = wish("later");
    wish["notBefore"] = json!("2026-11-22T13:00:00Z");
    let token = server.ada.token(wish.clone()).await;
    assert_eq!(
        server.ada.get(&token.path).await.is(200)["notBefore"],
        "2026-11-22T13:00:00Z"
    );
    wish["role"] = json!(role(BuiltInRole::Viewer));
    let key = key(&server, &server.ada, &wish).await;
    server.later(3_599);
    for secret in [&token.secret, &key.secret] {
        assert_eq!(says(&server, secret, None).await, "not_yet_valid");
    }
    server.later(1);
    for secret in [&token.secret, &key.secret] {
        assert_eq!(says(&server, secret, None).await, "allow");
    }
    for (moment, code) in [
        ("soon", "not_before_malformed"),
        (NEXT_MONTH, "not_before_too_late"),
    ] {
        let mut wish = json!({"name": "wrong", "expirationDate": NEXT_MONTH});
        wish["notBefore"] = json!(moment);
        server
            .ada_again()
            .await
            .post(TOKENS, &wish)
            .await
            .refused(400, code);
    }
}

async fn rules_are_changed_by_their_owner(server: Server) {
    let token = server.ada.token(rules(&["192.0.2.0/24"], &[])).await;
    let patch = async |change: Value| server.ada.patch(&token.path, &change).await;
    server.later(301);
    // Narrower at any time; wider only by somebody who is present.
    let shown = patch(json!({"allowedAddresses": ["192.0.2.8"], "deniedAddresses": ["192.0.2.9"]}))
        .await
        .is(200);
    assert_eq!(shown["allowedAddresses"], json!(["192.0.2.8"]));
    assert_eq!(
        says(&server, &token.secret, Some("192.0.2.10")).await,
        "address_not_allowed"
    );
    for wider in [
        json!({"allowedAddresses": null}),
        json!({"allowedAddresses": ["192.0.2.8", "198.51.100.7"]}),
        json!({"deniedAddresses": null}),
    ] {
        patch(wider).await.refused(403, "recent_sign_in_required");
    }
    let wider = json!({"allowedAddresses": ["198.51.100.0/24"], "deniedAddresses": null});
    server
        .ada_again()
        .await
        .patch(&token.path, &wider)
        .await
        .is(200);
    assert_eq!(
        says(&server, &token.secret, Some("198.51.100.7")).await,
        "allow"
    );
    patch(json!({"allowedAddresses": ["x"]}))
        .await
        .refused(400, "addresses_malformed");
    patch(json!({"notBefore": "2026-12-01T12:00:00Z"}))
        .await
        .is(200);
    assert_eq!(
        says(&server, &token.secret, Some("198.51.100.7")).await,
        "not_yet_valid"
    );
    patch(json!({"notBefore": null}))
        .await
        .refused(403, "recent_sign_in_required");

    // A token that is held to an address neither leaves it nor lets another one do so.
    let own = json!({"name": "own", "expirationDate": NEXT_MONTH, "scope": ["hallpass:own-tokens", "repo:read"], "allowedAddresses": ["198.51.100.7"]});
    let own = server.ada_again().await.token(own).await;
    let bearer = server.bearer(&own.secret);
    let free = json!({"allowedAddresses": null});
    bearer
        .patch(&own.path, &free)
        .await
        .refused(403, "wider_than_asker");
    let mut new = json!({"name": "new", "expirationDate": NEXT_MONTH, "scope": ["repo:read"]});
    bearer
        .post(TOKENS, &new)
        .await
        .refused(403, "wider_than_asker");
    new["allowedAddresses"] = json!(["198.51.100.7"]);
    bearer.post(TOKENS, &new).await.is(201);
}

/// A refusal says who can help.
#[tokio::test]
async fn a_closed_gate_names_who_can_open_it() {
    let server = Server::sqlite().await;
    let (bob, id) = server.member("Bob").await;
    let token = bob.token(wish("ci")).await;
    server
        .put(Membership {
            may_have_tokens: false,
            ..server.membership(id)
        })
        .await;
    let told = bob
        .post(TOKENS, &wish("new"))
        .await
        .refused(403, "tokens_not_allowed");
    let expected = "You may not create or manage personal access tokens in this organization; Ada Lovelace can allow it.";
    assert_eq!(told["detail"], expected);
    let told = bob
        .patch(&token.path, &json!({"name": "new"}))
        .await
        .refused(403, "tokens_not_allowed");
    assert_eq!(told["detail"], expected);
    let page = bob.get("/settings/tokens").await;
    assert_eq!(page.status, 403);
    assert!(
        page.text().contains("<bdi>Ada Lovelace</bdi> can allow it"),
        "{}",
        page.text()
    );
    let (_, grace) = server.member("Grace").await;
    server
        .put(Membership {
            role: BuiltInRole::Admin.id(),
            ..server.membership(grace)
        })
        .await;
    let told = bob
        .post(TOKENS, &wish("new"))
        .await
        .refused(403, "tokens_not_allowed");
    assert!(
        told["detail"]
            .as_str()
            .unwrap()
            .contains("; Ada Lovelace or Grace can allow it"),
        "{told}"
    );
}
