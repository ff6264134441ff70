//! Credentials in every form that tools send them, and in every form that is none, at both doors.

use crate::kit::{Actor, Answer, Server, stranger, wish};
use base64::{Engine as _, engine::general_purpose::STANDARD};

type Headers = Vec<(&'static str, Vec<u8>)>;

fn one(name: &'static str, value: impl AsRef<[u8]>) -> Headers {
    vec![(name, value.as_ref().to_vec())]
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// Sends the headers to both doors.
async fn ask(server: &Server, headers: &Headers) -> (Answer, Answer) {
    let with = |actor: Actor| {
        headers
            .iter()
            .fold(actor, |actor, (name, value)| actor.with(name, value))
    };
    (
        with(server.anon()).get("/v1/caller").await,
        with(server.gateway()).get("/auth").await,
    )
}

#[tokio::test]
async fn every_form_is_taken_at_both_doors() {
    let server = Server::sqlite().await;
    let token = server.ada.token(wish("ci")).await.secret;
    let same_twice = [
        one("authorization", format!("Bearer {token}")),
        one("x-api-key", &token),
        one("private-token", &token),
    ]
    .concat();
    for headers in [
        one("authorization", format!("Bearer {token}")),
        one("authorization", format!("bearer {token}")),
        one("authorization", format!("BEARER   {token}")),
        one("authorization", format!("Token {token}")),
        one("authorization", format!("token {token}")),
        one("authorization", basic(&token, "")),
        one("authorization", basic("", &token)),
        one("authorization", basic("x-access-token", &token)),
        one("authorization", basic(&token, "x-oauth-basic")),
        one("authorization", basic(&token, &token)),
        one(
            "authorization",
            basic("ada", &token).replace("Basic", "basic"),
        ),
        one("x-api-key", &token),
        one("x-api-key", format!(" {token} ")),
        one("private-token", &token),
        same_twice,
        [
            one("authorization", "Digest username=\"ada\""),
            one("x-api-key", &token),
        ]
        .concat(),
    ] {
        let (rest, gateway) = ask(&server, &headers).await;
        assert_eq!(
            (rest.status, gateway.status),
            (200, 204),
            "{headers:?} {}",
            rest.text()
        );
    }
}

#[tokio::test]
async fn what_cannot_be_read_gets_its_exact_answer_at_both_doors() {
    let server = Server::sqlite().await;
    let (token, other) = (
        server.ada.token(wish("ci")).await.secret,
        server.ada.token(wish("other")).await.secret,
    );
    let bearer = one("authorization", format!("Bearer {token}"));
    for (headers, code) in [
        (
            [bearer.clone(), bearer.clone()].concat(),
            "credentials_doubled",
        ),
        (
            one("authorization", format!("Bearer {token}, Bearer {token}")),
            "credentials_doubled",
        ),
        (
            one("authorization", format!("Bearer {token},{other}")),
            "credentials_doubled",
        ),
        (
            [one("x-api-key", &token), one("x-api-key", &token)].concat(),
            "credentials_doubled",
        ),
        (
            [one("private-token", &token), one("private-token", &other)].concat(),
            "credentials_doubled",
        ),
        (
            [bearer.clone(), one("x-api-key", &other)].concat(),
            "credentials_conflicting",
        ),
        (
            [one("x-api-key", &token), one("private-token", &other)].concat(),
            "credentials_conflicting",
        ),
        (
            [bearer.clone(), one("x-api-key", "something else")].concat(),
            "credentials_conflicting",
        ),
        (
            [bearer.clone(), one("x-api-key", "")].concat(),
            "credentials_conflicting",
        ),
        (
            one("authorization", basic(&token, &other)),
            "credentials_conflicting",
        ),
        (one("authorization", "Bearer"), "credentials_malformed"),
        (one("authorization", "Bearer "), "credentials_malformed"),
        (
            one("authorization", format!("Bearer {token} x")),
            "credentials_malformed",
        ),
        (
            one("authorization", format!("Bearer\t{token}")),
            "credentials_malformed",
        ),
        (
            one("authorization", "Bearer \u{e9}\u{e9}"),
            "credentials_malformed",
        ),
        (
            one("authorization", b"Bearer \xff"),
            "credentials_malformed",
        ),
        (one("authorization", "Token"), "credentials_malformed"),
        (one("authorization", "Basic"), "credentials_malformed"),
        (one("authorization", "Basic ???"), "credentials_malformed"),
        (
            one(
                "authorization",
                format!("Basic {}", STANDARD.encode("no colon")),
            ),
            "credentials_malformed",
        ),
        (
            one("authorization", format!("Bearer {}", "a".repeat(1_024))),
            "credentials_too_long",
        ),
        (one("x-api-key", "a".repeat(1_025)), "credentials_too_long"),
        (
            one("private-token", "a".repeat(60_000)),
            "credentials_too_long",
        ),
    ] {
        let (rest, gateway) = ask(&server, &headers).await;
        rest.refused(400, code);
        assert_eq!(
            (gateway.status, gateway.header("x-hallpass-error")),
            (401, code),
            "{headers:?}"
        );
        let challenge = gateway.header("www-authenticate");
        assert!(
            challenge.starts_with(
                "Bearer realm=\"hallpass\", error=\"invalid_request\", error_description=\""
            ),
            "{challenge}"
        );
        assert!(
            challenge.is_ascii()
                && challenge.matches('"').count() == 6
                && !challenge.contains('\\'),
            "{challenge}"
        );
        for answer in [rest.text(), challenge.to_owned()] {
            assert!(
                !answer.contains(&token[10..42]) && !answer.contains(&other[10..42]),
                "{answer}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_no_token_is_refused_without_a_look() {
    let server = Server::sqlite().await;
    let token = server.ada.token(wish("ci")).await.secret;
    let upper = token.to_uppercase();
    for headers in [
        one("authorization", format!("Bearer {}x", &token[..47])),
        one("authorization", format!("Bearer {token}x")),
        one("authorization", format!("Bearer {}", &token[..47])),
        one("authorization", format!("Bearer {upper}")),
        one("authorization", "Bearer eyJhbGciOiJIUzI1NiJ9.e30.x"),
        one("authorization", format!("Bearer \"{token}\"")),
        one("authorization", format!("Token token={token}")),
        one("authorization", basic("ada", "secret")),
        one("authorization", basic("", "")),
        one("x-api-key", ""),
        one("x-api-key", format!("Bearer {token}")),
        one("private-token", "glpat-0123456789"),
    ] {
        let (rest, gateway) = ask(&server, &headers).await;
        rest.refused(401, "invalid_token");
        assert_eq!(
            rest.header("www-authenticate"),
            "Bearer realm=\"hallpass\", error=\"invalid_token\""
        );
        assert_eq!(
            (gateway.status, gateway.header("x-hallpass-error")),
            (401, "malformed"),
            "{headers:?}"
        );
        assert!(
            gateway
                .header("www-authenticate")
                .contains("error=\"invalid_token\"")
        );
    }
}

#[tokio::test]
async fn what_brings_nothing_is_asked_for_it() {
    let server = Server::sqlite().await;
    for headers in [
        vec![],
        one("authorization", ""),
        one("authorization", "Negotiate abc"),
        one("x-other", "x"),
    ] {
        let (rest, gateway) = ask(&server, &headers).await;
        rest.refused(401, "sign_in_required");
        assert_eq!(
            (gateway.status, gateway.header("x-hallpass-error")),
            (401, "credentials_missing")
        );
        for answer in [rest, gateway] {
            assert_eq!(
                answer.header("www-authenticate"),
                "Bearer realm=\"hallpass\"",
                "no error where nothing was sent"
            );
        }
    }
    let (rest, gateway) = ask(
        &server,
        &one("authorization", format!("Bearer {}", stranger())),
    )
    .await;
    rest.refused(401, "invalid_token");
    assert_eq!(
        (gateway.status, gateway.header("x-hallpass-error")),
        (401, "unknown")
    );
}
