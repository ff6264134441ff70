//! What a policy that holds does to tokens, old and new.

use crate::{
    api_keys::{key, key_wish},
    both_engines,
    kit::{Engine, NEXT_MONTH, Server, TOKENS, wish},
    policy::{days, must_end, preview, put, with},
};
use futures_util::future::join_all;
use hallpass_domain::{
    policy::{Lifetime, Policy},
    role::BuiltInRole,
    time::Timestamp,
};
use hallpass_store::Database;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

both_engines!(
    what_nobody_uses_is_revoked,
    new_tokens_keep_to_the_policy,
    no_token_slips_past_a_policy_that_is_being_enforced,
);

async fn what_nobody_uses_is_revoked(server: Server) {
    let year = |name: &str| json!({"name": name, "expirationDate": "2028-01-01T00:00:00Z"});
    let (idle, busy) = (
        server.ada.token(year("idle")).await,
        server.ada.token(year("busy")).await,
    );
    let mut wish = key_wish("key", BuiltInRole::Viewer);
    wish["expirationDate"] = json!("2028-01-01T00:00:00Z");
    let key = key(&server, &server.ada, &wish).await;
    let made = server
        .ada
        .post(
            &format!("{}/rotate", key.path),
            &json!({"overlap": "until", "until": NEXT_MONTH}),
        )
        .await
        .is(200);
    let policy = with(&[("unusedDaysMax", json!(60))]);
    put(&server, &policy, None).await.is(200);
    server.later(50 * 86_400);
    for secret in [&busy.secret, made["secret"].as_str().unwrap()] {
        assert_eq!(
            server.gateway().bearing(secret).get("/auth").await.status,
            204
        );
    }
    server.flush_uses().await;
    server.later(10 * 86_400);
    server.services.revoke_unused().await;
    let state =
        async |path: &str| server.ada_again().await.get(path).await.is(200)["state"].clone();
    assert_eq!(
        state(&idle.path).await,
        "active",
        "sixty days to the microsecond"
    );
    server.later(1);
    assert_eq!(preview(&server, &policy, None).await["effect"]["unused"], 1);
    assert_eq!(
        preview(&server, &policy, None).await["tokens"][0]["effect"],
        "unused"
    );
    server.services.revoke_unused().await;
    assert_eq!(
        (state(&idle.path).await, state(&busy.path).await),
        (json!("revoked"), json!("active"))
    );
    assert_eq!(
        state(&key.path).await,
        "active",
        "one of its secrets was used"
    );
    assert_eq!(
        server
            .gateway()
            .bearing(&idle.secret)
            .get("/auth")
            .await
            .header("x-hallpass-error"),
        "revoked"
    );
    // Outlived and unused at once: it is counted once, as the change does.
    let both = with(&[
        ("personalAccessTokens", days(20)),
        ("unusedDaysMax", json!(5)),
    ]);
    put(&server, &both, None).await.is(200);
}

