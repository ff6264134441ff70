//! API keys: who makes them, what they may do, what they survive.

use crate::{
    both_engines,
    kit::{Actor, NEXT_MONTH, Server, Token, audit_actions, beside, wish},
};
use hallpass_domain::{
    member::Membership, organization::Standing, role::BuiltInRole, time::Timestamp,
};
use hallpass_server::service::{RequestContext, acting};
use serde_json::{Value, json};

both_engines!(
    a_token_and_a_key_differ_line_by_line,
    a_key_is_made_shown_listed_and_revoked,
    names_are_unique_among_the_living,
    a_key_made_in_the_millisecond_of_a_revocation_works,
);

pub(crate) fn role(built_in: BuiltInRole) -> String {
    built_in.id().to_string()
}

pub(crate) fn key_wish(name: &str, built_in: BuiltInRole) -> Value {
    json!({"name": name, "role": role(built_in), "expirationDate": NEXT_MONTH})
}

/// Makes a key in Acme, or fails the test.
pub(crate) async fn key(server: &Server, actor: &Actor, wish: &Value) -> Token {
    let keys = server.of_acme("api-keys");
    let made = actor.post(&keys, wish).await.is(201);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    Token {
        path: format!("{keys}/{}", text("id")),
        id: text("id"),
        secret: text("secret"),
        prefix: text("prefix"),
    }
}

/// A member with this role, and who they are.
pub(crate) async fn with_role(
    server: &Server,
    name: &str,
    built_in: BuiltInRole,
) -> (Actor, Membership) {
    let (actor, id) = server.member(name).await;
    let membership = Membership {
        role: built_in.id(),
        ..server.membership(id)
    };
    server.put(membership.clone()).await;
    (actor, membership)
}

/// The table of what a personal access token is and what an API key is.
async fn a_token_and_a_key_differ_line_by_line(server: Server) {
    let verifier = server.verifier().await;
    let (bob, member) = with_role(&server, "Bob", BuiltInRole::Admin).await;
    let pat = bob.token(wish("mine")).await;
    let key = key(&server, &bob, &key_wish("ours", BuiltInRole::Member)).await;
    let says = async |pat_says: &str, key_says: &str, permission: &str, line: &str| {
        for (secret, expected) in [(&pat.secret, pat_says), (&key.secret, key_says)] {
            let told = server.verdict(&verifier, secret, Some(permission)).await;
            assert_eq!(told, expected, "{line}: {}", &secret[..4]);
            let door = server.gateway().bearing(secret);
            let door = door.with("x-hallpass-permission", permission);
            let door = door.get("/auth").await;
            let error = if expected == "allow" { "" } else { expected };
            assert_eq!(door.header("x-hallpass-error"), error, "{line}");
            let own = server
                .bearer(secret)
                .get("/v1/organizations/x/api-keys")
                .await;
            assert_eq!(
                own.status == 401,
                !["allow", "permission_missing"].contains(&expected)
            );
        }
    };

    // Owner: one specific user | the organization.
    let owner = async |secret: &str| {
        let asked = json!({"token": secret});
        verifier.post("/v1/verify", &asked).await.is(200)["owner"].clone()
    };
    assert_eq!(
        owner(&pat.secret).await,
        json!({"type": "user", "id": member.user.to_string(), "name": "Bob"})
    );
    assert_eq!(
        owner(&key.secret).await,
        json!({"type": "organization", "id": server.organization.to_string(), "name": "Acme Rockets"})
    );

    // Role: the user's current one on every request | fixed at creation, at most the creator's.
    says("allow", "allow", "repo:write", "before").await;
    says(
        "allow",
        "permission_missing",
        "deploy:run",
        "the key has its own role",
    )
    .await;
    let keys = server.of_acme("api-keys");
    let above = bob
        .post(&keys, &key_wish("above", BuiltInRole::Superuser))
        .await;
    above.refused(403, "above_your_role");
    let with = |role: BuiltInRole| Membership {
        role: role.id(),
        ..member.clone()
    };
    server.put(with(BuiltInRole::Viewer)).await;
    says("permission_missing", "allow", "repo:write", "downgraded").await;
    server.put(with(BuiltInRole::Superuser)).await;
    says("allow", "permission_missing", "report:read", "upgraded").await;

    // Created by: the user themselves | an admin.
    server.put(with(BuiltInRole::Member)).await;
    let refused = bob.post(&keys, &key_wish("no", BuiltInRole::Viewer)).await;
    refused.refused(403, "permission_missing");
    bob.token(wish("by themselves")).await;

    // Survives the user's removal: no, suspended and deleted with them | yes.
    server
        .put(Membership {
            standing: Standing::Suspended,
            ..member.clone()
        })
        .await;
    says("membership_suspended", "allow", "repo:read", "suspended").await;
    server.put(with(BuiltInRole::Member)).await;
    says("allow", "allow", "repo:read", "back").await;
    let ada = acting::Actor::of_session(&server.begin(server.ada_id).await.person);
    let context = RequestContext::default();
    let services = &server.services;
    services
        .remove_member(&ada, member.user, &context)
        .await
        .unwrap();
    says(
        "revoked",
        "allow",
        "repo:read",
        "removed from the organization",
    )
    .await;
    services
        .remove_user(&ada, member.user, &context)
        .await
        .unwrap();
    says(
        "revoked",
        "allow",
        "repo:read",
        "removed from the deployment",
    )
    .await;

    // Recommended for: people at a command line | programs. One sees which it is.
    assert!(pat.secret.starts_with("hpp_") && key.secret.starts_with("hpk_"));
}

