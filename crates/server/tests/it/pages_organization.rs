//! The pages of an organization: who is shown what, what is refused, and what a form that is wrong keeps.

use crate::kit::{Actor, Answer, PASSWORD, Server, wish};
use hallpass_domain::{
    id::{OrganizationId, UserId},
    member::Membership,
    name::DisplayName,
    organization::{Organization, Standing},
    role::BuiltInRole,
};

const MEMBERS: &str = "/settings/organization/members";
const INVITE: &str = "/settings/organization/members/invite";
const ROLES: &str = "/settings/organization/roles";
const ORGANIZATION: &str = "/settings/organization";
const ORGANIZATIONS: &str = "/settings/deployment/organizations";
const USERS: &str = "/settings/deployment/users";
const PERMISSION: &str = "/settings/deployment/permissions/new";

fn encode(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

async fn send(actor: &Actor, path: &str, body: String) -> Answer {
    let kind = Some("application/x-www-form-urlencoded");
    actor.send("POST", path, kind, body).await
}

/// Sends a form as a page of the actor's would.
async fn form(actor: &Actor, path: &str, pairs: &[(&str, &str)]) -> Answer {
    let csrf = actor.header("x-hallpass-csrf");
    let body = format!("{}&{}", encode(&[("csrf", &csrf)]), encode(pairs));
    send(&actor.without("x-hallpass-csrf"), path, body).await
}

#[track_caller]
fn shows(answer: &Answer, status: u16, parts: &[&str]) -> String {
    let text = answer.text();
    assert_eq!(answer.status, status, "{text}");
    for part in parts {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    text
}

#[track_caller]
fn goes_to(answer: &Answer, path: &str) {
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(answer.header("location"), path);
}

/// The code of the link that a page shows.
#[track_caller]
fn code_in(page: &str) -> String {
    let (_, rest) = page.split_once("/invitation?code=").unwrap();
    rest.chars().take(43).collect()
}

async fn with_role(server: &Server, name: &str, role: BuiltInRole) -> (Actor, UserId) {
    let (_, id) = server.member(name).await;
    let membership = Membership {
        role: role.id(),
        may_have_tokens: role.tokens_by_default(),
        ..server.membership(id)
    };
    server.put(membership).await;
    (server.session_of(id).await, id)
}

async fn invite(server: &Server, email: &str) -> String {
    let role = BuiltInRole::Member.id().to_string();
    let pairs = [("email", email), ("role", &role), ("tokens", "role")];
    let page = form(&server.ada_again().await, INVITE, &pairs).await;
    code_in(&shows(&page, 200, &["it is not shown again"]))
}

#[tokio::test]
async fn everybody_sees_what_they_may_use_and_is_refused_the_rest() {
    let server = Server::sqlite().await;
    let all = [
        MEMBERS,
        ROLES,
        ORGANIZATION,
        ORGANIZATIONS,
        USERS,
        INVITE,
        PERMISSION,
    ];
    let in_rail = &all[..5];
    for (role, may) in [
        (BuiltInRole::Viewer, &[][..]),
        (BuiltInRole::Member, &[][..]),
        (BuiltInRole::Admin, &[MEMBERS, ROLES, INVITE][..]),
        (BuiltInRole::Superuser, &all[..]),
    ] {
        let (actor, _) = with_role(&server, role.name(), role).await;
        let rail = actor.get("/settings/sessions").await.text();
        for path in in_rail {
            let link = format!(r#"<a href="{path}""#);
            assert_eq!(rail.contains(&link), may.contains(path), "{role:?} {path}");
        }
        assert_eq!(
            rail.contains(r#"href="/settings/tokens""#),
            role.tokens_by_default(),
            "{role:?}"
        );
        for path in all {
            let answer = actor.get(path).await;
            let expected = if may.contains(&path) { 200 } else { 403 };
            assert_eq!(answer.status, expected, "{role:?} {path}");
            if expected == 403 {
                shows(&answer, 403, &["Your role does not allow this"]);
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_shown_is_refused_as_well() {
    let server = Server::sqlite().await;
    let (viewer, _) = with_role(&server, "Vera", BuiltInRole::Viewer).await;
    let (admin, _) = with_role(&server, "Alf", BuiltInRole::Admin).await;
    let ada = server.ada_id.to_string();
    let superuser = BuiltInRole::Superuser.id().to_string();
    let of_ada = format!("{MEMBERS}/{ada}");
    for (path, pairs) in [
        (of_ada.clone(), vec![("standing", "suspended")]),
        (format!("{of_ada}/remove"), vec![]),
        (
            INVITE.to_owned(),
            vec![("email", "x@acme.example"), ("role", &superuser)],
        ),
        (format!("{ROLES}/new"), vec![("name", "x")]),
        (ORGANIZATION.to_owned(), vec![("name", "x")]),
        (format!("{ORGANIZATIONS}/new"), vec![("name", "x")]),
        (format!("{USERS}/{ada}"), vec![("standing", "suspended")]),
        (
            PERMISSION.to_owned(),
            vec![("name", "a:b"), ("risk", "low")],
        ),
    ] {
        let answer = form(&viewer, &path, &pairs).await;
        assert_eq!(answer.status, 403, "{path}");
    }
    // An admin may invite, but gives nothing that they do not hold.
    let pairs = [("email", "x@acme.example"), ("role", superuser.as_str())];
    let refused = form(&admin, INVITE, &pairs).await;
    shows(&refused, 403, &["which you do not", "x@acme.example"]);
    let page = admin.get(INVITE).await.text();
    assert!(!page.contains(&superuser), "and is not offered it");
    let above = admin.get(&of_ada).await;
    let text = shows(&above, 200, &["holds more than yours"]);
    assert!(!text.contains("name=\"standing\""), "{text}");
}

#[tokio::test]
async fn a_form_without_the_sessions_value_changes_nothing() {
    let server = Server::sqlite().await;
    let (_, bob) = server.member("Bob").await;
    let ada = server.ada.without("x-hallpass-csrf");
    for path in [
        format!("{MEMBERS}/{bob}"),
        format!("{MEMBERS}/{bob}/remove"),
        INVITE.to_owned(),
        format!("{ROLES}/new"),
        ORGANIZATION.to_owned(),
        format!("{ORGANIZATIONS}/new"),
        format!("{USERS}/{bob}/remove"),
        PERMISSION.to_owned(),
    ] {
        let body = encode(&[("standing", "suspended"), ("name", "x:y"), ("csrf", "x")]);
        shows(
            &send(&ada, &path, body).await,
            403,
            &["did not come from these pages"],
        );
    }
    shows(&server.ada.get(MEMBERS).await, 200, &["bob@acme.example"]);
}

#[tokio::test]
async fn an_invitations_link_is_shown_once_and_works_once() {
    let server = Server::sqlite().await;
    let code = invite(&server, "eve@acme.example").await;
    let page = shows(&server.ada.get(INVITE).await, 200, &["eve@acme.example"]);
    assert!(!page.contains(&code));

    let anon = server.anon();
    let path = format!("/invitation?code={code}");
    let offer = anon.get(&path).await;
    shows(
        &offer,
        200,
        &["Acme Rockets", "Member", "eve@acme.example", "Your name"],
    );
    assert_eq!(offer.header("cache-control"), "no-store");
    assert_eq!(offer.header("referrer-policy"), "no-referrer");

    let weak = [
        ("code", code.as_str()),
        ("name", "Eve <b>"),
        ("password", "short-canary"),
    ];
    let page = shows(
        &send(&anon, "/invitation", encode(&weak)).await,
        400,
        &["password-wrong", "Eve &#60;b&#62;"],
    );
    assert!(!page.contains("short-canary"), "never the password");

    let good = [
        ("code", code.as_str()),
        ("name", "Eve"),
        ("password", PASSWORD),
    ];
    let accepted = send(&anon, "/invitation", encode(&good)).await;
    goes_to(&accepted, "/");
    let cookie = accepted
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let eve = server.anon().with("cookie", &cookie);
    shows(
        &eve.get("/settings/tokens").await,
        200,
        &["eve@acme.example"],
    );

    for answer in [
        anon.get(&path).await,
        send(&anon, "/invitation", encode(&good)).await,
    ] {
        shows(&answer, 403, &["This invitation does not work"]);
    }
    shows(
        &anon.get("/invitation").await,
        403,
        &["This invitation does not work"],
    );
}

#[tokio::test]
async fn withdrawn_it_works_no_more() {
    let server = Server::sqlite().await;
    let code = invite(&server, "eve@acme.example").await;
    let page = server.ada.get(INVITE).await.text();
    let (_, rest) = page
        .split_once("/settings/organization/invitations/")
        .unwrap();
    let id: String = rest.chars().take(36).collect();
    let withdraw = format!("{ORGANIZATION}/invitations/{id}/withdraw");
    goes_to(
        &form(&server.ada, &withdraw, &[]).await,
        &format!("{INVITE}?withdrawn=1"),
    );
    let answer = server.anon().get(&format!("/invitation?code={code}")).await;
    shows(&answer, 403, &["This invitation does not work"]);
    assert_eq!(form(&server.ada, &withdraw, &[]).await.status, 404);
}

#[tokio::test]
async fn what_was_typed_into_an_invitation_is_kept() {
    let server = Server::sqlite().await;
    let role = BuiltInRole::Viewer.id().to_string();
    let typed = [
        ("email", "no address"),
        ("role", role.as_str()),
        ("tokens", "allowed"),
    ];
    let page = form(&server.ada, INVITE, &typed).await;
    shows(
        &page,
        400,
        &[
            r#"value="no address""#,
            "email-wrong",
            &format!(r#"<option value="{role}" selected>"#),
            r#"value="allowed" checked"#,
        ],
    );
    let member = [("email", "ada@acme.example"), ("role", role.as_str())];
    shows(
        &form(&server.ada, INVITE, &member).await,
        409,
        &["email-wrong", "member"],
    );
}

#[tokio::test]
async fn the_gate_and_the_standing_of_a_member_are_changed_one_by_one() {
    let server = Server::sqlite().await;
    let (bob, id) = server.member("Bob").await;
    let token = bob.token(wish("ci")).await;
    let verifier = server.verifier().await;
    let verdict = async || server.verdict(&verifier, &token.secret, None).await;
    let (path, role) = (
        format!("{MEMBERS}/{id}"),
        BuiltInRole::Member.id().to_string(),
    );
    let saved = format!("{path}?saved=1");

    shows(
        &server.ada.get(&path).await,
        200,
        &["their token stops working at once"],
    );
    let closed = [("about", "role"), ("role", role.as_str())];
    goes_to(&form(&server.ada, &path, &closed).await, &saved);
    assert_ne!(verdict().await, "allow");
    shows(&server.ada.get(&path).await, 200, &["Their token rests."]);
    let page = bob.get("/settings/sessions").await.text();
    assert!(!page.contains("/settings/tokens"), "the tab is gone");

    let open = [
        ("about", "role"),
        ("role", role.as_str()),
        ("tokens", "allowed"),
    ];
    goes_to(&form(&server.ada, &path, &open).await, &saved);
    assert_eq!(verdict().await, "allow");

    goes_to(
        &form(&server.ada, &path, &[("standing", "suspended")]).await,
        &saved,
    );
    assert_ne!(verdict().await, "allow");
    goes_to(
        &form(&server.ada, &path, &[("standing", "active")]).await,
        &saved,
    );
    assert_eq!(verdict().await, "allow", "the gate is as it was");

    let remove = format!("{path}/remove");
    shows(
        &server.ada.get(&remove).await,
        200,
        &["1 token", "cannot be undone"],
    );
    goes_to(
        &form(&server.ada, &remove, &[]).await,
        &format!("{MEMBERS}?removed=1"),
    );
    assert_ne!(verdict().await, "allow");
    assert_eq!(server.ada.get(&path).await.status, 404);
}

#[tokio::test]
async fn the_last_superuser_is_kept_with_a_word_and_what_was_chosen() {
    let server = Server::sqlite().await;
    let (path, viewer) = (
        format!("{MEMBERS}/{}", server.ada_id),
        BuiltInRole::Viewer.id().to_string(),
    );
    let demote = [("about", "role"), ("role", viewer.as_str())];
    let page = form(&server.ada, &path, &demote).await;
    let chosen = format!(r#"<option value="{viewer}" selected>"#);
    shows(&page, 409, &["the last active superuser", &chosen]);
    let remove = form(&server.ada, &format!("{path}/remove"), &[]).await;
    shows(&remove, 409, &["the last active superuser"]);
    let user = format!("{USERS}/{}", server.ada_id);
    let suspend = form(&server.ada, &user, &[("standing", "suspended")]).await;
    shows(&suspend, 409, &["the last active superuser"]);
    assert_eq!(server.ada.get(&path).await.status, 200);
}

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
        assert_eq!(refused.status, status, "{name}");
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
    shows(&offer, 200, &["Bell Labs", "Superuser", "Ada Lovelace"]);
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
async fn the_menu_leads_only_where_one_belongs() {
    let server = Server::sqlite().await;
    let (bob, id) = server.member("Bob").await;
    let now = server.services.clock.now();
    let [there, elsewhere] = [1, 2].map(|n| OrganizationId::from_bytes([n; 16]));
    server
        .change(async |tx| {
            let mut changed = Vec::new();
            for (organization, name) in [(there, "Bell Labs"), (elsewhere, "Xerox")] {
                let organization = Organization {
                    id: organization,
                    name: DisplayName::parse(name).unwrap(),
                    standing: Standing::Active,
                    host: false,
                };
                changed.push(tx.insert_organization(&organization, now).await.unwrap());
            }
            let membership = Membership {
                organization: there,
                role: BuiltInRole::Superuser.id(),
                ..server.membership(id)
            };
            changed.push(tx.put_membership(&membership, now).await.unwrap());
            changed
        })
        .await;
    let menu = shows(&bob.get("/").await, 303, &[]);
    assert!(menu.is_empty());
    let page = shows(
        &bob.get("/settings/sessions").await,
        200,
        &["Member · in force", "Superuser"],
    );
    assert!(!page.contains("Xerox") && !page.contains(MEMBERS));
    for to in [elsewhere.to_string(), "x".to_owned()] {
        assert_eq!(form(&bob, ORGANIZATION, &[("to", &to)]).await.status, 404);
    }
    goes_to(
        &form(&bob, ORGANIZATION, &[("to", &there.to_string())]).await,
        "/",
    );
    let page = shows(
        &bob.get("/settings/sessions").await,
        200,
        &["Superuser · in force", MEMBERS],
    );
    assert!(
        !page.contains(ORGANIZATIONS),
        "the deployment is run from its host"
    );
    let list = bob.get(MEMBERS).await.text();
    assert!(list.contains("bob@acme.example") && !list.contains("ada@acme.example"));
    let other = bob.get(&format!("{MEMBERS}/{}", server.ada_id)).await;
    assert_eq!(
        other.status, 404,
        "who is no member here is not to be seen here"
    );
    goes_to(
        &form(&bob, ORGANIZATION, &[("name", "Bell")]).await,
        "/settings/organization?saved=1",
    );
    shows(&bob.get(ORGANIZATION).await, 200, &[r#"value="Bell""#]);
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
