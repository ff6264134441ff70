//! The last use of a token, as its owner is shown it.

use crate::kit::{Case, beside};
use hallpass_server::jobs::Flush;
use serde_json::json;
use sqlx::Executor as _;
use std::sync::Arc;

#[tokio::test]
async fn the_last_use_is_shown_to_the_owner() {
    let case = Case::new().await;
    let bob = case.server.session_of(case.bob.user).await;
    case.server.later(90);
    let question = json!({"token": case.token.secret, "method": "PUT", "path": "/repos/octo?access=secret#top", "address": "2001:db8::17", "userAgent": "curl/8.9"});
    case.verifier.post("/v1/verify", &question).await.is(200);
    case.server.flush_uses().await;
    let shown = bob.get(&case.token.path).await.is(200);
    let uses = [
        "lastUsed",
        "lastUsedMethod",
        "lastUsedPath",
        "lastUsedAddress",
        "lastUsedAgent",
    ]
    .map(|field| shown[field].as_str().unwrap().to_owned());
    assert_eq!(
        uses,
        [
            "2026-11-22T12:01:30Z",
            "PUT",
            "/repos/octo",
            "2001:db8::17",
            "curl/8.9"
        ]
    );
    // A refusal is counted, and is no use.
    case.server.later(10);
    let refused = json!({"token": case.token.secret, "permission": "deploy:run", "path": "/other"});
    case.verifier.post("/v1/verify", &refused).await.is(200);
    case.server.flush_uses().await;
    assert_eq!(bob.get(&case.token.path).await.is(200), shown);
}

#[tokio::test]
async fn the_last_use_through_a_gateway_is_that_of_the_request_behind_it() {
    let case = Case::new().await;
    let bob = case.server.session_of(case.bob.user).await;
    for (headers, path, expected) in [
        (
            vec![
                ("x-original-method", "POST"),
                ("x-original-uri", "/repos/octo?page=2"),
            ],
            "/auth",
            [Some("POST"), Some("/repos/octo")],
        ),
        (
            vec![
                ("x-forwarded-method", "DELETE"),
                ("x-forwarded-uri", "/repos/gone"),
            ],
            "/auth",
            [Some("DELETE"), Some("/repos/gone")],
        ),
        (
            vec![],
            "/auth/below/it?x=1",
            [Some("GET"), Some("/below/it")],
        ),
        (vec![], "/auth", [Some("GET"), None]),
    ] {
        case.server.later(1);
        let headers = [
            vec![
                ("x-forwarded-for", "10.9.9.9, 203.0.113.9"),
                ("user-agent", "git/2.51\tx"),
            ],
            headers,
        ]
        .concat();
        let actor = headers.into_iter().fold(
            case.server.gateway().bearing(&case.token.secret),
            |actor, (name, value)| actor.with(name, value),
        );
        assert_eq!(actor.get(path).await.status, 204);
        case.server.flush_uses().await;
        let shown = bob.get(&case.token.path).await.is(200);
        assert_eq!(
            [
                shown["lastUsedMethod"].as_str(),
                shown["lastUsedPath"].as_str()
            ],
            expected
        );
        assert_eq!(
            (
                shown["lastUsedAddress"].as_str(),
                shown["lastUsedAgent"].as_str()
            ),
            (Some("203.0.113.9"), Some("git/2.51\u{fffd}x"))
        );
    }
}

#[tokio::test]
async fn uses_that_cannot_be_written_are_kept_and_folding_goes_on() {
    let case = Case::new().await;
    let bob = case.server.session_of(case.bob.user).await;
    let mut uses = Flush::new(Arc::clone(&case.server.services));
    let ask = async |path: &str| {
        case.server.later(1);
        let question = json!({"token": case.token.secret, "path": path});
        case.verifier.post("/v1/verify", &question).await.is(200);
    };
    let shown = async || bob.get(&case.token.path).await.is(200)["lastUsedPath"].clone();
    let mut beside = beside(&case.server).await;
    ask("/first").await;
    uses.fold();
    let waiting = uses.waiting();
    for statement in [
        "alter table token_use rename to gone",
        "alter table gone rename to token_use",
    ] {
        beside.execute(statement).await.unwrap();
        assert_eq!(uses.waiting(), waiting, "kept");
        uses.write().await;
    }
    assert_eq!((uses.waiting(), shown().await), (0, json!("/first")));

    ask("/second").await;
    uses.fold();
    // Somebody else writes, and goes on until a use that came meanwhile was folded.
    beside.execute("begin immediate").await.unwrap();
    let asking = async {
        ask("/third").await;
        while case.server.services.uses.waiting() > 0 {
            tokio::task::yield_now().await;
        }
        beside.execute("rollback").await.unwrap();
    };
    tokio::join!(uses.write(), asking);
    assert_eq!(shown().await, json!("/second"));
    uses.write().await;
    assert_eq!((uses.waiting(), shown().await), (0, json!("/third")));
}
