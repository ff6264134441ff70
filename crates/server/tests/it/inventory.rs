//! Every token and key of an organization: who sees them, what the filters find, what an export looks like.

use crate::{
    both_engines,
    kit::{Actor, NEXT_MONTH, Server, Token, audit_actions, wish},
};
use hallpass_domain::role::BuiltInRole;
use serde_json::{Value, json};

/// The names in the inventory, in its order.
async fn names(server: &Server, actor: &Actor, query: &str) -> Vec<String> {
    let page = actor
        .get(&server.path(&format!("tokens{query}")))
        .await
        .is(200);
    let items = page["items"].as_array().unwrap();
    let name = |item: &Value| item["name"].as_str().unwrap().to_owned();
    items.iter().map(name).collect()
}

struct Acme {
    bob: Actor,
    bob_id: String,
    bobs: Token,
    key: Token,
}

/// A token of Ada's from yesterday, Bob's of today, a key of the role Viewer, and Eve's elsewhere.
async fn acme(server: &Server) -> Acme {
    server.ada.token(json!({"name": "adas", "userAwareTokenNeverExpires": true, "scope": ["repo:read", "hallpass:own-tokens"]})).await;
    server.later(24 * 3_600);
    let (bob, bob_id) = server.member("Bob").await;
    let bobs = bob.token(wish("bobs")).await;
    server.later(1);
    let key = server.key_of("deployer", BuiltInRole::Viewer).await;
    server.other().await;
    Acme {
        bob,
        bob_id: bob_id.to_string(),
        bobs,
        key,
    }
}

both_engines!(every_filter_finds_what_it_says, pages_follow_one_another);

async fn every_filter_finds_what_it_says(server: Server) {
    let acme = acme(&server).await;
    let ada = server.ada_again().await;
    for (query, found) in [
        (String::new(), &["deployer", "bobs", "adas"][..]),
        ("?kind=api_key".to_owned(), &["deployer"]),
        ("?kind=personal_access_token".to_owned(), &["bobs", "adas"]),
        (format!("?owner={}", acme.bob_id), &["bobs"]),
        (
            "?owner=019393a0-7e5c-7c31-9d0c-1f2e3d4c5b6a".to_owned(),
            &[],
        ),
        ("?state=active".to_owned(), &["deployer", "bobs", "adas"]),
        ("?state=revoked".to_owned(), &[]),
        (
            "?permission=repo:read".to_owned(),
            &["deployer", "bobs", "adas"],
        ),
        ("?permission=repo:write".to_owned(), &["bobs"]),
        ("?permission=deploy:run".to_owned(), &[]),
        ("?permission=hallpass:own-tokens".to_owned(), &["adas"]),
        ("?madeBefore=2026-11-23T00:00:00Z".to_owned(), &["adas"]),
        ("?unusedSince=2026-11-23T00:00:00Z".to_owned(), &["adas"]),
        ("?endsBefore=2027-01-01T00:00:00Z".to_owned(), &["bobs"]),
        ("?neverExpires=true".to_owned(), &["deployer", "adas"]),
        (
            "?neverExpires=false".to_owned(),
            &["deployer", "bobs", "adas"],
        ),
        ("?search=DEPLOY".to_owned(), &["deployer"]),
        ("?search=bob@acme".to_owned(), &["bobs"]),
        (
            "?kind=personal_access_token&neverExpires=true".to_owned(),
            &["adas"],
        ),
    ] {
        assert_eq!(names(&server, &ada, &query).await, found, "{query}");
    }
    // Which roles hold a permission, and what the policy forbids, is as it is now.
    server.forbid("repo:*").await;
    assert_eq!(
        names(&server, &ada, "?permission=repo:read").await,
        ["deployer"]
    );
    let none = names(
        &server,
        &ada,
        "?permission=repo:read&kind=personal_access_token",
    );
    assert!(none.await.is_empty());
}

async fn pages_follow_one_another(server: Server) {
    let ada = &server.ada;
    for n in 0..5 {
        // Some at the same moment.
        server.later(n % 2);
        ada.token(wish(&format!("t{n}"))).await;
    }
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = ada
            .get(&server.path(&format!("tokens?limit=2{cursor}")))
            .await
            .is(200);
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        found.extend(items.iter().map(|item| item["name"].clone()));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let all = names(&server, ada, "").await;
    assert_eq!(found, all);
    found.sort_by_key(Value::to_string);
    found.dedup();
    assert_eq!(found.len(), 5);
    assert_eq!(names(&server, ada, "?limit=5").await.len(), 5);
    let page = ada.get(&server.path("tokens?limit=5")).await.is(200);
    assert_eq!(page["nextCursor"], Value::Null);
}

