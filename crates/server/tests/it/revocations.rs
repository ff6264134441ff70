//! Many tokens revoked at once: when the call returns they are refused, and no others are.

use crate::{
    both_engines,
    kit::{Actor, NEXT_MONTH, Server, TOKENS, Token, rows, wish},
};
use hallpass_domain::role::BuiltInRole;
use serde_json::{Value, json};

struct World {
    server: Server,
    ada: Actor,
    bob: Actor,
    bob_id: String,
    bobs: Vec<Token>,
    carols: Token,
    key: Token,
    eves: Token,
}

impl World {
    /// Bob has two tokens, Carol one, Acme a key, and Eve a token elsewhere.
    async fn new(server: Server) -> Self {
        let other = server.other().await;
        let (bob, bob_id) = server.member("Bob").await;
        let (carol, _) = server.member("Carol").await;
        let bobs = vec![bob.token(wish("one")).await, bob.token(wish("two")).await];
        let carols = carol.token(wish("carols")).await;
        let key = server.key_of("key", BuiltInRole::Member).await;
        server.later(1);
        let ada = server.ada_again().await;
        Self {
            ada,
            bob,
            bob_id: bob_id.to_string(),
            bobs,
            carols,
            key,
            eves: other.token,
            server,
        }
    }

    /// What is said of Bob's two, Carol's, the key and Eve's.
    #[track_caller]
    fn says<'a>(&'a self, verdicts: [&'a str; 5]) -> impl Future<Output = ()> + 'a {
        let at = std::panic::Location::caller();
        async move {
            let [one, two] = &self.bobs[..] else {
                panic!("two")
            };
            let tokens = [one, two, &self.carols, &self.key, &self.eves];
            for (token, verdict) in tokens.into_iter().zip(verdicts) {
                let said = self.server.said_at_the_gateway(&token.secret, None);
                assert_eq!(said.await, verdict, "{} {at}", token.prefix);
            }
        }
    }

    async fn revoke(&self, body: Value) -> Value {
        let path = self.server.path("revocations");
        self.ada.post(&path, &body).await.is(200)
    }

    /// A token that is made afterwards works at once.
    async fn new_ones_work(&self) {
        self.server.later(1);
        let bob = self
            .server
            .session_of(hallpass_domain::id::UserId::parse(&self.bob_id).unwrap())
            .await;
        let token = bob.token(wish("after")).await;
        let said = self
            .server
            .said_at_the_gateway(&token.secret, Some("repo:read"));
        assert_eq!(said.await, "allow");
    }
}

const ALL: [&str; 5] = ["allow"; 5];

both_engines!(
    by_filter,
    of_a_user,
    made_before,
    everything,
    a_preview_says_what_would_go_and_holds_against_it,
    ones_own,
);

async fn by_filter(server: Server) {
    let world = World::new(server).await;
    world.says(ALL).await;
    let seq = world.server.services.store.head().await.unwrap();
    let done = world
        .revoke(json!({"filter": {"owner": world.bob_id, "search": "two"}}))
        .await;
    assert_eq!(done, json!({"preview": false, "count": 1, "items": []}));
    world
        .says(["allow", "revoked", "allow", "allow", "allow"])
        .await;
    // In one transaction: the next number of the feed names all. At the same moment, under a mark of its own.
    let done = world
        .revoke(json!({"filter": {"permission": "repo:write"}}))
        .await;
    assert_eq!(done["count"], 3, "what is revoked already is not counted");
    world
        .says(["revoked", "revoked", "revoked", "revoked", "allow"])
        .await;
    assert_eq!(world.server.services.store.head().await.unwrap(), seq + 2);
    let done = world
        .revoke(json!({"filter": {"permission": "repo:write"}}))
        .await;
    assert_eq!(done["count"], 0);
    world.new_ones_work().await;
}

async fn of_a_user(server: Server) {
    let world = World::new(server).await;
    let seq = world.server.services.store.head().await.unwrap();
    let done = world.revoke(json!({"user": world.bob_id})).await;
    assert_eq!(
        (&done["preview"], &done["count"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(world.server.services.store.head().await.unwrap(), seq + 1);
    world
        .says(["revoked", "revoked", "allow", "allow", "allow"])
        .await;
    world.new_ones_work().await;
    for user in ["019393a0-7e5c-7c31-9d0c-1f2e3d4c5b6a", "bob"] {
        world
            .ada
            .post(&world.server.path("revocations"), &json!({"user": user}))
            .await
            .refused(404, "not_found");
    }
}

async fn made_before(server: Server) {
    let world = World::new(server).await;
    let between = world.server.services.clock.now().to_string();
    world.server.later(1);
    let late = world.bob.token(wish("late")).await;
    let seq = world.server.services.store.head().await.unwrap();
    world.revoke(json!({"madeBefore": between})).await;
    assert_eq!(world.server.services.store.head().await.unwrap(), seq + 1);
    world
        .says(["revoked", "revoked", "revoked", "revoked", "allow"])
        .await;
    let said = world.server.said_at_the_gateway(&late.secret, None);
    assert_eq!(said.await, "allow");
    world.new_ones_work().await;
}

async fn everything(server: Server) {
    let world = World::new(server).await;
    let seq = world.server.services.store.head().await.unwrap();
    world.revoke(json!({"everything": true})).await;
    assert_eq!(world.server.services.store.head().await.unwrap(), seq + 1);
    world
        .says(["revoked", "revoked", "revoked", "revoked", "allow"])
        .await;
    let preview = world
        .revoke(json!({"everything": true, "preview": true}))
        .await;
    assert_eq!(preview["count"], 0);
    world.new_ones_work().await;
}

async fn a_preview_says_what_would_go_and_holds_against_it(server: Server) {
    let world = World::new(server).await;
    let path = world.server.path("revocations");
    let now = world.server.services.clock.now().to_string();
    for (wish, count) in [
        (json!({"filter": {"kind": "api_key"}}), 1),
        (json!({"user": world.bob_id}), 2),
        (json!({"madeBefore": now}), 4),
        (json!({"everything": true}), 4),
    ] {
        let with = |name: &str, value: Value| {
            let mut body = wish.clone();
            body[name] = value;
            body
        };
        let preview = world.revoke(with("preview", json!(true))).await;
        assert_eq!(preview["count"], count, "{wish}");
        assert_eq!(preview["preview"], true);
        assert_eq!(preview["items"].as_array().unwrap().len(), count);
        world
            .ada
            .post(&path, &with("expected", json!(count + 1)))
            .await
            .refused(409, "preview_outdated");
    }
    world.says(ALL).await;
    let done = world
        .revoke(json!({"user": world.bob_id, "expected": 2}))
        .await;
    assert_eq!(done["count"], 2);
    let done = world
        .revoke(json!({"filter": {"kind": "api_key"}, "expected": 1}))
        .await;
    assert_eq!(done["count"], 1);
    world
        .says(["revoked", "revoked", "allow", "revoked", "allow"])
        .await;
}

async fn ones_own(server: Server) {
    let world = World::new(server).await;
    let path = format!("{TOKENS}/revoke-all");
    let bearer = world.server.bearer(&world.bobs[0].secret);
    bearer
        .post(&path, &json!({}))
        .await
        .refused(403, "permission_missing");
    world
        .bob
        .without("x-hallpass-csrf")
        .post(&path, &json!({}))
        .await
        .refused(403, "csrf_required");
    world.says(ALL).await;
    let tool =
        json!({"name": "tool", "expirationDate": NEXT_MONTH, "scope": ["hallpass:own-tokens"]});
    let tool = world.bob.token(tool).await;
    let asker = world.server.bearer(&tool.secret);
    asker.send("POST", &path, None, "").await.is(204);
    asker.get(TOKENS).await.refused(401, "invalid_token");
    world
        .says(["revoked", "revoked", "allow", "allow", "allow"])
        .await;
    world.server.later(1);
    let again = world.bob.token(wish("again")).await;
    world.bob.send("POST", &path, None, "").await.is(204);
    let said = world.server.said_at_the_gateway(&again.secret, None);
    assert_eq!(said.await, "revoked");
    world.new_ones_work().await;
}

#[tokio::test]
async fn the_asking_key_is_answered_though_it_goes_too() {
    let server = Server::sqlite().await;
    let path = server.path("revocations");
    for body in [
        json!({"everything": true}),
        json!({"filter": {"kind": "api_key"}}),
        json!({"madeBefore": "2026-11-22T12:00:16Z"}),
    ] {
        server.later(3);
        let key = server.key_of("k", BuiltInRole::Superuser).await;
        server.later(3);
        let asker = server.bearer(&key.secret);
        asker.post(&path, &body).await.is(200);
        asker.post(&path, &body).await.refused(401, "invalid_token");
    }
}

#[tokio::test]
async fn who_may_revoke_what() {
    let world = World::new(Server::sqlite().await).await;
    let path = world.server.path("revocations");
    let (admin, admin_id) = world.server.member("Dan").await;
    let mut membership = world.server.membership(admin_id);
    membership.role = BuiltInRole::Admin.id();
    world.server.put(membership).await;
    let now = world.server.services.clock.now().to_string();
    for (body, admin_may) in [
        (json!({"everything": true}), false),
        (json!({"filter": {"search": "nothing"}}), true),
        (json!({"user": world.bob_id}), true),
        (json!({"madeBefore": now}), false),
    ] {
        for preview in [true, false] {
            let mut body = body.clone();
            body["preview"] = json!(preview);
            world
                .bob
                .post(&path, &body)
                .await
                .refused(403, "permission_missing");
            world
                .server
                .anon()
                .post(&path, &body)
                .await
                .refused(401, "sign_in_required");
            if admin_may {
                let mut preview = body.clone();
                preview["preview"] = json!(true);
                admin.post(&path, &preview).await.is(200);
            } else {
                admin
                    .post(&path, &body)
                    .await
                    .refused(403, "permission_missing");
            }
        }
    }
    admin
        .without("x-hallpass-csrf")
        .post(&path, &json!({"user": world.bob_id}))
        .await
        .refused(403, "csrf_required");
    let elsewhere = "/v1/organizations/019393a0-7e5c-7c31-9d0c-1f2e3d4c5b6a/revocations";
    admin
        .post(elsewhere, &json!({"everything": true}))
        .await
        .refused(404, "not_found");
    world.says(ALL).await;
}

#[tokio::test]
async fn a_wish_is_clear_or_refused() {
    let server = Server::sqlite().await;
    let path = server.path("revocations");
    for (body, code) in [
        (json!({}), "revocation_unclear"),
        (json!({"everything": false}), "revocation_unclear"),
        (json!({"preview": true}), "revocation_unclear"),
        (
            json!({"everything": true, "user": "x"}),
            "revocation_unclear",
        ),
        (
            json!({"filter": {"kind": "api_key"}, "madeBefore": "2026-01-01T00:00:00Z"}),
            "revocation_unclear",
        ),
        (json!({"filter": {}}), "filter_empty"),
        (
            json!({"filter": {"neverExpires": false, "search": " "}}),
            "filter_empty",
        ),
        (json!({"filter": {"kind": "x"}}), "kind_unknown"),
        (json!({"filter": {"owner": "x"}}), "id_malformed"),
        (json!({"filter": {"everything": true}}), "body_malformed"),
        (
            json!({"madeBefore": "2026-11-22T12:00:00.000001Z"}),
            "date_in_future",
        ),
        (json!({"madeBefore": "soon"}), "date_malformed"),
        (json!({"everything": "yes"}), "body_malformed"),
        (
            json!({"everything": true, "expected": -1}),
            "body_malformed",
        ),
    ] {
        let refused = server.ada.post(&path, &body).await;
        assert_eq!(refused.problem()["code"], code, "{body}");
        assert_eq!(refused.status, 400);
    }
}

#[tokio::test]
async fn each_leaves_one_line_that_says_what_and_how_many() {
    let world = World::new(Server::sqlite().await).await;
    world.revoke(json!({"filter": {"kind": "api_key"}})).await;
    world
        .revoke(json!({"user": world.bob_id, "expected": 2}))
        .await;
    world.revoke(json!({"everything": true})).await;
    world
        .revoke(json!({"everything": true, "preview": true}))
        .await;
    world
        .bob
        .post(
            &world.server.path("revocations"),
            &json!({"everything": true}),
        )
        .await
        .refused(403, "permission_missing");
    let lines = rows(
        &world.server,
        "select detail from audit where action = 'tokens.revoked' order by seq",
    )
    .await;
    let lines: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        lines,
        [
            json!({"filter": {"kind": "api_key"}, "count": 1}),
            json!({"user": world.bob_id, "count": 2}),
            json!({"everything": true, "count": null}),
        ]
    );
    let refused = rows(
        &world.server,
        "select detail from audit where action = 'refused'",
    )
    .await;
    assert_eq!(
        refused,
        [r#"{"attempted":"tokens.revoked","code":"permission_missing"}"#]
    );
}

/// The feed names a revocation by its moment, so two at the same one must not have the same.
#[tokio::test]
async fn two_at_one_moment_are_told_apart() {
    let world = World::new(Server::sqlite().await).await;
    for search in ["one", "two", "carols"] {
        let done = world.revoke(json!({"filter": {"search": search}})).await;
        assert_eq!(done["count"], 1);
    }
    let marks = "select cast(count(distinct bulk_at) as text) from token where bulk_at is not null";
    assert_eq!(rows(&world.server, marks).await, ["3"]);
}
