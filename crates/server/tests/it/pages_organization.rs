//! The pages of an organization: who is shown what, what is refused, and what a form that is wrong keeps.

use crate::kit::{
    PASSWORD, Server,
    page::{code_in, encode, form, goes_to, send, shows, with_role},
    wish,
};
use hallpass_domain::{
    id::OrganizationId,
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
            rail.contains(r#"<li><a href="/settings/tokens""#),
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
    assert!(
        !page.contains(r#"<li><a href="/settings/tokens""#),
        "the tab is gone"
    );

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
    let bob = bob.going_on_with(&bob.get("/v1/caller").await.is(200));
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
