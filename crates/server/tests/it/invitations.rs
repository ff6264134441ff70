//! Invitations: a link that works once, for a week, for one address.

use crate::{
    both_engines,
    kit::{PASSWORD, Server, under},
};
use futures_util::future::join_all;
use serde_json::{Value, json};

both_engines!(
    whoever_is_invited_comes_in_once,
    of_eight_who_accept_at_once_one_comes_in,
    whoever_is_added_needs_no_invitation_any_more,
);

const ACCEPT: &str = "/v1/invitations/accept";

async fn invite(server: &Server, email: &str, role: &str) -> Value {
    let wish = json!({"email": email, "role": role});
    let made = server.ada.post(&server.path("invitations"), &wish).await;
    made.is(201)
}

fn acceptance(invited: &Value, name: &str) -> Value {
    json!({"code": invited["code"], "name": name, "password": PASSWORD})
}

async fn whoever_is_invited_comes_in_once(server: Server) {
    let invited = invite(&server, "Eve@Acme.example", "viewer").await;
    let code = invited["code"].as_str().unwrap();
    assert_eq!(
        invited["link"],
        format!("http://hallpass.test/invitation?code={code}")
    );
    assert_eq!(
        (&invited["mayHaveTokens"], &invited["expires"]),
        (&json!(false), &json!("2026-11-29T12:00:00Z")),
        "viewers have no tokens unless somebody says so"
    );
    let open = server.ada.get(&server.path("invitations")).await;
    assert_eq!(open.is(200)["items"][0]["email"], "Eve@Acme.example");
    assert!(!open.text().contains(code), "the code is told once");
    let eve = acceptance(&invited, "Eve");
    let session = server.anon().post(ACCEPT, &eve).await.is(201);
    assert_eq!(
        (&session["caller"]["role"], &session["caller"]["email"]),
        (&json!("Viewer"), &json!("Eve@Acme.example"))
    );
    server
        .anon()
        .post(ACCEPT, &eve)
        .await
        .refused(403, "invitation_wrong");
    assert_eq!(
        server.ada.get(&server.path("invitations")).await.is(200)["items"],
        json!([])
    );
    let again = json!({"email": "eve@acme.example", "role": "viewer"});
    server
        .ada
        .post(&server.path("invitations"), &again)
        .await
        .refused(409, "already_member");
}

async fn whoever_is_added_needs_no_invitation_any_more(server: Server) {
    let user = server.user("Eve").await;
    let invited = invite(&server, "Eve@acme.example", "member").await;
    let others = invite(&server, "mal@acme.example", "member").await;
    let add = json!({"user": user.to_string(), "role": "member"});
    server.ada.post(&server.path("members"), &add).await.is(201);
    let open = server.ada.get(&server.path("invitations")).await.is(200);
    assert_eq!(open["items"].as_array().unwrap().len(), 1, "{open}");
    assert_eq!(open["items"][0]["id"], others["id"]);
    let eve = acceptance(&invited, "Eve");
    let late = server.anon().post(ACCEPT, &eve).await;
    late.refused(403, "invitation_wrong");
    let path = server.path("audit?action=invitation.withdrawn");
    let lines = server.ada.get(&path).await.is(200);
    assert_eq!(lines["items"].as_array().unwrap().len(), 1, "{lines}");
}

async fn of_eight_who_accept_at_once_one_comes_in(server: Server) {
    let invited = invite(&server, "eve@acme.example", "member").await;
    let tries = (0..8).map(|number| {
        let (actor, body) = (
            server.anon(),
            acceptance(&invited, &format!("Eve {number}")),
        );
        async move { actor.post(ACCEPT, &body).await.status }
    });
    let statuses = join_all(tries).await;
    assert_eq!(
        statuses.iter().filter(|status| **status == 201).count(),
        1,
        "{statuses:?}"
    );
}

#[tokio::test]
async fn an_invitation_that_is_old_withdrawn_replaced_or_made_up_does_not_work() {
    let server = Server::sqlite().await;
    let refused = async |invited: &Value| {
        let answer = server
            .anon()
            .post(ACCEPT, &acceptance(invited, "Eve"))
            .await;
        answer.refused(403, "invitation_wrong");
    };
    let first = invite(&server, "eve@acme.example", "member").await;
    let second = invite(&server, "EVE@acme.example", "member").await;
    refused(&first).await;
    let path = server.path(&format!("invitations/{}", second["id"].as_str().unwrap()));
    server.ada.delete(&path).await.is(204);
    refused(&second).await;
    server.ada.delete(&path).await.refused(404, "not_found");
    let third = invite(&server, "eve@acme.example", "member").await;
    server.later(7 * 86_400);
    refused(&third).await;
    refused(&json!({"code": "x"})).await;
    refused(&json!({"code": "A".repeat(43)})).await;
    // A week is over for Ada's session, too; a second earlier it still works.
    let server = Server::sqlite().await;
    let fourth = invite(&server, "eve@acme.example", "member").await;
    server.later(7 * 86_400 - 1);
    let eve = acceptance(&fourth, "Eve");
    server.anon().post(ACCEPT, &eve).await.is(201);
}

#[tokio::test]
async fn whoever_has_an_account_proves_it() {
    let server = Server::sqlite().await;
    let (zenith, zoe, _) = server.other_organization().await;
    let (_, bob) = server.person("Bob", "member").await;
    let wish = json!({"email": "bob@acme.example", "role": "superuser"});
    let invited = zoe.post(&under(zenith, "invitations"), &wish).await.is(201);
    let wrong = json!({"code": invited["code"], "password": "not the password at all"});
    server
        .anon()
        .post(ACCEPT, &wrong)
        .await
        .refused(401, "sign_in_failed");
    let right = json!({"code": invited["code"], "password": PASSWORD});
    let session = server.anon().post(ACCEPT, &right).await.is(201);
    assert_eq!(session["caller"]["owner"]["id"], bob.to_string());
    assert_eq!(
        (
            &session["caller"]["organization"]["name"],
            &session["caller"]["role"]
        ),
        (&json!("Zenith"), &json!("Superuser"))
    );
}

#[tokio::test]
async fn what_is_wrong_with_the_newcomer_is_said_and_the_invitation_stays() {
    let server = Server::sqlite().await;
    let invited = invite(&server, "eve@acme.example", "member").await;
    for (name, password, code) in [
        ("", PASSWORD, "name_required"),
        ("Eve", "short", "password_too_short"),
    ] {
        let body = json!({"code": invited["code"], "name": name, "password": password});
        server.anon().post(ACCEPT, &body).await.refused(400, code);
    }
    let eve = acceptance(&invited, "Eve");
    server.anon().post(ACCEPT, &eve).await.is(201);
}

#[tokio::test]
async fn nobody_invites_to_more_than_they_hold() {
    let server = Server::sqlite().await;
    let (admin, _) = server.person("Alan", "admin").await;
    let path = server.path("invitations");
    let wish = |role: &str, email: &str| json!({"email": email, "role": role});
    admin
        .post(&path, &wish("superuser", "eve@acme.example"))
        .await
        .refused(403, "above_your_role");
    admin
        .post(&path, &wish("nobody", "eve@acme.example"))
        .await
        .refused(404, "not_found");
    admin
        .post(&path, &wish("admin", "eve"))
        .await
        .refused(400, "email_malformed");
    admin
        .post(&path, &wish("admin", "eve@acme.example"))
        .await
        .is(201);
}
