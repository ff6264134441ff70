//! The audit: what is in it, who sees it, and that tampering is named.

use crate::{
    both_engines,
    kit::{Actor, NEXT_MONTH, Server, TOKENS, beside, rows, wish},
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
    let action = |line: &'_ Value| line["action"].as_str().map(str::len);
    assert!(lines.iter().all(|line| action(line).is_some()));
    lines
        .iter()
        .map(|line| line["action"].as_str().unwrap())
        .collect()
}

async fn verify(server: &Server, body: &Value) -> Value {
    server
        .ada
        .post(&server.path("audit/verify"), body)
        .await
        .is(200)
}

both_engines!(
    every_change_leaves_its_line,
    filters_and_pages,
    the_chain_holds,
);

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

async fn the_chain_holds(server: Server) {
    let empty = server
        .ada
        .send("POST", &server.path("audit/verify"), None, "")
        .await
        .is(200);
    assert_eq!(empty["firstBad"], Value::Null);
    let token = server.ada.token(wish("ci")).await;
    server.ada.delete(&token.path).await.is(204);
    let report = verify(&server, &json!({})).await;
    let code = report["head"]["code"].as_str().unwrap();
    assert!(code.len() == 64 && code.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let seq = report["head"]["seq"].as_i64().unwrap();
    assert_eq!(seq, empty["head"]["seq"].as_i64().unwrap() + 2);
    assert_eq!(
        report,
        json!({"verified": seq, "chainedAfter": 0, "unknown": 0, "head": {"seq": seq, "code": code}, "firstBad": null})
    );
    // What an earlier verification saw is still there, also when more was written since.
    server.ada.token(wish("cd")).await;
    for body in [
        json!({"expectedSeq": seq, "expectedCode": code}),
        json!({"expectedSeq": seq}),
        json!({"expectedSeq": empty["head"]["seq"], "expectedCode": empty["head"]["code"]}),
    ] {
        assert_eq!(
            verify(&server, &body).await["firstBad"],
            Value::Null,
            "{body}"
        );
    }
    for body in [
        json!({"expectedSeq": seq, "expectedCode": "0".repeat(64)}),
        json!({"expectedSeq": seq, "expectedCode": empty["head"]["code"]}),
        json!({"expectedSeq": seq + 2}),
        json!({"expectedSeq": 0}),
        json!({"expectedSeq": i64::MIN}),
    ] {
        let bad = &verify(&server, &body).await["firstBad"];
        assert_eq!(
            (&bad["what"], &bad["seq"]),
            (&json!("not_as_expected"), &body["expectedSeq"]),
            "{body}"
        );
    }
    for (body, refused) in [
        (
            json!({"expectedSeq": 1, "expectedCode": "abc"}),
            "code_malformed",
        ),
        (
            json!({"expectedSeq": 1, "expectedCode": "é".repeat(32)}),
            "code_malformed",
        ),
        (json!({"expectedCode": code}), "expected_seq_missing"),
        (json!({"seq": 1}), "body_malformed"),
    ] {
        server
            .ada
            .post(&server.path("audit/verify"), &body)
            .await
            .refused(400, refused);
    }
}

#[tokio::test]
async fn tampering_is_named() {
    for (statement, bad) in [
        (
            "update audit set target = 'another' where seq = 3",
            (3, "edited"),
        ),
        ("update audit set at = at + 1 where seq = 1", (1, "edited")),
        ("delete from audit where seq = 3", (3, "missing")),
        ("delete from audit where seq = 4", (4, "cut_off")),
        (
            "update audit set seq = -seq where seq in (2, 3); update audit set seq = 5 + seq where seq < 0",
            (2, "edited"),
        ),
        (
            "insert into audit (id, at, action, seq) values (randomblob(16), 0, 'token.created', 5)",
            (5, "edited"),
        ),
    ] {
        let server = Server::sqlite().await;
        let token = server.ada.token(wish("ci")).await;
        server.ada.delete(&token.path).await.is(204);
        assert_eq!(verify(&server, &json!({})).await["verified"], 4);
        sqlx::raw_sql(statement)
            .execute(&mut beside(&server).await)
            .await
            .unwrap();
        let report = verify(&server, &json!({})).await;
        let found = &report["firstBad"];
        assert_eq!(
            (&found["seq"], &found["what"]),
            (&json!(bad.0), &json!(bad.1)),
            "{statement}: {report}"
        );
        assert!(found["detail"].as_str().unwrap().contains("line"));
    }
}

/// Whoever can write in the database can cut off the end with its head. Nothing in the database tells if they kept the
/// seal that the older end had.
#[tokio::test]
async fn an_end_that_was_cut_off_with_its_head_is_found_by_what_was_seen_before() {
    let server = Server::sqlite().await;
    let kept = verify(&server, &json!({})).await["head"].clone();
    let old = "select hex(seal) from audit_head";
    let seal: String = sqlx::query_scalar(old)
        .fetch_one(&mut beside(&server).await)
        .await
        .unwrap();
    let token = server.ada.token(wish("ci")).await;
    let seen = verify(&server, &json!({})).await["head"].clone();
    let cut = format!(
        "delete from audit where seq = 3; update audit_head set seq = 2, code = x'{}'",
        kept["code"].as_str().unwrap()
    );
    let without: &'static str = Box::leak(cut.clone().into_boxed_str());
    sqlx::raw_sql(without)
        .execute(&mut beside(&server).await)
        .await
        .unwrap();
    let bad = verify(&server, &json!({})).await["firstBad"].clone();
    assert_eq!(bad["what"], "head_unsealed");
    let cut = format!("{cut}, seal = x'{seal}'");
    let cut: &'static str = Box::leak(cut.into_boxed_str());
    sqlx::raw_sql(cut)
        .execute(&mut beside(&server).await)
        .await
        .unwrap();
    assert_eq!(verify(&server, &json!({})).await["firstBad"], Value::Null);
    let expected = json!({"expectedSeq": seen["seq"], "expectedCode": seen["code"]});
    let bad = verify(&server, &expected).await["firstBad"].clone();
    assert_eq!(
        (&bad["seq"], &bad["what"]),
        (&seen["seq"], &json!("not_as_expected"))
    );
    // Nor does another line in its place pass for it.
    server.ada.delete(&token.path).await.is(204);
    let bad = verify(&server, &expected).await["firstBad"].clone();
    assert_eq!(bad["what"], "not_as_expected");
}

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
