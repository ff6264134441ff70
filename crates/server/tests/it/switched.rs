//! A session that goes to another organization: what was opened before does nothing there.

use crate::kit::{
    Actor, Server, TOKENS,
    page::{form, shows},
    rows, under, wish,
};
use hallpass_domain::id::OrganizationId;
use serde_json::{Value, json};

async fn switch(actor: &Actor, to: OrganizationId) -> Value {
    let path = "/v1/sessions/current/organization";
    let to = json!({"organization": to.to_string()});
    actor.send_json("PUT", path, &to).await.is(200)
}

/// Bob is a superuser of Acme and of Zenith, and his session is in Acme.
async fn in_both(server: &Server) -> (Actor, OrganizationId) {
    let (zenith, _, _) = server.other_organization().await;
    let (bob, id) = server.person("Bob", "superuser").await;
    let join = json!({"user": id.to_string(), "role": "superuser"});
    let members = under(zenith, "members");
    server.ada.post(&members, &join).await.is(201);
    (bob, zenith)
}

#[tokio::test]
async fn a_form_of_one_organization_does_nothing_in_another() {
    let server = Server::sqlite().await;
    let (bob, zenith) = in_both(&server).await;
    let now = bob.going_on_with(&switch(&bob, zenith).await);
    now.token(wish("zeniths")).await;
    let forms: [(&str, &[(&str, &str)]); 4] = [
        ("/settings/organization", &[("name", "Renamed")]),
        (
            "/settings/organization/tokens/revoke",
            &[("what", "everything"), ("expected", "1")],
        ),
        (
            "/settings/organization/members/invite",
            &[("email", "x@acme.example"), ("role", "superuser")],
        ),
        ("/settings/tokens/new", &[("name", "late")]),
    ];
    let kept = "select count(*) || '' from audit";
    let before = rows(&server, kept).await;
    for (path, fields) in forms {
        let answer = form(&bob, path, fields).await;
        let parts = [
            "You switched to Zenith meanwhile",
            "Nothing was changed",
            "organization_switched",
            "href=\"/\"",
        ];
        shows(&answer, 403, &parts);
        // A value of no organization of theirs says nothing of where they are.
        let forged = bob
            .without("x-hallpass-csrf")
            .with("x-hallpass-csrf", "x".repeat(43));
        let answer = form(&forged, path, fields).await;
        assert!(!shows(&answer, 403, &["csrf_required"]).contains("You switched"));
    }
    assert_eq!(rows(&server, kept).await, before);
    assert_eq!(now.names("?state=active").await, ["zeniths"]);
    // Two pages of the same organization go on working, and so does the old one when the session is back.
    for name in ["One", "Two"] {
        let answer = form(&now, "/settings/organization", &[("name", name)]).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
    }
    switch(&now, server.organization).await;
    let answer = form(&bob, "/settings/organization", &[("name", "Acme")]).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
}

#[tokio::test]
async fn signing_out_means_the_same_everywhere() {
    let server = Server::sqlite().await;
    let (bob, zenith) = in_both(&server).await;
    switch(&bob, zenith).await;
    let forged = bob.without("x-hallpass-csrf");
    shows(
        &form(&forged, "/sign-out", &[]).await,
        403,
        &["csrf_required"],
    );
    assert_eq!(form(&bob, "/sign-out", &[]).await.status, 303);
    bob.get("/v1/caller").await.refused(401, "sign_in_required");
}

#[tokio::test]
async fn the_value_of_a_session_is_that_of_the_organization_in_force() {
    let server = Server::sqlite().await;
    let (bob, zenith) = in_both(&server).await;
    let told = bob.get("/v1/caller").await.is(200);
    assert_eq!(told["csrf"], bob.header("x-hallpass-csrf").as_str());
    let there = switch(&bob, zenith).await;
    assert_ne!(there["csrf"], told["csrf"]);
    assert_eq!(bob.get("/v1/caller").await.is(200)["csrf"], there["csrf"]);
    bob.post(TOKENS, &wish("late"))
        .await
        .refused(403, "organization_switched");
    let now = bob.going_on_with(&there);
    assert!(now.names("").await.is_empty());
    let token = now.token(wish("ci")).await;
    // A token has no session, and is told no value of one.
    let told = server.bearer(&token.secret).get("/v1/caller").await.is(200);
    assert!(told.get("csrf").is_none(), "{told}");
}

#[tokio::test]
async fn an_idempotency_key_belongs_to_one_organization() {
    let server = Server::sqlite().await;
    let (bob, zenith) = in_both(&server).await;
    let once = |actor: &Actor| actor.with("idempotency-key", "the-same");
    let first = once(&bob).token(wish("ci")).await;
    assert_eq!(
        once(&bob).post(TOKENS, &wish("ci")).await.json()["id"],
        first.id.as_str()
    );
    let there = bob.going_on_with(&switch(&bob, zenith).await);
    let second = once(&there).post(TOKENS, &wish("ci")).await.is(201);
    assert_ne!(second["id"], first.id.as_str());
}

#[tokio::test]
async fn who_may_not_manage_members_is_not_told_which_roles_there_are() {
    let server = Server::sqlite().await;
    let (bob, _) = server.person("Bob", "member").await;
    for role in ["Member", "no such role"] {
        let wish = json!({"email": "x@acme.example", "role": role});
        bob.post(&server.path("invitations"), &wish)
            .await
            .refused(403, "permission_missing");
        bob.get(&server.path(&format!("members?role={}", role.replace(' ', "+"))))
            .await
            .refused(403, "permission_missing");
    }
}

#[tokio::test]
async fn suspending_at_once_is_written_down_once() {
    let server = Server::sqlite().await;
    let id = server.user("Bob").await;
    let path = format!("/v1/users/{id}");
    let suspend = json!({"standing": "suspended"});
    let (ada, suspend) = (&server.ada, &suspend);
    let all = [1, 2, 3, 4].map(|_| ada.patch(&path, suspend));
    for answer in futures_util::future::join_all(all).await {
        answer.is(200);
    }
    let kept = "select count(*) || '' from audit where action = 'user.suspended'";
    assert_eq!(rows(&server, kept).await, ["1"]);
}

#[tokio::test]
async fn hidden_characters_are_refused_in_what_people_read() {
    let server = Server::sqlite().await;
    let token = server.ada.token(wish("ci")).await;
    for hidden in ['\u{202e}', '\u{2066}', '\u{200b}', '\u{feff}', '\u{2028}'] {
        let text = format!("a{hidden}b");
        let role = json!({"name": "R", "description": text, "permissions": []});
        server
            .ada
            .post(&server.path("roles"), &role)
            .await
            .refused(400, "description_malformed");
        let permission = json!({"description": text});
        server
            .ada
            .put("/v1/permissions/a:b", &permission)
            .await
            .refused(400, "description_malformed");
        let reason = json!({"reason": text});
        let path = server.path(&format!("tokens/{}/suspension", token.id));
        server
            .ada
            .post(&path, &reason)
            .await
            .refused(400, "reason_malformed");
    }
}
