//! A token from its making to its end, on both engines: made, shown, verified, changed, revoked, counted, repeated.

use crate::{
    both_engines,
    kit::{Case, NEXT_MONTH, Server, TOKENS, beside, wish},
};
use futures_util::future::join_all;
use serde_json::{Value, json};

both_engines!(
    the_secret_is_told_once,
    a_token_works_from_its_making_to_its_revocation,
    revoking_is_idempotent_and_other_peoples_tokens_do_not_exist,
    fifty_at_ninety_nine_make_one,
    a_repeated_creation_is_the_same_token_without_its_secret,
    twenty_at_once_with_one_key_make_one_token,
    twenty_changes_at_once_are_each_made_or_told_to_repeat,
    a_taken_name_is_told_with_the_others_prefix_and_free_after_its_revocation,
);

async fn the_secret_is_told_once(server: Server) {
    let answer = server.ada.post(TOKENS, &json!({"name": " Café ", "expirationDate": NEXT_MONTH, "scope": ["repo:write", "repo:read", "repo:read"]})).await;
    let made = answer.is(201);
    let (id, secret) = (
        made["id"].as_str().unwrap(),
        made["secret"].as_str().unwrap(),
    );
    assert_eq!(answer.header("location"), format!("{TOKENS}/{id}"));
    assert!(
        secret.len() == 48
            && secret.starts_with("hpp_")
            && secret.starts_with(made["prefix"].as_str().unwrap())
    );
    let mut shape = made.clone();
    shape.as_object_mut().unwrap().remove("secret");
    let expected = json!({
        "id": id, "name": "Café", "prefix": secret[..10], "scope": ["repo:read", "repo:write"],
        "owner": {"type": "user", "id": server.ada_id.to_string(), "name": "Ada Lovelace"},
        "organization": {"id": server.organization.to_string(), "name": "Acme Rockets"},
        "created": "2026-11-22T12:00:00Z", "expirationDate": NEXT_MONTH, "userAwareTokenNeverExpires": false,
        "lastUsed": null, "lastUsedMethod": null, "lastUsedPath": null, "lastUsedAddress": null, "lastUsedAgent": null,
        "state": "active", "revoked": null,
        "suspendedAt": null, "suspendedUntil": null, "suspendedReason": null, "suspendedByOwner": null,
        "notBefore": null, "allowedAddresses": null, "deniedAddresses": null, "policyNotice": null,
    });
    assert_eq!(shape, expected);
    let location = answer.header("location");
    let rest = [
        server.ada.get(location).await,
        server.ada.get(TOKENS).await,
        server.ada.patch(location, &json!({"name": "other"})).await,
        server.bearer(secret).get(&format!("{TOKENS}/self")).await,
    ];
    for answer in rest {
        answer.is(200);
        assert!(
            !answer.text().contains("secret") && !answer.text().contains(&secret[10..42]),
            "{}",
            answer.text()
        );
    }
}

async fn a_token_works_from_its_making_to_its_revocation(server: Server) {
    let verifier = server.verifier().await;
    let token = server
        .ada
        .token(json!({"name": "ci", "expirationDate": NEXT_MONTH, "scope": ["repo:read"]}))
        .await;
    assert_eq!(
        server
            .verdict(&verifier, &token.secret, Some("repo:read"))
            .await,
        "allow"
    );
    assert_eq!(
        server
            .verdict(&verifier, &token.secret, Some("repo:write"))
            .await,
        "permission_missing"
    );
    assert_eq!(
        server
            .gateway()
            .bearing(&token.secret)
            .get("/auth")
            .await
            .status,
        204
    );
    server.ada.delete(&token.path).await.is(204);
    assert_eq!(
        server
            .verdict(&verifier, &token.secret, Some("repo:read"))
            .await,
        "revoked"
    );
    assert_eq!(
        server
            .gateway()
            .bearing(&token.secret)
            .get("/auth")
            .await
            .status,
        401
    );
    let shown = server.ada.get(&token.path).await.is(200);
    assert_eq!(
        (&shown["state"], &shown["revoked"]),
        (&json!("revoked"), &json!("2026-11-22T12:00:00Z"))
    );
}

