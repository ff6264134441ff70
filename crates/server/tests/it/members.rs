//! Members: who may bring in, change, suspend and remove whom.

use crate::{
    both_engines,
    kit::{Server, TOKENS, audit_actions, under, wish},
};
use futures_util::future::join_all;
use serde_json::{Value, json};

both_engines!(
    the_last_superuser_stays,
    of_two_superusers_who_demote_each_other_one_stays,
    a_member_is_shown_changed_and_removed,
);

async fn the_last_superuser_stays(server: Server) {
    let path = server.member_path(server.ada_id);
    for change in [json!({"role": "admin"}), json!({"standing": "suspended"})] {
        server
            .ada
            .patch_json(&path, &change)
            .await
            .refused(409, "last_superuser");
    }
    server
        .ada
        .delete(&path)
        .await
        .refused(409, "last_superuser");
    let user = format!("/v1/users/{}", server.ada_id);
    server
        .ada
        .patch_json(&user, &json!({"standing": "suspended"}))
        .await
        .refused(409, "last_superuser");
    server
        .ada
        .delete(&user)
        .await
        .refused(409, "last_superuser");
    // Nothing was written half.
    let shown = server.ada.get(&path).await.is(200);
    assert_eq!(
        (
            &shown["role"]["name"],
            &shown["standing"],
            &shown["userStanding"]
        ),
        (&json!("Superuser"), &json!("active"), &json!("active"))
    );
    // With a second one, the first may go.
    server.person("Grace", "superuser").await;
    server.ada.delete(&path).await.is(204);
}

/// Each is asked to step down at the same time, by themselves and by the others, again and again.
async fn of_two_superusers_who_demote_each_other_one_stays(server: Server) {
    let mut people = vec![(server.ada.clone(), server.ada_id)];
    for name in ["Grace", "Katherine", "Dorothy"] {
        people.push(server.person(name, "superuser").await);
    }
    for round in 0..3 {
        let mut asked = Vec::new();
        for (actor, _) in &people {
            for (_, whom) in &people {
                let (actor, path) = (actor.clone(), server.member_path(*whom));
                asked.push(async move {
                    let role = if round == 1 { "member" } else { "viewer" };
                    actor.patch_json(&path, &json!({"role": role})).await
                });
            }
        }
        for answer in join_all(asked).await {
            assert!(
                [200, 403, 409, 503].contains(&answer.status),
                "{}",
                answer.text()
            );
        }
    }
    let roles = server
        .services
        .store
        .list_roles(server.organization)
        .await
        .unwrap();
    assert_eq!(roles[0].members, 1, "one superuser stays");
}

async fn a_member_is_shown_changed_and_removed(server: Server) {
    let (bob, bob_id) = server.person("Bob", "member").await;
    bob.token(wish("ci")).await;
    let path = server.member_path(bob_id);
    let shown = server.ada.get(&path).await.is(200);
    let role = shown["role"]["id"].clone();
    assert_eq!(
        shown,
        json!({
            "user": bob_id.to_string(), "name": "Bob", "email": "bob@acme.example",
            "role": {"id": role, "name": "Member"}, "standing": "active", "userStanding": "active",
            "mayHaveTokens": true, "tokens": 1, "joined": "2026-11-22T12:00:00Z",
        })
    );
    let listed = server
        .ada
        .get(&server.path("members?search=BOB&role=member&standing=active"))
        .await
        .is(200);
    assert_eq!(listed["items"], json!([shown]));
    let again = json!({"user": bob_id.to_string(), "role": "viewer"});
    server
        .ada
        .post(&server.path("members"), &again)
        .await
        .refused(409, "already_member");
    let first = server
        .ada
        .get(&server.path("members?limit=1"))
        .await
        .is(200);
    let next = first["nextCursor"].as_str().unwrap();
    let second = server
        .ada
        .get(&server.path(&format!("members?limit=1&cursor={next}")))
        .await
        .is(200);
    assert_eq!(
        (names(&first), names(&second), &second["nextCursor"]),
        (
            vec!["Ada Lovelace".to_owned()],
            vec!["Bob".to_owned()],
            &Value::Null
        )
    );
    for (query, code) in [
        ("role=nobody", "not_found"),
        ("standing=on", "standing_unknown"),
        ("cursor=x", "cursor_malformed"),
        ("page=2", "parameter_unknown"),
    ] {
        let answer = server
            .ada
            .get(&server.path(&format!("members?{query}")))
            .await;
        assert_eq!(answer.problem()["code"], code);
    }
    // Everybody may leave.
    bob.delete(&path).await.is(204);
    bob.get(TOKENS).await.refused(401, "sign_in_required");
    server.ada.get(&path).await.refused(404, "not_found");
}

fn names(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    let name = |item: &Value| item["name"].as_str().unwrap().to_owned();
    items.iter().map(name).collect()
}

