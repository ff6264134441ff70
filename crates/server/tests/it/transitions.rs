//! What becomes of a person becomes of their tokens, with the call that says so: each transition that the product
//! promises, through the API, seen at `/v1/verify`, at `/auth` and at the API itself.

use crate::kit::{Case, Server, TOKENS, under, wish};
use hallpass_domain::id::OrganizationId;
use serde_json::{Value, json};

impl Case {
    async fn change(&self, change: Value) {
        let path = self.server.member_path(self.bob.user);
        self.server.ada.patch_json(&path, &change).await.is(200);
    }

    async fn may(&self, permission: &str) -> String {
        self.server
            .verdict(&self.verifier, &self.token.secret, Some(permission))
            .await
    }
}

#[tokio::test]
async fn downgraded_the_token_has_the_lower_role_at_once() {
    let case = Case::new().await;
    case.change(json!({"role": "admin"})).await;
    assert_eq!(case.may("deploy:run").await, "allow");
    case.change(json!({"role": "viewer"})).await;
    assert_eq!(case.may("deploy:run").await, "permission_missing");
    assert_eq!(case.may("repo:write").await, "permission_missing");
    assert_eq!(case.may("repo:read").await, "allow");
}

#[tokio::test]
async fn upgraded_the_token_has_the_higher_role_at_once() {
    let case = Case::new().await;
    assert_eq!(case.may("deploy:run").await, "permission_missing");
    case.change(json!({"role": "Superuser"})).await;
    assert_eq!(case.may("deploy:run").await, "allow");
}

#[tokio::test]
async fn a_narrowed_token_stays_narrow_whatever_its_owner_becomes() {
    let case = Case::new().await;
    let bob = case.server.session_of(case.bob.user).await;
    let narrow = bob
        .token(json!({"name": "narrow", "expirationDate": crate::kit::NEXT_MONTH, "scope": ["repo:read"]}))
        .await;
    case.change(json!({"role": "superuser"})).await;
    for (permission, verdict) in [("repo:read", "allow"), ("deploy:run", "permission_missing")] {
        let said = case
            .server
            .verdict(&case.verifier, &narrow.secret, Some(permission))
            .await;
        assert_eq!(said, verdict);
    }
}

#[tokio::test]
async fn a_suspended_member_has_no_tokens_and_returns_to_them() {
    let case = Case::new().await;
    let bob = case.server.session_of(case.bob.user).await;
    case.change(json!({"standing": "suspended"})).await;
    case.says("membership_suspended").await;
    bob.get(TOKENS).await.refused(401, "sign_in_required");
    case.change(json!({"standing": "active"})).await;
    case.says("allow").await;
    bob.get(TOKENS).await.refused(401, "sign_in_required");
}

#[tokio::test]
async fn a_suspended_user_has_no_tokens_anywhere_and_returns_to_them() {
    let case = Case::new().await;
    let bob = case.server.session_of(case.bob.user).await;
    let path = format!("/v1/users/{}", case.bob.user);
    for (standing, said) in [("suspended", "user_suspended"), ("active", "allow")] {
        let change = json!({"standing": standing});
        case.server.ada.patch_json(&path, &change).await.is(200);
        case.says(said).await;
        bob.get(TOKENS).await.refused(401, "sign_in_required");
    }
}

#[tokio::test]
async fn in_a_suspended_organization_nothing_works_until_it_is_resumed() {
    let server = Server::sqlite().await;
    let verifier = server.verifier().await;
    let (zenith, zoe, _) = server.other_organization().await;
    let token = zoe.token(wish("ci")).await;
    assert_eq!(
        server.verdict(&verifier, &token.secret, None).await,
        "allow"
    );
    let path = format!("/v1/organizations/{zenith}");
    zoe.patch_json(&path, &json!({"standing": "suspended"}))
        .await
        .is(200);
    let said = server.verdict(&verifier, &token.secret, None).await;
    assert_eq!(said, "organization_suspended");
    let door = server.gateway().bearing(&token.secret).get("/auth").await;
    assert_eq!(door.header("x-hallpass-error"), "organization_suspended");
    server
        .bearer(&token.secret)
        .get("/v1/caller")
        .await
        .refused(401, "invalid_token");
    zoe.get(TOKENS).await.refused(401, "sign_in_required");
    let resume = json!({"standing": "active"});
    server.ada.patch_json(&path, &resume).await.is(200);
    assert_eq!(
        server.verdict(&verifier, &token.secret, None).await,
        "allow"
    );
    zoe.get(TOKENS).await.is(200);
    // The host cannot be suspended: nobody would be left to resume it.
    let own = format!("/v1/organizations/{}", server.organization);
    server
        .ada
        .patch_json(&own, &json!({"standing": "suspended"}))
        .await
        .refused(409, "host_stays");
}

#[tokio::test]
async fn a_removed_member_has_no_tokens_and_does_not_find_them_alive_when_they_return() {
    let case = Case::new().await;
    let server = &case.server;
    server
        .ada
        .delete(&server.member_path(case.bob.user))
        .await
        .is(204);
    case.says("revoked").await;
    server.later(1);
    let again = json!({"user": case.bob.user.to_string(), "role": "member"});
    server
        .ada
        .post(&server.path("members"), &again)
        .await
        .is(201);
    case.says("revoked").await;
    let bob = server.session_of(case.bob.user).await;
    assert_eq!(bob.names("?state=revoked").await, ["ci"]);
    // The name is free, and what is made now works.
    let new = bob.token(wish("ci")).await;
    assert_eq!(
        server.verdict(&case.verifier, &new.secret, None).await,
        "allow"
    );
}

