//! Signing in: what is right, what is wrong, and that nobody learns more than that.

use crate::kit::{Actor, Answer, Engine, PASSWORD, Plan, Server};
use hallpass_domain::organization::Standing;
use serde_json::{Value, json};

const SESSIONS: &str = "/v1/sessions";

async fn sign_in(actor: &Actor, email: &str, password: &str) -> Answer {
    actor
        .post(SESSIONS, &json!({"email": email, "password": password}))
        .await
}

/// The cookies of an answer: name, value, attributes.
fn cookies(answer: &Answer) -> Vec<(String, String, Vec<String>)> {
    let lines = answer
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|line| line.to_str().unwrap());
    lines
        .map(|line| {
            let mut parts = line.split("; ").map(str::to_owned);
            let pair = parts.next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let mut attributes: Vec<String> = parts.collect();
            attributes.sort();
            (name.to_owned(), value.to_owned(), attributes)
        })
        .collect()
}

fn with_cookie(actor: &Actor, answer: &Answer) -> Actor {
    let pairs: Vec<String> = cookies(answer)
        .iter()
        .map(|(name, value, _)| format!("{name}={value}"))
        .collect();
    actor.without("cookie").with("cookie", pairs.join("; "))
}

#[tokio::test]
async fn the_right_password_begins_a_session() {
    let server = Server::sqlite().await;
    let answer = sign_in(&server.anon(), " ADA@Acme.example ", PASSWORD).await;
    let told = answer.is(201);
    assert_eq!(
        (&told["caller"]["owner"]["name"], &told["caller"]["role"]),
        (&json!("Ada Lovelace"), &json!("Superuser"))
    );
    assert_eq!(told["expires"], "2026-11-29T12:00:00Z");
    let (session, csrf) = (
        cookies(&answer)[0].1.clone(),
        told["csrf"].as_str().unwrap(),
    );
    assert!(session.len() == 43 && csrf.len() == 43 && session != csrf);
    assert!(
        !answer.text().contains(&session),
        "the value travels in the cookie alone"
    );
    let ada = with_cookie(&server.anon(), &answer);
    ada.get("/v1/caller").await.is(200);
    ada.delete("/v1/sessions/current")
        .await
        .refused(403, "csrf_required");
    ada.with("x-hallpass-csrf", csrf)
        .delete("/v1/sessions/current")
        .await
        .is(204);
}

#[tokio::test]
async fn cookies_are_for_this_host_and_out_of_reach_of_scripts() {
    for secure in [false, true] {
        let mut plan = Plan::new(Engine::Sqlite);
        plan.secure_cookies = secure;
        let server = plan.start().await;
        let answer = sign_in(&server.anon(), "ada@acme.example", PASSWORD).await;
        answer.is(201);
        let (prefix, marks) = if secure {
            (
                "__Host-",
                vec![
                    "HttpOnly",
                    "Max-Age=604800",
                    "Path=/",
                    "SameSite=Lax",
                    "Secure",
                ],
            )
        } else {
            (
                "",
                vec!["HttpOnly", "Max-Age=604800", "Path=/", "SameSite=Lax"],
            )
        };
        let found = cookies(&answer);
        assert_eq!(
            found
                .iter()
                .map(|(name, ..)| name.as_str())
                .collect::<Vec<_>>(),
            [
                format!("{prefix}hallpass"),
                format!("{prefix}hallpass-device")
            ]
        );
        assert_eq!(found[0].2, marks);
        assert_eq!(
            found[1].2,
            marks
                .iter()
                .map(|mark| mark.replace("604800", "31536000"))
                .collect::<Vec<_>>()
        );
        let ada = with_cookie(&server.anon(), &answer)
            .with("x-hallpass-csrf", answer.json()["csrf"].as_str().unwrap());
        let ended = ada.delete("/v1/sessions/current").await;
        ended.is(204);
        let gone = &cookies(&ended)[0];
        assert_eq!(
            (
                gone.0.as_str(),
                gone.1.as_str(),
                gone.2.contains(&"Max-Age=0".to_owned())
            ),
            (format!("{prefix}hallpass").as_str(), "", true)
        );
        assert_eq!(ended.header("clear-site-data"), "\"cache\", \"storage\"");
        // The other mode's name is no session here, and two of one name are none.
        let value = &found[0].1;
        let other = if secure {
            format!("hallpass={value}")
        } else {
            format!("__Host-hallpass={value}")
        };
        let again = sign_in(&server.anon(), "ada@acme.example", PASSWORD).await;
        let value = cookies(&again)[0].1.clone();
        let name = format!("{prefix}hallpass");
        for cookie in [
            other,
            format!("{name}={value}; {name}={}", "x".repeat(43)),
            format!("{name}={value}x"),
            format!("{name}="),
        ] {
            server
                .anon()
                .with("cookie", cookie)
                .get("/v1/caller")
                .await
                .refused(401, "sign_in_required");
        }
        server
            .anon()
            .with("cookie", format!("{name}={value}"))
            .get("/v1/caller")
            .await
            .is(200);
    }
}

