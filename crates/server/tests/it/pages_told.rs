//! What the pages tell before something stops, and of what does not work: suspending, resting, filters, refusals.

use crate::kit::{
    Server,
    page::{form, goes_to, shows, with_role},
    wish,
};
use hallpass_domain::{
    member::Membership,
    organization::Standing,
    policy::{Lifetime, Policy},
    role::BuiltInRole,
};
use hallpass_store::PolicyChange;
use serde_json::json;

const MEMBERS: &str = "/settings/organization/members";
const TOKENS: &str = "/settings/organization/tokens";
const AUDIT: &str = "/settings/organization/audit";
const USERS: &str = "/settings/deployment/users";
const ORGANIZATIONS: &str = "/settings/deployment/organizations";
const SESSIONS: &str = "/settings/sessions";

#[tokio::test]
async fn suspending_asks_first_and_says_what_stops() {
    let server = Server::sqlite().await;
    let (bob, id) = server.member("Bob").await;
    bob.token(wish("ci")).await;
    let other = server.other().await;
    for (page, asked, what) in [
        (
            format!("{MEMBERS}/{id}"),
            "Suspend <bdi>Bob</bdi>?",
            "<strong>1 token</strong> of Bob is refused.",
        ),
        (
            format!("{USERS}/{id}"),
            "in 1 organization.",
            "<strong>1 token</strong> of Bob is refused.",
        ),
        (
            format!("{ORGANIZATIONS}/{}", other.id),
            "1 member can no longer sign in there.",
            "<strong>1 token</strong> (API keys counted) is refused.",
        ),
    ] {
        let ask = format!("{page}/suspend");
        let link = format!(r#"href="{ask}" data-dialog>Suspend…</a>"#);
        let text = shows(&server.ada.get(&page).await, 200, &[&link]);
        assert!(!text.contains(r#"value="suspended""#), "not by one click");
        let form_to = format!(r#"method="post" action="{page}""#);
        let parts = [asked, what, &form_to, "data-dialog-part"];
        shows(&server.ada.get(&ask).await, 200, &parts);
        let suspend = [("standing", "suspended")];
        goes_to(
            &form(&server.ada, &page, &suspend).await,
            &format!("{page}?saved=1"),
        );
        shows(&server.ada.get(&page).await, 200, &[">suspended</span>"]);
        form(&server.ada, &page, &[("standing", "active")]).await;
    }
    let (viewer, _) = with_role(&server, "Vera", BuiltInRole::Viewer).await;
    for ask in [format!("{MEMBERS}/{id}"), format!("{USERS}/{id}")] {
        assert_eq!(viewer.get(&format!("{ask}/suspend")).await.status, 403);
    }
}

#[tokio::test]
async fn what_works_nowhere_is_not_called_active() {
    let server = Server::sqlite().await;
    let (bob, id) = server.member("Bob").await;
    let token = bob.token(wish("ci")).await;
    let one = format!("{TOKENS}/{}", token.id);
    let list = format!("{TOKENS}?owner={id}");
    let works = shows(
        &server.ada.get(&one).await,
        200,
        &[r#"<span class="chip good">active</span>"#],
    );
    assert!(!works.contains("at rest"));
    for (membership, why) in [
        (
            Membership {
                may_have_tokens: false,
                ..server.membership(id)
            },
            "Its owner may not have tokens here.",
        ),
        (
            Membership {
                standing: Standing::Suspended,
                ..server.membership(id)
            },
            "Its owner is suspended here.",
        ),
    ] {
        server.put(membership).await;
        let page = shows(
            &server.ada.get(&one).await,
            200,
            &[r#"<span class="chip warn">at rest</span>"#, why],
        );
        assert!(!page.contains(">active</span>"));
        let at_rest = format!(r#"title="{why}">at rest"#);
        shows(&server.ada.get(&list).await, 200, &[&at_rest]);
        shows(&server.ada.get(MEMBERS).await, 200, &["1 token at rest"]);
        let member = format!("{MEMBERS}/{id}");
        shows(&server.ada.get(&member).await, 200, &["1 token at rest"]);
    }
}

#[tokio::test]
async fn a_filter_that_is_none_finds_nothing_and_offers_nothing() {
    let server = Server::sqlite().await;
    server.ada.token(wish("laptop")).await;
    for (path, value) in [
        (format!("{TOKENS}?state=zzz"), "zzz"),
        (format!("{TOKENS}?kind=key&unused=30"), "key"),
        (format!("{MEMBERS}?standing=gone"), "gone"),
        ("/settings/organization/keys?state=zzz".to_owned(), "zzz"),
        (format!("{AUDIT}?action=zzz"), "zzz"),
    ] {
        let wrong = r#"role="alert">There is no "#;
        let said = format!("“{value}”, so nothing is shown.");
        let text = shows(&server.ada.get(&path).await, 200, &[wrong, &said]);
        assert!(!text.contains("<tbody"), "{path}");
        assert!(!text.contains("Revoke th"), "{path}");
        assert!(!text.contains("download>"), "{path}");
    }
    let revoke = format!("{TOKENS}/revoke");
    let ask = format!("{revoke}?what=found&state=zzz");
    assert_eq!(server.ada.get(&ask).await.status, 400);
    let sent = [("what", "found"), ("state", "zzz"), ("expected", "1")];
    assert_eq!(form(&server.ada, &revoke, &sent).await.status, 400);
    server.ada.get(TOKENS).await.is_status(200);
    shows(&server.ada.get(TOKENS).await, 200, &["laptop"]);
}

#[tokio::test]
async fn the_audit_names_what_it_is_about() {
    let server = Server::sqlite().await;
    let (_, id) = server.member("Bob").await;
    server.user("Carl").await;
    let (alf, _) = with_role(&server, "Alf", BuiltInRole::Admin).await;
    let path = server.path(&format!("members/{id}"));
    let standing = json!({ "standing": "suspended" });
    let key = server.key_of("robot", BuiltInRole::Superuser).await;
    let robot = server.bearer(&key.secret);
    robot.patch_json(&path, &standing).await.is_status(200);
    let superuser = json!({ "role": "superuser" });
    alf.patch_json(&path, &superuser).await.is_status(403);
    let page = shows(
        &server.ada.get(AUDIT).await,
        200,
        &[
            "Member suspended",
            &format!(r#"<a href="{MEMBERS}/{id}"><bdi>Bob</bdi></a>"#),
            &format!(
                r#"with the token <a href="{TOKENS}/{}"><bdi>robot ({})</bdi></a>"#,
                key.id, key.prefix
            ),
            r#"<span class="tokenname">Member changed</span> <span class="chip bad">refused</span>"#,
            "Not done: ",
        ],
    );
    assert!(!page.contains(&format!("<bdi>{id}</bdi>")), "no bare id");
    let by = async |email: &str| {
        let found = server.ada.get(&format!("{AUDIT}?person={email}")).await;
        shows(
            &found,
            200,
            &[&format!(r#"value="{}""#, email.replace("%40", "@"))],
        )
    };
    let alfs = by("alf%40acme.example").await;
    assert!(alfs.contains("refused") && !alfs.contains("tokenname\">Member suspended"));
    for nobody in ["carl%40acme.example", "nobody%40acme.example"] {
        assert!(by(nobody).await.contains("Nothing found"), "{nobody}");
    }
}

#[tokio::test]
async fn who_is_not_here_is_not_named_to_those_who_try() {
    let server = Server::sqlite().await;
    let other = server.other().await;
    let (alf, _) = with_role(&server, "Alf", BuiltInRole::Admin).await;
    let path = server.path("members");
    let add = json!({ "user": other.eve_id.to_string(), "role": "member" });
    alf.post(&path, &add).await.is_status(403);
    let page = alf.get(AUDIT).await.text();
    assert!(page.contains(&other.eve_id.to_string()) && !page.contains("<bdi>Eve"));
}

#[tokio::test]
async fn a_check_of_the_chain_takes_what_was_noted() {
    let server = Server::sqlite().await;
    server.ada.token(wish("laptop")).await;
    let verify = format!("{AUDIT}/verify");
    let check = async |noted: &str| form(&server.ada, &verify, &[("expected", noted)]).await;
    let page = shows(
        &check("").await,
        200,
        &["The chain holds", "data-copy=\"end\""],
    );
    let (_, rest) = page
        .split_once(r#"aria-label="The end of the chain">"#)
        .unwrap();
    let end = rest.split('<').next().unwrap().to_owned();
    assert!(end.contains(':') && !end.contains(' '), "{end}");
    shows(&check(&end).await, 200, &["The chain holds", &end]);
    let (seq, code) = end.split_once(':').unwrap();
    let turned: String = code.chars().rev().collect();
    let other = shows(
        &check(&format!("{seq}:{turned}")).await,
        200,
        &["is not the one that you noted"],
    );
    assert!(other.contains("said bad"));
    let wrong = check("82 25ff").await;
    shows(&wrong, 400, &["expected-wrong", r#"value="82 25ff""#]);
    let docs = server.ada.get("/docs").await.text();
    assert!(docs.contains("expectedSeq"), "its body is described");
}

#[tokio::test]
async fn everybody_finds_their_role_and_where_they_are() {
    let server = Server::sqlite().await;
    let organization = server.organization.to_string();
    let (bob, id) = server.member("Bob").await;
    let parts = [
        "<bdi>Member</bdi>",
        &organization,
        "data-copy=\"organization-id\"",
    ];
    let page = shows(&bob.get(SESSIONS).await, 200, &parts);
    assert!(!page.contains("You may not have"));
    let closed = Membership {
        may_have_tokens: false,
        ..server.membership(id)
    };
    server.put(closed).await;
    goes_to(&bob.get("/").await, SESSIONS);
    let why = [
        "You may not have personal access tokens",
        r#"href="/settings/tokens">Who can allow it"#,
    ];
    shows(&bob.get(SESSIONS).await, 200, &why);
}

#[tokio::test]
async fn a_refusal_keeps_the_way_to_every_other_page() {
    let server = Server::sqlite().await;
    let (bob, _) = server.member("Bob").await;
    let way = r#"<nav class="rail" aria-label="Settings">"#;
    for (path, status) in [
        (MEMBERS, 403),
        ("/settings/tokens/x", 404),
        ("/settings/nothing", 404),
    ] {
        let parts = [way, "bob@acme.example", "request "];
        let parts = if path == "/settings/nothing" {
            &parts[..2]
        } else {
            &parts[..]
        };
        shows(&bob.get(path).await, status, parts);
        let nobody = server.anon().get(path).await.text();
        assert!(!nobody.contains(way), "{path}");
    }
    let small = r#"<summary>Menu<span class="quiet">: Sign-in &#38; sessions</span></summary>"#;
    shows(&bob.get(SESSIONS).await, 200, &[small]);
}

#[tokio::test]
async fn who_makes_a_token_is_told_what_is_to_come() {
    let server = Server::sqlite().await;
    let (bob, _) = server.member("Bob").await;
    let new = "/settings/tokens/new";
    assert!(!bob.get(new).await.text().contains("a new policy holds"));
    let now = server.services.clock.now();
    let change = PolicyChange {
        policy: Policy {
            personal: Lifetime {
                days_max: Some(60),
                may_never_expire: false,
            },
            key: Lifetime {
                days_max: Some(17),
                may_never_expire: false,
            },
            ..Policy::default()
        },
        enforce_at: now.plus_days(40),
        made: now,
        user: Some(server.ada_id),
        token: None,
    };
    let organization = server.organization;
    server
        .change(async |tx| {
            tx.put_policy_change(organization, &change).await.unwrap();
            Vec::new()
        })
        .await;
    let told = ["From 1 Jan 2027 on", "live for at most 60 days."];
    let page = shows(&bob.get(new).await, 200, &told);
    assert!(!page.contains("17 days"), "keys are not theirs");
}

#[tokio::test]
async fn a_user_page_says_where_somebody_is() {
    let server = Server::sqlite().await;
    let other = server.other().await;
    let parts = ["Other Works", "<bdi>Superuser</bdi>", "1 token"];
    let page = format!("{USERS}/{}", other.eve_id);
    shows(&server.ada.get(&page).await, 200, &parts);
    shows(&server.ada.get(USERS).await, 200, &["hallpass user create"]);
}

#[tokio::test]
async fn lists_cut_a_long_path_and_say_it_whole_on_hover() {
    let server = Server::sqlite().await;
    let verifier = server.verifier().await;
    let token = server.ada.token(wish("laptop")).await;
    server.verdict(&verifier, &token.secret, None).await;
    server.flush_uses().await;
    let list = server.ada.get(TOKENS).await.text();
    assert!(
        list.contains(r#"<span class="two mono cut" title=""#),
        "{list}"
    );
    assert!(list.contains(">Created</th>") && list.contains(">Expires</th>"));
    assert!(
        list.contains(r#"<span class="chip"><span>all that <bdi>"#),
        "one line of words"
    );
}

#[tokio::test]
async fn who_may_not_revoke_what_is_found_may_look_at_it() {
    let server = Server::sqlite().await;
    server.key_of("robot", BuiltInRole::Member).await;
    server.ada.token(wish("laptop")).await;
    let role = json!({ "name": "Auditor", "permissions": ["hallpass:tokens"] });
    let made = server.ada.post(&server.path("roles"), &role).await.is(201);
    let (tim, _) = server.person("Tim", made["id"].as_str().unwrap()).await;
    let all = tim.get(&format!("{TOKENS}?state=active")).await;
    let page = shows(&all, 200, &["robot", "laptop"]);
    assert!(!page.contains("Revoke these"), "keys are among them");
    let kind = format!("{TOKENS}?kind=personal_access_token");
    shows(&tim.get(&kind).await, 200, &["Revoke this one…"]);
}
