//! What was given while one could, and taken up later: invitations, and the secrets of keys.

use crate::{
    both_engines,
    kit::{Actor, Answer, NEXT_MONTH, PASSWORD, Server, under},
};
use hallpass_domain::id::OrganizationId;
use serde_json::{Value, json};

both_engines!(
    an_invitation_gives_what_its_inviter_could_give_today,
    an_invitation_abroad_ends_with_what_its_inviter_was_at_home,
    an_older_secret_gets_itself_no_newer_one,
);

async fn role(server: &Server, name: &str, permissions: &[&str]) -> String {
    let body = json!({"name": name, "permissions": permissions});
    let made = server.ada.post(&server.path("roles"), &body).await.is(201);
    server.path(&format!("roles/{}", made["id"].as_str().unwrap()))
}

async fn key(actor: &Actor, server: &Server, name: &str, role: &str) -> Value {
    let body = json!({"name": name, "role": role, "expirationDate": NEXT_MONTH});
    actor.post(&server.path("api-keys"), &body).await.is(201)
}

async fn invite(actor: &Actor, organization: OrganizationId, email: &str, role: &str) -> Value {
    let body = json!({"email": email, "role": role});
    let path = under(organization, "invitations");
    let invited = actor.post(&path, &body).await.is(201);
    let link = invited["link"].as_str().unwrap();
    json!(link.rsplit_once("code=").unwrap().1)
}

async fn accept(server: &Server, code: &Value) -> Answer {
    let body = json!({"code": code, "name": "Mallory", "password": PASSWORD});
    server.anon().post("/v1/invitations/accept", &body).await
}

async fn an_invitation_gives_what_its_inviter_could_give_today(server: Server) {
    let writer = role(&server, "Writer", &["repo:read", "repo:write"]).await;
    let lead =
        json!({"name": "Lead", "permissions": ["hallpass:members", "repo:read", "repo:write"]});
    let lead_path = role(
        &server,
        "Lead",
        &["hallpass:members", "repo:read", "repo:write"],
    )
    .await;
    let organization = server.organization;
    let (bob, _) = server.person("Bob", "lead").await;
    let machine = key(&server.ada_again().await, &server, "machine", "Lead").await;
    let machine = server.bearer(machine["secret"].as_str().unwrap());
    let by_person = invite(&bob, organization, "one@acme.example", "Writer").await;
    let by_key = invite(&machine, organization, "two@acme.example", "Writer").await;
    let put = |permissions: Value| {
        let mut body = lead.clone();
        body["permissions"] = permissions;
        body
    };
    for less in [
        json!(["repo:read", "repo:write"]),
        json!(["hallpass:members", "repo:read"]),
    ] {
        server
            .ada
            .send_json("PUT", &lead_path, &put(less))
            .await
            .is(200);
        for code in [&by_person, &by_key] {
            accept(&server, code).await.refused(403, "invitation_wrong");
        }
    }
    server.ada.send_json("PUT", &lead_path, &lead).await.is(200);
    accept(&server, &by_key).await.is(201);
    // Or the role that was offered holds more by now.
    let more = json!({"name": "Writer", "permissions": ["repo:read", "report:read"]});
    server.ada.send_json("PUT", &writer, &more).await.is(200);
    accept(&server, &by_person)
        .await
        .refused(403, "invitation_wrong");
    let body = json!({"name": "Writer", "permissions": ["repo:read"]});
    server.ada.send_json("PUT", &writer, &body).await.is(200);
    let moved = format!("{lead_path}?moveMembersTo=viewer");
    server.ada.delete(&moved).await.is(200);
    accept(&server, &by_person)
        .await
        .refused(403, "invitation_wrong");
}

async fn an_invitation_abroad_ends_with_what_its_inviter_was_at_home(server: Server) {
    let (abroad, ..) = server.other_organization().await;
    let ops_path = role(&server, "Ops", &["hallpass:deployment", "hallpass:members"]).await;
    let host = |rest: &str| server.path(rest);
    let ways: [(&str, &str, String, Value); 6] = [
        ("a", "DELETE", "/v1/users/{}".to_owned(), Value::Null),
        (
            "b",
            "PATCH",
            "/v1/users/{}".to_owned(),
            json!({"standing": "suspended"}),
        ),
        ("c", "DELETE", host("members/{}"), Value::Null),
        (
            "d",
            "PATCH",
            host("members/{}"),
            json!({"standing": "suspended"}),
        ),
        ("e", "PATCH", host("members/{}"), json!({"role": "viewer"})),
        (
            "f",
            "PUT",
            ops_path,
            json!({"name": "Ops", "permissions": ["repo:read"]}),
        ),
    ];
    for (name, method, path, body) in ways {
        let (ops, id) = server.person(&format!("Ops {name}"), "ops").await;
        let code = invite(&ops, abroad, &format!("{name}@zenith.example"), "superuser").await;
        let other = invite(
            &ops,
            abroad,
            &format!("{name}-good@zenith.example"),
            "viewer",
        )
        .await;
        accept(&server, &other).await.is(201);
        let path = path.replace("{}", &id.to_string());
        let ada = server.ada_again().await;
        let done = match body {
            Value::Null => ada.delete(&path).await,
            body if method == "PUT" => ada.send_json("PUT", &path, &body).await,
            body => ada.patch_json(&path, &body).await,
        };
        assert!(done.status < 300, "{name}: {}", done.status);
        accept(&server, &code)
            .await
            .refused(403, "invitation_wrong");
    }
}

