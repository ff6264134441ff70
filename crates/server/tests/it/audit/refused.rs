//! Refused attempts: what is written of them, where, and what is only counted.

use super::lines;
use crate::kit::{NEXT_MONTH, Server, TOKENS, rows, wish};
use serde_json::{Value, json};

#[tokio::test]
async fn refused_attempts_are_there() {
    let server = Server::sqlite().await;
    let (bob, bob_id) = server.member("Bob").await;
    let plain = bob.token(wish("plain")).await;
    let tool = bob
        .token(
            json!({"name": "tool", "expirationDate": NEXT_MONTH, "scope": ["hallpass:own-tokens"]}),
        )
        .await;
    let bearer = server.bearer(&plain.secret);
    let more = json!({"name": "x", "expirationDate": NEXT_MONTH, "scope": ["repo:read"]});
    bearer
        .post(TOKENS, &more)
        .await
        .refused(403, "permission_missing");
    bearer
        .patch(&plain.path, &json!({"name": "y"}))
        .await
        .refused(403, "permission_missing");
    bearer
        .delete(&plain.path)
        .await
        .refused(403, "permission_missing");
    // Looking is no attempt to change something.
    bearer.get(TOKENS).await.refused(403, "permission_missing");
    let wide = server.bearer(&tool.secret);
    wide.post(TOKENS, &wish("wide"))
        .await
        .refused(403, "wider_than_asker");
    wide.patch(
        &tool.path,
        &json!({"expirationDate": "2029-01-01T00:00:00Z"}),
    )
    .await
    .refused(403, "wider_than_asker");
    let mut membership = server.membership(bob_id);
    membership.may_have_tokens = false;
    server.put(membership).await;
    bob.post(TOKENS, &wish("closed"))
        .await
        .refused(403, "tokens_not_allowed");
    bob.patch(&plain.path, &json!({"name": "z"}))
        .await
        .refused(403, "tokens_not_allowed");
    bob.get(&server.path("audit/export"))
        .await
        .refused(403, "permission_missing");
    let found = lines(&server.ada, &server, "?action=refused").await;
    let told: Vec<_> = found
        .iter()
        .rev()
        .map(|line| {
            assert_eq!(line["actor"]["name"], "Bob");
            let text = |value: &Value| value.as_str().map(str::to_owned);
            (
                text(&line["detail"]["attempted"]).unwrap(),
                text(&line["detail"]["code"]).unwrap(),
                text(&line["token"]),
            )
        })
        .collect();
    let line = |attempted: &str, code: &str, token: Option<&String>| {
        (attempted.to_owned(), code.to_owned(), token.cloned())
    };
    let (plain, tool) = (Some(&plain.id), Some(&tool.id));
    assert_eq!(
        told,
        [
            line("token.created", "permission_missing", plain),
            line("token.changed", "permission_missing", plain),
            line("token.revoked", "permission_missing", plain),
            line("token.created", "wider_than_asker", tool),
            line("token.changed", "wider_than_asker", tool),
            line("token.created", "tokens_not_allowed", None),
            line("token.changed", "tokens_not_allowed", None),
            line("audit.exported", "permission_missing", None),
        ]
    );
}

/// Who tries to change something in an organization that is not there for them is seen at home.
#[tokio::test]
async fn refused_attempts_abroad_are_at_home() {
    let server = Server::sqlite().await;
    let other = server.other().await;
    let (bob, bob_id) = server.person("Bob", "admin").await;
    let token = bob.token(wish("tool")).await;
    let abroad = format!("/v1/organizations/{}/roles", other.id);
    for asker in [&bob, &server.bearer(&token.secret)] {
        asker.get(&abroad).await.refused(404, "not_found");
        let role = json!({"name": "X", "permissions": []});
        asker.post(&abroad, &role).await.refused(404, "not_found");
    }
    let found = lines(&server.ada, &server, "?action=refused").await;
    assert_eq!(found.len(), 2);
    for (line, token) in found.iter().rev().zip([Value::Null, json!(token.id)]) {
        assert_eq!(line["actor"]["id"], bob_id.to_string());
        assert_eq!(line["token"], token);
        assert_eq!(line["target"], other.id.to_string());
        let told = json!({"attempted": format!("POST {abroad}"), "code": "not_found"});
        assert_eq!(line["detail"], told);
    }
}

/// Sixty an hour are written of each; when the hour is over one line says how many were not.
#[tokio::test]
async fn refused_attempts_that_are_not_written_are_counted() {
    let server = Server::sqlite().await;
    let (bob, bob_id) = server.person("Bob", "member").await;
    let knock = async || {
        bob.post(
            &server.path("roles"),
            &json!({"name": "X", "permissions": []}),
        )
        .await
        .refused(403, "permission_missing");
    };
    let details = async || {
        let sql = "select detail from audit where action = 'refused' order by seq";
        rows(&server, sql).await
    };
    for _ in 0..65 {
        knock().await;
    }
    server.later(60 * 60 - 1);
    server.services.note_unwritten().await.unwrap();
    assert_eq!(details().await.len(), 60);
    server.later(1);
    // By the clock, or by the next one, whatever comes first; told once.
    knock().await;
    server.services.do_due().await;
    let all = details().await;
    assert_eq!(all.len(), 62, "{:?}", all.last());
    assert_eq!(
        serde_json::from_str::<Value>(&all[60]).unwrap(),
        json!({"unwritten": 5, "since": "2026-11-22T12:00:00Z"})
    );
    assert!(all[61].contains("permission_missing"));
    let page = lines(&server.ada, &server, "?action=refused&limit=2").await;
    assert_eq!(page[1]["actor"]["id"], bob_id.to_string());
    // An hour with room for all has no such line.
    server.later(60 * 60);
    server.services.do_due().await;
    assert_eq!(details().await.len(), 62);
}
