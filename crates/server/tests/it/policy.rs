//! What an organization's tokens must keep to: looked at, decided, announced, enforced.

use crate::{
    api_keys::{key, key_wish},
    both_engines,
    kit::{Actor, Answer, NEXT_MONTH, Server, TOKENS, audit_actions, wish},
};
use hallpass_domain::role::BuiltInRole;
use serde_json::{Value, json};

both_engines!(
    a_policy_is_previewed_and_then_enforced,
    an_outdated_preview_changes_nothing,
    a_policy_to_come_is_announced_and_enforced_on_its_date,
    what_is_to_come_can_be_withdrawn_and_replaced,
);

/// A policy without any rule.
pub(crate) fn lenient() -> Value {
    let any = json!({"daysMax": null, "mayNeverExpire": true});
    json!({
        "personalAccessTokens": any, "apiKeys": any, "forbiddenPermissions": [], "unusedDaysMax": null,
        "allowedAddresses": [], "ownersMayLift": false,
    })
}

pub(crate) fn with(changes: &[(&str, Value)]) -> Value {
    let mut policy = lenient();
    for (field, value) in changes {
        policy[field] = value.clone();
    }
    policy
}

pub(crate) fn days(days: u32) -> Value {
    json!({"daysMax": days, "mayNeverExpire": true})
}

pub(crate) fn must_end() -> Value {
    json!({"daysMax": null, "mayNeverExpire": false})
}

pub(crate) async fn preview(server: &Server, policy: &Value, at: Option<&str>) -> Value {
    let body = json!({"policy": policy, "enforceAt": at});
    let path = server.path("policy/preview");
    server.ada_again().await.post(&path, &body).await.is(200)
}

/// Previews, and decides what was previewed, in place of what is planned.
pub(crate) async fn put(server: &Server, policy: &Value, at: Option<&str>) -> Answer {
    let seen = preview(server, policy, at).await;
    let replaces = !seen["replacesPlanned"].is_null();
    let body = json!({"policy": policy, "enforceAt": at, "expected": seen["effect"], "replacesPlanned": replaces});
    server
        .ada_again()
        .await
        .put(&server.path("policy"), &body)
        .await
}

pub(crate) async fn put_at_once(server: &Server, policy: &Value) -> Answer {
    put(server, policy, None).await
}

async fn ends(actor: &Actor, path: &str) -> Value {
    actor.get(path).await.is(200)["expirationDate"].clone()
}

