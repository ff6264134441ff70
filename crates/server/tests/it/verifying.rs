//! `POST /v1/verify`: its answers, and that every change acts on the very next question.

use crate::kit::{Actor, NEXT_MONTH, Server, TOKENS, Token, stranger, wish};
use hallpass_domain::{
    limits::VERIFY_BATCH_MAX,
    member::Membership,
    organization::Standing,
    role::{BuiltInRole, Role, RolePermissions},
};
use hallpass_server::service::catalogue::CatalogueSettings;
use serde_json::{Value, json};

const VERIFY: &str = "/v1/verify";

struct Case {
    server: Server,
    verifier: Actor,
    bob: Membership,
    token: Token,
}

impl Case {
    /// Bob, a member, has a token for all that his role allows.
    async fn new() -> Self {
        let server = Server::sqlite().await;
        let (actor, bob) = server.member("Bob").await;
        let token = actor.token(wish("ci")).await;
        let (verifier, bob) = (server.verifier().await, server.membership(bob));
        let case = Self {
            server,
            verifier,
            bob,
            token,
        };
        case.says("allow").await;
        case
    }

    /// What is said at every door, now.
    #[track_caller]
    fn says<'a>(&'a self, verdict: &'a str) -> impl Future<Output = ()> + 'a {
        let at = std::panic::Location::caller();
        async move {
            assert_eq!(
                self.server
                    .verdict(&self.verifier, &self.token.secret, Some("repo:read"))
                    .await,
                verdict,
                "{at}"
            );
            let door = self
                .server
                .gateway()
                .bearing(&self.token.secret)
                .with("x-hallpass-permission", "repo:read")
                .get("/auth")
                .await;
            let (status, error) = match verdict {
                "allow" => (204, ""),
                "permission_missing" => (403, verdict),
                _ => (401, verdict),
            };
            assert_eq!(
                (door.status, door.header("x-hallpass-error")),
                (status, error),
                "{at}"
            );
        }
    }
}

#[tokio::test]
async fn an_answer_tells_all_but_the_secret() {
    let case = Case::new().await;
    let answer = case
        .verifier
        .post(
            VERIFY,
            &json!({"token": case.token.secret, "permission": "repo:read"}),
        )
        .await;
    assert_eq!(
        answer.is(200),
        json!({
            "active": true, "id": case.token.id, "prefix": case.token.prefix, "name": "ci", "kind": "personal_access_token",
            "organization": {"id": case.server.organization.to_string(), "name": "Acme Rockets"},
            "owner": {"type": "user", "id": case.bob.user.to_string(), "name": "Bob"},
            "permissions": ["repo:read", "repo:write"], "expirationDate": NEXT_MONTH,
        })
    );
    assert!(!answer.text().contains(&case.token.secret[10..]));
    assert_eq!(answer.header("cache-control"), "no-store");
    let refused = case
        .verifier
        .post(
            VERIFY,
            &json!({"token": case.token.secret, "permission": "deploy:run"}),
        )
        .await
        .is(200);
    assert_eq!(
        (
            &refused["active"],
            &refused["reason"],
            &refused["permissions"],
            &refused["id"]
        ),
        (
            &json!(false),
            &json!("permission_missing"),
            &Value::Null,
            &json!(case.token.id)
        )
    );
}

#[tokio::test]
async fn what_is_unknown_or_malformed_tells_nothing_else() {
    let case = Case::new().await;
    let mistyped = format!("{}x", &case.token.secret[..47]);
    for (secret, reason) in [
        (stranger(), "unknown"),
        (mistyped, "malformed"),
        (String::new(), "malformed"),
        ("é".repeat(24), "malformed"),
        ("x".repeat(10_000), "malformed"),
    ] {
        let answer = case
            .verifier
            .post(VERIFY, &json!({"token": secret}))
            .await
            .is(200);
        assert_eq!(answer, json!({"active": false, "reason": reason}));
    }
}