async fn new_tokens_keep_to_the_policy(server: Server) {
    let old = server.ada.token(json!({"name": "old", "expirationDate": NEXT_MONTH, "scope": ["deploy:run", "repo:read"]})).await;
    let wide = server.ada.token(wish("wide")).await;
    let short = server
        .ada
        .token(json!({"name": "short", "expirationDate": "2026-11-24T12:00:00Z"}))
        .await;
    let verifier = server.verifier().await;
    let policy = with(&[
        ("personalAccessTokens", must_end()),
        ("apiKeys", days(10)),
        ("forbiddenPermissions", json!(["deploy:run"])),
    ]);
    put(&server, &policy, None).await.is(200);
    // Tokens from before lose what is forbidden at once; keys do not.
    for token in [&old, &wide] {
        assert_eq!(
            server
                .verdict(&verifier, &token.secret, Some("deploy:run"))
                .await,
            "permission_missing"
        );
        assert_eq!(
            server
                .verdict(&verifier, &token.secret, Some("repo:read"))
                .await,
            "allow"
        );
    }
    let ask = async |wish: Value| server.ada.post(TOKENS, &wish).await;
    let never = json!({"name": "new", "userAwareTokenNeverExpires": true, "scope": ["deploy:*"]});
    let told = ask(never).await.refused(400, "policy_never_expires");
    assert_eq!(told["errors"][1]["code"], "policy_forbids_permission");
    let scoped =
        |scope: &str| json!({"name": "new", "expirationDate": NEXT_MONTH, "scope": [scope]});
    for scope in ["deploy:run", "deploy:*"] {
        ask(scoped(scope))
            .await
            .refused(400, "policy_forbids_permission");
    }
    ask(scoped("repo:*")).await.is(201);
    let keys = server.of_acme("api-keys");
    let told = server
        .ada
        .post(&keys, &key_wish("k", BuiltInRole::Superuser))
        .await
        .refused(400, "policy_lifetime");
    assert!(
        told["detail"].as_str().unwrap().contains("at most 10 days"),
        "{told}"
    );
    let mut ten = key_wish("k", BuiltInRole::Superuser);
    ten["expirationDate"] = json!("2026-12-02T12:00:00Z");
    let key = key(&server, &server.ada, &ten).await;
    assert_eq!(
        server
            .verdict(&verifier, &key.secret, Some("deploy:run"))
            .await,
        "allow"
    );

    // Changes: what is longer or newly narrowed is asked, what stays is not.
    let patch = async |path: &str, change: Value| server.ada.patch(path, &change).await;
    patch(&old.path, json!({"name": "renamed"})).await.is(200);
    patch(&old.path, json!({"scope": ["deploy:run"]}))
        .await
        .refused(400, "policy_forbids_permission");
    patch(&old.path, json!({"scope": ["repo:read"]}))
        .await
        .is(200);
    let never = json!({"expirationDate": null, "userAwareTokenNeverExpires": true});
    patch(&short.path, never)
        .await
        .refused(400, "policy_never_expires");
    let mut ten = policy.clone();
    ten["personalAccessTokens"] = days(10);
    put(&server, &ten, None).await.is(200);
    let to = |date: &str| json!({"expirationDate": date});
    patch(&short.path, to("2026-12-02T12:00:01Z"))
        .await
        .refused(400, "policy_lifetime");
    patch(&short.path, to("2026-12-02T12:00:00Z")).await.is(200);
}

/// Whatever the order of things, once the policy holds there is no token that it does not allow.
async fn no_token_slips_past_a_policy_that_is_being_enforced(server: Server) {
    let policy = with(&[("personalAccessTokens", days(10))]);
    let makers = (0..24).map(|n| {
        let ada = server.ada.clone();
        tokio::spawn(async move { ada.post(TOKENS, &wish(&format!("token {n}"))).await.status })
    });
    let enforcing = async { while put(&server, &policy, None).await.status != 200 {} };
    let (made, ()) = tokio::join!(join_all(makers), enforcing);
    for status in made {
        assert!([201, 400].contains(&status.unwrap()));
    }
    let list = server.ada.get(&format!("{TOKENS}?limit=100")).await.is(200);
    let latest = Timestamp::parse("2026-12-02T12:00:01Z").unwrap();
    for item in list["items"].as_array().unwrap() {
        let end = Timestamp::parse(item["expirationDate"].as_str().unwrap()).unwrap();
        assert!(end < latest, "{item}");
    }
}

/// A creation that has begun waits for the policy that is being decided, and then keeps to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_creation_waits_for_the_policy_that_is_being_decided() {
    let server = Server::new(Engine::Postgres).await;
    let (now, organization) = (server.services.clock.now(), server.organization);
    let mut tx = server.services.store.begin().await.unwrap();
    assert!(tx.hold_organization(organization).await.unwrap());
    let policy = Policy {
        personal: Lifetime {
            days_max: Some(10),
            may_never_expire: false,
        },
        ..Policy::default()
    };
    let (_, changed) = tx.enforce_policy(organization, &policy, now).await.unwrap();
    let ada = server.ada.clone();
    let making = tokio::spawn(async move { ada.post(TOKENS, &wish("late")).await });
    let Database::Postgres(address) = &server.plan.database else {
        panic!("this is PostgreSQL")
    };
    let mut beside = PgConnection::connect(address).await.unwrap();
    let waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    loop {
        let count: i64 = sqlx::query_scalar(waiting)
            .fetch_one(&mut beside)
            .await
            .unwrap();
        if count > 0 || making.is_finished() {
            break;
        }
    }
    let seq = tx.commit(&changed).await.unwrap();
    server.services.reach(seq).await.unwrap();
    making.await.unwrap().refused(400, "policy_lifetime");
}
