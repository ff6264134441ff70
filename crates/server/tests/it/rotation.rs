//! A key gets a new secret under its id, and what becomes of the old one.

use crate::{
    api_keys::{key, key_wish},
    both_engines,
    kit::{Actor, Server, Token},
};
use hallpass_domain::role::BuiltInRole;
use serde_json::{Value, json};

both_engines!(
    a_leaked_secret_ends_at_once,
    an_old_secret_works_until_its_moment,
    an_old_secret_ends_when_it_was_quiet,
    as_many_secrets_work_as_may,
    what_has_ended_or_rests_is_not_rotated,
);

struct Rotating {
    server: Server,
    verifier: Actor,
    key: Token,
}

impl Rotating {
    async fn new(server: Server) -> Self {
        let verifier = server.verifier().await;
        let mut wish = key_wish("ci", BuiltInRole::Viewer);
        wish["expirationDate"] = json!("2027-11-22T12:00:00Z");
        let key = key(&server, &server.ada, &wish).await;
        Self {
            server,
            verifier,
            key,
        }
    }

    async fn rotate(&self, overlap: &Value) -> Value {
        let path = format!("{}/rotate", self.key.path);
        let made = self
            .server
            .ada_again()
            .await
            .post(&path, overlap)
            .await
            .is(200);
        assert_eq!(made["id"], self.key.id, "the same key");
        made
    }

    async fn says(&self, secret: &str) -> String {
        self.server
            .verdict(&self.verifier, secret, Some("repo:read"))
            .await
    }

    async fn shown(&self) -> Value {
        self.server
            .ada_again()
            .await
            .get(&self.key.path)
            .await
            .is(200)
    }
}

fn secret(made: &Value) -> &str {
    made["secret"].as_str().unwrap()
}

async fn a_leaked_secret_ends_at_once(server: Server) {
    let case = Rotating::new(server).await;
    let made = case.rotate(&json!({"overlap": "none"})).await;
    assert_eq!(case.says(&case.key.secret).await, "expired");
    assert_eq!(case.says(secret(&made)).await, "allow");
    assert_eq!(made["prefix"], secret(&made)[..10]);
    let mut bare = made.clone();
    bare.as_object_mut().unwrap().remove("secret");
    assert_eq!(case.shown().await, bare, "what is answered is what is read");
    assert_eq!(
        (&made["secrets"][0]["works"], &made["secrets"][1]["works"]),
        (&json!(true), &json!(false))
    );
    // Revoking ends them all.
    case.server.ada.delete(&case.key.path).await.is(204);
    assert_eq!(case.says(secret(&made)).await, "revoked");
}

async fn an_old_secret_works_until_its_moment(server: Server) {
    let case = Rotating::new(server).await;
    let until = "2026-11-24T12:00:00Z";
    let made = case
        .rotate(&json!({"overlap": "until", "until": until}))
        .await;
    assert_eq!(made["secrets"][1]["until"], until);
    let (old, new) = (case.key.secret.clone(), secret(&made).to_owned());
    assert_eq!(
        (case.says(&old).await, case.says(&new).await),
        ("allow".into(), "allow".into())
    );
    // Each secret says when it was last used, and the key says the latest.
    case.server.later(3_600);
    case.server
        .gateway()
        .bearing(&old)
        .with("x-original-uri", "/old")
        .get("/auth")
        .await;
    case.server.flush_uses().await;
    let shown = case.shown().await;
    assert_eq!(shown["secrets"][0]["lastUsed"], "2026-11-22T12:00:00Z");
    assert_eq!(shown["secrets"][1]["lastUsed"], "2026-11-22T13:00:00Z");
    assert_eq!(shown["secrets"][1]["lastUsedPath"], "/old");
    assert_eq!(shown["lastUsed"], "2026-11-22T13:00:00Z");
    case.server.later(2 * 86_400 - 3_601);
    assert_eq!(case.says(&old).await, "allow");
    case.server.later(1);
    assert_eq!(
        (case.says(&old).await, case.says(&new).await),
        ("expired".into(), "allow".into())
    );
    // A later rotation does not give the older secret more time.
    let third = case
        .rotate(&json!({"overlap": "until", "until": "2026-12-01T12:00:00Z"}))
        .await;
    assert_eq!(third["secrets"][2]["until"], until);
    assert_eq!(case.says(&old).await, "expired");
}