#[tokio::test]
async fn a_sign_in_begins_a_new_session_whatever_cookie_was_there() {
    let server = Server::sqlite().await;
    let planted = "A".repeat(43);
    let victim = server.anon().with("cookie", format!("hallpass={planted}"));
    victim
        .get("/v1/caller")
        .await
        .refused(401, "sign_in_required");
    let answer = sign_in(&victim, "ada@acme.example", PASSWORD).await;
    answer.is(201);
    assert_ne!(cookies(&answer)[0].1, planted);
    victim
        .get("/v1/caller")
        .await
        .refused(401, "sign_in_required");
}

/// A failed sign-in without what differs from request to request.
fn bare(answer: &Answer) -> (u16, Value, Vec<String>) {
    let mut problem = answer.problem();
    problem.as_object_mut().unwrap().remove("request");
    let names = answer
        .headers
        .iter()
        .filter(|(name, _)| *name != "x-request-id")
        .map(|(name, value)| format!("{name}: {value:?}"));
    (answer.status, problem, names.collect())
}

#[tokio::test]
async fn an_unknown_account_a_suspended_one_and_a_wrong_password_are_one_answer() {
    let server = Server::sqlite().await;
    let (_, bob) = server.member("Bob").await;
    let (_, eve) = server.member("Eve").await;
    server
        .change(async |tx| {
            vec![
                tx.set_user_standing(bob, Standing::Suspended)
                    .await
                    .unwrap(),
            ]
        })
        .await;
    let organization = server.organization;
    server
        .change(async |tx| vec![tx.delete_membership(organization, eve).await.unwrap()])
        .await;
    let wrong = bare(&sign_in(&server.anon(), "ada@acme.example", "wrong horse battery").await);
    assert_eq!((wrong.0, &wrong.1["code"]), (401, &json!("sign_in_failed")));
    for (email, password) in [
        ("nobody@acme.example", PASSWORD),
        ("bob@acme.example", PASSWORD),
        ("eve@acme.example", PASSWORD),
        ("no address", PASSWORD),
        ("", ""),
        ("ada@acme.example", ""),
        ("ada@acme.example\0", PASSWORD),
        ("mallory@acme.example", &"x".repeat(2_000)),
        ("ada@acme.example", "Correct horse battery"),
    ] {
        let answer = sign_in(&server.anon(), email, password).await;
        assert_eq!(bare(&answer), wrong, "{email}");
        assert!(!answer.headers.contains_key("set-cookie"));
    }
}

