//! What is blocked while a request is still arriving, and in which order things are held to see to that.

use super::{late, late_by};
use crate::kit::{Engine, Server, TOKENS, Token, rows, under, wish};
use hallpass_domain::{
    id::{TokenId, UserId},
    network::NetworkSet,
    organization::Standing,
    permission::PermissionSet,
    policy::Policy,
    role::BuiltInRole,
};
use hallpass_server::service::RequestContext;
use hallpass_store::Database;
use serde_json::json;
use sqlx::{Connection as _, PgConnection};
use std::{sync::Arc, time::Duration};

/// What happens to whoever asks while the body arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meanwhile {
    Nothing,
    GateClosed,
    UserSuspended,
    Narrowed,
    Forbidden,
    NetworksSet,
    PermissionGone,
}

impl Meanwhile {
    async fn happens(self, server: &Server, bob: UserId, token: &Token) {
        match self {
            Self::Nothing => {}
            Self::GateClosed => {
                let mut membership = server.membership(bob);
                membership.role = BuiltInRole::Admin.id();
                membership.may_have_tokens = false;
                server.put(membership).await;
            }
            Self::UserSuspended => suspend_user(server, bob).await,
            Self::Narrowed => {
                let narrow = json!({"scope": ["hallpass:own-tokens", "repo:write"]});
                let bob = server.session_of(bob).await;
                bob.patch(&token.path, &narrow).await.is(200);
            }
            Self::Forbidden => server.forbid("hallpass:roles").await,
            Self::NetworksSet => {
                let networks = NetworkSet::parse(["192.0.2.0/24"]).unwrap();
                let policy = Policy {
                    networks,
                    ..Policy::default()
                };
                server.enforce(&policy).await;
            }
            Self::PermissionGone => forget_repo_read(server).await,
        }
    }
}

/// In the store alone: sessions and rows of tokens stay.
async fn suspend_user(server: &Server, user: UserId) {
    server
        .change(async |tx| {
            vec![
                tx.set_user_standing(user, Standing::Suspended)
                    .await
                    .unwrap(),
            ]
        })
        .await;
}

async fn forget_repo_read(server: &Server) {
    let before = server.services.store.catalogue().await.unwrap();
    let gone = PermissionSet::parse(["repo:read"]).unwrap();
    let kept = before
        .iter()
        .filter(|entry| !gone.covers(&entry.permission));
    let after: Vec<_> = kept.cloned().collect();
    server
        .change(async |tx| vec![tx.put_catalogue(&before, &after).await.unwrap()])
        .await;
}

/// The codes of the refused attempts that were written down.
async fn refusals(server: &Server) -> Vec<String> {
    rows(
        server,
        "select json_extract(detail, '$.code') from audit where action = 'refused' order by seq",
    )
    .await
}

