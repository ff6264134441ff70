//! The pages of roles and permissions, and those of the whole deployment.

use crate::kit::{
    PASSWORD, Server,
    page::{code_in, encode, form, goes_to, send, shows, with_role},
    wish,
};
use hallpass_domain::role::BuiltInRole;

const MEMBERS: &str = "/settings/organization/members";
const ROLES: &str = "/settings/organization/roles";
const ORGANIZATIONS: &str = "/settings/deployment/organizations";
const USERS: &str = "/settings/deployment/users";
const PERMISSION: &str = "/settings/deployment/permissions/new";

#[tokio::test]
async fn a_role_is_made_changed_and_deleted_with_its_members_moved() {
    let server = Server::sqlite().await;
    let wrong = [
        ("name", " "),
        ("description", "for x"),
        ("p", "repo:*"),
        ("p", "deploy:run"),
    ];
    let page = form(&server.ada, &format!("{ROLES}/new"), &wrong).await;
    let ticked = |name: &str| format!(r#"name="p" value="{name}" checked"#);
    let (all, deploy) = (ticked("repo:*"), ticked("deploy:run"));
    shows(
        &page,
        400,
        &["name-wrong", r#"value="for x""#, &all, &deploy],
    );

    let made = [("name", "Crew"), ("p", "repo:*"), ("tokens", "allowed")];
    let new = format!("{ROLES}/new");
    goes_to(
        &form(&server.ada, &new, &made).await,
        &format!("{ROLES}?done=made"),
    );
    shows(&form(&server.ada, &new, &made).await, 409, &["name-wrong"]);
    let list = shows(&server.ada.get(ROLES).await, 200, &["Crew", "repo:*"]);
    let (before, _) = list.split_once("/delete\"").unwrap();
    let id = before[before.len() - 36..].to_owned();
    let path = format!("{ROLES}/{id}");
    shows(
        &server.ada.get(&path).await,
        200,
        &[&all, r#"value="Crew""#],
    );

    let (bob, bobs) = server.member("Bob").await;
    let give = [
        ("about", "role"),
        ("role", id.as_str()),
        ("tokens", "allowed"),
    ];
    form(&server.ada, &format!("{MEMBERS}/{bobs}"), &give).await;
    let token = bob.token(wish("ci")).await;
    let verifier = server.verifier().await;
    let may = async |what| server.verdict(&verifier, &token.secret, Some(what)).await;
    assert_eq!(may("repo:write").await, "allow");
    let shrunk = [("name", "Crew"), ("p", "repo:read")];
    goes_to(
        &form(&server.ada, &path, &shrunk).await,
        &format!("{ROLES}?done=changed"),
    );
    assert_eq!(may("repo:write").await, "permission_missing");

    let delete = format!("{path}/delete");
    shows(
        &server.ada.get(&delete).await,
        200,
        &["Move its 1 member to"],
    );
    shows(
        &form(&server.ada, &delete, &[]).await,
        409,
        &["move_to-wrong"],
    );
    let member = BuiltInRole::Member.id().to_string();
    let moved = form(&server.ada, &delete, &[("move_to", &member)]).await;
    goes_to(&moved, &format!("{ROLES}?done=deleted"));
    assert_eq!(may("repo:write").await, "allow", "as a member may");
}

#[tokio::test]
async fn nobody_makes_a_role_that_holds_more_than_they_do() {
    let server = Server::sqlite().await;
    let (admin, _) = with_role(&server, "Alf", BuiltInRole::Admin).await;
    let page = admin.get(&format!("{ROLES}/new")).await.text();
    assert!(page.contains(r#"value="hallpass:members""#) && page.contains(r#"value="repo:*""#));
    for above in ["hallpass:organization", "hallpass:*", "hallpass:deployment"] {
        assert!(!page.contains(&format!(r#"value="{above}""#)), "{above}");
        let pairs = [("name", "More"), ("p", above)];
        let refused = form(&admin, &format!("{ROLES}/new"), &pairs).await;
        shows(&refused, 403, &["may-wrong", r#"value="More""#]);
    }
    for built_in in [BuiltInRole::Superuser, BuiltInRole::Member] {
        let answer = admin.get(&format!("{ROLES}/{}", built_in.id())).await;
        assert!(matches!(answer.status, 403 | 409), "{built_in:?}");
    }
}

#[tokio::test]
async fn permissions_of_the_file_are_not_changed_here() {
    let server = Server::sqlite().await;
    let added = [
        ("name", "pad:arm"),
        ("description", "Arm it"),
        ("risk", "high"),
    ];
    let done = format!("{ROLES}?done=permission");
    goes_to(&form(&server.ada, PERMISSION, &added).await, &done);
    shows(&server.ada.get(ROLES).await, 200, &["pad:arm", "Arm it"]);
    let path = "/settings/deployment/permissions/pad:arm";
    shows(
        &server.ada.get(path).await,
        200,
        &[r#"value="high" checked"#],
    );
    goes_to(
        &form(&server.ada, &format!("{path}/delete"), &[]).await,
        &done,
    );
    assert_eq!(server.ada.get(path).await.status, 404);
    for (name, status) in [("repo:read", 409), ("hallpass:roles", 404)] {
        let path = format!("/settings/deployment/permissions/{name}");
        assert_eq!(server.ada.get(&path).await.status, status, "{name}");
        let refused = form(&server.ada, &format!("{path}/delete"), &[]).await;
        assert_eq!(refused.status, 409, "{name}");
    }
    let own = [
        ("name", "hallpass:more"),
        ("description", "x"),
        ("risk", "low"),
    ];
    shows(
        &form(&server.ada, PERMISSION, &own).await,
        400,
        &["name-wrong", r#"value="hallpass:more""#],
    );
}

#[tokio::test]
async fn an_organization_is_made_with_its_first_superuser_and_suspended() {
    let server = Server::sqlite().await;
    let new = format!("{ORGANIZATIONS}/new");
    let wrong = [("name", "Bell Labs"), ("email", "nobody")];
    shows(
        &form(&server.ada, &new, &wrong).await,
        400,
        &["email-wrong", r#"value="Bell Labs""#],
    );
    let list = server.ada.get(ORGANIZATIONS).await.text();
    assert!(!list.contains("Bell Labs"), "nothing was made yet");

    let good = [("name", "Bell Labs"), ("email", "ada@acme.example")];
    let page = shows(&form(&server.ada, &new, &good).await, 200, &["Bell Labs"]);
    let code = code_in(&page);
    let anon = server.anon();
    let offer = anon.get(&format!("/invitation?code={code}")).await;
    let page = shows(
        &offer,
        200,
        &["Bell Labs", "Superuser", "with its password"],
    );
    // Whoever holds the link need not be who is invited.
    assert!(!page.contains("Ada Lovelace"), "{page}");
    let bad = [("code", code.as_str()), ("password", "not hers at all")];
    let refused = send(&anon, "/invitation", encode(&bad)).await;
    shows(&refused, 401, &["This is not your password."]);
    let good = [("code", code.as_str()), ("password", PASSWORD)];
    goes_to(&send(&anon, "/invitation", encode(&good)).await, "/");

    let bar = server.ada.get("/settings/sessions").await;
    shows(&bar, 200, &["in force", "Bell Labs"]);
    let list = server.ada.get(ORGANIZATIONS).await.text();
    let (before, _) = list.rsplit_once("\"><bdi>Bell Labs").unwrap();
    let path = format!("{ORGANIZATIONS}/{}", &before[before.len() - 36..]);
    let saved = format!("{path}?saved=1");
    goes_to(
        &form(&server.ada, &path, &[("standing", "suspended")]).await,
        &saved,
    );
    let bar = server.ada.get("/settings/sessions").await.text();
    assert!(!bar.contains("Bell Labs"), "nobody can go there any more");
    goes_to(
        &form(&server.ada, &path, &[("standing", "active")]).await,
        &saved,
    );

    let own = format!("{ORGANIZATIONS}/{}", server.organization);
    let page = server.ada.get(&own).await.text();
    assert!(!page.contains(r#"name="standing""#), "the host stays");
    let refused = form(&server.ada, &own, &[("standing", "suspended")]).await;
    assert_eq!(refused.status, 409);
}

#[tokio::test]
async fn a_user_is_suspended_resumed_and_removed_everywhere() {
    let server = Server::sqlite().await;
    let (bob, id) = server.member("Bob").await;
    let path = format!("{USERS}/{id}");
    let saved = format!("{path}?saved=1");
    shows(
        &server.ada.get(&format!("{USERS}?search=BOB")).await,
        200,
        &["bob@acme.example"],
    );
    goes_to(
        &form(&server.ada, &path, &[("standing", "suspended")]).await,
        &saved,
    );
    assert_eq!(
        bob.get("/settings/sessions").await.status,
        303,
        "signed out"
    );
    shows(&server.ada.get(MEMBERS).await, 200, &["account suspended"]);
    goes_to(
        &form(&server.ada, &path, &[("standing", "active")]).await,
        &saved,
    );
    shows(
        &server.ada.get(&format!("{path}/remove")).await,
        200,
        &["bob@acme.example"],
    );
    let removed = form(&server.ada, &format!("{path}/remove"), &[]).await;
    goes_to(&removed, &format!("{USERS}?removed=1"));
    assert_eq!(server.ada.get(&path).await.status, 404);
}