#[tokio::test]
async fn an_unknown_account_costs_the_same_work() {
    let server = Server::sqlite().await;
    let (_, bob) = server.member("Bob").await;
    server
        .change(async |tx| {
            vec![
                tx.set_user_standing(bob, Standing::Suspended)
                    .await
                    .unwrap(),
            ]
        })
        .await;
    // Comparisons and lines of the audit log are what a failed sign-in spends its time on.
    let mut before = (
        server.services.passwords.compared(),
        crate::kit::audit_actions(&server).await.len(),
    );
    for (email, password) in [
        ("ada@acme.example", "wrong horse battery"),
        ("nobody@acme.example", "wrong horse battery"),
        ("nobody@acme.example", &"x".repeat(2_000)),
        ("bob@acme.example", PASSWORD),
        ("no address", PASSWORD),
    ] {
        sign_in(&server.anon(), email, password)
            .await
            .refused(401, "sign_in_failed");
        let after = (
            server.services.passwords.compared(),
            crate::kit::audit_actions(&server).await.len(),
        );
        assert_eq!(after, (before.0 + 1, before.1 + 1), "{email}");
        before = after;
    }
}

#[tokio::test]
async fn strangers_are_slowed_and_the_owners_device_is_not() {
    let server = Server::sqlite().await;
    let first = sign_in(
        &server.anon().at("203.0.113.1"),
        "ada@acme.example",
        PASSWORD,
    )
    .await;
    first.is(201);
    let home = with_cookie(&server.anon().at("203.0.113.1"), &first);
    let mut statuses = Vec::new();
    for n in 0..101 {
        let answer = sign_in(
            &server.anon().at(&format!("192.0.2.{n}")),
            "ada@acme.example",
            "wrong horse battery",
        )
        .await;
        statuses.push(answer.status);
        if answer.status == 429 {
            answer.refused(429, "too_many_attempts");
            assert_eq!(answer.header("retry-after"), "2");
        }
    }
    assert_eq!(statuses, [vec![401; 5], vec![429; 96]].concat());
    sign_in(
        &server.anon().at("203.0.113.2"),
        "Ada@acme.example",
        PASSWORD,
    )
    .await
    .refused(429, "too_many_attempts");
    sign_in(&home, "ada@acme.example", PASSWORD).await.is(201);
    // The proof is of one account: it opens no other, and a forged one opens none.
    let device = cookies(&first)[1].1.clone();
    let forged = server.anon().at("203.0.113.3").with(
        "cookie",
        format!("hallpass-device={}x", &device[..device.len() - 1]),
    );
    sign_in(&forged, "ada@acme.example", PASSWORD)
        .await
        .refused(429, "too_many_attempts");
    sign_in(
        &server.anon().at("203.0.113.4"),
        "nobody@acme.example",
        PASSWORD,
    )
    .await
    .refused(401, "sign_in_failed");
    server.later(2);
    sign_in(
        &server.anon().at("203.0.113.2"),
        "ada@acme.example",
        PASSWORD,
    )
    .await
    .is(201);
}

#[tokio::test]
async fn a_sign_in_that_fails_or_succeeds_is_written_down() {
    let server = Server::sqlite().await;
    sign_in(&server.anon(), "nobody@acme.example", PASSWORD)
        .await
        .refused(401, "sign_in_failed");
    sign_in(&server.anon(), "ada@acme.example", "wrong horse battery")
        .await
        .refused(401, "sign_in_failed");
    sign_in(&server.anon(), "ada@acme.example", PASSWORD)
        .await
        .is(201);
    let actions = crate::kit::audit_actions(&server).await;
    assert_eq!(
        actions,
        [
            "deployment.set_up",
            "session.created",
            "session.refused",
            "session.refused",
            "session.created"
        ]
    );
}

#[tokio::test]
async fn a_sign_in_names_both_fields_and_no_other() {
    let server = Server::sqlite().await;
    for body in [
        json!({}),
        json!({"email": "ada@acme.example"}),
        json!({"email": 7, "password": "x"}),
        json!({"email": "a", "password": "b", "remember": true}),
        json!([]),
    ] {
        server
            .anon()
            .post(SESSIONS, &body)
            .await
            .refused(400, "body_malformed");
    }
}
