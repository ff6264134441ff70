//! Tokens that rest: who begins that, who lifts it, and when it ends by itself.

use crate::{
    api_keys::{key, key_wish, with_role},
    both_engines,
    kit::{Server, TOKENS, audit_actions, wish},
    policy::{lenient, put_at_once},
};
use hallpass_domain::{id::TokenId, member::Membership, role::BuiltInRole};
use serde_json::{Value, json};

both_engines!(
    an_owner_lifts_what_they_began,
    what_an_admin_began_an_admin_lifts_unless_the_policy_says_otherwise,
    a_suspension_ends_by_itself,
    keys_rest_with_all_their_secrets,
    a_wish_that_is_wrong_is_told_what_is,
);

fn odd() -> Value {
    json!({"reason": "odd use"})
}

async fn an_owner_lifts_what_they_began(server: Server) {
    let verifier = server.verifier().await;
    let (bob, _) = server.member("Bob").await;
    let token = bob.token(wish("ci")).await;
    let rest = format!("{}/suspension", token.path);
    let says = async || {
        server
            .verdict(&verifier, &token.secret, Some("repo:read"))
            .await
    };
    let begun = bob
        .post(
            &rest,
            &json!({"reason": " moving house ", "until": "2027-01-01T00:00:00Z"}),
        )
        .await
        .is(200);
    assert_eq!(
        begun,
        json!({"since": "2026-11-22T12:00:00Z", "until": "2027-01-01T00:00:00Z", "reason": "moving house", "byOwner": true})
    );
    assert_eq!(says().await, "suspended");
    let shown = bob.get(&token.path).await.is(200);
    assert_eq!(
        [
            &shown["state"],
            &shown["suspendedAt"],
            &shown["suspendedUntil"],
            &shown["suspendedReason"],
            &shown["suspendedByOwner"]
        ],
        [
            &json!("suspended"),
            &json!("2026-11-22T12:00:00Z"),
            &json!("2027-01-01T00:00:00Z"),
            &json!("moving house"),
            &json!(true)
        ]
    );
    let again = bob.post(&rest, &odd()).await.is(200);
    assert_eq!(
        (&again["until"], &again["reason"]),
        (&Value::Null, &json!("odd use"))
    );
    bob.delete(&rest).await.is(204);
    assert_eq!(says().await, "allow");
    bob.delete(&rest).await.is(204);
    // Other people's tokens do not exist, not even an admin's way around by this address.
    for answer in [
        server.ada.post(&rest, &odd()).await,
        server.ada.delete(&rest).await,
    ] {
        answer.refused(404, "not_found");
    }
    bob.delete(&token.path).await.is(204);
    bob.post(&rest, &odd()).await.refused(409, "token_ended");
    bob.delete(&rest).await.refused(409, "token_ended");
}

async fn what_an_admin_began_an_admin_lifts_unless_the_policy_says_otherwise(server: Server) {
    let verifier = server.verifier().await;
    let (bob, member) = server.member("Bob").await;
    let token = bob.token(wish("ci")).await;
    let (own, any) = (
        format!("{}/suspension", token.path),
        server.of_acme(&format!("tokens/{}/suspension", token.id)),
    );
    let says = async || {
        server
            .verdict(&verifier, &token.secret, Some("repo:read"))
            .await
    };
    for answer in [bob.post(&any, &odd()).await, bob.delete(&any).await] {
        answer.refused(403, "permission_missing");
    }
    bob.post(&own, &odd()).await.is(200);
    let begun = server.ada.post(&any, &odd()).await.is(200);
    assert_eq!(begun["byOwner"], false, "over what the owner began");
    // The owner neither lifts it nor makes it theirs.
    for answer in [bob.delete(&own).await, bob.post(&own, &odd()).await] {
        answer.refused(403, "suspended_by_admin");
    }
    assert_eq!(says().await, "suspended");
    server.ada.delete(&any).await.is(204);
    assert_eq!(says().await, "allow");
    bob.post(&own, &odd()).await.is(200);
    server.ada.delete(&any).await.is(204);
    assert_eq!(says().await, "allow", "an admin lifts all");

    server.ada.post(&any, &odd()).await.is(200);
    let mut policy = lenient();
    policy["ownersMayLift"] = json!(true);
    put_at_once(&server, &policy).await.is(200);
    let closed = Membership {
        may_have_tokens: false,
        ..server.membership(member)
    };
    server.put(closed).await;
    bob.delete(&own).await.refused(403, "tokens_not_allowed");
    server.put(server.membership(member)).await;
    bob.delete(&own).await.is(204);
    assert_eq!(says().await, "allow");
    let nowhere = server.of_acme(&format!("tokens/{}/suspension", server.ada_id));
    server
        .ada
        .post(&nowhere, &odd())
        .await
        .refused(404, "not_found");
}

