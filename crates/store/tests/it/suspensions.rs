//! Tokens and keys that rest: since when, until when, why, and who may end it.

use crate::{
    both_engines,
    world::{ACME, ADA, Draft, GLOBEX, KeyDraft, NOW, World, prefix, rest, token_id},
};
use hallpass_domain::{
    access_token::{Suspension, TokenState},
    api_key::Overlap,
    id::TokenId,
    time::Timestamp,
    token::Kind,
};
use hallpass_store::{FeedKey, InventoryFilter};

both_engines!(
    a_rest_is_seen_wherever_the_token_is,
    a_key_rests_with_all_its_secrets,
    a_rest_is_due_at_its_end,
    a_rest_is_lifted_as_it_was_begun,
    what_is_revoked_stays_so,
    another_organization_is_out_of_reach,
    a_standing_says_what_it_is_about,
);

fn holiday(by_owner: bool) -> Suspension {
    Suspension {
        since: NOW,
        until: Some(NOW.plus_days(3)),
        reason: "Holiday – back “soon”".to_owned(),
        by_owner,
    }
}

async fn suspend(world: &World, number: u32, suspension: &Suspension) -> Vec<FeedKey> {
    let mut tx = world.begin().await;
    let keys = tx.suspend_token(ACME, token_id(number), suspension).await;
    tx.commit(&[]).await.unwrap();
    let mut keys = keys.unwrap();
    keys.sort_by_key(|key| format!("{key:?}"));
    keys
}

async fn lift(world: &World, number: u32, by_owner: bool) -> Vec<FeedKey> {
    let mut tx = world.begin().await;
    let keys = tx.lift_suspension(ACME, token_id(number), by_owner).await;
    tx.commit(&[]).await.unwrap();
    let mut keys = keys.unwrap();
    keys.sort_by_key(|key| format!("{key:?}"));
    keys
}

fn feed(numbers: &[u32]) -> Vec<FeedKey> {
    let key = |number: &u32| FeedKey::Token(token_id(*number));
    numbers.iter().map(key).collect()
}

async fn loaded(world: &World, number: u32) -> bool {
    let found = world.store.load_token(token_id(number)).await.unwrap();
    found.unwrap().suspended
}

async fn a_rest_is_seen_wherever_the_token_is(world: World) {
    world.insert_all(&Draft::several(1, 2)).await;
    let rests = holiday(true);
    assert_eq!(suspend(&world, 1, &rests).await, feed(&[1]));
    let token = world.find(token_id(1)).await;
    assert_eq!(
        (token.version, token.token.state(NOW)),
        (1, TokenState::Suspended)
    );
    assert_eq!(token.token.suspension.as_ref(), Some(&rests));
    let standing = world.store.find_standing(ACME, token_id(1)).await.unwrap();
    assert_eq!(standing.unwrap().suspension.as_ref(), Some(&rests));
    let everything = InventoryFilter::default();
    let rows = world.store.list_inventory(ACME, &everything, None, 10, NOW);
    let rows = rows.await.unwrap();
    assert_eq!(rows[0].suspension, None, "the second is another");
    assert_eq!(rows[1].suspension.as_ref(), Some(&rests));
    assert!(loaded(&world, 1).await && !loaded(&world, 2).await);
    // Another rest takes its place.
    suspend(&world, 1, &rest(NOW.plus_seconds(1))).await;
    let token = world.find(token_id(1)).await.token;
    assert_eq!(token.suspension, Some(rest(NOW.plus_seconds(1))));
    assert_eq!(lift(&world, 1, false).await, feed(&[1]));
    let token = world.find(token_id(1)).await;
    assert_eq!((token.version, token.token.suspension), (3, None));
    assert!(!loaded(&world, 1).await);
}

async fn a_key_rests_with_all_its_secrets(world: World) {
    world
        .insert_keys(&[KeyDraft::new(1, "Key"), KeyDraft::new(2, "Other")])
        .await;
    let until = Overlap::Until(NOW.plus_days(1));
    world.rotate(1, 10, until, NOW).await;
    assert_eq!(suspend(&world, 1, &holiday(false)).await, feed(&[1, 10]));
    assert!(loaded(&world, 1).await && loaded(&world, 10).await);
    assert!(!loaded(&world, 2).await);
    let key = world.find_key(1).await.key;
    assert_eq!(key.suspension, Some(holiday(false)));
    assert_eq!(key.state(NOW), TokenState::Suspended);
    let mut tx = world.begin().await;
    assert!(!tx.hold_token(token_id(1), ACME, NOW).await.unwrap());
    assert!(tx.hold_token(token_id(2), ACME, NOW).await.unwrap());
    drop(tx);
    assert_eq!(lift(&world, 1, false).await, feed(&[1, 10]));
    assert!(!loaded(&world, 1).await && !loaded(&world, 10).await);
    // A further secret is not a key.
    assert_eq!(suspend(&world, 10, &holiday(false)).await, []);
    assert!(!loaded(&world, 10).await);
    let none = world.store.find_standing(ACME, token_id(10)).await.unwrap();
    assert!(none.is_none());
}

