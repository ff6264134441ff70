//! The audit: what is in it and who sees it.

mod chain;
mod refused;

use crate::{
    both_engines,
    kit::{Actor, NEXT_MONTH, Server, rows, wish},
};
use hallpass_domain::role::BuiltInRole;
use serde_json::{Value, json};

/// The lines that a query finds.
async fn lines(actor: &Actor, server: &Server, query: &str) -> Vec<Value> {
    let page = actor
        .get(&server.path(&format!("audit{query}")))
        .await
        .is(200);
    page["items"].as_array().unwrap().clone()
}

fn actions(lines: &[Value]) -> Vec<&str> {
    lines
        .iter()
        .map(|line| line["action"].as_str().unwrap())
        .collect()
}

both_engines!(every_change_leaves_its_line, filters_and_pages);

async fn every_change_leaves_its_line(server: Server) {
    let ada = server.ada.with("user-agent", "curl/8.9").at("192.0.2.44");
    let token = ada
        .token(json!({"name": "ci", "expirationDate": NEXT_MONTH, "scope": ["repo:read", "repo:write"]}))
        .await;
    ada.patch(
        &token.path,
        &json!({"name": "cd", "scope": ["repo:read"], "expirationDate": "2026-12-01T00:00:00Z"}),
    )
    .await
    .is(200);
    ada.delete(&token.path).await.is(204);
    let found = lines(&ada, &server, "").await;
    assert_eq!(
        actions(&found),
        [
            "token.revoked",
            "token.changed",
            "token.created",
            "session.created",
            "deployment.set_up"
        ]
    );
    let before = json!({"name": "ci", "prefix": token.prefix, "expirationDate": NEXT_MONTH, "scope": "repo:read repo:write"});
    let after = json!({"name": "cd", "prefix": token.prefix, "expirationDate": "2026-12-01T00:00:00Z", "scope": "repo:read"});
    for (line, was, is) in [
        (&found[2], &Value::Null, &before),
        (&found[1], &before, &after),
        (&found[0], &after, &Value::Null),
    ] {
        assert_eq!((&line["before"], &line["after"]), (was, is));
        assert_eq!(
            line["actor"],
            json!({"id": server.ada_id.to_string(), "name": "Ada Lovelace", "email": "ada@acme.example"})
        );
        assert_eq!(
            (&line["target"], &line["address"], &line["agent"]),
            (&json!(token.id), &json!("192.0.2.44"), &json!("curl/8.9"))
        );
        assert_eq!(line["organization"], server.organization.to_string());
        assert_eq!(
            (&line["token"], &line["detail"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(line["at"], "2026-11-22T12:00:00Z");
    }
}

async fn filters_and_pages(server: Server) {
    let (bob, bob_id) = server.member("Bob").await;
    let tool = bob
        .at("192.0.2.1")
        .token(json!({"name": "tool", "expirationDate": NEXT_MONTH, "scope": ["hallpass:own-tokens", "repo:read"]}))
        .await;
    server.later(3_600);
    let by_tool = server.bearer(&tool.secret).at("192.0.2.2");
    let made = by_tool
        .token(json!({"name": "made", "expirationDate": NEXT_MONTH, "scope": ["repo:read"]}))
        .await;
    by_tool.delete(&made.path).await.is(204);
    let ada = server.ada_again().await;
    for (query, found) in [
        (
            format!("?token={}", tool.id),
            &["token.revoked", "token.created"][..],
        ),
        (
            format!("?target={}", made.id),
            &["token.revoked", "token.created"],
        ),
        (format!("?target={}", tool.id), &["token.created"]),
        (
            format!("?actor={bob_id}&action=token.created,token.revoked"),
            &["token.revoked", "token.created", "token.created"],
        ),
        (
            format!("?actor={bob_id}&action=token.created&action=token.revoked"),
            &["token.revoked", "token.created", "token.created"],
        ),
        ("?action=token.revoked".to_owned(), &["token.revoked"]),
        ("?action=member.removed".to_owned(), &[]),
        (
            "?address=192.0.2.2".to_owned(),
            &["token.revoked", "token.created"],
        ),
        (
            "?since=2026-11-22T12:30:00Z&action=token.created".to_owned(),
            &["token.created"],
        ),
        (
            "?until=2026-11-22T12:30:00Z&action=token.created".to_owned(),
            &["token.created"],
        ),
        ("?until=2026-11-22T12:00:00Z".to_owned(), &[]),
    ] {
        assert_eq!(
            actions(&lines(&ada, &server, &query).await),
            found,
            "{query}"
        );
    }
    let all = lines(&ada, &server, "?limit=100").await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = ada
            .get(&server.path(&format!("audit?limit=2{cursor}")))
            .await
            .is(200);
        seen.extend(page["items"].as_array().unwrap().clone());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, all);
    assert!(seen.len() > 4);
}

#[tokio::test]
async fn nobody_sees_the_lines_of_another_organization() {
    let server = Server::sqlite().await;
    let other = server.other().await;
    server.ada.token(wish("adas")).await;
    let elsewhere = |rest: &str| format!("/v1/organizations/{}/{rest}", other.id);
    let own = other.eve.get(&elsewhere("audit")).await.is(200);
    let own = own["items"].as_array().unwrap();
    assert!(!own.is_empty());
    for line in own {
        assert_eq!(line["organization"], other.id.to_string());
        assert_eq!(line["actor"]["id"], other.eve_id.to_string());
    }
    for line in lines(&server.ada, &server, "").await {
        assert_eq!(line["organization"], server.organization.to_string());
    }
    for rest in ["audit", "audit/export", "tokens", "tokens/export"] {
        other
            .eve
            .get(&server.path(rest))
            .await
            .refused(404, "not_found");
    }
    for rest in ["audit/verify", "revocations"] {
        other
            .eve
            .post(&server.path(rest), &json!({}))
            .await
            .refused(404, "not_found");
    }
    // Superuser or not: the whole deployment is for those of the organization that runs it.
    other
        .eve
        .get(&elsewhere("audit?scope=deployment"))
        .await
        .refused(403, "permission_missing");
    other
        .eve
        .get(&elsewhere("audit/export?scope=deployment"))
        .await
        .refused(403, "permission_missing");
    let whole = lines(&server.ada, &server, "?scope=deployment").await;
    for organization in [server.organization, other.id] {
        let organization = json!(organization.to_string());
        assert!(
            whole
                .iter()
                .any(|line| line["organization"] == organization)
        );
    }
    // Whoever runs the deployment looks into each, and that is all they need.
    server.ada.get(&elsewhere("audit")).await.is_status(200);
}

#[tokio::test]
async fn it_is_for_those_who_may_read_it() {
    let server = Server::sqlite().await;
    let (bob, _) = server.member("Bob").await;
    let (admin, admin_id) = server.member("Carol").await;
    let mut membership = server.membership(admin_id);
    membership.role = BuiltInRole::Admin.id();
    server.put(membership).await;
    for path in ["audit", "audit/export"] {
        bob.get(&server.path(path))
            .await
            .refused(403, "permission_missing");
        server
            .anon()
            .get(&server.path(path))
            .await
            .refused(401, "sign_in_required");
        admin.get(&server.path(path)).await.is_status(200);
        admin
            .get(&server.path(&format!("{path}?scope=deployment")))
            .await
            .refused(403, "permission_missing");
    }
    bob.post(&server.path("audit/verify"), &json!({}))
        .await
        .refused(403, "permission_missing");
    admin
        .post(&server.path("audit/verify"), &json!({}))
        .await
        .is(200);
    admin
        .without("x-hallpass-csrf")
        .post(&server.path("audit/verify"), &json!({}))
        .await
        .refused(403, "csrf_required");
}

#[tokio::test]
async fn an_export_is_the_list_as_a_file_and_leaves_a_line() {
    let server = Server::sqlite().await;
    server
        .ada
        .with("user-agent", "=1+1, \"curl\"")
        .token(wish("ci"))
        .await;
    let all = lines(&server.ada, &server, "").await;
    let jsonl = server
        .ada
        .get(&server.path("audit/export?format=jsonl"))
        .await;
    assert_eq!(
        jsonl.header("content-type"),
        "application/x-ndjson; charset=utf-8"
    );
    assert_eq!(
        jsonl.header("content-disposition"),
        "attachment; filename=\"audit.jsonl\""
    );
    let exported: Vec<Value> = jsonl
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(exported[0]["action"], "audit.exported");
    assert_eq!(
        exported[0]["detail"],
        json!({"format": "jsonl", "scope": "organization", "query": "format=jsonl"})
    );
    assert_eq!(exported[1..], all);
    let csv = server
        .ada
        .get(&server.path("audit/export?action=token.created"))
        .await;
    csv.is_status(200);
    let text = csv.text();
    assert!(text.starts_with("seq,id,at,organization,actorId,actorName,actorEmail,token,action,"));
    assert!(text.contains(",\"'=1+1, \"\"curl\"\"\","), "{text}");
    assert_eq!(text.trim_end().split("\r\n").count(), 2);
    let exports = rows(
        &server,
        "select action from audit where action = 'audit.exported'",
    )
    .await;
    assert_eq!(exports.len(), 2);
}

#[tokio::test]
async fn each_parameter_has_its_error() {
    let server = Server::sqlite().await;
    for (query, code) in [
        ("actor=ada", "id_malformed"),
        ("token=hpp_abcdef", "id_malformed"),
        ("action=token.eaten", "action_unknown"),
        ("action=token.created,", "action_unknown"),
        ("since=now", "date_malformed"),
        ("until=now", "date_malformed"),
        ("scope=world", "scope_unknown"),
        ("limit=0", "limit_malformed"),
        ("cursor=x", "cursor_malformed"),
        ("target=a&target=b", "parameter_doubled"),
        ("format=csv", "parameter_unknown"),
    ] {
        let path = server.path(&format!("audit?{query}"));
        server.ada.get(&path).await.refused(400, code);
    }
    server
        .ada
        .get(&server.path("audit/export?format=json"))
        .await
        .refused(400, "format_unknown");
    assert!(lines(&server.ada, &server, "?target=%00").await.is_empty());
}