async fn revoking_is_idempotent_and_other_peoples_tokens_do_not_exist(server: Server) {
    let token = server.ada.token(wish("ci")).await;
    let (bob, _) = server.member("Bob").await;
    let nowhere = format!("{TOKENS}/019393a0-7e5c-7c31-9d0c-1f2e3d4c5b6a");
    for (actor, path) in [
        (&bob, token.path.as_str()),
        (&server.ada, &nowhere),
        (&server.ada, "/v1/personal-access-tokens/x"),
    ] {
        let words = actor.get(path).await.refused(404, "not_found")["detail"].clone();
        assert_eq!(
            actor.delete(path).await.refused(404, "not_found")["detail"],
            words
        );
        assert_eq!(
            actor
                .patch(path, &json!({"name": "mine"}))
                .await
                .refused(404, "not_found")["detail"],
            words
        );
    }
    assert_eq!(bob.names("").await, Vec::<String>::new());
    let mine = server
        .bearer(&token.secret)
        .get(&format!("{TOKENS}/self"))
        .await
        .is(200);
    assert_eq!(
        (&mine["name"], &mine["state"]),
        (&json!("ci"), &json!("active")),
        "nobody changed it"
    );
    let body = server.ada.delete(&token.path).await.body;
    assert!(body.is_empty());
    let first = server.ada.get(&token.path).await.is(200)["revoked"].clone();
    server.later(60);
    server.ada.delete(&token.path).await.is(204);
    assert_eq!(
        server.ada.get(&token.path).await.is(200)["revoked"],
        first,
        "it was revoked once"
    );
}

