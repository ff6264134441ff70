//! Forms as the pages send them, and what is said about the page that comes back.

use super::{Actor, Answer, Server};
use hallpass_domain::{id::UserId, member::Membership, role::BuiltInRole};

pub(crate) fn encode(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

pub(crate) async fn send(actor: &Actor, path: &str, body: String) -> Answer {
    let kind = Some("application/x-www-form-urlencoded");
    actor.send("POST", path, kind, body).await
}

/// Sends a form as a page of the actor's would.
pub(crate) async fn form(actor: &Actor, path: &str, pairs: &[(&str, &str)]) -> Answer {
    let csrf = actor.header("x-hallpass-csrf");
    let body = format!("{}&{}", encode(&[("csrf", &csrf)]), encode(pairs));
    send(&actor.without("x-hallpass-csrf"), path, body).await
}

#[track_caller]
pub(crate) fn shows(answer: &Answer, status: u16, parts: &[&str]) -> String {
    let text = answer.text();
    assert_eq!(answer.status, status, "{text}");
    for part in parts {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    text
}

#[track_caller]
pub(crate) fn goes_to(answer: &Answer, path: &str) {
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(answer.header("location"), path);
}

/// The value of a field of a page, such as the number that is to be confirmed.
#[track_caller]
pub(crate) fn field(page: &str, name: &str) -> String {
    let begin = format!(r#"name="{name}" value=""#);
    let (_, rest) = page.split_once(&begin).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

/// The code of the link that a page shows.
#[track_caller]
pub(crate) fn code_in(page: &str) -> String {
    let (_, rest) = page.split_once("/invitation?code=").unwrap();
    rest.chars().take(43).collect()
}

pub(crate) async fn with_role(server: &Server, name: &str, role: BuiltInRole) -> (Actor, UserId) {
    let (_, id) = server.member(name).await;
    let membership = Membership {
        role: role.id(),
        may_have_tokens: role.tokens_by_default(),
        ..server.membership(id)
    };
    server.put(membership).await;
    (server.session_of(id).await, id)
}
