//! Nobody gets more than was given, nor keeps what was taken: not by waiting, leaving, coming back or starting anew.

use crate::kit::{Case, NEXT_MONTH, PASSWORD, Plan, Server, under, wish};
use serde_json::{Value, json};

fn role(name: &str, permissions: &[&str]) -> Value {
    json!({"name": name, "permissions": permissions})
}

async fn make_role(server: &Server, name: &str, permissions: &[&str]) -> String {
    let body = role(name, permissions);
    let made = server.ada.post(&server.path("roles"), &body).await.is(201);
    server.path(&format!("roles/{}", made["id"].as_str().unwrap()))
}

async fn make_key(server: &Server, name: &str, role: &str) -> Value {
    let body = json!({"name": name, "role": role, "expirationDate": NEXT_MONTH});
    let ada = server.ada_again().await;
    ada.post(&server.path("api-keys"), &body).await.is(201)
}

#[tokio::test]
async fn a_server_starts_again_after_a_role_with_keys_was_deleted() {
    let server = Server::sqlite().await;
    let path = make_role(&server, "CI", &["repo:read"]).await;
    let key = make_key(&server, "deploy", "CI").await;
    assert_eq!(server.ada.delete(&path).await.is(200)["keysRevoked"], 1);
    let secret = key["secret"].as_str().unwrap().to_owned();
    assert_eq!(server.said_at_the_gateway(&secret, None).await, "revoked");
    let (database, folder) = server.stop().await;
    let plan = Plan {
        folder,
        ..Plan::over(database)
    };
    let again = plan.again().await;
    assert_eq!(again.said_at_the_gateway(&secret, None).await, "revoked");
}

#[tokio::test]
async fn a_start_keeps_what_was_said_of_built_in_roles() {
    let server = Server::sqlite().await;
    let listed = server.ada.get(&server.path("roles")).await.is(200);
    let member = &listed["items"][2];
    let path = server.path(&format!("roles/{}", member["id"].as_str().unwrap()));
    let changed = json!({"name": "Member", "description": "Ours", "permissions": ["report:read"], "tokensByDefault": false});
    server.ada.send_json("PUT", &path, &changed).await.is(200);
    let (database, folder) = server.stop().await;
    let plan = Plan {
        folder,
        ..Plan::over(database)
    };
    let again = plan.again().await;
    let id = hallpass_domain::role::BuiltInRole::Member.id();
    let kept = again.services.store.find_role(id).await.unwrap().unwrap();
    assert_eq!(
        (kept.description.as_str(), kept.tokens_by_default),
        ("Ours", false)
    );
    // What the settings name, they say again at each start.
    assert_eq!(
        kept.permissions.named().unwrap().to_text(),
        "repo:read repo:write"
    );
}

#[tokio::test]
async fn all_that_there_is_is_revoked_though_the_clock_was_set_back() {
    let case = Case::new().await;
    let server = &case.server;
    server.later(-30);
    server
        .ada
        .delete(&server.member_path(case.bob.user))
        .await
        .is(204);
    assert_eq!(
        server.said_at_the_gateway(&case.token.secret, None).await,
        "revoked"
    );
    let again = json!({"user": case.bob.user.to_string(), "role": "member"});
    server
        .ada
        .post(&server.path("members"), &again)
        .await
        .is(201);
    let bob = server.session_of(case.bob.user).await;
    let new = bob.token(wish("new")).await;
    assert_eq!(server.said_at_the_gateway(&new.secret, None).await, "allow");
    // A second time in the same instant.
    bob.send("POST", "/v1/personal-access-tokens/revoke-all", None, "")
        .await
        .is(204);
    assert_eq!(
        server.said_at_the_gateway(&new.secret, None).await,
        "revoked"
    );
    let third = bob.token(wish("third")).await;
    assert_eq!(
        server.said_at_the_gateway(&third.secret, None).await,
        "allow"
    );
    let everything = json!({"everything": true});
    server
        .ada
        .post(&server.path("revocations"), &everything)
        .await
        .is(200);
    assert_eq!(
        server.said_at_the_gateway(&third.secret, None).await,
        "revoked"
    );
}

#[tokio::test]
async fn who_holds_every_action_one_by_one_does_not_give_the_wildcard() {
    let server = Server::sqlite().await;
    let path = make_role(
        &server,
        "Lead",
        &[
            "hallpass:roles",
            "hallpass:members",
            "hallpass:keys",
            "repo:read",
            "repo:write",
        ],
    )
    .await;
    let (lead, lead_id) = server.person("Mallory", "lead").await;
    let refused = |answer: crate::kit::Answer| answer.refused(403, "above_your_role");
    let all = role("Lead", &["hallpass:roles", "hallpass:members", "repo:*"]);
    refused(lead.send_json("PUT", &path, &all).await);
    refused(
        lead.post(&server.path("roles"), &role("Wide", &["repo:*"]))
            .await,
    );
    // Nor what is named for a catalogue to come, by somebody who may name it.
    server
        .ada
        .send_json("PUT", "/v1/permissions/repo:admin", &json!({}))
        .await
        .is(201);
    make_role(&server, "Later", &["repo:admin", "repo:read"]).await;
    server
        .ada
        .delete("/v1/permissions/repo:admin")
        .await
        .is(204);
    let change = json!({"role": "later"});
    refused(lead.patch_json(&server.member_path(lead_id), &change).await);
    let invite = json!({"email": "eve@acme.example", "role": "later"});
    refused(lead.post(&server.path("invitations"), &invite).await);
    let key = json!({"name": "k", "role": "later", "expirationDate": NEXT_MONTH});
    refused(lead.post(&server.path("api-keys"), &key).await);
    lead.post(&server.path("roles"), &role("Narrow", &["repo:read"]))
        .await
        .is(201);
}

