//! One request, however often it is sent.

use crate::{
    both_engines,
    world::{ADA, BOB, Draft, NOW, World, token_id},
};
use hallpass_domain::time::Timestamp;
use hallpass_store::Inserted;
use tokio::task::JoinSet;

both_engines!(
    a_claim_is_remembered_until_it_is_forgotten,
    a_dropped_claim_is_none,
    many_at_once_make_one_token,
    old_claims_are_trimmed,
);

const YESTERDAY: Timestamp = NOW.plus_days(-1);

async fn a_claim_is_remembered_until_it_is_forgotten(world: World) {
    let claim = async |user, key: &str, byte: u8, token, now: Timestamp| {
        let mut tx = world.begin().await;
        let before = tx
            .claim_idempotency_key(
                user,
                key,
                &[byte; 32],
                token_id(token),
                now,
                now.plus_days(-1),
            )
            .await
            .unwrap();
        tx.commit(&[]).await.unwrap();
        before
    };
    let first = Some(([1; 32], token_id(1)));
    assert_eq!(claim(ADA, "k", 1, 1, NOW).await, None);
    assert_eq!(claim(ADA, "k", 2, 2, NOW).await, first);
    assert_eq!(claim(ADA, "K", 3, 3, NOW).await, None, "another key");
    assert_eq!(claim(BOB, "k", 4, 4, NOW).await, None, "another user");
    assert_eq!(
        claim(ADA, "k", 5, 5, NOW.plus_days(1)).await,
        first,
        "exactly a day old"
    );
    let after = Timestamp::from_micros(NOW.plus_days(1).micros() + 1);
    assert_eq!(claim(ADA, "k", 6, 6, after).await, None, "forgotten");
    assert_eq!(
        claim(ADA, "k", 7, 7, after).await,
        Some(([6; 32], token_id(6)))
    );
}

async fn a_dropped_claim_is_none(world: World) {
    for _ in 0..2 {
        let mut tx = world.begin().await;
        let before = tx
            .claim_idempotency_key(ADA, "k", &[1; 32], token_id(1), NOW, YESTERDAY)
            .await
            .unwrap();
        assert_eq!(before, None);
    }
}

async fn many_at_once_make_one_token(world: World) {
    // An old claim stands in the way of all of them.
    let mut tx = world.begin().await;
    let old = NOW.plus_days(-3);
    tx.claim_idempotency_key(ADA, "k", &[9; 32], token_id(999), old, old)
        .await
        .unwrap();
    tx.commit(&[]).await.unwrap();
    world.warm_up().await;
    let mut tasks = JoinSet::new();
    for number in 1..=20 {
        let store = world.store.clone();
        tasks.spawn(async move {
            let draft = Draft::new(number, &format!("Token {number}"));
            let mut tx = store.begin().await.unwrap();
            let before = tx
                .claim_idempotency_key(ADA, "k", &[1; 32], draft.id, NOW, YESTERDAY)
                .await
                .unwrap();
            if before.is_none() {
                let inserted = tx.insert_token(&draft.as_new()).await.unwrap();
                assert_eq!(inserted, Inserted::Done);
            }
            tx.commit(&[]).await.unwrap();
            (draft.id, before)
        });
    }
    let all = tasks.join_all().await;
    let winners: Vec<_> = all.iter().filter(|(_, before)| before.is_none()).collect();
    assert_eq!(winners.len(), 1, "{all:?}");
    let seen = Some(([1; 32], winners[0].0));
    assert_eq!(all.iter().filter(|(_, before)| *before == seen).count(), 19);
    assert_eq!(world.store.count_tokens().await.unwrap(), 1);
}

async fn old_claims_are_trimmed(world: World) {
    let mut tx = world.begin().await;
    for (number, at) in [(1, YESTERDAY), (2, NOW)] {
        let key = format!("k{number}");
        tx.claim_idempotency_key(ADA, &key, &[1; 32], token_id(number), at, YESTERDAY)
            .await
            .unwrap();
    }
    tx.commit(&[]).await.unwrap();
    assert_eq!(world.store.trim_idempotency(YESTERDAY).await.unwrap(), 0);
    assert_eq!(world.store.trim_idempotency(NOW).await.unwrap(), 1);
    assert_eq!(
        world
            .count("select count(*) from idempotency where key = 'k2'")
            .await,
        1
    );
}
