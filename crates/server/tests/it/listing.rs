//! The list of one's tokens: filters, orders, pages.

use crate::kit::{Server, TOKENS, Token, wish};
use serde_json::{Value, json};

/// Five tokens: `live` and `never` are active, the others what they are called. Each was made a minute after the one
/// before; `live` was used.
async fn five(server: &Server) -> Vec<Token> {
    let mut all = Vec::new();
    for wish in [
        wish("revoked"),
        json!({"name": "expired", "expirationDate": "2026-11-22T12:30:00Z"}),
        json!({"name": "suspended", "expirationDate": "2027-02-01T00:00:00Z"}),
        json!({"name": "live", "expirationDate": "2027-01-01T00:00:00Z"}),
        json!({"name": "never", "userAwareTokenNeverExpires": true}),
    ] {
        all.push(server.ada.token(wish).await);
        server.later(60);
    }
    server.ada.delete(&all[0].path).await.is(204);
    server
        .suspend(&all[2], Some(server.services.clock.now()))
        .await;
    server.later(3_600);
    let used = server
        .gateway()
        .bearing(&all[3].secret)
        .with("x-forwarded-for", "192.0.2.77")
        .get("/auth")
        .await;
    assert_eq!(used.status, 204);
    server.flush_uses().await;
    all
}

#[tokio::test]
async fn each_state_has_its_tokens() {
    let server = Server::sqlite().await;
    five(&server).await;
    assert_eq!(
        server.ada.names("").await,
        ["never", "live", "suspended", "expired", "revoked"]
    );
    for (state, names) in [
        ("active", vec!["never", "live"]),
        ("expired", vec!["expired"]),
        ("revoked", vec!["revoked"]),
        ("suspended", vec!["suspended"]),
    ] {
        assert_eq!(server.ada.names(&format!("?state={state}")).await, names);
        let page = server
            .ada
            .get(&format!("{TOKENS}?state={state}"))
            .await
            .is(200);
        assert!(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .all(|item| item["state"] == state)
        );
    }
}

#[tokio::test]
async fn the_unused_are_found_by_when_they_were_last_used_or_made() {
    let server = Server::sqlite().await;
    five(&server).await;
    assert_eq!(
        server
            .ada
            .names("?lastUsedBefore=2026-11-22T12:02:00Z")
            .await,
        ["expired", "revoked"]
    );
    assert_eq!(
        server
            .ada
            .names("?lastUsedBefore=2026-11-22T13:00:00Z")
            .await,
        ["never", "suspended", "expired", "revoked"]
    );
    assert_eq!(
        server
            .ada
            .names("?lastUsedBefore=2026-11-22T13:05:00Z")
            .await
            .len(),
        4,
        "the use was at that moment"
    );
    assert_eq!(
        server
            .ada
            .names("?lastUsedBefore=2026-11-22T14:05:00%2B01:00")
            .await
            .len(),
        4
    );
    assert_eq!(
        server
            .ada
            .names("?lastUsedBefore=2026-11-22T13:05:00.000001Z")
            .await
            .len(),
        5
    );
}

#[tokio::test]
async fn a_search_looks_into_names_prefixes_and_addresses() {
    let server = Server::sqlite().await;
    let tokens = five(&server).await;
    for (search, names) in [
        ("EXP", vec!["expired"]),
        (
            "e",
            vec!["never", "live", "suspended", "expired", "revoked"],
        ),
        ("192.0.2.77", vec!["live"]),
        (&tokens[4].prefix, vec!["never"]),
        ("%25", vec![]),
        (
            "_",
            vec!["never", "live", "suspended", "expired", "revoked"],
        ),
        ("' or 1=1 --", vec![]),
    ] {
        let search: String =
            form_urlencoded::byte_serialize(search.replace("%25", "%").as_bytes()).collect();
        assert_eq!(
            server.ada.names(&format!("?search={search}")).await,
            names,
            "{search}"
        );
    }
    assert_eq!(
        server
            .ada
            .names("?search=e&state=active&sort=name&limit=1")
            .await,
        ["live"]
    );
}

#[tokio::test]
async fn every_order_goes_both_ways_and_in_pages_nothing_is_lost_or_doubled() {
    let server = Server::sqlite().await;
    five(&server).await;
    for (sort, names) in [
        (
            "created",
            ["revoked", "expired", "suspended", "live", "never"],
        ),
        ("name", ["expired", "live", "never", "revoked", "suspended"]),
        (
            "expirationDate",
            ["expired", "revoked", "live", "suspended", "never"],
        ),
    ] {
        assert_eq!(server.ada.names(&format!("?sort={sort}")).await, names);
        let mut turned = names;
        turned.reverse();
        assert_eq!(server.ada.names(&format!("?sort=-{sort}")).await, turned);
    }
    assert_eq!(server.ada.names("?sort=lastUsed").await[4], "live");
    assert_eq!(server.ada.names("?sort=-lastUsed").await[0], "live");
    for sort in [
        "created",
        "-created",
        "name",
        "-name",
        "expirationDate",
        "-expirationDate",
        "lastUsed",
        "-lastUsed",
    ] {
        let whole = server.ada.names(&format!("?sort={sort}")).await;
        for limit in 1..=5 {
            assert_eq!(
                in_pages(&server, sort, limit).await,
                whole,
                "{sort} by {limit}"
            );
        }
    }
}

