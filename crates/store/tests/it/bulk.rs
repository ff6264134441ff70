//! Changes of many tokens: how they are found, and that they may take their time.

use crate::{
    both_engines,
    world::{ACME, ADA, BOB, Draft, Engine, KeyDraft, NOW, Raw, World, digest, run, token_id},
};
use hallpass_domain::{
    api_key::Overlap,
    policy::{Lifetime, Policy},
    time::Timestamp,
};
use hallpass_store::{FeedKey, InventoryFilter, sql};
use sqlx::{AssertSqlSafe, Row};

both_engines!(
    a_change_is_read_page_by_page,
    what_is_counted_is_what_is_revoked,
    only_those_who_are_concerned_are_listed,
);

fn ago(days: i64) -> Timestamp {
    NOW.plus_days(-days)
}

async fn plan(raw: &mut Raw, name: &str) -> String {
    let (_, text) = sql::all().find(|(known, _)| *known == name).unwrap();
    let Raw::Sqlite(on) = raw else {
        panic!("SQLite was asked for")
    };
    let rows = sqlx::query(AssertSqlSafe(format!("explain query plan {text}")))
        .fetch_all(on)
        .await
        .unwrap();
    let details = rows.iter().map(|row| row.get::<String, _>("detail"));
    details.collect::<Vec<_>>().join("\n")
}

/// They run every second, for ever.
#[test]
fn jobs_find_what_is_due_by_indexes() {
    run(Engine::Sqlite, async |world: World| {
        let mut raw = world.raw().await;
        for (name, index) in [
            ("TOKENS_SETTLE_ORGANIZATIONS", "token_live_of_organization"),
            (
                "TOKENS_UNSETTLED_ORGANIZATIONS",
                "token_live_of_organization",
            ),
            ("TOKENS_UNSETTLED_ORGANIZATIONS", "organization_revoked"),
            ("TOKENS_SETTLE_MEMBERS", "token_live_of_user"),
            ("TOKENS_UNSETTLED_MEMBERS", "token_live_of_user"),
            ("SECRETS_QUIET", "token_quiet"),
            ("TOKENS_LOAD_BULK", "token_by_bulk"),
        ] {
            let plan = plan(&mut raw, name).await;
            assert!(plan.contains(index), "{name}: {plan}");
            for scan in ["SCAN t\n", "SCAN token", "SCAN s\n", "TEMP B-TREE"] {
                assert!(!format!("{plan}\n").contains(scan), "{name}: {plan}");
            }
        }
    });
}

/// Nobody else could write meanwhile.
#[test]
fn who_has_nothing_to_settle_leaves_the_writer_alone() {
    run(Engine::Sqlite, async |world: World| {
        let tx = world.begin().await;
        assert_eq!(world.store.settle_revoked().await.unwrap(), 0);
        drop(tx);
    });
}

const GUARD: &str = "create function guard() returns trigger language plpgsql as $$ begin \
    if current_setting('statement_timeout') <> '0' then raise exception 'in time'; end if; return null; end $$; \
    create trigger guard before update on token for each statement execute function guard()";

#[test]
fn a_change_of_many_tokens_takes_its_time() {
    run(Engine::Postgres, async |world: World| {
        world.insert_all(&Draft::several(1, 3)).await;
        world.execute(GUARD).await;
        let mut tx = world.begin().await;
        assert!(tx.revoke_token(ACME, ADA, token_id(1), NOW).await.is_err());
        drop(tx);
        let mut tx = world.begin().await;
        let filter = InventoryFilter::default();
        let revoked = tx.revoke_inventory(ACME, &filter, NOW).await.unwrap();
        assert_eq!(revoked.0, 3);
        drop(tx);
        let mut tx = world.begin().await;
        let strict = Policy {
            personal: Lifetime {
                days_max: Some(1),
                may_never_expire: false,
            },
            ..Policy::default()
        };
        let (effect, _) = tx.enforce_policy(ACME, &strict, NOW).await.unwrap();
        assert_eq!(effect.shortened, 3);
        drop(tx);
        let mut tx = world.begin().await;
        let later = NOW.plus_days(9);
        assert_eq!(tx.revoke_unused(ACME, 5, later).await.unwrap().0, 3);
        tx.commit(&[]).await.unwrap();
        // Only as long as the transaction.
        let mut tx = world.begin().await;
        assert!(tx.revoke_token(ACME, ADA, token_id(1), NOW).await.is_err());
    });
}