#[tokio::test]
async fn each_token_is_shown_with_all_that_concerns_it() {
    let server = Server::sqlite().await;
    let acme = acme(&server).await;
    let verifier = server.verifier().await;
    verifier
        .post(
            "/v1/verify",
            &json!({"token": acme.bobs.secret, "method": "GET", "path": "/repos", "address": "192.0.2.9"}),
        )
        .await
        .is(200);
    server.flush_uses().await;
    server
        .suspend(&acme.bobs, Some(server.services.clock.now()))
        .await;
    let ada = server.ada_again().await;
    let page = ada
        .get(&server.path("tokens?state=suspended"))
        .await
        .is(200);
    let item = &page["items"][0];
    assert_eq!(
        item,
        &json!({
            "id": acme.bobs.id, "kind": "personal_access_token", "name": "bobs", "prefix": acme.bobs.prefix,
            "owner": {"type": "user", "id": acme.bob_id, "name": "Bob"}, "ownerEmail": "bob@acme.example",
            "role": "Member", "scope": null, "permissions": ["repo:read", "repo:write"],
            "created": "2026-11-23T12:00:00Z", "expirationDate": NEXT_MONTH, "state": "suspended", "atRest": false, "revoked": null,
            "suspension": {"since": "2026-11-23T12:00:01Z", "until": null, "reason": "test", "byOwner": false},
            "lastUsed": "2026-11-23T12:00:01Z", "lastUsedMethod": "GET", "lastUsedPath": "/repos", "lastUsedAddress": "192.0.2.9",
        })
    );
    let keys = ada.get(&server.path("tokens?kind=api_key")).await.is(200);
    let key = &keys["items"][0];
    assert_eq!(
        (&key["owner"]["type"], &key["owner"]["name"], &key["role"]),
        (
            &json!("organization"),
            &json!("Acme Rockets"),
            &json!("Viewer")
        )
    );
    assert_eq!(key["ownerEmail"], Value::Null);
    assert_eq!(key["permissions"], json!(["repo:read"]));
    assert_eq!(key["id"], acme.key.id);
    // What has ended may do nothing.
    server.suspend(&acme.bobs, None).await;
    server.session_of(server.ada_id).await;
    acme.bob.delete(&acme.bobs.path).await.is(204);
    let revoked = ada.get(&server.path("tokens?state=revoked")).await.is(200);
    assert_eq!(revoked["items"][0]["permissions"], json!([]));
    assert!(revoked["items"][0]["revoked"].is_string());
}

#[tokio::test]
async fn it_is_for_those_who_answer_for_tokens_and_for_their_own_organization() {
    let server = Server::sqlite().await;
    let acme = acme(&server).await;
    let other = server.ada_again().await;
    let (admin, admin_id) = server.member("Carol").await;
    let mut membership = server.membership(admin_id);
    membership.role = BuiltInRole::Admin.id();
    server.put(membership).await;
    for path in ["tokens", "tokens/export"] {
        admin.get(&server.path(path)).await.is_status(200);
        other.get(&server.path(path)).await.is_status(200);
        acme.bob
            .get(&server.path(path))
            .await
            .refused(403, "permission_missing");
        server
            .bearer(&acme.key.secret)
            .get(&server.path(path))
            .await
            .refused(403, "permission_missing");
        server
            .anon()
            .get(&server.path(path))
            .await
            .refused(401, "sign_in_required");
        admin
            .get(&format!(
                "/v1/organizations/019393a0-7e5c-7c31-9d0c-1f2e3d4c5b6a/{path}"
            ))
            .await
            .refused(404, "not_found");
    }
    let key = server.key_of("auditor", BuiltInRole::Admin).await;
    let seen = names(&server, &server.bearer(&key.secret), "").await;
    assert!(!seen.contains(&"eves".to_owned()) && seen.contains(&"bobs".to_owned()));
}