async fn a_policy_is_previewed_and_then_enforced(server: Server) {
    let (bob, bob_id) = server.member("Bob").await;
    let never = json!({"name": "never", "userAwareTokenNeverExpires": true});
    let (month, never) = (bob.token(wish("month")).await, bob.token(never).await);
    let soon = bob
        .token(json!({"name": "soon", "expirationDate": "2026-11-25T12:00:00Z"}))
        .await;
    let eternal = json!({"name": "eternal", "role": crate::api_keys::role(BuiltInRole::Viewer), "userAwareTokenNeverExpires": true});
    let eternal = key(&server, &server.ada, &eternal).await;
    let rotated = server
        .ada
        .post(
            &format!("{}/rotate", eternal.path),
            &json!({"overlap": "until", "until": NEXT_MONTH}),
        )
        .await
        .is(200);
    let kept = key(&server, &server.ada, &key_wish("kept", BuiltInRole::Viewer)).await;
    let policy = with(&[("personalAccessTokens", days(10)), ("apiKeys", must_end())]);
    let seen = preview(&server, &policy, None).await;
    assert_eq!(
        seen["effect"],
        json!({"shortened": 2, "revoked": 1, "unused": 0})
    );
    let tokens = seen["tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 3);
    let of = |name: &str| {
        tokens
            .iter()
            .find(|token| token["name"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(
        of("month")["owner"],
        json!({"type": "user", "id": bob_id.to_string(), "name": "Bob"})
    );
    assert_eq!(
        (
            &of("month")["effect"],
            &of("month")["newExpirationDate"],
            &of("month")["prefix"]
        ),
        (
            &json!("shortened"),
            &json!("2026-12-02T12:00:00Z"),
            &json!(month.prefix)
        )
    );
    assert_eq!(
        (&of("eternal")["effect"], &of("eternal")["kind"]),
        (&json!("revoked"), &json!("api_key"))
    );
    assert_eq!(
        ends(&bob, &month.path).await,
        NEXT_MONTH,
        "a preview changes nothing"
    );

    let now = put(&server, &policy, None).await.is(200);
    assert_eq!((&now["now"], &now["next"]), (&policy, &Value::Null));
    assert_eq!(server.ada.get(&server.path("policy")).await.is(200), now);
    for (token, end) in [
        (&month, "2026-12-02T12:00:00Z"),
        (&never, "2026-12-02T12:00:00Z"),
        (&soon, "2026-11-25T12:00:00Z"),
    ] {
        assert_eq!(ends(&bob, &token.path).await, end);
    }
    let verifier = server.verifier_of_ten_days().await;
    let says = async |secret: &str| server.verdict(&verifier, secret, Some("repo:read")).await;
    for secret in [&eternal.secret, rotated["secret"].as_str().unwrap()] {
        assert_eq!(says(secret).await, "revoked", "with all its secrets");
    }
    assert_eq!(
        (says(&kept.secret).await, says(&month.secret).await),
        ("allow".into(), "allow".into())
    );
    server.later(10 * 86_400 - 60);
    let verifier = server.verifier_of_ten_days().await;
    assert_eq!(
        server.verdict(&verifier, &never.secret, None).await,
        "allow"
    );
    server.later(60);
    assert_eq!(
        server.verdict(&verifier, &never.secret, None).await,
        "expired"
    );
}

impl Server {
    async fn verifier_of_ten_days(&self) -> Actor {
        let end = self.services.clock.now().plus_days(9).to_string();
        let name = format!("verifier {}", self.services.engine.len());
        let token = self
            .ada_again()
            .await
            .token(json!({"name": name, "expirationDate": end, "scope": ["hallpass:verify"]}))
            .await;
        self.bearer(&token.secret)
    }
}

async fn an_outdated_preview_changes_nothing(server: Server) {
    let policy = with(&[
        ("personalAccessTokens", days(10)),
        ("unusedDaysMax", json!(30)),
    ]);
    let expected = preview(&server, &policy, None).await["effect"].clone();
    let late = server.ada.token(wish("late")).await;
    for at in [None, Some("2026-11-25T12:00:00Z")] {
        let body = json!({"policy": policy, "expected": expected, "enforceAt": at});
        let told = server.ada.put(&server.path("policy"), &body).await;
        let told = told.refused(409, "preview_outdated");
        assert!(
            told["detail"]
                .as_str()
                .unwrap()
                .starts_with("1 would be concerned, not 0"),
            "{told}"
        );
    }
    assert_eq!(ends(&server.ada, &late.path).await, NEXT_MONTH);
    let now = server.ada.get(&server.path("policy")).await.is(200);
    assert_eq!(now, json!({"now": lenient(), "next": null}));
}

async fn a_policy_to_come_is_announced_and_enforced_on_its_date(server: Server) {
    let (bob, _) = server.member("Bob").await;
    let month = bob.token(wish("month")).await;
    let soon = bob
        .token(json!({"name": "soon", "expirationDate": "2026-11-25T12:00:00Z"}))
        .await;
    let at = "2026-11-29T12:00:00Z";
    let policy = with(&[("personalAccessTokens", days(10))]);
    let decided = put(&server, &policy, Some(at)).await.is(200);
    assert_eq!(decided["now"], lenient());
    assert_eq!(
        (&decided["next"]["policy"], &decided["next"]["enforceAt"]),
        (&policy, &json!(at))
    );
    assert_eq!(decided["next"]["decidedBy"], server.ada_id.to_string());
    let notice = json!({
        "enforceAt": at, "effect": "shortened", "expirationDate": "2026-12-02T12:00:00Z",
        "losesPermissions": [], "usedFromOutside": false,
    });
    assert_eq!(bob.get(&month.path).await.is(200)["policyNotice"], notice);
    let list = bob.get(TOKENS).await.is(200);
    let mut told: Vec<(&str, bool)> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            (
                item["name"].as_str().unwrap(),
                item["policyNotice"].is_null(),
            )
        })
        .collect();
    told.sort_unstable();
    assert_eq!(told, [("month", false), ("soon", true)]);
    server.services.do_due().await;
    server.later(7 * 86_400 - 1);
    server.services.do_due().await;
    let bob = server
        .session_of(
            hallpass_domain::id::UserId::parse(list["items"][0]["owner"]["id"].as_str().unwrap())
                .unwrap(),
        )
        .await;
    assert_eq!(
        ends(&bob, &month.path).await,
        NEXT_MONTH,
        "not before its date"
    );
    server.later(1);
    server.services.do_due().await;
    assert_eq!(ends(&bob, &month.path).await, "2026-12-02T12:00:00Z");
    assert_eq!(ends(&bob, &soon.path).await, "2026-11-25T12:00:00Z");
    let now = server
        .ada_again()
        .await
        .get(&server.path("policy"))
        .await
        .is(200);
    assert_eq!(now, json!({"now": policy, "next": null}));
    assert_eq!(
        bob.get(&month.path).await.is(200)["policyNotice"],
        Value::Null
    );
}

async fn what_is_to_come_can_be_withdrawn_and_replaced(server: Server) {
    let never = json!({"name": "never", "userAwareTokenNeverExpires": true});
    let never = server.ada.token(never).await;
    let at = Some("2026-11-29T12:00:00Z");
    let notice =
        async || server.ada.get(&never.path).await.is(200)["policyNotice"]["effect"].clone();
    put(&server, &with(&[("personalAccessTokens", must_end())]), at)
        .await
        .is(200);
    assert_eq!(notice().await, "revoked");
    put(&server, &with(&[("unusedDaysMax", json!(2))]), at)
        .await
        .is(200);
    assert_eq!(
        notice().await,
        "revoked_unless_used",
        "what was to come before is forgotten"
    );
    // Who could not use it yet has not left it unused: it is revoked no more than enforcing would.
    let waits = json!({"name": "waits", "userAwareTokenNeverExpires": true, "notBefore": "2026-11-28T12:00:00Z"});
    let waits = server.ada.token(waits).await;
    let waiting = server.ada.get(&waits.path).await.is(200);
    assert_eq!(waiting["policyNotice"], Value::Null);
    server.ada.delete(&waits.path).await.is(204);
    let change = server.path("policy/change");
    server.ada.delete(&change).await.is(204);
    assert_eq!(notice().await, Value::Null);
    server.ada.delete(&change).await.refused(404, "not_found");
    put(&server, &with(&[("personalAccessTokens", must_end())]), at)
        .await
        .is(200);
    put(&server, &lenient(), None).await.is(200);
    server.later(8 * 86_400);
    server.services.do_due().await;
    let ada = server.ada_again().await;
    assert_eq!(
        ada.get(&never.path).await.is(200)["state"],
        "active",
        "a policy at once takes its place too"
    );
}

#[tokio::test]
async fn a_wrong_policy_is_told_what_is_wrong() {
    let server = Server::sqlite().await;
    let path = server.path("policy/preview");
    let many: Vec<String> = (0..101).map(|n| format!("10.0.{n}.0/24")).collect();
    for (field, value, code) in [
        (
            "personalAccessTokens",
            json!({"daysMax": 0, "mayNeverExpire": true}),
            "days_malformed",
        ),
        (
            "apiKeys",
            json!({"daysMax": 3_651, "mayNeverExpire": true}),
            "days_malformed",
        ),
        ("unusedDaysMax", json!(-1), "days_malformed"),
        (
            "forbiddenPermissions",
            json!(["Deploy"]),
            "permission_malformed",
        ),
        ("allowedAddresses", json!(["here"]), "addresses_malformed"),
        ("allowedAddresses", json!(many), "addresses_too_many"),
        ("longest", json!(1), "body_malformed"),
    ] {
        let body = json!({"policy": with(&[(field, value)])});
        server.ada.post(&path, &body).await.refused(400, code);
    }
    for (at, code) in [
        ("soon", "enforce_at_malformed"),
        ("2026-11-22T12:00:00Z", "enforce_at_out_of_range"),
        ("2027-11-22T12:00:01Z", "enforce_at_out_of_range"),
    ] {
        let body = json!({"policy": lenient(), "enforceAt": at});
        server.ada.post(&path, &body).await.refused(400, code);
    }
    let (bob, _) = server.member("Bob").await;
    let policy = server.path("policy");
    let body =
        json!({"policy": lenient(), "expected": {"shortened": 0, "revoked": 0, "unused": 0}});
    for answer in [
        bob.get(&policy).await,
        bob.post(&path, &json!({"policy": lenient()})).await,
        bob.put(&policy, &body).await,
        bob.delete(&server.path("policy/change")).await,
    ] {
        answer.refused(403, "permission_missing");
    }
    server.later(301);
    server
        .ada
        .put(&policy, &body)
        .await
        .refused(403, "recent_sign_in_required");
}

#[tokio::test]
async fn what_was_decided_and_enforced_is_written_down() {
    let server = Server::sqlite().await;
    let at = Some("2026-11-29T12:00:00Z");
    put(&server, &with(&[("unusedDaysMax", json!(9))]), at)
        .await
        .is(200);
    server
        .ada
        .delete(&server.path("policy/change"))
        .await
        .is(204);
    put(&server, &lenient(), at).await.is(200);
    server.later(7 * 86_400);
    server.services.do_due().await;
    server.services.do_due().await;
    let actions: Vec<String> = audit_actions(&server)
        .await
        .into_iter()
        .filter(|action| action.starts_with("policy."))
        .collect();
    assert_eq!(
        actions,
        [
            "policy.change_scheduled",
            "policy.change_withdrawn",
            "policy.change_scheduled",
            "policy.enforced"
        ]
    );
    let nobody = crate::kit::rows(&server, "select count(*) || '' from audit where action = 'policy.enforced' and actor_user_id is null and actor_token_id is null").await;
    assert_eq!(nobody, ["1"]);
}

/// Two changes of many tokens in one moment have marks of their own.
#[tokio::test]
async fn changes_in_one_moment_are_told_apart() {
    let server = Server::sqlite().await;
    server.ada.token(wish("one")).await;
    for most in [20, 10] {
        put(
            &server,
            &with(&[("personalAccessTokens", days(most))]),
            None,
        )
        .await
        .is(200);
    }
    let marks = crate::kit::rows(
        &server,
        "select distinct hex(key) from feed where kind = 'bulk'",
    )
    .await;
    assert_eq!(marks.len(), 2);
}
