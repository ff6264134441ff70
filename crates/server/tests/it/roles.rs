//! Roles of an organization's own, the built-in ones, and the catalogue.

use crate::kit::{Plan, Server};
use serde_json::{Value, json};

fn role(name: &str, permissions: &[&str]) -> Value {
    json!({"name": name, "permissions": permissions})
}

async fn make(server: &Server, name: &str, permissions: &[&str]) -> String {
    let made = server
        .ada
        .post(&server.path("roles"), &role(name, permissions))
        .await
        .is(201);
    server.path(&format!("roles/{}", made["id"].as_str().unwrap()))
}

#[tokio::test]
async fn every_organization_has_the_built_in_roles_and_its_own() {
    let server = Server::sqlite().await;
    let path = make(&server, "Engineer", &["repo:*", "report:read"]).await;
    let listed = server.ada.get(&server.path("roles")).await.is(200);
    let items = listed["items"].as_array().unwrap();
    let names: Vec<&str> = items
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["Superuser", "Admin", "Member", "Viewer", "Engineer"]
    );
    let engineer = server.ada.get(&path).await.is(200);
    assert_eq!(
        (
            &engineer["named"],
            &engineer["permissions"],
            &engineer["builtIn"]
        ),
        (
            &json!(["repo:*", "report:read"]),
            &json!(["repo:read", "repo:write", "report:read"]),
            &json!(false)
        )
    );
    assert_eq!(items[0]["members"], 1);
    // Another organization does not see it, and can have one of the same name.
    let (zenith, zoe, _) = server.other_organization().await;
    let there = crate::kit::under(zenith, "roles");
    assert_eq!(
        zoe.get(&there).await.is(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
    zoe.post(&there, &role("Engineer", &["repo:read"]))
        .await
        .is(201);
    let foreign = path.replace(&server.organization.to_string(), &zenith.to_string());
    zoe.get(&foreign).await.refused(404, "not_found");
    // What concerns the deployment is held in the host alone.
    let held = |listed: &Value| listed["items"][0]["permissions"].to_string();
    assert!(held(&listed).contains("hallpass:deployment"));
    assert!(!held(&zoe.get(&there).await.is(200)).contains("hallpass:deployment"));
}

#[tokio::test]
async fn a_role_that_is_wrong_is_refused_with_the_field() {
    let server = Server::sqlite().await;
    make(&server, "Engineer", &["repo:read"]).await;
    let path = server.path("roles");
    let long = "x".repeat(301);
    for (body, status, code) in [
        (role("", &[]), 400, "name_required"),
        (role("a\u{202e}b", &[]), 400, "name_malformed"),
        (
            role("00000000-0000-7000-8000-000000000002", &[]),
            400,
            "name_malformed",
        ),
        (role("New", &["repo"]), 400, "permission_malformed"),
        (role("New", &["repo:raed"]), 400, "permission_unknown"),
        (role("New", &["none:*"]), 400, "permission_unknown"),
        (role("ENGINEER", &[]), 409, "name_taken"),
        (role("superuser", &[]), 409, "name_taken"),
        (
            json!({"name": "New", "permissions": [], "description": long}),
            400,
            "description_malformed",
        ),
        (
            json!({"name": "New", "permissions": [], "more": 1}),
            400,
            "body_malformed",
        ),
    ] {
        server.ada.post(&path, &body).await.refused(status, code);
    }
    let (admin, _) = server.person("Alan", "admin").await;
    admin
        .post(&path, &role("Mighty", &["hallpass:organization"]))
        .await
        .refused(403, "above_your_role");
    admin
        .post(&path, &role("Mighty", &["hallpass:*"]))
        .await
        .refused(403, "above_your_role");
}

#[tokio::test]
async fn an_organization_has_a_hundred_roles_of_its_own_at_most() {
    let server = Server::sqlite().await;
    for number in 0..100 {
        make(&server, &format!("Role {number}"), &[]).await;
    }
    server
        .ada
        .post(&server.path("roles"), &role("One more", &[]))
        .await
        .refused(409, "too_many");
}

#[tokio::test]
async fn a_built_in_role_stays_what_it_is() {
    let server = Server::sqlite().await;
    let listed = server.ada.get(&server.path("roles")).await.is(200);
    let path = |at: usize| {
        let id = listed["items"][at]["id"].as_str().unwrap();
        server.path(&format!("roles/{id}"))
    };
    for at in 0..4 {
        server
            .ada
            .delete(&path(at))
            .await
            .refused(409, "role_built_in");
    }
    for (at, name) in [(0, "Superuser"), (1, "Admin"), (2, "Members")] {
        server
            .ada
            .send_json("PUT", &path(at), &role(name, &[]))
            .await
            .refused(409, "role_built_in");
    }
    // What members hold is said by those who run the deployment, for all organizations.
    server
        .ada
        .send_json("PUT", &path(2), &role("Member", &["report:read"]))
        .await
        .is(200);
    let (zenith, zoe, _) = server.other_organization().await;
    let there = crate::kit::under(zenith, "roles");
    let seen = zoe.get(&there).await.is(200);
    assert_eq!(seen["items"][2]["permissions"], json!(["report:read"]));
    let id = seen["items"][2]["id"].as_str().unwrap();
    zoe.send_json("PUT", &format!("{there}/{id}"), &role("Member", &[]))
        .await
        .refused(403, "permission_missing");
}

#[tokio::test]
async fn a_role_in_use_is_deleted_only_with_a_place_for_its_members() {
    let server = Server::sqlite().await;
    let path = make(&server, "Engineer", &["repo:read"]).await;
    let (_, bob) = server.person("Bob", "engineer").await;
    server.ada.delete(&path).await.refused(409, "role_in_use");
    let own = format!("{path}?moveMembersTo=engineer");
    server.ada.delete(&own).await.refused(409, "role_in_use");
    let to = format!("{path}?moveMembersTo=viewer");
    assert_eq!(
        server.ada.delete(&to).await.is(200),
        json!({"keysRevoked": 0})
    );
    let shown = server.ada.get(&server.member_path(bob)).await.is(200);
    assert_eq!(shown["role"]["name"], "Viewer");
    server.ada.get(&path).await.refused(404, "not_found");
    // The name is free again.
    make(&server, "Engineer", &[]).await;
    // An open invitation is a use, too.
    let path = make(&server, "Guest", &[]).await;
    let wish = json!({"email": "eve@acme.example", "role": "guest"});
    server
        .ada
        .post(&server.path("invitations"), &wish)
        .await
        .is(201);
    server.ada.delete(&path).await.refused(409, "role_in_use");
}

#[tokio::test]
async fn the_catalogue_is_changed_where_it_was_written() {
    let server = Server::sqlite().await;
    let put = |risk: &str| json!({"description": "Publish packages", "risk": risk});
    let path = "/v1/permissions/package:publish";
    let made = server
        .ada
        .send_json("PUT", path, &put("high"))
        .await
        .is(201);
    assert_eq!(
        made,
        json!({"name": "package:publish", "description": "Publish packages", "risk": "high", "source": "api", "held": false})
    );
    server.ada.send_json("PUT", path, &put("low")).await.is(200);
    let listed = server.ada.get("/v1/permissions").await.is(200);
    let items = listed["items"].as_array().unwrap();
    let found = items.iter().find(|item| item["name"] == "package:publish");
    assert_eq!(
        (&found.unwrap()["risk"], &found.unwrap()["held"]),
        (&json!("low"), &json!(true)),
        "a superuser holds it from now on"
    );
    for (name, body, code) in [
        ("package:*", put("low"), "permission_malformed"),
        ("hallpass:new", put("low"), "permission_malformed"),
        ("Package:publish", put("low"), "permission_malformed"),
        ("package:publish", put("grave"), "risk_unknown"),
        (
            "package:publish",
            json!({"description": "a\nb"}),
            "description_malformed",
        ),
    ] {
        server
            .ada
            .send_json("PUT", &format!("/v1/permissions/{name}"), &body)
            .await
            .refused(400, code);
    }
    let from_file = "/v1/permissions/repo:read";
    server
        .ada
        .send_json("PUT", from_file, &put("low"))
        .await
        .refused(409, "set_by_file");
    server
        .ada
        .delete(from_file)
        .await
        .refused(409, "set_by_file");
    server
        .ada
        .delete("/v1/permissions/hallpass:verify")
        .await
        .refused(409, "permission_built_in");
    for gone in ["none:read", "x"] {
        server
            .ada
            .delete(&format!("/v1/permissions/{gone}"))
            .await
            .refused(404, "not_found");
    }
    // What came by the API outlives a start with the same file; what the file no longer names is gone.
    server.ada.delete(path).await.is(204);
    server
        .ada
        .send_json("PUT", path, &put("high"))
        .await
        .is(201);
    let (database, folder) = server.stop().await;
    let again = Plan {
        folder,
        ..Plan::over(database)
    }
    .again()
    .await;
    let names: Vec<String> = again
        .services
        .store
        .catalogue()
        .await
        .unwrap()
        .iter()
        .map(|entry| entry.permission.to_string())
        .collect();
    assert!(names.contains(&"package:publish".to_owned()), "{names:?}");
}

#[tokio::test]
async fn users_are_managed_by_those_who_run_the_deployment() {
    let server = Server::sqlite().await;
    let body = json!({"name": "Bob", "email": "bob@acme.example"});
    let made = server.ada.post("/v1/users", &body).await.is(201);
    server
        .ada
        .post(
            "/v1/users",
            &json!({"name": "Bob", "email": "BOB@acme.example"}),
        )
        .await
        .refused(409, "email_taken");
    for (body, code) in [
        (json!({"name": "Bob", "email": "bob"}), "email_malformed"),
        (
            json!({"name": "a\u{202e}", "email": "b@acme.example"}),
            "name_malformed",
        ),
        (
            json!({"name": "Bob", "email": "b@acme.example", "password": "short"}),
            "password_too_short",
        ),
    ] {
        server.ada.post("/v1/users", &body).await.refused(400, code);
    }
    let listed = server.ada.get("/v1/users?search=bob&limit=1").await.is(200);
    assert_eq!(listed["items"], json!([made]));
    let path = format!("/v1/users/{}", made["id"].as_str().unwrap());
    server
        .ada
        .patch_json(&path, &json!({"standing": "on"}))
        .await
        .refused(400, "standing_unknown");
    // Without a password nobody signs in as them.
    let sign_in = json!({"email": "bob@acme.example", "password": ""});
    server
        .anon()
        .post("/v1/sessions", &sign_in)
        .await
        .refused(401, "sign_in_failed");
    server.ada.delete(&path).await.is(204);
    server.ada.delete(&path).await.refused(404, "not_found");
}
