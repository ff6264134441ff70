//! The pages of an organization's keys, policy and audit: what a form keeps, what is shown once, what is looked at first.

use crate::kit::{
    PASSWORD, Server,
    page::{field, form, goes_to, shows, with_role},
    wish,
};
use hallpass_domain::{
    policy::{Lifetime, Policy},
    role::BuiltInRole,
};
use serde_json::json;

const KEYS: &str = "/settings/organization/keys";
const POLICY: &str = "/settings/organization/policy";
const AUDIT: &str = "/settings/organization/audit";

fn key_form(role: BuiltInRole) -> Vec<(&'static str, String)> {
    let pair = |name, value: &str| (name, value.to_owned());
    vec![
        pair("name", "billing"),
        ("role", role.id().to_string()),
        pair("expires", "30"),
        pair("may", "all"),
    ]
}

fn borrowed<'a>(pairs: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    pairs
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect()
}

/// The secret that a page shows, which begins so.
fn secret_in(page: &str, begins: &str) -> String {
    let (_, rest) = page.split_once(r#"aria-label="The secret">"#).unwrap();
    let secret = rest.split('<').next().unwrap().to_owned();
    assert!(secret.starts_with(begins), "{secret}");
    secret
}

#[tokio::test]
async fn a_keys_secret_is_shown_once_and_a_wrong_form_is_kept() {
    let server = Server::sqlite().await;
    let new = format!("{KEYS}/new");
    let mut pairs = key_form(BuiltInRole::Member);
    pairs[2].1 = "date".to_owned();
    let wrong = form(&server.ada, &new, &borrowed(&pairs)).await;
    let role = format!(r#"value="{}" selected"#, BuiltInRole::Member.id());
    shows(&wrong, 400, &["expires-wrong", r#"value="billing""#, &role]);
    pairs[2].1 = "30".to_owned();
    let made = form(&server.ada, &new, &borrowed(&pairs)).await;
    let page = shows(&made, 200, &["billing is ready", "it is not shown again"]);
    assert!(made.header("cache-control").contains("no-store"));
    let secret = secret_in(&page, "hpk_");
    server
        .bearer(&secret)
        .get("/v1/caller")
        .await
        .is_status(200);
    let list = shows(&server.ada.get(KEYS).await, 200, &["billing"]);
    let id = list
        .split_once(&format!("{KEYS}/01"))
        .unwrap()
        .1
        .split('"')
        .next()
        .unwrap();
    let path = format!("{KEYS}/01{id}");
    assert!(!server.ada.get(&path).await.text().contains(&secret));
    let again = form(&server.ada, &new, &borrowed(&pairs)).await;
    shows(&again, 409, &["name-wrong", &secret[..10]]);

    let rotate = format!("{path}/rotate");
    shows(
        &form(&server.ada, &rotate, &[]).await,
        400,
        &["overlap-wrong"],
    );
    let late = [("overlap", "until"), ("until", "2028-01-01")];
    shows(
        &form(&server.ada, &rotate, &late).await,
        400,
        &["until-wrong", "2028-01-01"],
    );
    let rotated = form(
        &server.ada,
        &rotate,
        &[("overlap", "quiet"), ("quiet", "3")],
    )
    .await;
    let second = secret_in(
        &shows(
            &rotated,
            200,
            &["has a new secret", "still works", "quiet for 3 days"],
        ),
        "hpk_",
    );
    for secret in [&secret, &second] {
        server.bearer(secret).get("/v1/caller").await.is_status(200);
    }
    let leaked = form(&server.ada, &rotate, &[("overlap", "none"), ("until", "x")]).await;
    let third = secret_in(&shows(&leaked, 200, &["ended"]), "hpk_");
    for (secret, status) in [(&secret, 401), (&second, 401), (&third, 200)] {
        server
            .bearer(secret)
            .get("/v1/caller")
            .await
            .is_status(status);
    }
    goes_to(
        &form(&server.ada, &format!("{path}/revoke"), &[]).await,
        &format!("{KEYS}?done=revoked"),
    );
    server.bearer(&third).get("/v1/caller").await.is_status(401);
    let (admin, _) = with_role(&server, "Alf", BuiltInRole::Admin).await;
    let mut above = key_form(BuiltInRole::Superuser);
    above[0].1 = "above".to_owned();
    shows(
        &form(&admin, &new, &borrowed(&above)).await,
        403,
        &["role-wrong", r#"value="above""#],
    );
}

#[tokio::test]
async fn an_old_sign_in_needs_the_password_once_more() {
    let server = Server::sqlite().await;
    server.later(301);
    let pairs = key_form(BuiltInRole::Member);
    let new = format!("{KEYS}/new");
    shows(
        &form(&server.ada, &new, &borrowed(&pairs)).await,
        403,
        &["password-wrong", "billing"],
    );
    let mut with = borrowed(&pairs);
    with.push(("password", PASSWORD));
    shows(
        &form(&server.ada, &new, &with).await,
        200,
        &["billing is ready"],
    );
}

#[tokio::test]
async fn a_policy_is_previewed_decided_and_withdrawn() {
    let server = Server::sqlite().await;
    let never = json!({ "name": "forever", "userAwareTokenNeverExpires": true });
    server.ada.token(never).await;
    server.ada.token(wish("short")).await;
    let typed = [
        ("personal_days", "ninety"),
        ("key_never", "1"),
        ("start", "later"),
        ("on", "2027-01-01"),
    ];
    let preview = format!("{POLICY}/preview");
    let wrong = form(&server.ada, &preview, &typed).await;
    shows(
        &wrong,
        400,
        &[
            "personalAccessTokens-wrong",
            r#"value="ninety""#,
            "2027-01-01",
        ],
    );
    let typed = [
        ("personal_days", "90"),
        ("key_never", "1"),
        ("start", "later"),
        ("on", "2027-01-01"),
    ];
    let page = shows(
        &form(&server.ada, &preview, &typed).await,
        200,
        &["1 token would be shortened.", "forever"],
    );
    assert_eq!(field(&page, "shortened"), "1");
    assert!(!page.contains("<bdi>short</bdi>"));
    let mut sent = typed.to_vec();
    sent.extend([("shortened", "0"), ("revoked", "0"), ("unused_now", "0")]);
    shows(
        &form(&server.ada, POLICY, &sent).await,
        409,
        &["it would be 1 by now, not 0", "forever"],
    );
    sent[4].1 = "1";
    let back = form(&server.ada, &format!("{POLICY}/edit"), &sent).await;
    shows(&back, 200, &[r#"name="personal_days" value="90""#]);
    goes_to(
        &form(&server.ada, POLICY, &sent).await,
        &format!("{POLICY}?done=decided"),
    );
    shows(
        &server.ada.get(POLICY).await,
        200,
        &["1 Jan 2027", "live for at most 90 days", "Withdraw it"],
    );
    let list = server.ada.get("/settings/tokens").await;
    shows(&list, 200, &["From 1 Jan 2027 a new policy lets it end"]);
    goes_to(
        &form(&server.ada, &format!("{POLICY}/withdraw"), &[]).await,
        &format!("{POLICY}?done=withdrawn"),
    );
    let page = server.ada.get(POLICY).await.text();
    assert!(!page.contains("Withdraw it"));
    sent[2].1 = "now";
    goes_to(
        &form(&server.ada, POLICY, &sent).await,
        &format!("{POLICY}?done=enforced"),
    );
    shows(
        &server.ada.get(POLICY).await,
        200,
        &["live for at most 90 days"],
    );
    let policy = Policy {
        key: Lifetime {
            days_max: Some(7),
            may_never_expire: false,
        },
        ..Policy::default()
    };
    server.enforce(&policy).await;
    let late = key_form(BuiltInRole::Member);
    let refused = form(&server.ada, &format!("{KEYS}/new"), &borrowed(&late)).await;
    shows(&refused, 400, &["at most 7 days", "expires-wrong"]);
}

#[tokio::test]
async fn the_audit_is_filtered_exported_and_checked() {
    let server = Server::sqlite().await;
    server.ada.token(wish("laptop")).await;
    let page = shows(
        &server.ada.get(AUDIT).await,
        200,
        &["Token made", "laptop", "Ada"],
    );
    assert!(page.contains("/audit/export?"), "{page}");
    let other = server
        .ada
        .get(&format!("{AUDIT}?action=policy.enforced"))
        .await;
    shows(
        &other,
        200,
        &["Nothing found", r#"value="policy.enforced" selected"#],
    );
    let only = server
        .ada
        .get(&format!("{AUDIT}?action=token.created&until=2026-11-22"))
        .await;
    shows(&only, 200, &["laptop"]);
    let before = server.ada.get(&format!("{AUDIT}?until=2026-11-21")).await;
    shows(&before, 200, &["Nothing found"]);
    shows(
        &form(&server.ada, &format!("{AUDIT}/verify"), &[]).await,
        200,
        &["The chain holds"],
    );
    let (admin, _) = with_role(&server, "Alf", BuiltInRole::Admin).await;
    assert_eq!(
        admin.get(&format!("{AUDIT}?scope=deployment")).await.status,
        403
    );
    let mut file = crate::kit::beside(&server).await;
    let edited = sqlx::query("UPDATE audit SET target = 'x' WHERE action = 'token.created'");
    edited.execute(&mut file).await.unwrap();
    let broken = form(&server.ada, &format!("{AUDIT}/verify"), &[]).await;
    shows(&broken, 200, &["The chain is broken: line"]);
}