async fn fifty_at_ninety_nine_make_one(server: Server) {
    for n in 0..99 {
        server.ada.token(wish(&format!("token {n}"))).await;
    }
    let tries = join_all((0..50).map(|n| {
        let ada = server.ada.clone();
        tokio::spawn(async move { ada.post(TOKENS, &wish(&format!("late {n}"))).await })
    }))
    .await;
    let mut made = 0;
    for answer in tries.into_iter().map(Result::unwrap) {
        match answer.status {
            201 => made += 1,
            _ => drop(answer.refused(409, "too_many_tokens")),
        }
    }
    assert_eq!(made, 1);
    let live = server
        .services
        .store
        .count_tokens_by_state(
            server.organization,
            server.ada_id,
            server.services.clock.now(),
        )
        .await
        .unwrap();
    assert_eq!(live.iter().map(|(_, count)| count).sum::<u64>(), 100);
    let last = server.ada.get(&format!("{TOKENS}?limit=1")).await.is(200)["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    server.ada.delete(&format!("{TOKENS}/{last}")).await.is(204);
    server.ada.token(wish("room again")).await;
}

fn keyed(server: &Server, key: &str) -> crate::kit::Actor {
    server.ada.with("idempotency-key", key)
}

async fn a_repeated_creation_is_the_same_token_without_its_secret(server: Server) {
    let first = keyed(&server, "one").post(TOKENS, &wish("ci")).await;
    let made = first.is(201);
    assert_eq!(first.header("idempotency-replayed"), "");
    server.later(3_600);
    let ada = server.ada_again().await.with("idempotency-key", "one");
    let again = ada.post(TOKENS, &wish("ci")).await;
    let mut expected = made.clone();
    expected.as_object_mut().unwrap().remove("secret");
    assert_eq!(again.is(200), expected);
    assert_eq!(
        (
            again.header("idempotency-replayed"),
            again.header("location")
        ),
        ("true", first.header("location"))
    );
    ada.post(TOKENS, &wish("other"))
        .await
        .refused(422, "idempotency_key_reused");
    let (bob, _) = server.member("Bob").await;
    bob.with("idempotency-key", "one")
        .post(TOKENS, &wish("ci"))
        .await
        .is(201);
    for bad in ["", &"k".repeat(256), "é"] {
        server
            .ada_again()
            .await
            .with("idempotency-key", bad)
            .post(TOKENS, &wish("x"))
            .await
            .refused(400, "idempotency_key_malformed");
    }
    let twice = server
        .ada_again()
        .await
        .with("idempotency-key", "a")
        .with("idempotency-key", "b");
    twice
        .post(TOKENS, &wish("x"))
        .await
        .refused(400, "idempotency_key_malformed");
    // A failed creation does not use its key up, and after a day the key is free.
    let ada = server.ada_again().await.with("idempotency-key", "two");
    ada.post(TOKENS, &wish("CI"))
        .await
        .refused(409, "name_taken");
    ada.post(TOKENS, &wish("cd")).await.is(201);
    server.later(24 * 3_600 + 1);
    server
        .ada_again()
        .await
        .with("idempotency-key", "two")
        .post(TOKENS, &wish("ce"))
        .await
        .is(201);
    assert_eq!(
        server.ada_again().await.names("?sort=name").await,
        ["cd", "ce", "ci"]
    );
}

async fn twenty_at_once_with_one_key_make_one_token(server: Server) {
    let ada = keyed(&server, "one");
    let answers = join_all((0..20).map(|_| {
        let ada = ada.clone();
        tokio::spawn(async move { ada.post(TOKENS, &wish("ci")).await })
    }))
    .await;
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    let made: Vec<Value> = answers
        .iter()
        .filter(|answer| answer.status == 201)
        .map(|answer| answer.is(201))
        .collect();
    assert_eq!(made.len(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(answer.is(200)["id"], made[0]["id"]);
        assert!(!answer.text().contains("secret"));
    }
    assert_eq!(server.ada.names("").await, ["ci"]);
}

async fn twenty_changes_at_once_are_each_made_or_told_to_repeat(server: Server) {
    let token = server.ada.token(wish("ci")).await;
    let answers = join_all((0..20).map(|n| {
        let (ada, path) = (server.ada.clone(), token.path.clone());
        tokio::spawn(async move {
            ada.patch(&path, &json!({"name": format!("name {n}")}))
                .await
        })
    }))
    .await;
    let mut given = Vec::new();
    for answer in answers.into_iter().map(Result::unwrap) {
        match answer.status {
            200 => given.push(answer.is(200)["name"].clone()),
            _ => drop(answer.refused(409, "changed_meanwhile")),
        }
    }
    assert!(
        given.contains(&server.ada.get(&token.path).await.is(200)["name"]),
        "{given:?}"
    );
}

async fn a_taken_name_is_told_with_the_others_prefix_and_free_after_its_revocation(server: Server) {
    let first = server.ada.token(wish("Straße Café")).await;
    let second = server.ada.token(wish("other")).await;
    for name in [
        "Straße Café",
        "STRASSE CAFÉ".replace("STRASSE", "STRAßE").as_str(),
        " straße cafe\u{301} ",
        "ｓｔｒａßｅ Café",
    ] {
        let made = server
            .ada
            .post(TOKENS, &wish(name))
            .await
            .refused(409, "name_taken");
        let renamed = server
            .ada
            .patch(&second.path, &json!({"name": name}))
            .await
            .refused(409, "name_taken");
        for problem in [made, renamed] {
            assert_eq!(problem["prefix"], first.prefix, "{name}");
            assert!(problem["detail"].as_str().unwrap().contains(&first.prefix));
            assert_eq!(problem["errors"][0]["field"], "name");
        }
    }
    server
        .ada
        .patch(&first.path, &json!({"name": "STRAßE café"}))
        .await
        .is(200);
    let (bob, _) = server.member("Bob").await;
    bob.token(wish("Straße Café")).await;
    server.ada.delete(&first.path).await.is(204);
    server
        .ada
        .patch(&second.path, &json!({"name": "straße café"}))
        .await
        .is(200);
    server
        .ada
        .post(TOKENS, &wish("Straße Café"))
        .await
        .refused(409, "name_taken");
}

#[tokio::test]
async fn who_has_made_thousands_today_makes_no_more() {
    let case = Case::new().await;
    let copies = "insert into token (id, kind, organization_id, user_id, name, name_key, prefix, digest, pepper_id, created_at, revoked_at, never_expires_acknowledged) \
        with recursive n (i) as (select 2 union all select i + 1 from n where i < 5000) \
        select randomblob(16), kind, organization_id, user_id, name, name_key, printf('x%09d', i), randomblob(32), pepper_id, created_at, created_at, true from token join n on prefix = $1";
    sqlx::query(copies)
        .bind(&case.token.prefix)
        .execute(&mut beside(&case.server).await)
        .await
        .unwrap();
    let bob = case.server.session_of(case.bob.user).await;
    let answer = bob.post(TOKENS, &wish("one more")).await;
    answer.refused(429, "too_many_tokens_today");
    assert_eq!(answer.header("retry-after"), "3600");
    case.server.later(24 * 60 * 60 + 1);
    let bob = case.server.session_of(case.bob.user).await;
    bob.post(TOKENS, &wish("one more")).await.is(201);
}
