//! Many at once, on connections of their own.

use crate::{
    both_engines,
    world::{ACME, ADA, Draft, GLOBEX, NOW, World, member, name, prefix, token_id},
};
use hallpass_domain::{
    access_token::Expiration, member::Membership, name::TokenName, organization::Standing,
};
use hallpass_store::{FeedKey, Inserted, TokenChange};
use tokio::task::{JoinHandle, JoinSet};

both_engines!(
    the_last_place_is_given_once,
    a_name_is_given_once,
    a_name_is_given_once_by_renaming_too,
    a_gate_that_closes_meanwhile_is_seen,
    a_user_suspended_meanwhile_gets_none,
    the_last_place_is_given_once_across_organizations,
    a_name_given_meanwhile_is_seen_by_renaming,
    a_token_is_revoked_once,
);

async fn the_last_place_is_given_once(world: World) {
    let mut held = Draft::several(1, 110);
    for expired in &mut held[..5] {
        expired.created = NOW.plus_days(-2);
        expired.expiration = Expiration::At(NOW);
    }
    world.insert_all(&held[..100]).await;
    for number in 6..=10 {
        world.revoke(token_id(number), NOW).await;
    }
    world.insert_all(&held[100..109]).await;
    // 109 of which 5 have expired and 5 are revoked: 99 live ones.
    world.warm_up().await;
    let mut tasks = JoinSet::new();
    for draft in Draft::several(1_000, 50) {
        let store = world.store.clone();
        tasks.spawn(async move {
            let mut tx = store.begin().await.unwrap();
            let inserted = tx.insert_token(&draft.as_new()).await.unwrap();
            tx.commit(&[FeedKey::Token(draft.id)]).await.unwrap();
            inserted
        });
    }
    let all = tasks.join_all().await;
    let done = all.iter().filter(|one| **one == Inserted::Done).count();
    let too_many = all.iter().filter(|one| **one == Inserted::TooMany).count();
    assert_eq!((done, too_many), (1, 49));
    assert_eq!(world.store.count_tokens().await.unwrap(), 110);
}

async fn a_name_is_given_once(world: World) {
    world.warm_up().await;
    let mut tasks = JoinSet::new();
    for number in 0..20 {
        let store = world.store.clone();
        let spelled = if number % 2 == 0 { "Deploy" } else { "dePLOY" };
        let draft = Draft::new(number, spelled);
        tasks.spawn(async move {
            let mut tx = store.begin().await.unwrap();
            let inserted = tx.insert_token(&draft.as_new()).await.unwrap();
            tx.commit(&[]).await.unwrap();
            (draft.prefix, inserted)
        });
    }
    let all = tasks.join_all().await;
    let winners: Vec<_> = all
        .iter()
        .filter(|(_, one)| *one == Inserted::Done)
        .collect();
    assert_eq!(winners.len(), 1, "{all:?}");
    let taken = Inserted::NameTaken(winners[0].0);
    assert_eq!(all.iter().filter(|(_, one)| *one == taken).count(), 19);
}

async fn a_name_is_given_once_by_renaming_too(world: World) {
    world.insert_all(&Draft::several(0, 10)).await;
    world.warm_up().await;
    let mut tasks = JoinSet::new();
    for number in 0..20 {
        let store = world.store.clone();
        tasks.spawn(async move {
            let wanted = name("Wanted");
            let mut tx = store.begin().await.unwrap();
            let given = if number < 10 {
                let change = TokenChange {
                    name: &wanted,
                    expiration: Expiration::Never,
                    never_expires_acknowledged: true,
                    scope: None,
                    valid_from: None,
                    address_rules: None,
                    now: NOW,
                };
                let id = token_id(number);
                let changed = tx.change_token(ACME, ADA, id, 0, &change).await.unwrap();
                changed.map(|key| assert_eq!(key, Some(FeedKey::Token(id))))
            } else {
                let draft = Draft::new(number, "wanted");
                match tx.insert_token(&draft.as_new()).await.unwrap() {
                    Inserted::Done => Ok(()),
                    Inserted::NameTaken(by) => Err(by),
                    other => panic!("{other:?}"),
                }
            };
            tx.commit(&[]).await.unwrap();
            (prefix(number), given)
        });
    }
    let all = tasks.join_all().await;
    let winners: Vec<_> = all.iter().filter(|(_, given)| given.is_ok()).collect();
    assert_eq!(winners.len(), 1, "{all:?}");
    let taken = Err(winners[0].0);
    assert_eq!(all.iter().filter(|(_, given)| *given == taken).count(), 19);
}

