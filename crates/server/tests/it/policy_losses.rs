//! What a policy takes away without ending a token is previewed and told too, and a planned change is not lost by another.

use crate::{
    both_engines,
    kit::{NEXT_MONTH, Server, wish},
    policy::{lenient, preview, put, with},
};
use serde_json::{Value, json};

both_engines!(
    what_is_forbidden_is_counted_and_told,
    addresses_are_counted_and_told,
    what_is_planned_is_not_forgotten_unsaid,
);

const LATER: &str = "2026-11-29T12:00:00Z";

fn forbidding(permission: &str) -> Value {
    with(&[("forbiddenPermissions", json!([permission]))])
}

async fn what_is_forbidden_is_counted_and_told(server: Server) {
    let (bob, _) = server.member("Bob").await;
    let token = |name: &str, scope: Value| json!({"name": name, "expirationDate": NEXT_MONTH, "scope": scope});
    let reads = bob.token(token("reads", json!(["repo:read"]))).await;
    let writes = bob
        .token(token("writes", json!(["repo:read", "repo:write"])))
        .await;
    let all = bob.token(wish("all")).await;
    let gone = bob.token(token("gone", json!(["repo:write"]))).await;
    bob.delete(&gone.path).await.is(204);
    let seen = preview(&server, &forbidding("repo:write"), Some(LATER)).await;
    assert_eq!(
        (&seen["narrowed"], &seen["effect"]["revoked"]),
        (&json!(2), &json!(0))
    );
    let wild = preview(&server, &forbidding("repo:*"), Some(LATER)).await;
    assert_eq!(wild["narrowed"], 3);
    put(&server, &forbidding("repo:write"), Some(LATER))
        .await
        .is(200);
    let loses = async |path: &str| bob.get(path).await.is(200)["policyNotice"].clone();
    assert_eq!(loses(&reads.path).await, Value::Null);
    for path in [&writes.path, &all.path] {
        let notice = loses(path).await;
        assert_eq!(
            (&notice["effect"], &notice["losesPermissions"]),
            (&json!("kept"), &json!(["repo:write"]))
        );
    }
    put(&server, &forbidding("repo:write"), None).await.is(200);
    let again = preview(&server, &forbidding("repo:write"), None).await;
    assert_eq!(again["narrowed"], 0, "they go without it today");
    let mistyped = json!({"policy": forbidding("repo:wirte")});
    server
        .ada
        .post(&server.path("policy/preview"), &mistyped)
        .await
        .refused(400, "permission_unknown");
    preview(&server, &forbidding("hallpass:own-tokens"), None).await;
}

async fn addresses_are_counted_and_told(server: Server) {
    let (bob, _) = server.member("Bob").await;
    let inside = bob.token(wish("inside")).await;
    let outside = bob.token(wish("outside")).await;
    bob.token(wish("unused")).await;
    for (token, address) in [(&inside, "192.0.2.7"), (&outside, "198.51.100.7")] {
        server
            .bearer(&token.secret)
            .at(address)
            .get("/v1/caller")
            .await
            .is(200);
    }
    server.flush_uses().await;
    let policy = with(&[("allowedAddresses", json!(["192.0.2.0/24"]))]);
    let seen = preview(&server, &policy, Some(LATER)).await;
    assert_eq!(
        (&seen["usedFromOutside"], &seen["askerRefused"]),
        (&json!(1), &json!(false)),
        "a session is not asked from where it comes"
    );
    let manager =
        json!({"name": "manager", "expirationDate": NEXT_MONTH, "scope": ["hallpass:policy"]});
    let manager = server.ada.token(manager).await;
    let body = json!({"policy": policy, "enforceAt": LATER});
    for (address, refused) in [("192.0.2.9", false), ("198.51.100.9", true)] {
        let by = server.bearer(&manager.secret).at(address);
        let seen = by.post(&server.path("policy/preview"), &body).await.is(200);
        assert_eq!(seen["askerRefused"], refused, "{address}");
    }
    put(&server, &policy, Some(LATER)).await.is(200);
    let told =
        async |path: &str| bob.get(path).await.is(200)["policyNotice"]["usedFromOutside"].clone();
    assert_eq!(told(&inside.path).await, Value::Null);
    assert_eq!(told(&outside.path).await, true);
}

async fn what_is_planned_is_not_forgotten_unsaid(server: Server) {
    let strict = forbidding("repo:*");
    put(&server, &strict, Some(LATER)).await.is(200);
    let ada = server.ada_again().await;
    let path = server.path("policy");
    for at in [None, Some("2026-12-01T00:00:00Z")] {
        let seen = preview(&server, &lenient(), at).await;
        assert_eq!(seen["replacesPlanned"], LATER);
        let body = json!({"policy": lenient(), "enforceAt": at, "expected": seen["effect"]});
        ada.put(&path, &body)
            .await
            .refused(409, "policy_change_planned");
    }
    let now = ada.get(&path).await.is(200);
    assert_eq!(
        (&now["now"], &now["next"]["policy"]),
        (&lenient(), &strict),
        "nothing was changed"
    );
    put(&server, &lenient(), None).await.is(200);
    assert_eq!(ada.get(&path).await.is(200)["next"], Value::Null);
}