async fn a_key_is_made_shown_listed_and_revoked(server: Server) {
    let verifier = server.verifier().await;
    let keys = server.of_acme("api-keys");
    let deploy = json!({"name": " Deploy ", "role": role(BuiltInRole::Member), "expirationDate": NEXT_MONTH, "scope": ["repo:read"]});
    let answer = server.ada.post(&keys, &deploy).await;
    let made = answer.is(201);
    let (id, secret) = (
        made["id"].as_str().unwrap(),
        made["secret"].as_str().unwrap(),
    );
    assert!(secret.len() == 48 && secret.starts_with(made["prefix"].as_str().unwrap()));
    let path = format!("{keys}/{id}");
    assert_eq!(answer.header("location"), path);
    let shown = server.ada.get(&path).await;
    assert!(!shown.text().contains(&secret[10..42]));
    let shown = shown.is(200);
    let mut bare = made.clone();
    bare.as_object_mut().unwrap().remove("secret");
    assert_eq!(shown, bare, "what is answered is what is read");
    assert_eq!(
        shown["createdBy"],
        json!({"user": server.ada_id.to_string(), "token": null})
    );
    assert_eq!(shown["role"]["name"], "Member");
    assert_eq!(
        (&shown["name"], &shown["scope"]),
        (&json!("Deploy"), &json!(["repo:read"]))
    );
    assert_eq!(
        server.verdict(&verifier, secret, Some("repo:read")).await,
        "allow"
    );
    assert_eq!(
        server.verdict(&verifier, secret, Some("repo:write")).await,
        "permission_missing"
    );

    key(
        &server,
        &server.ada,
        &key_wish("Backup", BuiltInRole::Viewer),
    )
    .await;
    let names = async |query: &str| {
        let page = server.ada.get(&format!("{keys}{query}")).await.is(200);
        let items = page["items"].as_array().unwrap().clone();
        let names: Vec<String> = items
            .iter()
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect();
        (names.join(" "), page["nextCursor"].clone())
    };
    assert_eq!(names("").await, ("Backup Deploy".to_owned(), Value::Null));
    let (first, cursor) = names("?limit=1").await;
    let rest = format!("?limit=1&cursor={}", cursor.as_str().unwrap());
    assert_eq!(
        (first.as_str(), names(&rest).await),
        ("Backup", ("Deploy".to_owned(), Value::Null))
    );
    assert_eq!(names("?search=depl").await.0, "Deploy");
    for (query, code) in [
        ("?state=on", "state_unknown"),
        ("?limit=0", "limit_malformed"),
        ("?cursor=x", "cursor_malformed"),
        ("?sort=name", "parameter_unknown"),
        ("?limit=1&limit=2", "parameter_doubled"),
        ("?search=%00", "search_malformed"),
    ] {
        server
            .ada
            .get(&format!("{keys}{query}"))
            .await
            .refused(400, code);
    }

    server.ada.delete(&path).await.is(204);
    assert_eq!(
        server.verdict(&verifier, secret, Some("repo:read")).await,
        "revoked"
    );
    server.ada.delete(&path).await.is(204);
    assert_eq!(names("?state=revoked").await.0, "Deploy");
    let (bob, _) = server.member("Bob").await;
    for answer in [
        bob.get(&keys).await,
        bob.get(&path).await,
        bob.delete(&path).await,
    ] {
        answer.refused(403, "permission_missing");
    }
    for nowhere in [format!("{keys}/x"), format!("{keys}/{}", server.ada_id)] {
        server.ada.get(&nowhere).await.refused(404, "not_found");
        server.ada.delete(&nowhere).await.refused(404, "not_found");
    }
    let pat = server
        .ada_again()
        .await
        .token(wish("a token is no key"))
        .await;
    server
        .ada
        .get(&format!("{keys}/{}", pat.id))
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn what_happens_to_a_key_is_written_down() {
    let server = Server::sqlite().await;
    let key = key(&server, &server.ada, &key_wish("ci", BuiltInRole::Viewer)).await;
    let rotate = format!("{}/rotate", key.path);
    server
        .ada
        .post(&rotate, &json!({"overlap": "none"}))
        .await
        .is(200);
    server.ada.delete(&key.path).await.is(204);
    let (bob, _) = server.member("Bob").await;
    bob.delete(&key.path)
        .await
        .refused(403, "permission_missing");
    let mut actions = audit_actions(&server).await;
    actions.retain(|action| !action.starts_with("session."));
    let last: Vec<&str> = actions
        .iter()
        .rev()
        .take(4)
        .rev()
        .map(String::as_str)
        .collect();
    assert_eq!(
        last,
        [
            "key.created",
            "key.secret_rotated",
            "key.revoked",
            "refused"
        ]
    );
}

async fn names_are_unique_among_the_living(server: Server) {
    let keys = server.of_acme("api-keys");
    let first = key(&server, &server.ada, &key_wish("CI", BuiltInRole::Viewer)).await;
    let taken = server
        .ada
        .post(&keys, &key_wish("ci", BuiltInRole::Member))
        .await;
    let taken = taken.refused(409, "name_taken");
    assert_eq!(
        (&taken["prefix"], &taken["errors"][0]["field"]),
        (&json!(first.prefix), &json!("name"))
    );
    server.ada.token(wish("ci")).await;
    server.ada.delete(&first.path).await.is(204);
    key(&server, &server.ada, &key_wish("ci", BuiltInRole::Viewer)).await;
}

#[tokio::test]
async fn an_organization_has_so_many_keys_and_no_more() {
    let server = Server::sqlite().await;
    key(
        &server,
        &server.ada,
        &key_wish("first", BuiltInRole::Viewer),
    )
    .await;
    let fill = "insert into token (id, kind, organization_id, role_id, name, name_key, prefix, digest, pepper_id, created_at, never_expires_acknowledged) \
        select randomblob(16), kind, organization_id, role_id, 'k' || value, 'k' || value, 'hpk_' || (100000 + value), randomblob(32), pepper_id, created_at, never_expires_acknowledged \
        from token, (with recursive n(value) as (select 1 union all select value + 1 from n where value < 998) select value from n) where kind = 'api_key'";
    sqlx::query(fill)
        .execute(&mut beside(&server).await)
        .await
        .unwrap();
    key(&server, &server.ada, &key_wish("last", BuiltInRole::Viewer)).await;
    let keys = server.of_acme("api-keys");
    let more = server
        .ada
        .post(&keys, &key_wish("more", BuiltInRole::Viewer))
        .await;
    more.refused(409, "too_many");
}

/// Everything made before a moment is revoked with one row; what is made right after it is not among that.
async fn a_key_made_in_the_millisecond_of_a_revocation_works(server: Server) {
    let old = key(&server, &server.ada, &key_wish("old", BuiltInRole::Viewer)).await;
    let old_pat = server.ada.token(wish("old")).await;
    let organization = server.organization;
    let next = Timestamp::from_micros((server.services.clock.now().millis() + 1) * 1_000);
    server
        .change(async |tx| {
            vec![
                tx.revoke_tokens_of_organization(organization, next)
                    .await
                    .unwrap(),
            ]
        })
        .await;
    let new = key(&server, &server.ada, &key_wish("old", BuiltInRole::Viewer)).await;
    let new_pat = server.ada.token(wish("old")).await;
    let verifier = server.verifier().await;
    for (token, says) in [
        (&old, "revoked"),
        (&old_pat, "revoked"),
        (&new, "allow"),
        (&new_pat, "allow"),
    ] {
        assert_eq!(
            server
                .verdict(&verifier, &token.secret, Some("repo:read"))
                .await,
            says
        );
    }
}