async fn an_older_secret_gets_itself_no_newer_one(server: Server) {
    role(&server, "CI", &["hallpass:keys", "repo:read"]).await;
    let ada = server.ada_again().await;
    let made = key(&ada, &server, "deploy", "CI").await;
    let path = server.path(&format!("api-keys/{}", made["id"].as_str().unwrap()));
    let rotate = format!("{path}/rotate");
    let until = json!({"overlap": "until", "until": "2026-11-23T12:00:00Z"});
    let new = ada.post(&rotate, &until).await.is(200);
    let old = server.bearer(made["secret"].as_str().unwrap());
    let none = json!({"overlap": "none"});
    old.post(&rotate, &none)
        .await
        .refused(403, "wider_than_asker");
    let wish = |name: &str, end: &str| json!({"name": name, "role": "CI", "expirationDate": end, "scope": ["repo:read"]});
    let keys = server.path("api-keys");
    old.post(&keys, &wish("long", NEXT_MONTH))
        .await
        .refused(403, "wider_than_asker");
    old.post(&keys, &wish("short", "2026-11-23T12:00:00Z"))
        .await
        .is(201);
    let newer = server.bearer(new["secret"].as_str().unwrap());
    newer.post(&rotate, &none).await.is(200);
}

#[tokio::test]
async fn rotating_gives_no_more_than_one_holds_whatever_comes() {
    let server = Server::sqlite().await;
    let wild = role(&server, "Wild", &["repo:*"]).await;
    let shrunk = role(&server, "Shrunk", &["repo:read", "report:read"]).await;
    role(
        &server,
        "Low",
        &["hallpass:keys", "repo:read", "repo:write"],
    )
    .await;
    let ada = server.ada_again().await;
    let (low, _) = server.person("Low", "low").await;
    let none = json!({"overlap": "none"});
    for (name, made_role) in [("wild", "Wild"), ("shrunk", "Shrunk")] {
        let made = key(&ada, &server, name, made_role).await;
        let path = server.path(&format!("api-keys/{}/rotate", made["id"].as_str().unwrap()));
        if name == "shrunk" {
            let less = json!({"name": "Shrunk", "permissions": ["repo:read"]});
            ada.send_json("PUT", &shrunk, &less).await.is(200);
        }
        low.post(&path, &none).await.refused(403, "above_your_role");
        ada.post(&path, &none).await.is(200);
    }
    // Nor is a role changed or deleted that names more than one holds.
    role(
        &server,
        "Roles",
        &[
            "hallpass:roles",
            "hallpass:members",
            "repo:read",
            "repo:write",
        ],
    )
    .await;
    let (rita, _) = server.person("Rita", "roles").await;
    let less = json!({"name": "Wild", "permissions": ["repo:read"]});
    rita.send_json("PUT", &wild, &less)
        .await
        .refused(403, "above_your_role");
    let gone = format!("{wild}?moveMembersTo=viewer");
    rita.delete(&gone).await.refused(403, "above_your_role");
}

#[tokio::test]
async fn a_narrow_token_ends_no_suspension_of_a_wider_one_early() {
    let server = Server::sqlite().await;
    let (bob, _) = server.member("Bob").await;
    let token = |name: &str, scope: Value| json!({"name": name, "expirationDate": NEXT_MONTH, "scope": scope});
    let wide = bob
        .token(token("wide", json!(["repo:read", "repo:write"])))
        .await;
    let narrow = bob
        .token(token("narrow", json!(["hallpass:own-tokens", "repo:read"])))
        .await;
    let narrow = server.bearer(&narrow.secret);
    let path = format!("{}/suspension", wide.path);
    let rest = |until: Option<&str>| json!({"reason": "lost the laptop", "until": until});
    bob.post(&path, &rest(Some("2026-11-24T12:00:00Z")))
        .await
        .is(200);
    let sooner = rest(Some("2026-11-23T12:00:00Z"));
    narrow
        .post(&path, &sooner)
        .await
        .refused(403, "wider_than_asker");
    narrow.post(&path, &rest(None)).await.is(200);
    narrow
        .post(&path, &sooner)
        .await
        .refused(403, "wider_than_asker");
    bob.post(&path, &sooner).await.is(200);
}

#[tokio::test]
async fn a_token_that_gave_something_up_gives_nothing_that_grows() {
    let server = Server::sqlite().await;
    // All that an admin holds today, and no more.
    let catalogue = server.ada.get("/v1/permissions").await.is(200);
    let names = catalogue["items"].as_array().unwrap().iter();
    let above = ["hallpass:organization", "hallpass:deployment"];
    let scope: Vec<&str> = names
        .map(|item| item["name"].as_str().unwrap())
        .filter(|name| !above.contains(name))
        .collect();
    assert!(scope.len() > above.len());
    let wish = json!({"name": "narrow", "expirationDate": NEXT_MONTH, "scope": scope});
    let narrow = server.ada_again().await.token(wish).await;
    let narrow = server.bearer(&narrow.secret);
    let invite = |role: &str| json!({"email": "eve@acme.example", "role": role});
    let path = server.path("invitations");
    for built_in in ["admin", "superuser"] {
        narrow
            .post(&path, &invite(built_in))
            .await
            .refused(403, "above_your_role");
    }
    narrow.post(&path, &invite("viewer")).await.is(201);
}