/// A token does nothing that it would not be let in for when its body is there, for the organization and for its owner.
#[tokio::test]
async fn a_token_blocked_while_its_request_arrives_changes_nothing() {
    use Meanwhile as M;
    for (meanwhile, expected) in [
        (M::Nothing, (201, "")),
        (M::GateClosed, (401, "invalid_token")),
        (M::UserSuspended, (401, "invalid_token")),
        (M::Narrowed, (409, "changed_meanwhile")),
        (M::Forbidden, (409, "changed_meanwhile")),
        (M::NetworksSet, (403, "address_not_allowed")),
        (M::PermissionGone, (409, "changed_meanwhile")),
    ] {
        for own in [false, true] {
            let server = Arc::new(Server::sqlite().await);
            let (bob, bob_id) = server.person("Bob", "admin").await;
            let mut tool = wish("tool");
            tool["scope"] = json!([
                "hallpass:own-tokens",
                "hallpass:roles",
                "repo:read",
                "repo:write"
            ]);
            let token = bob.token(tool).await;
            let (path, body) = if own {
                let mut child = wish("late");
                child["scope"] = json!(["repo:write"]);
                (TOKENS.to_owned(), child)
            } else {
                let role = json!({"name": "Late", "permissions": []});
                (server.path("roles"), role)
            };
            let (there, asker) = (Arc::clone(&server), server.bearer(&token.secret));
            let answer = late(&asker, &path, &body, async move {
                meanwhile.happens(&there, bob_id, &token).await;
            })
            .await;
            let what = format!("{meanwhile:?}, own {own}: {}", answer.text());
            assert_eq!(answer.status, expected.0, "{what}");
            if expected.0 != 201 {
                assert_eq!(answer.json()["code"], expected.1, "{what}");
            }
            let made = rows(
                &server,
                "select name from role where name = 'Late' union all select name from token where name = 'late'",
            )
            .await;
            assert_eq!(made.len(), usize::from(expected.0 == 201), "{what}");
            // What a credential tried that had ended meanwhile is written down.
            let noted = refusals(&server).await;
            let is_noted = matches!(expected.0, 401 | 403);
            assert_eq!(noted.len(), usize::from(is_noted), "{what}: {noted:?}");
        }
    }
}

#[tokio::test]
async fn a_secret_rotated_away_while_its_request_arrives_changes_nothing() {
    let server = Arc::new(Server::sqlite().await);
    let key = server.key_of("robot", BuiltInRole::Admin).await;
    let path = server.path(&format!("api-keys/{}/rotate", key.id));
    let (ada, asker) = (server.ada.clone(), server.bearer(&key.secret));
    let role = json!({"name": "Late", "permissions": []});
    let answer = late(&asker, &server.path("roles"), &role, async move {
        ada.post(&path, &json!({"overlap": "none"})).await.is(200);
    })
    .await;
    answer.refused(401, "invalid_token");
    assert_eq!(refusals(&server).await, ["invalid_token"]);
}

#[tokio::test]
async fn a_person_blocked_while_their_request_arrives_changes_nothing() {
    for (what, expected) in [
        ("user", (401, "sign_in_required")),
        ("organization", (401, "sign_in_required")),
        ("catalogue", (409, "changed_meanwhile")),
    ] {
        let server = Arc::new(Server::sqlite().await);
        let (zenith, zoe, zoe_id) = server.other_organization().await;
        let there = Arc::clone(&server);
        let role = json!({"name": "Late", "permissions": []});
        let answer = late(&zoe, &under(zenith, "roles"), &role, async move {
            match what {
                "user" => suspend_user(&there, zoe_id).await,
                "organization" => {
                    let (path, suspended) = (
                        format!("/v1/organizations/{zenith}"),
                        json!({"standing": "suspended"}),
                    );
                    there.ada.patch_json(&path, &suspended).await.is(200);
                }
                _ => forget_repo_read(&there).await,
            }
        })
        .await;
        answer.refused(expected.0, expected.1);
        let made = rows(&server, "select name from role where name = 'Late'").await;
        assert!(made.is_empty(), "{what}");
    }
}

/// Whoever may no longer have tokens changes none, and lifts no suspension of one.
#[tokio::test]
async fn a_gate_closed_while_a_request_arrives_keeps_tokens_as_they_are() {
    let server = Arc::new(Server::sqlite().await);
    let (bob, bob_id) = server.person("Bob", "admin").await;
    let token = bob.token(wish("laptop")).await;
    let (there, closing) = (Arc::clone(&server), token.clone());
    let answer = late_by(
        "PATCH",
        &bob,
        &token.path,
        &json!({"name": "x"}),
        async move {
            Meanwhile::GateClosed
                .happens(&there, bob_id, &closing)
                .await;
        },
    )
    .await;
    answer.refused(403, "tokens_not_allowed");
}