/// Begins to add `draft` and comes back when that waits for the open transaction.
async fn begin_to_add(world: &World, draft: Draft) -> JoinHandle<Inserted> {
    let store = world.store.clone();
    let adding = tokio::spawn(async move {
        let mut tx = store.begin().await.unwrap();
        let inserted = tx.insert_token(&draft.as_new()).await.unwrap();
        tx.commit(&[]).await.unwrap();
        inserted
    });
    world.until_it_waits(&adding).await;
    adding
}

/// Whoever takes the gate away knows, once that is committed, that no token is made after it.
async fn a_gate_that_closes_meanwhile_is_seen(world: World) {
    let closed = Membership {
        may_have_tokens: false,
        ..member(ACME, ADA)
    };
    let mut tx = world.begin().await;
    tx.put_membership(&closed, NOW).await.unwrap();
    let adding = begin_to_add(&world, Draft::new(1, "a")).await;
    tx.commit(&[]).await.unwrap();
    assert_eq!(adding.await.unwrap(), Inserted::NotAllowed);
}

async fn a_user_suspended_meanwhile_gets_none(world: World) {
    let mut tx = world.begin().await;
    tx.set_user_standing(ADA, Standing::Suspended)
        .await
        .unwrap();
    let adding = begin_to_add(&world, Draft::new(1, "a")).await;
    tx.commit(&[]).await.unwrap();
    assert_eq!(adding.await.unwrap(), Inserted::NotAllowed);
}

/// Nothing but the user's own row is shared by the two.
async fn the_last_place_is_given_once_across_organizations(world: World) {
    world.insert_all(&Draft::several(1, 99)).await;
    let mut tx = world.begin().await;
    let last = Draft::new(100, "last");
    assert_eq!(
        tx.insert_token(&last.as_new()).await.unwrap(),
        Inserted::Done
    );
    let elsewhere = Draft {
        organization: GLOBEX,
        ..Draft::new(101, "one too many")
    };
    let adding = begin_to_add(&world, elsewhere).await;
    tx.commit(&[]).await.unwrap();
    assert_eq!(adding.await.unwrap(), Inserted::TooMany);
}

async fn a_name_given_meanwhile_is_seen_by_renaming(world: World) {
    fn wanted(name: &TokenName) -> TokenChange<'_> {
        TokenChange {
            name,
            expiration: Expiration::Never,
            never_expires_acknowledged: true,
            scope: None,
            valid_from: None,
            address_rules: None,
            now: NOW,
        }
    }
    world.insert_all(&Draft::several(1, 2)).await;
    let mut tx = world.begin().await;
    let name = name("Wanted");
    let first = tx
        .change_token(ACME, ADA, token_id(1), 0, &wanted(&name))
        .await
        .unwrap();
    assert_eq!(first, Ok(Some(FeedKey::Token(token_id(1)))));
    let store = world.store.clone();
    let renaming = tokio::spawn(async move {
        let mut tx = store.begin().await.unwrap();
        tx.change_token(ACME, ADA, token_id(2), 0, &wanted(&name))
            .await
            .unwrap()
    });
    world.until_it_waits(&renaming).await;
    tx.commit(&[]).await.unwrap();
    assert_eq!(renaming.await.unwrap(), Err(prefix(1)));
}

async fn a_token_is_revoked_once(world: World) {
    world.insert_all(&[Draft::new(1, "a")]).await;
    world.warm_up().await;
    let mut tasks = JoinSet::new();
    for _ in 0..10 {
        let store = world.store.clone();
        tasks.spawn(async move {
            let mut tx = store.begin().await.unwrap();
            let revoked = tx.revoke_token(ACME, ADA, token_id(1), NOW).await.unwrap();
            tx.commit(revoked.as_slice()).await.unwrap();
            revoked.is_some()
        });
    }
    let all = tasks.join_all().await;
    assert_eq!(all.iter().filter(|revoked| **revoked).count(), 1);
    assert_eq!(world.store.head().await.unwrap(), 2);
}