async fn due(world: &World, now: Timestamp) -> Vec<(TokenId, bool)> {
    let due = world.store.suspensions_due(now).await.unwrap();
    let mut due: Vec<_> = due
        .into_iter()
        .map(|(organization, id, by_owner)| {
            assert_eq!(organization, ACME);
            (id, by_owner)
        })
        .collect();
    due.sort_unstable();
    due
}

async fn a_rest_is_due_at_its_end(world: World) {
    world.insert_all(&Draft::several(1, 4)).await;
    world.insert_keys(&[KeyDraft::new(5, "Key")]).await;
    world.rotate(5, 50, Overlap::None, NOW).await;
    for (number, rests) in [
        (1, holiday(true)),
        (2, rest(NOW)),
        (3, holiday(false)),
        (5, holiday(false)),
    ] {
        suspend(&world, number, &rests).await;
    }
    let end = NOW.plus_days(3);
    let before = Timestamp::from_micros(end.micros() - 1);
    assert_eq!(due(&world, before).await, []);
    let three = [
        (token_id(1), true),
        (token_id(3), false),
        (token_id(5), false),
    ];
    assert_eq!(due(&world, end).await, three);
    world.revoke(token_id(3), NOW).await;
    lift(&world, 1, true).await;
    assert_eq!(due(&world, end).await, three[2..]);
    let mut tx = world.begin().await;
    tx.revoke_tokens_of_organization(ACME, NOW.plus_seconds(1))
        .await
        .unwrap();
    tx.commit(&[]).await.unwrap();
    assert_eq!(due(&world, end).await, [], "revoked with all others");
}

async fn a_rest_is_lifted_as_it_was_begun(world: World) {
    world.insert_all(&Draft::several(1, 2)).await;
    for (number, by_owner) in [(1, true), (2, false)] {
        suspend(&world, number, &holiday(by_owner)).await;
        assert_eq!(lift(&world, number, !by_owner).await, []);
        assert!(loaded(&world, number).await);
        assert_eq!(lift(&world, number, by_owner).await, feed(&[number]));
        assert_eq!(lift(&world, number, by_owner).await, [], "once");
        assert_eq!(world.find(token_id(number)).await.version, 2);
    }
}

async fn what_is_revoked_stays_so(world: World) {
    world.insert_all(&Draft::several(1, 2)).await;
    suspend(&world, 1, &holiday(false)).await;
    for number in [1, 2] {
        world.revoke(token_id(number), NOW).await;
    }
    assert_eq!(lift(&world, 1, false).await, []);
    assert_eq!(suspend(&world, 2, &holiday(false)).await, []);
    let one = world.find(token_id(1)).await.token;
    assert_eq!(
        (one.state(NOW), one.suspension),
        (TokenState::Revoked, Some(holiday(false)))
    );
    assert_eq!(world.find(token_id(2)).await.token.suspension, None);
    assert_eq!(
        suspend(&world, 3, &holiday(false)).await,
        [],
        "there is none"
    );
}

async fn another_organization_is_out_of_reach(world: World) {
    world.insert_all(&Draft::several(1, 1)).await;
    world.insert_keys(&[KeyDraft::new(2, "Key")]).await;
    for number in [1, 2] {
        let id = token_id(number);
        let mut tx = world.begin().await;
        let none = tx.suspend_token(GLOBEX, id, &holiday(false)).await.unwrap();
        assert_eq!(none, []);
        tx.commit(&[]).await.unwrap();
        assert!(!loaded(&world, number).await);
        suspend(&world, number, &holiday(false)).await;
        let mut tx = world.begin().await;
        let none = tx.lift_suspension(GLOBEX, id, false).await.unwrap();
        assert_eq!(none, []);
        tx.commit(&[]).await.unwrap();
        assert!(loaded(&world, number).await);
        let none = world.store.find_standing(GLOBEX, id).await.unwrap();
        assert!(none.is_none());
    }
}

async fn a_standing_says_what_it_is_about(world: World) {
    let draft = Draft::new(1, "Deploy");
    world.insert_all(std::slice::from_ref(&draft)).await;
    world.insert_keys(&[KeyDraft::new(2, "Build")]).await;
    let standing = async |number| {
        let found = world.store.find_standing(ACME, token_id(number)).await;
        found.unwrap().unwrap()
    };
    let token = standing(1).await;
    assert_eq!(
        (token.kind, token.owner),
        (Kind::PersonalAccessToken, Some(ADA))
    );
    assert_eq!((&token.name, token.prefix), (&draft.name, prefix(1)));
    assert_eq!(
        (token.expires_at, token.revoked),
        (draft.expiration.date(), None)
    );
    world.revoke(token_id(1), NOW).await;
    assert_eq!(standing(1).await.revoked, Some(NOW));
    let key = standing(2).await;
    assert_eq!((key.kind, key.owner), (Kind::ApiKey, None));
}