#[tokio::test]
async fn every_change_acts_on_the_very_next_question() {
    let case = Case::new().await;
    let server = &case.server;
    let (organization, bob) = (server.organization, case.bob.user);
    server
        .suspend(&case.token, bob, Some(server.services.clock.now()))
        .await;
    case.says("suspended").await;
    server.suspend(&case.token, bob, None).await;
    case.says("allow").await;
    for (standing, said) in [
        (Standing::Suspended, "organization_suspended"),
        (Standing::Active, "allow"),
    ] {
        let before = server.services.store.head().await.unwrap();
        server
            .change(async |tx| {
                vec![
                    tx.set_organization_standing(organization, standing)
                        .await
                        .unwrap(),
                ]
            })
            .await;
        assert!(server.services.store.head().await.unwrap() > before);
        if standing.is_active() {
            case.says(said).await;
        } else {
            // The asking credential rests with its organization.
            case.verifier
                .post(VERIFY, &json!({"token": case.token.secret}))
                .await
                .refused(401, "invalid_token");
            let door = server
                .gateway()
                .bearing(&case.token.secret)
                .get("/auth")
                .await;
            assert_eq!((door.status, door.header("x-hallpass-error")), (401, said));
        }
    }
    for (standing, said) in [
        (Standing::Suspended, "user_suspended"),
        (Standing::Active, "allow"),
    ] {
        server
            .change(async |tx| vec![tx.set_user_standing(bob, standing).await.unwrap()])
            .await;
        case.says(said).await;
    }
    server
        .put(Membership {
            standing: Standing::Suspended,
            ..case.bob.clone()
        })
        .await;
    case.says("membership_suspended").await;
    server
        .put(Membership {
            may_have_tokens: false,
            ..case.bob.clone()
        })
        .await;
    case.says("tokens_not_allowed").await;
    server.put(case.bob.clone()).await;
    case.says("allow").await;
    server
        .change(async |tx| vec![tx.delete_membership(organization, bob).await.unwrap()])
        .await;
    case.says("not_a_member").await;
    server.put(case.bob.clone()).await;
    case.says("allow").await;
}

#[tokio::test]
async fn a_token_ends_at_the_very_instant_it_names() {
    let case = Case::new().await;
    let end = hallpass_domain::time::Timestamp::parse(NEXT_MONTH).unwrap();
    case.server
        .services
        .clock
        .set(hallpass_domain::time::Timestamp::from_micros(
            end.micros() - 1,
        ));
    case.says("allow").await;
    case.server.services.clock.set(end);
    case.says("expired").await;
}

#[tokio::test]
async fn a_role_gives_what_it_holds_now() {
    let case = Case::new().await;
    let server = &case.server;
    server
        .put(Membership {
            role: BuiltInRole::Superuser.id(),
            ..case.bob.clone()
        })
        .await;
    assert_eq!(
        server
            .verdict(&case.verifier, &case.token.secret, Some("deploy:run"))
            .await,
        "allow"
    );
    server.put(case.bob.clone()).await;
    assert_eq!(
        server
            .verdict(&case.verifier, &case.token.secret, Some("deploy:run"))
            .await,
        "permission_missing"
    );
    let held = hallpass_domain::permission::PermissionSet::parse(["repo:write"]).unwrap();
    let role = Role {
        id: BuiltInRole::Member.id(),
        name: "Member".to_owned(),
        permissions: RolePermissions::Named(held),
    };
    server
        .change(async |tx| vec![tx.put_built_in_role(&role).await.unwrap()])
        .await;
    case.says("permission_missing").await;
    server
        .services
        .put_catalogue(&crate::kit::catalogue())
        .await
        .unwrap();
    case.says("allow").await;
    // What no catalogue lists, nobody holds.
    let smaller = CatalogueSettings {
        permissions: crate::kit::catalogue()
            .permissions
            .into_iter()
            .filter(|entry| entry.permission.as_str() != "repo:read")
            .collect(),
        member: None,
    };
    server.services.put_catalogue(&smaller).await.unwrap();
    case.says("permission_missing").await;
}

#[tokio::test]
async fn the_gate_blocks_and_revives_and_destroys_nothing() {
    let case = Case::new().await;
    let bob = case.server.session_of(case.bob.user).await;
    case.server
        .put(Membership {
            may_have_tokens: false,
            ..case.bob.clone()
        })
        .await;
    bob.post(TOKENS, &wish("more"))
        .await
        .refused(403, "tokens_not_allowed");
    bob.patch(&case.token.path, &json!({"name": "x"}))
        .await
        .refused(403, "tokens_not_allowed");
    assert_eq!(
        bob.names("?state=active").await,
        ["ci"],
        "seeing them is not managing them"
    );
    bob.delete(&case.token.path).await.is(204);
    case.server.put(case.bob.clone()).await;
    case.says("revoked").await;
    bob.token(wish("more")).await;
}

