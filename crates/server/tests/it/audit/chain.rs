//! The chain: that it holds, and that tampering is named.

use crate::{
    both_engines,
    kit::{Server, beside, wish},
};
use serde_json::{Value, json};

both_engines!(the_chain_holds);

async fn verify(server: &Server, body: &Value) -> Value {
    server
        .ada
        .post(&server.path("audit/verify"), body)
        .await
        .is(200)
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
