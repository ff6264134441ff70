//! The pages of an organization's tokens: who sees them, what is found, what is revoked, and why one works or not.

use crate::kit::{
    Server,
    page::{encode, field, form, goes_to, send, shows, with_role},
    wish,
};
use hallpass_domain::role::BuiltInRole;

const TOKENS: &str = "/settings/organization/tokens";
const KEYS: &str = "/settings/organization/keys";
const POLICY: &str = "/settings/organization/policy";
const AUDIT: &str = "/settings/organization/audit";

#[tokio::test]
async fn everybody_sees_the_pages_that_they_may_use() {
    let server = Server::sqlite().await;
    let all = [KEYS, TOKENS, POLICY, AUDIT];
    for (role, may) in [
        (BuiltInRole::Viewer, false),
        (BuiltInRole::Member, false),
        (BuiltInRole::Admin, true),
        (BuiltInRole::Superuser, true),
    ] {
        let (actor, _) = with_role(&server, role.name(), role).await;
        let rail = actor.get("/settings/sessions").await.text();
        for path in all {
            let shown = rail.contains(&format!(r#"<a href="{path}""#));
            assert_eq!(shown, may, "{role:?} {path}");
            let answer = actor.get(path).await;
            assert_eq!(
                answer.status,
                if may { 200 } else { 403 },
                "{role:?} {path}"
            );
        }
        let page = actor.get(TOKENS).await.text();
        for what in ["what=everything", "what=before"] {
            let is_superuser = role == BuiltInRole::Superuser;
            assert_eq!(page.contains(what), is_superuser, "{role:?} {what}");
        }
    }
}

#[tokio::test]
async fn a_form_without_the_sessions_value_changes_nothing() {
    let server = Server::sqlite().await;
    let key = server.key_of("robot", BuiltInRole::Member).await;
    let token = server.ada.token(wish("laptop")).await;
    let ada = server.ada.without("x-hallpass-csrf");
    for path in [
        format!("{TOKENS}/{}/revoke", token.id),
        format!("{TOKENS}/{}/suspend", token.id),
        format!("{TOKENS}/revoke"),
        format!("{KEYS}/new"),
        format!("{KEYS}/{}/rotate", key.id),
        format!("{KEYS}/{}/revoke", key.id),
        POLICY.to_owned(),
        format!("{POLICY}/withdraw"),
        format!("/settings/tokens/{}/suspend", token.id),
        format!("{AUDIT}/verify"),
    ] {
        let body = encode(&[("what", "everything"), ("expected", "2"), ("csrf", "x")]);
        let said = ["did not come from these pages"];
        shows(&send(&ada, &path, body).await, 403, &said);
    }
    for credential in [&key, &token] {
        server
            .bearer(&credential.secret)
            .get("/v1/caller")
            .await
            .is_status(200);
    }
}

#[tokio::test]
async fn the_list_finds_narrows_and_offers_what_is_found() {
    let server = Server::sqlite().await;
    let (bob, bob_id) = server.member("Bob").await;
    bob.token(wish("bobs")).await;
    server.ada.token(wish("adas")).await;
    server.key_of("robot", BuiltInRole::Member).await;
    let page = shows(
        &server.ada.get(TOKENS).await,
        200,
        &["bobs", "adas", "robot"],
    );
    assert!(
        !page.contains("what=found"),
        "all is not offered as a finding"
    );
    let of_bob = server.ada.get(&format!("{TOKENS}?owner={bob_id}")).await;
    let page = shows(&of_bob, 200, &["bobs", "Only what", "Revoke this one…"]);
    assert!(!page.contains(">adas<"), "{page}");
    for (query, found, not) in [
        ("kind=api_key", "robot", "adas"),
        ("search=adas", "adas", "robot"),
        ("endless=1", "robot", "adas"),
        ("permission=report:read", "adas", "bobs"),
    ] {
        let page = server.ada.get(&format!("{TOKENS}?{query}")).await;
        let page = shows(&page, 200, &[&format!("<bdi>{found}</bdi>")]);
        assert!(!page.contains(&format!("<bdi>{not}</bdi>")), "{query}");
        let export = page.split_once("/tokens/export?").unwrap().1;
        let name = query
            .split_once('=')
            .unwrap()
            .0
            .replace("endless", "neverExpires");
        assert!(export.split('"').next().unwrap().contains(&name), "{query}");
    }
    shows(
        &server.ada.get(&format!("{TOKENS}?unused=90")).await,
        200,
        &["Nothing found"],
    );
    let export = format!("/v1/organizations/{}/tokens/export", server.organization);
    assert!(server.ada.get(&export).await.text().contains("robot"));
}

#[tokio::test]
async fn many_are_revoked_only_as_they_were_looked_at() {
    let server = Server::sqlite().await;
    let (bob, bob_id) = server.member("Bob").await;
    let first = bob.token(wish("first")).await;
    let kept = server.ada.token(wish("adas")).await;
    let path = format!("{TOKENS}/revoke");
    let id = bob_id.to_string();
    let asked = server.ada.get(&format!("{path}?what=user&user={id}")).await;
    let page = shows(
        &asked,
        200,
        &["Revoke everything of Bob?", "first", "gets 401"],
    );
    assert_eq!(field(&page, "expected"), "1");
    let second = bob.token(wish("second")).await;
    let pairs = [("what", "user"), ("user", id.as_str()), ("expected", "1")];
    let outdated = form(&server.ada, &path, &pairs).await;
    let page = shows(&outdated, 409, &["it would be 2 by now, not 1", "second"]);
    server
        .bearer(&first.secret)
        .get("/v1/caller")
        .await
        .is_status(200);
    let expected = field(&page, "expected");
    let pairs = [
        ("what", "user"),
        ("user", id.as_str()),
        ("expected", expected.as_str()),
    ];
    goes_to(
        &form(&server.ada, &path, &pairs).await,
        &format!("{TOKENS}?done=revoked"),
    );
    for (token, status) in [(&first, 401), (&second, 401), (&kept, 200)] {
        server
            .bearer(&token.secret)
            .get("/v1/caller")
            .await
            .is_status(status);
    }
    let unsaid = form(&server.ada, &path, &[("what", "found"), ("search", "adas")]).await;
    shows(&unsaid, 409, &["adas"]);
    server
        .bearer(&kept.secret)
        .get("/v1/caller")
        .await
        .is_status(200);
    let tomorrow = [
        ("what", "before"),
        ("before", "2027-01-01"),
        ("expected", "1"),
    ];
    shows(
        &form(&server.ada, &path, &tomorrow).await,
        400,
        &["2027-01-01", "madeBefore-wrong"],
    );
    let (admin, _) = with_role(&server, "Alf", BuiltInRole::Admin).await;
    let all = form(&admin, &path, &[("what", "everything"), ("expected", "1")]).await;
    shows(&all, 403, &["Your role does not allow this"]);
    goes_to(
        &form(
            &server.ada,
            &path,
            &[("what", "everything"), ("expected", "1")],
        )
        .await,
        &format!("{TOKENS}?done=revoked"),
    );
    server
        .bearer(&kept.secret)
        .get("/v1/caller")
        .await
        .is_status(401);
}

#[tokio::test]
async fn a_token_explains_itself_rests_and_is_revoked() {
    let server = Server::sqlite().await;
    let (bob, _) = server.member("Bob").await;
    let token = bob.token(wish("bobs")).await;
    let path = format!("{TOKENS}/{}", token.id);
    shows(
        &server.ada.get(&path).await,
        200,
        &["It works right now.", "holds", "Bob"],
    );
    let asked = format!("{path}?permission=deploy:run&address=192.0.2.7");
    let why = [
        "It may not do deploy:run right now.",
        "fails",
        "not reached",
        r#"value="192.0.2.7""#,
    ];
    shows(&server.ada.get(&asked).await, 200, &why);
    let strange = server
        .ada
        .get(&format!("{path}?permission=all&address=home"))
        .await;
    shows(
        &strange,
        200,
        &["permission-wrong", "address-wrong", r#"value="home""#],
    );
    let unsaid = form(
        &server.ada,
        &format!("{path}/suspend"),
        &[("until", "2020-01-01")],
    )
    .await;
    shows(&unsaid, 400, &["reason-wrong", "2020-01-01"]);
    let rest = [("reason", "Seen in a log"), ("until", "")];
    goes_to(
        &form(&server.ada, &format!("{path}/suspend"), &rest).await,
        &format!("{path}?done=suspended"),
    );
    server
        .bearer(&token.secret)
        .get("/v1/caller")
        .await
        .is_status(401);
    shows(
        &server.ada.get(&path).await,
        200,
        &["Seen in a log", "It does not work right now."],
    );
    let own = format!("/settings/tokens/{}", token.id);
    shows(
        &bob.get(&own).await,
        200,
        &["Seen in a log", "It does not work right now."],
    );
    let lifted = form(&bob, &format!("{own}/resume"), &[]).await;
    assert_eq!(lifted.status, 403, "the policy leaves it to others");
    goes_to(
        &form(&server.ada, &format!("{path}/resume"), &[]).await,
        &format!("{path}?done=resumed"),
    );
    server
        .bearer(&token.secret)
        .get("/v1/caller")
        .await
        .is_status(200);
    shows(
        &server.ada.get(&format!("{path}/revoke")).await,
        200,
        &["Revoke <bdi>bobs", "gets 401"],
    );
    goes_to(
        &form(&server.ada, &format!("{path}/revoke"), &[]).await,
        &format!("{path}?done=revoked"),
    );
    server
        .bearer(&token.secret)
        .get("/v1/caller")
        .await
        .is_status(401);
    shows(&server.ada.get(&path).await, 200, &["It was revoked"]);
    let audit = shows(
        &server.ada.get(AUDIT).await,
        200,
        &["Token suspended", "Token revoked"],
    );
    assert!(
        audit.contains("Seen in a log") && audit.contains(&path),
        "{audit}"
    );
    let foreign = server.other().await;
    let theirs = format!("{TOKENS}/{}", foreign.token.id);
    assert_eq!(server.ada.get(&theirs).await.status, 404);
    assert_eq!(
        form(&server.ada, &format!("{theirs}/revoke"), &[])
            .await
            .status,
        404
    );
    assert_eq!(form(&bob, &format!("{path}/revoke"), &[]).await.status, 403);
}

#[tokio::test]
async fn owners_suspend_and_limit_their_own() {
    let server = Server::sqlite().await;
    let new = "/settings/tokens/new";
    let mut pairs = vec![
        ("name", "limited"),
        ("expires", "30"),
        ("may", "these"),
        ("p", "repo:read"),
        ("key", "k"),
        ("not_before", "2026-12-01"),
        ("allowed", "home"),
        ("denied", "192.0.2.7"),
    ];
    let wrong = form(&server.ada, new, &pairs).await;
    shows(
        &wrong,
        400,
        &[
            "allowedAddresses-wrong",
            ">home</textarea>",
            "192.0.2.7",
            "2026-12-01",
        ],
    );
    pairs[6].1 = "192.0.2.0/24";
    assert_eq!(form(&server.ada, new, &pairs).await.status, 200);
    let list = server.ada.get("/v1/personal-access-tokens").await.is(200);
    let id = list["items"][0]["id"].as_str().unwrap();
    let path = format!("/settings/tokens/{id}");
    let facts = [
        "Works from",
        "1 Dec 2026",
        "Only from",
        "192.0.2.0/24",
        "Never from",
        "192.0.2.7",
    ];
    shows(&server.ada.get(&path).await, 200, &facts);
    goes_to(
        &form(
            &server.ada,
            &format!("{path}/suspend"),
            &[("reason", "Holidays")],
        )
        .await,
        &format!("{path}?done=suspended"),
    );
    shows(
        &server.ada.get(&path).await,
        200,
        &["Holidays", "its owner"],
    );
    goes_to(
        &form(&server.ada, &format!("{path}/resume"), &[]).await,
        &format!("{path}?done=resumed"),
    );
}