async fn in_pages(server: &Server, sort: &str, limit: u32) -> Vec<String> {
    let (mut names, mut cursor) = (Vec::new(), String::new());
    for _ in 0..6 {
        let page = server
            .ada
            .get(&format!("{TOKENS}?sort={sort}&limit={limit}{cursor}"))
            .await
            .is(200);
        names.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["name"].as_str().unwrap().to_owned()),
        );
        let Value::String(next) = &page["nextCursor"] else {
            return names;
        };
        cursor = format!("&cursor={next}");
    }
    panic!("no end: {names:?}")
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_order_and_tells_nothing_of_others() {
    let server = Server::sqlite().await;
    five(&server).await;
    let next = server
        .ada
        .get(&format!("{TOKENS}?limit=1&sort=name"))
        .await
        .is(200)["nextCursor"]
        .as_str()
        .unwrap()
        .to_owned();
    for query in [
        format!("?cursor={next}"),
        format!("?sort=-name&cursor={next}"),
        "?cursor=x".to_owned(),
        format!("?cursor={}", "A".repeat(513)),
    ] {
        let problem = server
            .ada
            .get(&format!("{TOKENS}{query}"))
            .await
            .refused(400, "cursor_malformed");
        assert_eq!(problem["errors"][0]["field"], "cursor");
    }
    let (bob, _) = server.member("Bob").await;
    bob.token(wish("zebra")).await;
    bob.token(wish("aardvark")).await;
    assert_eq!(
        bob.names(&format!("?sort=name&cursor={next}")).await,
        ["zebra"],
        "a foreign cursor is a place in the order and shows only one's own"
    );
}

#[tokio::test]
async fn what_cannot_be_asked_is_told_by_name() {
    let server = Server::sqlite().await;
    for (query, code) in [
        ("state=on", "state_unknown"),
        ("lastUsedBefore=2026-11-22", "date_malformed"),
        ("search=%00", "search_malformed"),
        ("sort=secret", "sort_unknown"),
        ("limit=0", "limit_malformed"),
        ("limit=101", "limit_malformed"),
        ("page=2", "parameter_unknown"),
        ("limit=1&limit=1", "parameter_doubled"),
    ] {
        let problem = server
            .ada
            .get(&format!("{TOKENS}?{query}"))
            .await
            .refused(400, code);
        if code != "parameter_unknown" {
            assert_eq!(
                problem["errors"][0]["field"],
                query.split('=').next().unwrap()
            );
        }
    }
    assert_eq!(
        server
            .ada
            .get(&format!("{TOKENS}?limit=100&search=&state=active"))
            .await
            .is(200),
        json!({"items": [], "nextCursor": null})
    );
}

#[tokio::test]
async fn the_permissions_there_are_and_who_holds_them_are_told() {
    let server = Server::sqlite().await;
    let (bob, bob_id) = server.member("Bob").await;
    let held = |listed: Value| -> Vec<String> {
        let items = listed["items"].as_array().unwrap().clone();
        items
            .iter()
            .filter(|item| item["held"] == true)
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        held(server.ada.get("/v1/permissions").await.is(200)),
        [
            "deploy:run",
            "hallpass:audit",
            "hallpass:deployment",
            "hallpass:keys",
            "hallpass:members",
            "hallpass:organization",
            "hallpass:policy",
            "hallpass:roles",
            "hallpass:tokens",
            "hallpass:verify",
            "repo:read",
            "repo:write",
            "report:read"
        ]
    );
    assert_eq!(
        held(bob.get("/v1/permissions").await.is(200)),
        ["repo:read", "repo:write"]
    );
    let token = bob.token(wish("ci")).await;
    let caller = server.bearer(&token.secret).get("/v1/caller").await.is(200);
    let mut in_session = bob.get("/v1/caller").await.is(200);
    // The value of a session is told to the session alone.
    let told = in_session.as_object_mut().unwrap().remove("csrf").unwrap();
    assert_eq!(told, bob.header("x-hallpass-csrf"));
    assert_eq!(caller, in_session);
    assert_eq!(
        caller["owner"],
        json!({"type": "user", "id": bob_id.to_string(), "name": "Bob"})
    );
    assert_eq!(
        (
            &caller["role"],
            &caller["permissions"],
            &caller["mayHaveTokens"]
        ),
        (
            &json!("Member"),
            &json!(["repo:read", "repo:write"]),
            &json!(true)
        )
    );
}