async fn a_suspension_ends_by_itself(server: Server) {
    let verifier = server.verifier().await;
    let token = server.ada.token(wish("ci")).await;
    let other = server.ada.token(wish("other")).await;
    let until = json!({"reason": "for an hour", "until": "2026-11-22T13:00:00Z"});
    for token in [&token, &other] {
        server
            .ada
            .post(&format!("{}/suspension", token.path), &until)
            .await
            .is(200);
    }
    let says = async |secret: &str| server.verdict(&verifier, secret, Some("repo:read")).await;
    server.later(3_599);
    server.services.do_due().await;
    assert_eq!(says(&token.secret).await, "suspended");
    // Whoever looked too early lifts nothing.
    let (now, id) = (
        server.services.clock.now(),
        TokenId::parse(&token.id).unwrap(),
    );
    let mut tx = server.services.store.begin().await.unwrap();
    let early = tx.lift_due_suspension(server.organization, id, now).await;
    assert_eq!(early.unwrap(), []);
    drop(tx);
    // Put off in time.
    server
        .ada
        .post(&format!("{}/suspension", other.path), &odd())
        .await
        .is(200);
    server.later(1);
    server.services.do_due().await;
    assert_eq!(
        (says(&token.secret).await, says(&other.secret).await),
        ("allow".into(), "suspended".into())
    );
}

async fn keys_rest_with_all_their_secrets(server: Server) {
    let verifier = server.verifier().await;
    let first = key(&server, &server.ada, &key_wish("ci", BuiltInRole::Viewer)).await;
    let rotated = server
        .ada
        .post(
            &format!("{}/rotate", first.path),
            &json!({"overlap": "until", "until": "2026-12-01T00:00:00Z"}),
        )
        .await
        .is(200);
    let second = rotated["secret"].as_str().unwrap();
    let any = |id: &str| server.of_acme(&format!("tokens/{id}/suspension"));
    // Who sees to keys alone suspends them, and for them there are no other tokens.
    let token = server.ada.token(json!({"name": "keeper", "expirationDate": "2026-12-22T12:00:00Z", "scope": ["hallpass:keys"]})).await;
    let keeper = server.bearer(&token.secret);
    let pat = server.ada.token(wish("pat")).await;
    keeper
        .post(&any(&pat.id), &odd())
        .await
        .refused(404, "not_found");
    keeper.post(&any(&first.id), &odd()).await.is(200);
    for secret in [&first.secret, second] {
        assert_eq!(
            server.verdict(&verifier, secret, Some("repo:read")).await,
            "suspended"
        );
    }
    keeper.delete(&any(&first.id)).await.is(204);
    for secret in [&first.secret, second] {
        assert_eq!(
            server.verdict(&verifier, secret, Some("repo:read")).await,
            "allow"
        );
    }
    let (admin, _) = with_role(&server, "Grace", BuiltInRole::Admin).await;
    admin.post(&any(&first.id), &odd()).await.is(200);
    admin.post(&any(&pat.id), &odd()).await.is(200);
    assert_eq!(server.verdict(&verifier, second, None).await, "suspended");
}

async fn a_wish_that_is_wrong_is_told_what_is(server: Server) {
    let token = server.ada.token(wish("ci")).await;
    let rest = format!("{}/suspension", token.path);
    let long = "x".repeat(301);
    for (body, code) in [
        (json!({"reason": ""}), "reason_malformed"),
        (json!({"reason": "two\nlines"}), "reason_malformed"),
        (json!({"reason": long}), "reason_malformed"),
        (
            json!({"reason": "x", "until": "tomorrow"}),
            "until_malformed",
        ),
        (
            json!({"reason": "x", "until": "2026-11-22T12:00:00Z"}),
            "until_not_in_future",
        ),
        (json!({}), "body_malformed"),
    ] {
        server.ada.post(&rest, &body).await.refused(400, code);
    }
    server
        .ada
        .post(&format!("{TOKENS}/x/suspension"), &odd())
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn a_token_revives_none_wider_than_itself_and_all_is_written_down() {
    let server = Server::sqlite().await;
    let wide = server.ada.token(wish("wide")).await;
    let own = json!({"name": "own", "expirationDate": "2026-12-22T12:00:00Z", "scope": ["hallpass:own-tokens"]});
    let own = server.ada.token(own).await;
    let own = server.bearer(&own.secret);
    let rest = format!("{}/suspension", wide.path);
    own.post(&rest, &odd()).await.is(200);
    own.delete(&rest).await.refused(403, "wider_than_asker");
    server.ada.delete(&rest).await.is(204);
    let actions = audit_actions(&server).await;
    let last: Vec<&str> = actions
        .iter()
        .rev()
        .take(3)
        .rev()
        .map(String::as_str)
        .collect();
    assert_eq!(last, ["token.suspended", "refused", "token.resumed"]);
}
