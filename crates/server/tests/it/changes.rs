//! Every change acts on the very next question, at every door.

use crate::kit::{Case, NEXT_MONTH, TOKENS, catalogue, wish};
use hallpass_domain::{
    member::Membership,
    organization::Standing,
    permission::PermissionSet,
    role::{BuiltInRole, Role, RolePermissions},
    time::Timestamp,
};
use hallpass_server::service::catalogue::CatalogueSettings;
use serde_json::json;

#[tokio::test]
async fn every_change_acts_on_the_very_next_question() {
    let case = Case::new().await;
    let server = &case.server;
    let (organization, bob) = (server.organization, case.bob.user);
    server
        .suspend(&case.token, Some(server.services.clock.now()))
        .await;
    case.says("suspended").await;
    server.suspend(&case.token, None).await;
    case.says("allow").await;
    for (standing, said) in [
        (Standing::Suspended, "organization_suspended"),
        (Standing::Active, "allow"),
    ] {
        let before = server.services.store.head().await.unwrap();
        server
            .change(async |tx| {
                vec![
                    tx.set_organization_standing(organization, standing)
                        .await
                        .unwrap(),
                ]
            })
            .await;
        assert!(server.services.store.head().await.unwrap() > before);
        if standing.is_active() {
            case.says(said).await;
        } else {
            // The asking credential rests with its organization.
            case.verifier
                .post("/v1/verify", &json!({"token": case.token.secret}))
                .await
                .refused(401, "invalid_token");
            let door = server
                .gateway()
                .bearing(&case.token.secret)
                .get("/auth")
                .await;
            assert_eq!((door.status, door.header("x-hallpass-error")), (401, said));
        }
    }
    for (standing, said) in [
        (Standing::Suspended, "user_suspended"),
        (Standing::Active, "allow"),
    ] {
        server
            .change(async |tx| vec![tx.set_user_standing(bob, standing).await.unwrap()])
            .await;
        case.says(said).await;
    }
    server
        .put(Membership {
            standing: Standing::Suspended,
            ..case.bob.clone()
        })
        .await;
    case.says("membership_suspended").await;
    server
        .put(Membership {
            may_have_tokens: false,
            ..case.bob.clone()
        })
        .await;
    case.says("tokens_not_allowed").await;
    server.put(case.bob.clone()).await;
    case.says("allow").await;
    server
        .change(async |tx| vec![tx.delete_membership(organization, bob).await.unwrap()])
        .await;
    case.says("not_a_member").await;
    server.put(case.bob.clone()).await;
    case.says("allow").await;
}

#[tokio::test]
async fn a_token_ends_at_the_very_instant_it_names() {
    let case = Case::new().await;
    let end = Timestamp::parse(NEXT_MONTH).unwrap();
    case.server
        .services
        .clock
        .set(Timestamp::from_micros(end.micros() - 1));
    case.says("allow").await;
    case.server.services.clock.set(end);
    case.says("expired").await;
}

#[tokio::test]
async fn a_role_gives_what_it_holds_now() {
    let case = Case::new().await;
    let server = &case.server;
    server
        .put(Membership {
            role: BuiltInRole::Superuser.id(),
            ..case.bob.clone()
        })
        .await;
    assert_eq!(
        server
            .verdict(&case.verifier, &case.token.secret, Some("deploy:run"))
            .await,
        "allow"
    );
    server.put(case.bob.clone()).await;
    assert_eq!(
        server
            .verdict(&case.verifier, &case.token.secret, Some("deploy:run"))
            .await,
        "permission_missing"
    );
    let held = PermissionSet::parse(["repo:write"]).unwrap();
    let member = server
        .services
        .store
        .find_role(BuiltInRole::Member.id())
        .await;
    let role = Role {
        permissions: RolePermissions::Named(held),
        ..member.unwrap().unwrap()
    };
    server
        .change(async |tx| vec![tx.put_built_in_role(&role).await.unwrap()])
        .await;
    case.says("permission_missing").await;
    server.services.put_catalogue(&catalogue()).await.unwrap();
    case.says("allow").await;
    // What no catalogue lists, nobody holds.
    let smaller = CatalogueSettings {
        permissions: catalogue()
            .permissions
            .into_iter()
            .filter(|entry| entry.permission.as_str() != "repo:read")
            .collect(),
        member: None,
        viewer: None,
    };
    server.services.put_catalogue(&smaller).await.unwrap();
    case.says("permission_missing").await;
}

#[tokio::test]
async fn the_gate_blocks_and_revives_and_destroys_nothing() {
    let case = Case::new().await;
    let bob = case.server.session_of(case.bob.user).await;
    case.server
        .put(Membership {
            may_have_tokens: false,
            ..case.bob.clone()
        })
        .await;
    bob.post(TOKENS, &wish("more"))
        .await
        .refused(403, "tokens_not_allowed");
    bob.patch(&case.token.path, &json!({"name": "x"}))
        .await
        .refused(403, "tokens_not_allowed");
    assert_eq!(
        bob.names("?state=active").await,
        ["ci"],
        "seeing them is not managing them"
    );
    bob.delete(&case.token.path).await.is(204);
    case.server.put(case.bob.clone()).await;
    case.says("revoked").await;
    bob.token(wish("more")).await;
}
