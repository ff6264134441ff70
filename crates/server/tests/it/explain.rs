//! "What can this token do right now, and why": the same verdict as every door's, in sentences.

use crate::{
    both_engines,
    kit::{Actor, NEXT_MONTH, Server, Token, wish},
};
use hallpass_domain::{
    member::Membership,
    network::{Network, NetworkSet},
    organization::Standing,
    policy::Policy,
    role::BuiltInRole,
};
use serde_json::{Value, json};

const EXPLAIN: &str = "/v1/explain";

/// Bob's tokens, and whoever asks about them at either door.
struct Both {
    server: Server,
    verifier: Actor,
    ada: Actor,
    bob: Membership,
    tokens: Vec<Token>,
}

impl Both {
    async fn new() -> Self {
        Self::on(Server::sqlite().await).await
    }

    async fn on(server: Server) -> Self {
        let (actor, bob) = server.member("Bob").await;
        let mut tokens = vec![actor.token(wish("all")).await];
        for (name, scope) in [
            ("narrow", json!(["repo:read"])),
            ("tool", json!(["repo:*", "hallpass:own-tokens"])),
        ] {
            let wish = json!({"name": name, "expirationDate": NEXT_MONTH, "scope": scope});
            tokens.push(actor.token(wish).await);
        }
        tokens.push(server.key_of("key", BuiltInRole::Viewer).await);
        let ended = actor.token(wish("revoked")).await;
        actor.delete(&ended.path).await.is(204);
        tokens.push(ended);
        let bob = server.membership(bob);
        Self {
            verifier: server.verifier().await,
            ada: server.ada_again().await,
            server,
            bob,
            tokens,
        }
    }

    /// Asks about every token for every permission from everywhere, and finds both doors of one mind.
    async fn agree(&self, what: &str) -> Vec<String> {
        let mut said = Vec::new();
        for token in &self.tokens {
            for permission in [
                Value::Null,
                json!("repo:read"),
                json!("repo:write"),
                json!("deploy:run"),
                json!("hallpass:own-tokens"),
                json!("hallpass:deployment"),
                json!("repo:*"),
            ] {
                for address in [Value::Null, json!("192.0.2.7"), json!("198.51.100.7")] {
                    let verified = self.verify(token, &permission, &address).await;
                    let explained = self.explain(&token.id, &permission, &address).await;
                    assert_eq!(
                        explained["verdict"], verified,
                        "{what}: {} {permission} {address}: {explained}",
                        token.prefix
                    );
                    said.push(verified);
                }
            }
        }
        said
    }

    async fn verify(&self, token: &Token, permission: &Value, address: &Value) -> String {
        let question = json!({"token": token.secret, "permission": permission, "address": address});
        let answer = self.verifier.post("/v1/verify", &question).await.is(200);
        let reason = answer["reason"].as_str().unwrap_or("allow");
        assert_eq!(answer["active"], reason == "allow");
        reason.to_owned()
    }

    async fn explain(&self, token: &str, permission: &Value, address: &Value) -> Value {
        let question = json!({"token": token, "permission": permission, "address": address});
        self.ada.post(EXPLAIN, &question).await.is(200)
    }