async fn an_old_secret_ends_when_it_was_quiet(server: Server) {
    let case = Rotating::new(server).await;
    let made = case
        .rotate(&json!({"overlap": "quiet", "quietForSeconds": 3_600}))
        .await;
    let (old, due) = (case.key.secret.clone(), async || {
        case.server.services.do_due().await
    });
    for _ in 0..3 {
        case.server.later(3_599);
        due().await;
        assert_eq!(case.says(&old).await, "allow", "it is in use");
        case.server.flush_uses().await;
    }
    case.server.later(3_599);
    due().await;
    let shown = case.shown().await;
    assert_eq!(
        (
            &shown["secrets"][1]["works"],
            &shown["secrets"][1]["quietForSeconds"]
        ),
        (&json!(true), &json!(3_600))
    );
    case.server.later(1);
    due().await;
    assert_eq!(case.says(&old).await, "expired");
    assert_eq!(case.says(secret(&made)).await, "allow");
    // What never falls quiet ends all the same.
    let last = case
        .rotate(&json!({"overlap": "quiet", "quietForSeconds": 2_592_000}))
        .await;
    let at = last["secrets"][1]["until"].as_str().unwrap();
    assert!(at.starts_with("2026-12-22T"), "{at}");
}

async fn as_many_secrets_work_as_may(server: Server) {
    let case = Rotating::new(server).await;
    let week = json!({"overlap": "until", "until": "2026-11-29T12:00:00Z"});
    for _ in 0..4 {
        case.rotate(&week).await;
    }
    let path = format!("{}/rotate", case.key.path);
    case.server
        .ada
        .post(&path, &week)
        .await
        .refused(409, "too_many_secrets");
    let made = case.rotate(&json!({"overlap": "none"})).await;
    assert_eq!(case.says(&case.key.secret).await, "expired");
    assert_eq!(case.says(secret(&made)).await, "allow");
}

async fn what_has_ended_or_rests_is_not_rotated(server: Server) {
    let case = Rotating::new(server).await;
    let ada = &case.server.ada;
    let path = format!("{}/rotate", case.key.path);
    for (body, code) in [
        (json!({}), "overlap_required"),
        (json!({"overlap": "some"}), "overlap_malformed"),
        (json!({"overlap": "until"}), "overlap_malformed"),
        (
            json!({"overlap": "until", "until": "tomorrow"}),
            "overlap_malformed",
        ),
        (
            json!({"overlap": "none", "until": "2026-11-23T12:00:00Z"}),
            "overlap_malformed",
        ),
        (
            json!({"overlap": "until", "until": "2026-12-22T12:00:01Z"}),
            "overlap_too_long",
        ),
        (
            json!({"overlap": "quiet", "quietForSeconds": 2_592_001}),
            "overlap_too_long",
        ),
        (
            json!({"overlap": "until", "until": "2026-11-22T12:00:00Z"}),
            "overlap_not_in_future",
        ),
        (
            json!({"overlap": "quiet", "quietForSeconds": 0}),
            "overlap_not_in_future",
        ),
        (json!({"overlap": "none", "leak": true}), "body_malformed"),
    ] {
        ada.post(&path, &body).await.refused(400, code);
    }
    let none = json!({"overlap": "none"});
    let rest = case
        .server
        .path(&format!("tokens/{}/suspension", case.key.id));
    ada.post(&rest, &json!({"reason": "odd use"})).await.is(200);
    ada.post(&path, &none).await.refused(409, "key_suspended");
    ada.delete(&rest).await.is(204);
    ada.post(&path, &none).await.is(200);
    ada.delete(&case.key.path).await.is(204);
    ada.post(&path, &none).await.refused(409, "token_ended");
    let nowhere = case.server.path("api-keys/x/rotate");
    ada.post(&nowhere, &none).await.refused(404, "not_found");
    case.server.later(301);
    ada.post(&path, &none)
        .await
        .refused(403, "recent_sign_in_required");
}