#[tokio::test]
async fn a_role_that_gets_wider_widens_no_key_and_one_that_shrinks_shrinks_them_all() {
    let server = Server::sqlite().await;
    let path = make_role(&server, "CI", &["repo:read", "report:read"]).await;
    let key = make_key(&server, "deploy", "CI").await;
    let secret = key["secret"].as_str().unwrap();
    let wider = role("CI", &["repo:read", "report:read", "deploy:run"]);
    server.ada.send_json("PUT", &path, &wider).await.is(200);
    for (permission, said) in [("deploy:run", "permission_missing"), ("repo:read", "allow")] {
        let verdict = server.said_at_the_gateway(secret, Some(permission)).await;
        assert_eq!(verdict, said, "{permission}");
    }
    let less = role("CI", &["report:read"]);
    server.ada.send_json("PUT", &path, &less).await.is(200);
    let verdict = server.said_at_the_gateway(secret, Some("repo:read")).await;
    assert_eq!(verdict, "permission_missing");
}

#[tokio::test]
async fn an_invitation_ends_with_what_its_inviter_may() {
    let server = Server::sqlite().await;
    let accept = async |invited: &Value| {
        let body = json!({"code": invited["code"], "name": "Eve", "password": PASSWORD});
        let answer = server.anon().post("/v1/invitations/accept", &body).await;
        answer.refused(403, "invitation_wrong");
    };
    let (alan, alan_id) = server.person("Alan", "admin").await;
    let path = server.path("invitations");
    let invite = json!({"email": "eve@acme.example", "role": "admin"});
    for change in [json!({"role": "member"}), json!({"standing": "suspended"})] {
        let actor = server.session_of(alan_id).await;
        let invited = actor.post(&path, &invite).await.is(201);
        let alans = server.member_path(alan_id);
        server.ada.patch_json(&alans, &change).await.is(200);
        accept(&invited).await;
        let back = json!({"role": "admin", "standing": "active"});
        server.ada.patch_json(&alans, &back).await.is(200);
    }
    drop(alan);
    let alan = server.session_of(alan_id).await;
    let invited = alan.post(&path, &invite).await.is(201);
    server
        .ada
        .delete(&server.member_path(alan_id))
        .await
        .is(204);
    accept(&invited).await;
    // By a token: with it.
    let ada = server.ada_again().await;
    let token = ada.token(wish("inviter")).await;
    let bearer = server.bearer(&token.secret);
    let invited = bearer.post(&path, &invite).await.is(201);
    ada.delete(&token.path).await.is(204);
    accept(&invited).await;
}

#[tokio::test]
async fn nobody_opens_the_gate_that_was_closed_for_them() {
    let server = Server::sqlite().await;
    let (alan, alan_id) = server.person("Alan", "admin").await;
    let path = server.member_path(alan_id);
    let gate = |open: bool| json!({"mayHaveTokens": open});
    server.ada.patch_json(&path, &gate(false)).await.is(200);
    alan.patch_json(&path, &gate(true))
        .await
        .refused(403, "own_gate");
    let (other, _) = server.person("Grace", "admin").await;
    other.patch_json(&path, &gate(true)).await.is(200);
}

#[tokio::test]
async fn ending_all_keys_is_for_those_who_manage_keys() {
    let server = Server::sqlite().await;
    make_role(&server, "Support", &["hallpass:tokens"]).await;
    let (support, _) = server.person("Sue", "support").await;
    let path = server.path("revocations");
    for body in [
        json!({"madeBefore": "2026-11-22T12:00:00Z"}),
        json!({"everything": true}),
        json!({"filter": {"kind": "api_key"}, "preview": true}),
        json!({"filter": {"state": "active"}, "preview": true}),
    ] {
        support
            .post(&path, &body)
            .await
            .refused(403, "permission_missing");
    }
    let body = json!({"filter": {"kind": "personal_access_token"}, "preview": true});
    support.post(&path, &body).await.is(200);
}

#[tokio::test]
async fn moving_members_to_another_role_is_changing_members() {
    let server = Server::sqlite().await;
    make_role(&server, "Roles", &["hallpass:roles", "repo:read"]).await;
    let path = make_role(&server, "Guest", &["repo:read"]).await;
    server.person("Bob", "guest").await;
    let (actor, _) = server.person("Rolf", "roles").await;
    actor
        .delete(&format!("{path}?moveMembersTo=roles"))
        .await
        .refused(403, "permission_missing");
    server
        .ada
        .delete(&format!("{path}?moveMembersTo=viewer"))
        .await
        .is(200);
    let (zenith, zoe, _) = server.other_organization().await;
    zoe.get(&under(zenith, "roles")).await.is(200);
}

#[tokio::test]
async fn whoever_answers_for_the_organization_revokes_any_token_and_key() {
    let case = Case::new().await;
    let server = &case.server;
    let key = make_key(server, "deploy", "viewer").await;
    let (member, _) = server.person("Moe", "member").await;
    for (id, secret) in [
        (case.token.id.clone(), case.token.secret.clone()),
        (
            key["id"].as_str().unwrap().to_owned(),
            key["secret"].as_str().unwrap().to_owned(),
        ),
    ] {
        let path = server.path(&format!("tokens/{id}"));
        member
            .delete(&path)
            .await
            .refused(403, "permission_missing");
        assert_eq!(server.said_at_the_gateway(&secret, None).await, "allow");
        for _ in 0..2 {
            server.ada.delete(&path).await.is(204);
            assert_eq!(server.said_at_the_gateway(&secret, None).await, "revoked");
        }
    }
}