/// Calls without a body begin and end in one moment: they are given a person who was checked before.
#[tokio::test]
async fn a_person_suspended_after_the_check_revokes_and_lifts_nothing() {
    let server = Server::sqlite().await;
    let (bob, bob_id) = server.person("Bob", "admin").await;
    let token = bob.token(wish("laptop")).await;
    let path = format!("{}/suspension", token.path);
    bob.post(&path, &json!({"reason": "rest"})).await.is(200);
    let person = server.begin(bob_id).await.person;
    let (services, context) = (&server.services, RequestContext::default());
    let id = TokenId::parse(&token.id).unwrap();
    Meanwhile::GateClosed.happens(&server, bob_id, &token).await;
    let lifted = services.lift_own(&person, id, &context).await;
    assert_eq!(lifted.unwrap_err().face().code, "tokens_not_allowed");
    suspend_user(&server, bob_id).await;
    for refused in [
        services.lift_own(&person, id, &context).await,
        services.revoke_token(&person, id, &context).await,
        services.revoke_own_tokens(&person, &context).await,
    ] {
        assert_eq!(refused.unwrap_err().face().code, "sign_in_required");
    }
    let codes = [
        "tokens_not_allowed",
        "sign_in_required",
        "sign_in_required",
        "sign_in_required",
    ];
    assert_eq!(refusals(&server).await, codes);
    let left = rows(&server, "select name from token where revoked_at is null").await;
    assert_eq!(left, ["laptop"]);
    assert!(
        rows(&server, "select user_id from tokens_revoked")
            .await
            .is_empty()
    );
}

/// Built-in roles are everybody's: two organizations hold one at the same time.
#[tokio::test]
async fn changes_of_two_organizations_do_not_wait_for_one_role() {
    let server = Server::new(Engine::Postgres).await;
    let store = &server.services.store;
    for built_in in BuiltInRole::ALL {
        let role = store.find_role(built_in.id()).await.unwrap().unwrap();
        let mut first = store.begin().await.unwrap();
        assert!(first.hold_role(&role).await.unwrap());
        let mut second = store.begin().await.unwrap();
        let held = tokio::time::timeout(Duration::from_secs(20), second.hold_role(&role));
        assert!(held.await.expect("it waits").unwrap());
        let mut changed = role.clone();
        changed.version += 1;
        assert!(!second.hold_role(&changed).await.unwrap());
    }
}

/// The organization is held before the token that asks, by everybody: two that do it the other way round would wait for
/// each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revoking_ones_own_waits_for_the_organization_first() {
    let server = Server::new(Engine::Postgres).await;
    let Database::Postgres(address) = &server.plan.database else {
        panic!("this is PostgreSQL")
    };
    let mut beside = PgConnection::connect(address).await.unwrap();
    let mut tool = wish("tool");
    tool["scope"] = json!(["hallpass:own-tokens"]);
    let tool = server.ada.token(tool).await;
    let spare = server.ada.token(wish("spare")).await;
    let (now, tool_id) = (
        server.services.clock.now(),
        TokenId::parse(&tool.id).unwrap(),
    );
    for all in [false, true] {
        let mut tx = server.services.store.begin().await.unwrap();
        assert!(tx.hold_organization(server.organization).await.unwrap());
        let (asker, path) = (server.bearer(&tool.secret), spare.path.clone());
        let revoking = tokio::spawn(async move {
            if all {
                asker
                    .post(&format!("{TOKENS}/revoke-all"), &json!({}))
                    .await
            } else {
                asker.delete(&path).await
            }
        });
        let waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        loop {
            let count: i64 = sqlx::query_scalar(waiting)
                .fetch_one(&mut beside)
                .await
                .unwrap();
            assert!(!revoking.is_finished(), "it did not wait");
            if count > 0 {
                break;
            }
        }
        let held = tx.hold_token(tool_id, server.organization, now);
        let held = tokio::time::timeout(Duration::from_secs(20), held).await;
        assert!(held.expect("they wait for each other").unwrap());
        drop(tx);
        revoking.await.unwrap().is(204);
    }
}