#[tokio::test]
async fn nobody_gives_changes_or_takes_away_more_than_they_hold() {
    let server = Server::sqlite().await;
    let (admin, admin_id) = server.person("Alan", "admin").await;
    let (_, bob) = server.person("Bob", "member").await;
    let bobs = server.member_path(bob);
    for (path, change) in [
        (&bobs, json!({"role": "superuser"})),
        (&server.member_path(admin_id), json!({"role": "superuser"})),
        (
            &server.member_path(server.ada_id),
            json!({"role": "member"}),
        ),
        (
            &server.member_path(server.ada_id),
            json!({"standing": "suspended"}),
        ),
        (
            &server.member_path(server.ada_id),
            json!({"mayHaveTokens": false}),
        ),
    ] {
        let refused = admin.patch_json(path, &change).await;
        let problem = refused.refused(403, "above_your_role");
        assert!(
            problem["detail"].as_str().unwrap().contains("hallpass:"),
            "{problem}"
        );
    }
    admin
        .delete(&server.member_path(server.ada_id))
        .await
        .refused(403, "above_your_role");
    admin
        .patch_json(&bobs, &json!({"role": "admin"}))
        .await
        .is(200);
    // Making members of people who were not asked is for those who manage the deployment.
    let user = server.user("Carol").await;
    let add = json!({"user": user.to_string(), "role": "viewer"});
    admin
        .post(&server.path("members"), &add)
        .await
        .refused(403, "permission_missing");
    // Each refused attempt is written down, with what was attempted.
    let refused = audit_actions(&server).await;
    assert_eq!(
        refused.iter().filter(|action| *action == "refused").count(),
        7
    );
}

#[tokio::test]
async fn a_token_or_a_narrowed_one_administers_no_more_than_it_names() {
    let server = Server::sqlite().await;
    let (_, bob) = server.person("Bob", "member").await;
    let token = |name: &str, scope: &[&str]| json!({"name": name, "expirationDate": crate::kit::NEXT_MONTH, "scope": scope});
    let ada = server.ada_again().await;
    let members = ada.token(token("members", &["hallpass:members"])).await;
    let keys = ada.token(token("keys", &["hallpass:keys"])).await;
    let path = server.member_path(bob);
    let close = json!({"mayHaveTokens": false});
    server
        .bearer(&keys.secret)
        .patch_json(&path, &close)
        .await
        .refused(403, "permission_missing");
    // What Bob's role holds, this token does not: it may look, but give and take nothing.
    let bearer = server.bearer(&members.secret);
    bearer.get(&path).await.is(200);
    bearer
        .patch_json(&path, &close)
        .await
        .refused(403, "above_your_role");
    let wide = ada
        .token(token("wide", &["hallpass:members", "repo:*"]))
        .await;
    server
        .bearer(&wide.secret)
        .patch_json(&path, &close)
        .await
        .is(200);
}

#[tokio::test]
async fn whoever_runs_the_deployment_administers_every_organization() {
    let server = Server::sqlite().await;
    let (zenith, zoe, zoe_id) = server.other_organization().await;
    let path = under(zenith, &format!("members/{zoe_id}"));
    server.ada.get(&path).await.is(200);
    server
        .ada
        .patch_json(&path, &json!({"role": "viewer"}))
        .await
        .refused(409, "last_superuser");
    let renamed = server
        .ada
        .patch_json(
            &format!("/v1/organizations/{zenith}"),
            &json!({"name": "Zenit"}),
        )
        .await
        .is(200);
    assert_eq!(renamed["name"], "Zenit");
    // An admin of the host does not; nor does a superuser of another one reach the host.
    let (admin, _) = server.person("Alan", "admin").await;
    admin.get(&path).await.refused(404, "not_found");
    zoe.get(&server.path("members"))
        .await
        .refused(404, "not_found");
    zoe.get("/v1/users")
        .await
        .refused(403, "permission_missing");
}

#[tokio::test]
async fn whoever_asks_from_another_organization_knows_the_tokens_of_their_own_alone() {
    let server = Server::sqlite().await;
    let (_, zoe, _) = server.other_organization().await;
    let asker = zoe
        .token(json!({"name": "verifier", "expirationDate": crate::kit::NEXT_MONTH, "scope": ["hallpass:verify"]}))
        .await;
    let (hers, adas) = (
        zoe.token(wish("ci")).await,
        server.ada.token(wish("ci")).await,
    );
    let abroad = server.bearer(&asker.secret);
    let host = server.verifier().await;
    assert_eq!(server.verdict(&abroad, &hers.secret, None).await, "allow");
    assert_eq!(server.verdict(&abroad, &adas.secret, None).await, "unknown");
    assert_eq!(server.verdict(&host, &hers.secret, None).await, "allow");
    // And leaves no trace on what is not theirs.
    server.flush_uses().await;
    let shown = server.ada.get(&adas.path).await.is(200);
    assert_eq!(shown["lastUsed"], Value::Null);
}