#[tokio::test]
async fn only_who_holds_the_permission_may_ask() {
    let case = Case::new().await;
    let server = &case.server;
    let body = json!({"token": case.token.secret});
    server
        .anon()
        .post(VERIFY, &body)
        .await
        .refused(401, "sign_in_required");
    server
        .ada
        .post(VERIFY, &body)
        .await
        .refused(401, "sign_in_required");
    server
        .bearer(&case.token.secret)
        .post(VERIFY, &body)
        .await
        .refused(403, "permission_missing");
    server
        .bearer(&stranger())
        .post(VERIFY, &body)
        .await
        .refused(401, "invalid_token");
    for scope in [json!(["repo:read"]), json!(["hallpass:own-tokens"])] {
        let other = server
            .ada
            .token(json!({"name": scope.to_string(), "expirationDate": NEXT_MONTH, "scope": scope}))
            .await;
        server
            .bearer(&other.secret)
            .post(VERIFY, &body)
            .await
            .refused(403, "permission_missing");
    }
    for (name, scope) in [("null", Value::Null), ("wildcard", json!(["hallpass:*"]))] {
        let other = server
            .ada
            .token(json!({"name": name, "expirationDate": NEXT_MONTH, "scope": scope}))
            .await;
        server
            .bearer(&other.secret)
            .post(VERIFY, &body)
            .await
            .is(200);
    }
}

#[tokio::test]
async fn a_batch_is_answered_in_its_order_up_to_a_thousand() {
    let case = Case::new().await;
    let question = |n: usize| match n % 3 {
        0 => json!({"token": case.token.secret, "permission": "repo:read"}),
        1 => json!({"token": case.token.secret, "permission": "deploy:run"}),
        _ => json!({"token": stranger()}),
    };
    let batch: Vec<Value> = (0..VERIFY_BATCH_MAX).map(question).collect();
    let answers = case.verifier.post(VERIFY, &json!(batch)).await.is(200);
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), 1000);
    for (n, answer) in answers.iter().enumerate() {
        assert_eq!(answer["active"], n % 3 == 0, "{n}");
        assert_eq!(
            answer["reason"],
            [Value::Null, json!("permission_missing"), json!("unknown")][n % 3]
        );
    }
    let more: Vec<Value> = (0..=VERIFY_BATCH_MAX).map(question).collect();
    case.verifier
        .post(VERIFY, &json!(more))
        .await
        .refused(400, "batch_too_large");
    assert_eq!(
        case.verifier.post(VERIFY, &json!([])).await.is(200),
        json!([])
    );
    let padded = format!(" \n[{}]", question(0));
    assert_eq!(
        case.verifier
            .send("POST", VERIFY, Some("application/json"), padded)
            .await
            .is(200)[0]["active"],
        true
    );
}

#[tokio::test]
async fn a_wrong_question_is_told_what_is_wrong() {
    let case = Case::new().await;
    for (body, code) in [
        (
            json!({"token": case.token.secret, "permission": "Repo"}),
            "permission_malformed",
        ),
        (
            json!({"token": case.token.secret, "address": "somewhere"}),
            "address_malformed",
        ),
        (
            json!({"token": case.token.secret, "address": "192.0.2.7:80"}),
            "address_malformed",
        ),
        (
            json!([{"token": case.token.secret}, {"token": "x", "permission": ""}]),
            "permission_malformed",
        ),
        (json!({}), "body_malformed"),
        (json!({"token": null}), "body_malformed"),
        (
            json!({"token": case.token.secret, "scope": "repo:read"}),
            "body_malformed",
        ),
        (json!([[]]), "body_malformed"),
        (json!(case.token.secret), "body_malformed"),
        (
            json!({"token": 7, case.token.secret.as_str(): 1}),
            "body_malformed",
        ),
    ] {
        let answer = case.verifier.post(VERIFY, &body).await;
        answer.refused(400, code);
        assert!(
            !answer.text().contains(&case.token.secret),
            "{}",
            answer.text()
        );
    }
    case.verifier
        .send("POST", VERIFY, Some("text/plain"), "{}")
        .await
        .refused(415, "unsupported_media_type");
}