#[tokio::test]
async fn each_parameter_has_its_error() {
    let server = Server::sqlite().await;
    for (query, code) in [
        ("kind=short_lived", "kind_unknown"),
        ("owner=bob", "id_malformed"),
        ("state=on", "state_unknown"),
        ("permission=repo", "permission_malformed"),
        ("permission=repo:*", "permission_malformed"),
        ("unusedSince=yesterday", "date_malformed"),
        ("madeBefore=2026", "date_malformed"),
        ("endsBefore=", "date_malformed"),
        ("neverExpires=yes", "boolean_malformed"),
        ("search=%00", "search_malformed"),
        ("limit=101", "limit_malformed"),
        ("cursor=AAAA", "cursor_malformed"),
        ("page=2", "parameter_unknown"),
        ("kind=api_key&kind=api_key", "parameter_doubled"),
    ] {
        let path = server.path(&format!("tokens?{query}"));
        server.ada.get(&path).await.refused(400, code);
    }
    server
        .ada
        .get(&server.path("tokens/export?format=xlsx"))
        .await
        .refused(400, "format_unknown");
}

#[tokio::test]
async fn an_export_is_the_list_as_a_file_and_leaves_a_line() {
    let server = Server::sqlite().await;
    let acme = acme(&server).await;
    let (ada, before) = (server.ada_again().await, audit_actions(&server).await.len());
    ada.token(json!({"name": "=cmd|' /C calc'!A0, \"x\"", "expirationDate": NEXT_MONTH}))
        .await;
    let csv = ada.get(&server.path("tokens/export?format=csv")).await;
    assert_eq!(
        csv.header("content-type"),
        "text/csv; charset=utf-8; header=present"
    );
    assert_eq!(
        csv.header("content-disposition"),
        "attachment; filename=\"tokens.csv\""
    );
    csv.does_nothing_in_a_browser();
    let text = csv.text();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert!(
        lines[0].starts_with("id,kind,name,prefix,ownerType,"),
        "{text}"
    );
    assert_eq!(lines.len(), 1 + 4 + 1, "{text}");
    assert!(
        text.contains(",\"'=cmd|' /C calc'!A0, \"\"x\"\"\","),
        "{text}"
    );
    assert!(text.contains(&acme.bobs.prefix) && !text.contains("eves"));
    for secret in [&acme.bobs.secret, &acme.key.secret] {
        assert!(!text.contains(secret.as_str()));
    }
    let all = ada.get(&server.path("tokens")).await.is(200);
    let json = ada.get(&server.path("tokens/export?format=json")).await;
    assert_eq!(
        json.header("content-type"),
        "application/json; charset=utf-8"
    );
    assert_eq!(json.json(), all["items"]);
    let filtered = ada
        .get(&server.path("tokens/export?format=json&kind=api_key"))
        .await
        .json();
    assert_eq!(filtered.as_array().unwrap().len(), 1);
    acme.bob
        .get(&server.path("tokens/export"))
        .await
        .refused(403, "permission_missing");
    assert_eq!(
        audit_actions(&server).await[before + 1..],
        [
            "inventory.exported",
            "inventory.exported",
            "inventory.exported",
            "refused"
        ]
    );
}

/// More rows than are read at once.
#[tokio::test]
async fn an_export_goes_on_over_many_reads() {
    use hallpass_domain::limits::EXPORT_ROWS_PER_READ;
    let server = Server::sqlite().await;
    let first = server.ada.token(wish("first")).await;
    let mut connection = crate::kit::beside(&server).await;
    // Copies of the one, each a microsecond later.
    let more = EXPORT_ROWS_PER_READ + 7;
    let copied = sqlx::query("insert into token (id, kind, organization_id, user_id, name, name_key, prefix, digest, pepper_id, created_at, never_expires_acknowledged) \
        with recursive n(i) as (select 1 union all select i + 1 from n where i < $1) \
        select randomblob(16), t.kind, t.organization_id, t.user_id, 'copy ' || i, 'copy ' || i, printf('hpp_%06d', i), randomblob(32), t.pepper_id, t.created_at + i / 3, true from n join token t where t.name = 'first'")
        .bind(more)
        .execute(&mut connection)
        .await
        .unwrap();
    assert_eq!(copied.rows_affected(), u64::from(more));
    let text = server.ada.get(&server.path("tokens/export")).await.text();
    let mut ids: Vec<&str> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap())
        .collect();
    assert_eq!(ids.len(), more as usize + 1);
    assert!(ids.contains(&first.id.as_str()));
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), more as usize + 1);
}
