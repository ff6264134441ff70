//! `expirationDate` × `userAwareTokenNeverExpires`, line by line as the design has them; and what else is wrong
//! with a wish for a token.

use crate::kit::{NEXT_MONTH, Server, TOKENS, wish};
use serde_json::{Value, json};

/// The fields of a wish; `Null` in the table stands for a null, a missing key for an absent field.
fn with(date: Option<Value>, aware: Option<Value>) -> Value {
    let mut body = json!({"name": "ci"});
    if let Some(date) = date {
        body["expirationDate"] = date;
    }
    if let Some(aware) = aware {
        body["userAwareTokenNeverExpires"] = aware;
    }
    body
}

#[tokio::test]
async fn without_a_date_only_the_acknowledgement_makes_a_token() {
    let server = Server::sqlite().await;
    for date in [None, Some(Value::Null)] {
        for aware in [None, Some(Value::Null), Some(json!(false))] {
            let problem = server
                .ada
                .post(TOKENS, &with(date.clone(), aware.clone()))
                .await
                .refused(400, "expiration_required");
            let detail = problem["detail"].as_str().unwrap();
            assert!(
                detail.contains("expirationDate")
                    && detail.contains("userAwareTokenNeverExpires: true"),
                "{detail}"
            );
            assert_eq!(problem["errors"][0]["field"], "expirationDate");
        }
        let made = server
            .ada
            .post(TOKENS, &with(date, Some(json!(true))))
            .await
            .is(201);
        assert_eq!(
            (&made["expirationDate"], &made["userAwareTokenNeverExpires"]),
            (&Value::Null, &json!(true))
        );
        server
            .ada
            .delete(&format!("{TOKENS}/{}", made["id"].as_str().unwrap()))
            .await
            .is(204);
    }
    assert_eq!(
        server.ada.names("?state=active").await,
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn with_a_future_date_the_acknowledgement_changes_nothing_else() {
    let server = Server::sqlite().await;
    for (aware, told) in [
        (None, false),
        (Some(json!(null)), false),
        (Some(json!(false)), false),
        (Some(json!(true)), true),
    ] {
        let made = server
            .ada
            .post(TOKENS, &with(Some(json!(NEXT_MONTH)), aware))
            .await
            .is(201);
        assert_eq!(
            (&made["expirationDate"], &made["userAwareTokenNeverExpires"]),
            (&json!(NEXT_MONTH), &json!(told))
        );
        server
            .ada
            .delete(&format!("{TOKENS}/{}", made["id"].as_str().unwrap()))
            .await
            .is(204);
    }
    let offset = server
        .ada
        .post(
            TOKENS,
            &with(Some(json!("2026-12-22T13:00:00.5+01:00")), None),
        )
        .await
        .is(201);
    assert_eq!(offset["expirationDate"], "2026-12-22T12:00:00.5Z");
}

#[tokio::test]
async fn a_date_that_is_past_or_now_or_none_is_refused_whatever_is_acknowledged() {
    let server = Server::sqlite().await;
    for aware in [None, Some(json!(false)), Some(json!(true))] {
        for (date, code) in [
            ("2026-11-22T11:59:59.999999Z", "expiration_not_in_future"),
            ("2026-11-22T12:00:00Z", "expiration_not_in_future"),
            ("2001-01-01T00:00:00Z", "expiration_not_in_future"),
            ("", "expiration_malformed"),
            ("tomorrow", "expiration_malformed"),
            ("2027-01-31", "expiration_malformed"),
            ("2027-01-31T12:00:00", "expiration_malformed"),
            ("2027-02-30T12:00:00Z", "expiration_malformed"),
            ("1893456000", "expiration_malformed"),
        ] {
            let problem = server
                .ada
                .post(TOKENS, &with(Some(json!(date)), aware.clone()))
                .await
                .refused(400, code);
            assert_eq!(problem["errors"][0]["field"], "expirationDate", "{date}");
        }
    }
    server
        .ada
        .post(
            TOKENS,
            &with(Some(json!("2026-11-22T12:00:00.000001Z")), None),
        )
        .await
        .is(201);
}

#[tokio::test]
async fn there_is_no_upper_limit() {
    let server = Server::sqlite().await;
    let made = server
        .ada
        .post(TOKENS, &with(Some(json!("9999-12-31T23:59:59Z")), None))
        .await
        .is(201);
    assert_eq!(made["expirationDate"], "9999-12-31T23:59:59Z");
}

#[tokio::test]
async fn each_wrong_field_has_its_code_and_all_are_told_at_once() {
    let server = Server::sqlite().await;
    for (change, field, code) in [
        (json!({"name": ""}), "name", "name_required"),
        (json!({"name": " \u{a0}"}), "name", "name_required"),
        (json!({"name": "a".repeat(81)}), "name", "name_too_long"),
        (json!({"name": "a\u{202e}b"}), "name", "name_malformed"),
        (json!({"name": "a\u{0}b"}), "name", "name_malformed"),
        (json!({"scope": []}), "scope", "scope_empty"),
        (json!({"scope": ["Repo"]}), "scope", "permission_malformed"),
        (
            json!({"scope": ["billing:pay"]}),
            "scope",
            "permission_not_held",
        ),
        (
            json!({"scope": vec!["repo:read"; 201]}),
            "scope",
            "scope_too_long",
        ),
    ] {
        let mut body = wish("ci");
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let problem = server.ada.post(TOKENS, &body).await.refused(400, code);
        assert_eq!(
            (
                &problem["errors"][0]["field"],
                &problem["errors"][0]["code"]
            ),
            (&json!(field), &json!(code))
        );
    }
    let all = server
        .ada
        .post(
            TOKENS,
            &json!({"name": "", "expirationDate": "x", "scope": []}),
        )
        .await
        .refused(400, "name_required");
    let codes: Vec<&str> = all["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["code"].as_str().unwrap())
        .collect();
    assert_eq!(
        codes,
        ["name_required", "expiration_malformed", "scope_empty"]
    );
    for body in [
        json!({"expirationDate": NEXT_MONTH}),
        json!({"name": 7, "expirationDate": NEXT_MONTH}),
        json!({"name": "ci", "expirationDate": 7}),
        json!({"name": "ci", "expirationDate": NEXT_MONTH, "userAwareTokenNeverExpires": "true"}),
        json!({"name": "ci", "expirationDate": NEXT_MONTH, "scope": "repo:read"}),
        json!({"name": "ci", "expirationDate": NEXT_MONTH, "role": "Superuser"}),
        json!({"name": "ci", "expirationDate": NEXT_MONTH, "id": "x"}),
        json!({"name": "ci", "expirationDate": NEXT_MONTH, "secret": "x"}),
        json!([]),
        json!("ci"),
    ] {
        server
            .ada
            .post(TOKENS, &body)
            .await
            .refused(400, "body_malformed");
    }
    assert_eq!(server.ada.names("").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_member_cannot_give_what_their_role_does_not_hold() {
    let server = Server::sqlite().await;
    let (bob, _) = server.member("Bob").await;
    let mut body = wish("ci");
    for missing in ["report:read", "deploy:run", "hallpass:verify", "report:*"] {
        body["scope"] = json!(["repo:read", missing]);
        let problem = bob
            .post(TOKENS, &body)
            .await
            .refused(400, "permission_not_held");
        assert!(
            problem["detail"].as_str().unwrap().contains(missing),
            "{problem}"
        );
    }
    body["scope"] = json!(["repo:*", "repo:read"]);
    assert_eq!(
        bob.post(TOKENS, &body).await.is(201)["scope"],
        json!(["repo:*", "repo:read"])
    );
}