#[tokio::test]
async fn an_unknown_permission_is_held_by_nobody() {
    let case = Case::new().await;
    assert_eq!(
        case.server
            .verdict(&case.verifier, &case.token.secret, Some("moon:land"))
            .await,
        "permission_missing"
    );
    let ada = case.server.ada.token(wish("all")).await;
    assert_eq!(
        case.server
            .verdict(&case.verifier, &ada.secret, Some("moon:land"))
            .await,
        "permission_missing"
    );
    assert_eq!(
        case.server
            .verdict(&case.verifier, &ada.secret, Some("hallpass:own-tokens"))
            .await,
        "permission_missing"
    );
}

#[tokio::test]
async fn a_node_that_may_not_answer_says_so_and_never_yes() {
    let case = Case::new().await;
    case.server.services.engine.set_answering(false);
    let refused = case
        .verifier
        .post(VERIFY, &json!({"token": case.token.secret}))
        .await;
    refused.refused(503, "not_answering");
    assert_eq!(refused.header("retry-after"), "1");
    case.server
        .bearer(&case.token.secret)
        .get("/v1/caller")
        .await
        .refused(503, "not_answering");
    let door = case
        .server
        .gateway()
        .bearing(&case.token.secret)
        .get("/auth")
        .await;
    assert_eq!(
        (door.status, door.header("x-hallpass-error")),
        (503, "not_answering")
    );
    case.server.services.engine.set_answering(true);
    case.says("allow").await;
}

#[tokio::test]
async fn the_last_use_is_shown_to_the_owner() {
    let case = Case::new().await;
    let bob = case.server.session_of(case.bob.user).await;
    case.server.later(90);
    let question = json!({"token": case.token.secret, "method": "PUT", "path": "/repos/octo?access=secret#top", "address": "2001:db8::17", "userAgent": "curl/8.9"});
    case.verifier.post(VERIFY, &question).await.is(200);
    case.server.flush_uses().await;
    let shown = bob.get(&case.token.path).await.is(200);
    let uses = [
        "lastUsed",
        "lastUsedMethod",
        "lastUsedPath",
        "lastUsedAddress",
        "lastUsedAgent",
    ]
    .map(|field| shown[field].as_str().unwrap().to_owned());
    assert_eq!(
        uses,
        [
            "2026-11-22T12:01:30Z",
            "PUT",
            "/repos/octo",
            "2001:db8::17",
            "curl/8.9"
        ]
    );
    // A refusal is counted, and is no use.
    case.server.later(10);
    let refused = json!({"token": case.token.secret, "permission": "deploy:run", "path": "/other"});
    case.verifier.post(VERIFY, &refused).await.is(200);
    case.server.flush_uses().await;
    assert_eq!(bob.get(&case.token.path).await.is(200), shown);
}

#[tokio::test]
async fn the_last_use_through_a_gateway_is_that_of_the_request_behind_it() {
    let case = Case::new().await;
    let bob = case.server.session_of(case.bob.user).await;
    for (headers, path, expected) in [
        (
            vec![
                ("x-original-method", "POST"),
                ("x-original-uri", "/repos/octo?page=2"),
            ],
            "/auth",
            [Some("POST"), Some("/repos/octo")],
        ),
        (
            vec![
                ("x-forwarded-method", "DELETE"),
                ("x-forwarded-uri", "/repos/gone"),
            ],
            "/auth",
            [Some("DELETE"), Some("/repos/gone")],
        ),
        (
            vec![],
            "/auth/below/it?x=1",
            [Some("GET"), Some("/below/it")],
        ),
        (vec![], "/auth", [Some("GET"), None]),
    ] {
        case.server.later(1);
        let headers = [
            vec![
                ("x-forwarded-for", "10.9.9.9, 203.0.113.9"),
                ("user-agent", "git/2.51\tx"),
            ],
            headers,
        ]
        .concat();
        let actor = headers.into_iter().fold(
            case.server.gateway().bearing(&case.token.secret),
            |actor, (name, value)| actor.with(name, value),
        );
        assert_eq!(actor.get(path).await.status, 204);
        case.server.flush_uses().await;
        let shown = bob.get(&case.token.path).await.is(200);
        assert_eq!(
            [
                shown["lastUsedMethod"].as_str(),
                shown["lastUsedPath"].as_str()
            ],
            expected
        );
        assert_eq!(
            (
                shown["lastUsedAddress"].as_str(),
                shown["lastUsedAgent"].as_str()
            ),
            (Some("203.0.113.9"), Some("git/2.51 x"))
        );
    }
}