    /// The sentence of the check that decided about Bob's first token, or of the one named.
    async fn sentence(&self, token: usize, permission: Value, check: &str) -> String {
        let explained = self
            .explain(&self.tokens[token].id, &permission, &Value::Null)
            .await;
        let steps = explained["steps"].as_array().unwrap();
        let step = steps.iter().find(|step| step["check"] == check).unwrap();
        step["sentence"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn its_verdict_is_that_of_every_door() {
    let both = Both::new().await;
    let (server, bob) = (&both.server, both.bob.user);
    let mut seen = both.agree("as made").await;
    server
        .suspend(&both.tokens[0], Some(server.services.clock.now()))
        .await;
    seen.extend(both.agree("one is suspended").await);
    assert_eq!(
        both.sentence(0, Value::Null, "not_suspended").await,
        "It was suspended by an administrator at 2026-11-22T12:00:00Z: test"
    );
    server.suspend(&both.tokens[0], None).await;
    let with = |change: fn(&mut Membership)| {
        let mut membership = both.bob.clone();
        change(&mut membership);
        membership
    };
    for (what, membership) in [
        (
            "downgraded",
            with(|bob| bob.role = BuiltInRole::Viewer.id()),
        ),
        (
            "upgraded",
            with(|bob| bob.role = BuiltInRole::Superuser.id()),
        ),
        (
            "the gate is closed",
            with(|bob| bob.may_have_tokens = false),
        ),
        (
            "the membership rests",
            with(|bob| bob.standing = Standing::Suspended),
        ),
        ("as before", with(|_| ())),
    ] {
        server.put(membership).await;
        seen.extend(both.agree(what).await);
    }
    for standing in [Standing::Suspended, Standing::Active] {
        server
            .change(async |tx| vec![tx.set_user_standing(bob, standing).await.unwrap()])
            .await;
        seen.extend(both.agree("the user").await);
    }
    server.forbid("repo:write").await;
    seen.extend(both.agree("forbidden").await);
    assert_eq!(
        both.sentence(0, json!("repo:write"), "permission_not_forbidden_by_policy")
            .await,
        "The policy of Acme Rockets forbids personal access tokens to carry repo:write."
    );
    server
        .enforce(&Policy {
            networks: ["192.0.2.0/24", "198.51.0.0/16"]
                .into_iter()
                .map(|text| Network::parse(text).unwrap())
                .collect::<NetworkSet>(),
            ..Policy::default()
        })
        .await;
    // The asking credentials come from 198.51.100.7.
    seen.extend(both.agree("networks").await);
    assert_eq!(
        both.sentence(0, Value::Null, "address_allowed").await,
        "An unknown address is not admitted: Acme Rockets admits 192.0.2.0/24, 198.51.0.0/16."
    );
    server.enforce(&Policy::default()).await;
    let organization = server.organization;
    server
        .change(async |tx| vec![tx.delete_membership(organization, bob).await.unwrap()])
        .await;
    seen.extend(both.agree("gone").await);
    assert_eq!(
        both.sentence(0, Value::Null, "member").await,
        "Bob is not a member of Acme Rockets."
    );
    for reason in [
        "allow",
        "revoked",
        "suspended",
        "user_suspended",
        "not_a_member",
        "membership_suspended",
        "tokens_not_allowed",
        "address_not_allowed",
        "permission_missing",
    ] {
        assert!(seen.iter().any(|said| said == reason), "{reason}");
    }
}

#[tokio::test]
async fn what_has_expired_is_told_so() {
    let both = Both::new().await;
    both.server.later(40 * 24 * 3_600);
    let both = Both {
        ada: both.server.ada_again().await,
        ..both
    };
    let said = both.agree("later").await;
    assert!(said.iter().any(|said| said == "expired"));
    assert_eq!(
        both.sentence(0, Value::Null, "not_expired").await,
        format!("It expired at {NEXT_MONTH}.")
    );
}

both_engines!(each_step_says_its_facts, a_key_is_explained_by_each_secret);

async fn each_step_says_its_facts(server: Server) {
    let both = Both::on(server).await;
    let explained = both
        .explain(&both.tokens[1].prefix, &json!("repo:write"), &Value::Null)
        .await;
    let token = &both.tokens[1];
    assert_eq!(
        explained["token"],
        json!({"id": token.id, "prefix": token.prefix, "name": "narrow", "kind": "personal_access_token"})
    );
    assert_eq!(
        explained["owner"],
        json!({"type": "user", "id": both.bob.user.to_string(), "name": "Bob"})
    );
    assert_eq!(
        (
            &explained["verdict"],
            &explained["role"],
            &explained["permissions"]
        ),
        (
            &json!("permission_missing"),
            &json!("Member"),
            &json!(["repo:read"])
        )
    );
    let steps: Vec<_> = explained["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| {
            let text = |name: &str| step[name].as_str().unwrap().to_owned();
            (text("check"), text("outcome"), text("sentence"))
        })
        .collect();
    let known = format!(
        "{}… is the personal access token “narrow” of Bob.",
        token.prefix
    );
    let expected = [
        ("known", "holds", known.as_str()),
        ("not_revoked", "holds", "It was not revoked."),
        (
            "not_expired",
            "holds",
            "It expires at 2026-12-22T12:00:00Z.",
        ),
        ("already_valid", "holds", "It works from when it was made."),
        ("not_suspended", "holds", "It is not suspended."),
        ("organization_active", "holds", "Acme Rockets is active."),
        ("user_active", "holds", "Bob's account is active."),
        ("member", "holds", "Bob is a member of Acme Rockets."),
        (
            "membership_active",
            "holds",
            "Bob's membership of Acme Rockets is active.",
        ),
        (
            "may_have_tokens",
            "holds",
            "The gate is open for Bob: they may have personal access tokens.",
        ),
        (
            "address_allowed",
            "holds",
            "Nothing limits from where it may be used.",
        ),
        (
            "permission_held_by_role",
            "holds",
            "Bob's role Member holds repo:write.",
        ),
        (
            "permission_not_forbidden_by_policy",
            "holds",
            "The policy of Acme Rockets lets personal access tokens carry repo:write.",
        ),
        (
            "permission_in_scope",
            "fails",
            "It is narrowed to repo:read, which does not include repo:write.",
        ),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(check, outcome, sentence)| {
            (check.to_owned(), outcome.to_owned(), sentence.to_owned())
        })
        .collect();
    assert_eq!(steps, expected);
    let key = both
        .explain(&both.tokens[3].id, &json!("repo:write"), &Value::Null)
        .await;
    assert_eq!(key["owner"]["type"], "organization");
    let last = key["steps"].as_array().unwrap().iter();
    let sentences: Vec<&str> = last
        .map(|step| step["sentence"].as_str().unwrap())
        .collect();
    assert!(sentences.contains(&"The key's role Viewer does not hold repo:write."));
    assert!(sentences.contains(&"It never expires."));
    assert_eq!(
        sentences.last(),
        Some(
            &"Not looked at, since a check before it failed: whether it is narrowed to the permission."
        )
    );
    let unlisted = both
        .explain(&both.tokens[3].id, &json!("no:such"), &Value::Null)
        .await;
    let mut steps = unlisted["steps"].as_array().unwrap().iter();
    let failed = steps.find(|step| step["outcome"] == "fails").unwrap();
    assert_eq!(
        failed["sentence"],
        "Nobody holds no:such: there is no such permission."
    );
    // Nothing works while the gate is closed.
    let mut closed = both.bob.clone();
    closed.may_have_tokens = false;
    both.server.put(closed).await;
    assert_eq!(
        both.sentence(0, Value::Null, "may_have_tokens").await,
        "The gate is closed for Bob: they may not have personal access tokens."
    );
    let explained = both
        .explain(&both.tokens[0].id, &Value::Null, &Value::Null)
        .await;
    assert_eq!(explained["permissions"], json!([]));
}

async fn a_key_is_explained_by_each_secret(server: Server) {
    let both = Both::on(server).await;
    let old = &both.tokens[3];
    let new = both.server.rotate(old).await;
    let end = |explained: &Value| {
        let mut steps = explained["steps"].as_array().unwrap().iter();
        let step = steps.find(|step| step["check"] == "not_expired");
        step.unwrap()["sentence"].as_str().unwrap().to_owned()
    };
    let by = async |named: &str| both.explain(named, &Value::Null, &Value::Null).await;
    // By the key's id, the current secret is meant.
    let older = format!(
        "It is an older secret of a key that was rotated, and works until 2026-11-22T13:00:00Z; the newest is {}….",
        new.prefix
    );
    for (named, prefix, says) in [
        (&old.id, &new.prefix, "It never expires."),
        (&new.prefix, &new.prefix, "It never expires."),
        (&old.prefix, &old.prefix, older.as_str()),
    ] {
        let explained = by(named).await;
        assert_eq!(explained["token"]["id"], old.id);
        assert_eq!(explained["token"]["prefix"], *prefix);
        assert_eq!(
            (end(&explained), &explained["verdict"]),
            (says.to_owned(), &json!("allow"))
        );
    }
    both.server.later(3_600);
    let both = Both {
        ada: both.server.ada_again().await,
        ..both
    };
    let old = &both.tokens[3];
    for (token, verdict) in [(old, "expired"), (&new, "allow")] {
        let explained = both
            .explain(&token.prefix, &Value::Null, &Value::Null)
            .await;
        assert_eq!(explained["verdict"], verdict);
        assert_eq!(
            both.verify(token, &Value::Null, &Value::Null).await,
            verdict
        );
    }
}

#[tokio::test]
async fn it_is_for_the_owner_and_for_those_who_answer_for_tokens() {
    let both = Both::new().await;
    let server = &both.server;
    let bob = server.session_of(both.bob.user).await;
    let (carol, _) = server.member("Carol").await;
    let other = server.other().await;
    let about = |token: &str| json!({"token": token});
    let [all, _, tool, key, _] = &both.tokens[..] else {
        panic!("five")
    };
    let by_token = server.bearer(&all.secret);
    let by_tool = server.bearer(&tool.secret);
    bob.post(EXPLAIN, &about(&all.id)).await.is(200);
    by_token.post(EXPLAIN, &about(&all.id)).await.is(200);
    by_tool.post(EXPLAIN, &about(&all.prefix)).await.is(200);
    by_token
        .post(EXPLAIN, &about(&tool.id))
        .await
        .refused(403, "permission_missing");
    // Whether there is such a token is told to nobody who may not know.
    for token in [&key.id, &other.token.id, &"hpp_nobody".to_owned()] {
        bob.post(EXPLAIN, &about(token))
            .await
            .refused(403, "permission_missing");
    }
    carol
        .post(EXPLAIN, &about(&all.id))
        .await
        .refused(403, "permission_missing");
    for token in [&other.token.id, &other.token.prefix] {
        both.ada
            .post(EXPLAIN, &about(token))
            .await
            .refused(404, "not_found");
    }
    other
        .eve
        .post(EXPLAIN, &about(&all.id))
        .await
        .refused(404, "not_found");
    other
        .eve
        .post(EXPLAIN, &about(&other.token.prefix))
        .await
        .is(200);
    server
        .anon()
        .post(EXPLAIN, &about(&all.id))
        .await
        .refused(401, "sign_in_required");
    bob.without("x-hallpass-csrf")
        .post(EXPLAIN, &about(&all.id))
        .await
        .refused(403, "csrf_required");
    server.services.engine.set_answering(false);
    bob.post(EXPLAIN, &about(&all.id))
        .await
        .refused(503, "not_answering");
}

#[tokio::test]
async fn a_question_fits_or_is_refused() {
    let both = Both::new().await;
    let token = &both.tokens[0];
    let refused = both
        .ada
        .post(EXPLAIN, &json!({"token": token.secret}))
        .await;
    refused.refused(400, "token_malformed");
    assert!(!refused.text().contains(&token.secret[10..]));
    for (body, code) in [
        (
            json!({"token": token.id, "permission": "repo"}),
            "permission_malformed",
        ),
        (
            json!({"token": token.id, "address": "here"}),
            "address_malformed",
        ),
        (json!({"token": token.id, "user": "x"}), "body_malformed"),
        (json!({}), "body_malformed"),
    ] {
        both.ada.post(EXPLAIN, &body).await.refused(400, code);
    }
}

#[tokio::test]
async fn asking_notes_no_use() {
    let both = Both::new().await;
    both.explain(&both.tokens[0].id, &json!("repo:read"), &Value::Null)
        .await;
    both.server.flush_uses().await;
    let path = both
        .server
        .path(&format!("tokens?search={}", both.tokens[0].prefix));
    let item = &both.ada.get(&path).await.is(200)["items"][0];
    assert_eq!(item["lastUsed"], Value::Null);
}