#[tokio::test]
async fn a_removed_user_is_gone_from_everywhere_and_their_address_is_free() {
    let case = Case::new().await;
    let server = &case.server;
    let path = format!("/v1/users/{}", case.bob.user);
    server.ada.delete(&path).await.is(204);
    case.says("revoked").await;
    server.ada.get(&path).await.refused(404, "not_found");
    server
        .ada
        .get(&server.member_path(case.bob.user))
        .await
        .refused(404, "not_found");
    let sign_in = json!({"email": "bob@acme.example", "password": crate::kit::PASSWORD});
    server
        .anon()
        .post("/v1/sessions", &sign_in)
        .await
        .refused(401, "sign_in_failed");
    let new = server.user("Bob").await;
    assert_ne!(new, case.bob.user);
}

#[tokio::test]
async fn a_token_stays_in_the_organization_it_was_made_in() {
    let case = Case::new().await;
    let server = &case.server;
    let (zenith, _, _) = server.other_organization().await;
    let join = json!({"user": case.bob.user.to_string(), "role": "superuser"});
    server
        .ada
        .post(&under(zenith, "members"), &join)
        .await
        .is(201);
    let bob = server.session_of(case.bob.user).await;
    let switch = json!({"organization": zenith.to_string()});
    let there = bob
        .send_json("PUT", "/v1/sessions/current/organization", &switch)
        .await
        .is(200);
    let bob = bob.going_on_with(&there);
    assert_eq!(
        (&there["organization"]["name"], &there["role"]),
        (&json!("Zenith"), &json!("Superuser"))
    );
    // The old one works where it did, with the role held there, and is not seen from here.
    assert_eq!(case.may("repo:read").await, "allow");
    assert_eq!(case.may("deploy:run").await, "permission_missing");
    assert!(bob.names("").await.is_empty());
    let asked = server
        .bearer(&case.token.secret)
        .get("/v1/caller")
        .await
        .is(200);
    assert_eq!(asked["organization"]["name"], "Acme Rockets");
    let new = bob.token(wish("ci")).await;
    let said = server
        .verdict(&case.verifier, &new.secret, Some("deploy:run"))
        .await;
    assert_eq!(said, "allow");
    // Leaving the first ends the first alone.
    server
        .ada
        .delete(&server.member_path(case.bob.user))
        .await
        .is(204);
    case.says("revoked").await;
    assert_eq!(
        server.verdict(&case.verifier, &new.secret, None).await,
        "allow"
    );
    assert_eq!(listed(&bob).await, [(zenith, true)]);
}

async fn listed(actor: &crate::kit::Actor) -> Vec<(OrganizationId, bool)> {
    let own = actor.get("/v1/caller/organizations").await.is(200);
    let items = own["items"].as_array().unwrap();
    let one = |item: &Value| {
        let id = OrganizationId::parse(item["id"].as_str().unwrap()).unwrap();
        (id, item["current"].as_bool().unwrap())
    };
    items.iter().map(one).collect()
}

#[tokio::test]
async fn the_closed_gate_blocks_at_once_and_the_opened_one_revives() {
    let case = Case::new().await;
    let bob = case.server.session_of(case.bob.user).await;
    case.change(json!({"mayHaveTokens": false})).await;
    case.says("tokens_not_allowed").await;
    bob.post(TOKENS, &wish("more"))
        .await
        .refused(403, "tokens_not_allowed");
    let kept = bob.get(&case.token.path).await.is(200);
    assert_eq!(kept["state"], "active", "the row stays as it was");
    case.change(json!({"mayHaveTokens": true})).await;
    case.says("allow").await;
}

#[tokio::test]
async fn revoked_while_the_gate_was_closed_it_stays_dead_when_it_opens() {
    let case = Case::new().await;
    let bob = case.server.session_of(case.bob.user).await;
    case.change(json!({"mayHaveTokens": false})).await;
    bob.delete(&case.token.path).await.is(204);
    case.says("revoked").await;
    case.change(json!({"mayHaveTokens": true})).await;
    case.says("revoked").await;
}

#[tokio::test]
async fn a_permission_that_goes_from_catalogue_or_role_goes_from_every_token_at_once() {
    let case = Case::new().await;
    let server = &case.server;
    let role = json!({"name": "Engineer", "permissions": ["deploy:run", "repo:*"]});
    let made = server.ada.post(&server.path("roles"), &role).await.is(201);
    case.change(json!({"role": "engineer"})).await;
    assert_eq!(case.may("deploy:run").await, "allow");
    let path = server.path(&format!("roles/{}", made["id"].as_str().unwrap()));
    let less = json!({"name": "Engineer", "permissions": ["repo:*"]});
    server.ada.send_json("PUT", &path, &less).await.is(200);
    assert_eq!(case.may("deploy:run").await, "permission_missing");
    // New ones that its wildcard covers are held as soon as they are there.
    let put = json!({"description": "Administer repositories", "risk": "high"});
    server
        .ada
        .send_json("PUT", "/v1/permissions/repo:admin", &put)
        .await
        .is(201);
    assert_eq!(case.may("repo:admin").await, "allow");
    server
        .ada
        .delete("/v1/permissions/repo:admin")
        .await
        .is(204);
    assert_eq!(case.may("repo:admin").await, "permission_missing");
    // Deleted, its members move, and have what the other role holds.
    server
        .ada
        .delete(&format!("{path}?moveMembersTo=viewer"))
        .await
        .is(200);
    assert_eq!(case.may("repo:write").await, "permission_missing");
    assert_eq!(case.may("repo:read").await, "allow");
}