async fn a_change_is_read_page_by_page(world: World) {
    let acme = world.blob(ACME.bytes());
    let ada = world.blob(ADA.bytes());
    let rows = (1..=1_001).map(|number| {
        let id = world.blob(token_id(number).bytes());
        let digest = world.blob(digest(number).bytes());
        format!("({id}, 'personal_access_token', {acme}, {ada}, 'T{number}', 't{number}', 'hpp_{number:06}', {digest}, 'p1', 5, true)")
    });
    let rows = rows.collect::<Vec<_>>().join(", ");
    world
        .execute(&format!("insert into token (id, kind, organization_id, user_id, name, name_key, prefix, digest, pepper_id, created_at, never_expires_acknowledged) values {rows}"))
        .await;
    let mut tx = world.begin().await;
    let filter = InventoryFilter::default();
    let (revoked, _) = tx.revoke_inventory(ACME, &filter, NOW).await.unwrap();
    assert_eq!(revoked, 1_001);
    tx.commit(&[FeedKey::Bulk(ACME, NOW)]).await.unwrap();
    let mut seen = Vec::new();
    let take = |token: hallpass_store::LoadedToken| {
        seen.push(token.id);
        Ok(())
    };
    world.store.load_bulk(ACME, NOW, take).await.unwrap();
    assert_eq!(seen, (1..=1_001).map(token_id).collect::<Vec<_>>());
}

async fn what_is_counted_is_what_is_revoked(world: World) {
    let made = |number, owner, created| Draft {
        owner,
        created,
        ..Draft::new(number, &format!("Token {number}"))
    };
    let tokens = [
        made(1, ADA, ago(9)),
        made(2, ADA, ago(5)),
        made(3, BOB, ago(5)),
        made(4, BOB, NOW),
        made(5, ADA, NOW),
    ];
    world.insert_all(&tokens).await;
    let keys = [KeyDraft::new(6, "Six"), KeyDraft::new(7, "Seven")];
    world.insert_keys(&keys).await;
    world
        .rotate(6, 60, Overlap::Until(NOW.plus_days(9)), NOW)
        .await;
    world.revoke(token_id(5), NOW).await;
    let mut tx = world.begin().await;
    tx.revoke_tokens_of_member(ACME, BOB, ago(4)).await.unwrap();
    tx.revoke_tokens_of_organization(ACME, ago(8))
        .await
        .unwrap();
    for (owner, before, count) in [
        (None, None, 4),
        (Some(ADA), None, 1),
        (Some(BOB), None, 1),
        (None, Some(NOW), 1),
        (None, Some(ago(5)), 0),
    ] {
        let found = tx.count_doomed(ACME, owner, before).await.unwrap();
        assert_eq!(found, count, "{owner:?} {before:?}");
    }
    // What was said before, in the same transaction.
    tx.revoke_tokens_of_organization(ACME, NOW.plus_days(1))
        .await
        .unwrap();
    assert_eq!(tx.count_doomed(ACME, None, None).await.unwrap(), 0);
    drop(tx);
}

async fn only_those_who_are_concerned_are_listed(world: World) {
    let draft = |number| Draft {
        created: ago(20),
        ..Draft::new(number, &format!("Token {number}"))
    };
    let young = Draft {
        valid_from: Some(ago(2)),
        ..draft(2)
    };
    let bobs = Draft {
        owner: BOB,
        ..draft(3)
    };
    world.insert_all(&[draft(1), young, bobs]).await;
    let mut tx = world.begin().await;
    let gone = tx.revoke_tokens_of_member(ACME, BOB, ago(1)).await.unwrap();
    tx.commit(&[gone]).await.unwrap();
    let policy = Policy {
        unused_days_max: Some(10),
        ..Policy::default()
    };
    let listed = world.store.list_concerned(ACME, &policy, NOW, 9).await;
    let ids: Vec<_> = listed.unwrap().iter().map(|row| row.id).collect();
    assert_eq!(ids, [token_id(1)]);
    let effect = world
        .store
        .preview_policy(ACME, &policy, NOW)
        .await
        .unwrap();
    assert_eq!(effect.unused, 1);
}
