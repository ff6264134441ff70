//! Sessions.

use crate::{
    both_engines,
    world::{ACME, ADA, BOB, NOW, World, digest},
};
use hallpass_domain::{
    id::{SessionId, UserId},
    limits::SESSIONS_PER_USER_MAX,
    time::Timestamp,
};
use hallpass_store::{NewSession, Store};

both_engines!(
    a_session_is_found_by_its_digest,
    past_the_limit_the_longest_rested_give_way,
    a_clock_set_back_does_not_end_the_new_session,
    sign_ins_at_once_keep_the_limit,
    sessions_are_ended_by_their_owner,
    uses_and_proofs_move_forward,
    sessions_that_ended_by_time_are_removed,
);

const WEEK: i64 = 7;

fn id(number: u32) -> SessionId {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    SessionId::from_bytes(bytes)
}

fn session(user: UserId, number: u32, now: Timestamp) -> NewSession<'static> {
    NewSession {
        id: id(number),
        user,
        organization: ACME,
        digest: digest(number),
        now,
        expires_at: now.plus_days(WEEK),
        address: Some("192.0.2.1"),
        agent: None,
    }
}

async fn sign_in(store: &Store, user: UserId, number: u32, now: Timestamp) {
    let mut tx = store.begin().await.unwrap();
    tx.insert_session(&session(user, number, now))
        .await
        .unwrap();
    tx.commit(&[]).await.unwrap();
}

async fn open(world: &World, user: UserId) -> Vec<SessionId> {
    let listed = world
        .store
        .list_sessions(user, NOW, Timestamp::MIN)
        .await
        .unwrap();
    listed.iter().map(|session| session.id).collect()
}

async fn is_open(world: &World, number: u32) -> bool {
    world
        .store
        .find_session(&digest(number))
        .await
        .unwrap()
        .is_some()
}

async fn a_session_is_found_by_its_digest(world: World) {
    sign_in(&world.store, ADA, 1, NOW).await;
    let found = world.store.find_session(&digest(1)).await.unwrap().unwrap();
    assert_eq!(
        (found.id, found.user, found.organization),
        (id(1), ADA, ACME)
    );
    assert_eq!(
        (found.created, found.signed_in_at, found.seen_at),
        (NOW, NOW, NOW)
    );
    assert_eq!(found.expires_at, NOW.plus_days(WEEK));
    assert!(!is_open(&world, 2).await);
    let view = world
        .store
        .list_sessions(ADA, NOW, Timestamp::MIN)
        .await
        .unwrap()
        .remove(0);
    assert_eq!((view.id, view.created, view.seen_at), (id(1), NOW, NOW));
    assert_eq!(view.expires_at, NOW.plus_days(WEEK));
    assert_eq!(
        (view.address.as_deref(), view.agent),
        (Some("192.0.2.1"), None)
    );
    assert!(open(&world, BOB).await.is_empty());
}

async fn past_the_limit_the_longest_rested_give_way(world: World) {
    sign_in(&world.store, BOB, 1_000, NOW.plus_days(-5)).await;
    for number in 0..SESSIONS_PER_USER_MAX {
        sign_in(
            &world.store,
            ADA,
            number,
            NOW.plus_seconds(i64::from(number)),
        )
        .await;
    }
    assert_eq!(open(&world, ADA).await.len(), 50);
    world
        .store
        .touch_session(id(0), NOW.plus_seconds(1_000))
        .await
        .unwrap();
    sign_in(&world.store, ADA, 50, NOW.plus_seconds(2_000)).await;
    assert_eq!(open(&world, ADA).await.len(), 50);
    assert!(is_open(&world, 0).await && !is_open(&world, 1).await && is_open(&world, 2).await);
    assert_eq!(
        open(&world, ADA).await[..2],
        [id(50), id(0)],
        "the latest used first"
    );
    assert!(is_open(&world, 1_000).await, "Bob's");
}

async fn a_clock_set_back_does_not_end_the_new_session(world: World) {
    for number in 0..SESSIONS_PER_USER_MAX {
        sign_in(&world.store, ADA, number, NOW).await;
    }
    sign_in(&world.store, ADA, 60, NOW).await;
    assert!(
        is_open(&world, 60).await,
        "at the same moment as all others"
    );
    sign_in(&world.store, ADA, 61, NOW.plus_seconds(-60)).await;
    assert!(is_open(&world, 61).await, "before all others");
    assert_eq!(open(&world, ADA).await.len(), 50);
}

async fn sign_ins_at_once_keep_the_limit(world: World) {
    for number in 0..SESSIONS_PER_USER_MAX {
        sign_in(&world.store, ADA, number, NOW).await;
    }
    let mut tx = world.begin().await;
    tx.insert_session(&session(ADA, 100, NOW)).await.unwrap();
    let store = world.store.clone();
    let second = tokio::spawn(async move { sign_in(&store, ADA, 101, NOW).await });
    world.until_it_waits(&second).await;
    tx.commit(&[]).await.unwrap();
    second.await.unwrap();
    let left = world.count("select count(*) from session").await;
    assert_eq!(left, i64::from(SESSIONS_PER_USER_MAX));
    assert!(is_open(&world, 100).await && is_open(&world, 101).await);
}

async fn sessions_are_ended_by_their_owner(world: World) {
    for number in 0..4 {
        sign_in(&world.store, ADA, number, NOW).await;
    }
    sign_in(&world.store, BOB, 10, NOW).await;
    let mut tx = world.begin().await;
    assert!(!tx.end_session(id(0), BOB).await.unwrap(), "Ada's");
    assert!(!tx.end_session(id(99), ADA).await.unwrap());
    assert!(tx.end_session(id(0), ADA).await.unwrap());
    assert!(!tx.end_session(id(0), ADA).await.unwrap());
    tx.commit(&[]).await.unwrap();
    assert!(!is_open(&world, 0).await && is_open(&world, 1).await);
    let mut tx = world.begin().await;
    assert_eq!(tx.end_sessions(ADA).await.unwrap(), 3);
    assert_eq!(tx.end_sessions(ADA).await.unwrap(), 0);
    tx.commit(&[]).await.unwrap();
    assert!(open(&world, ADA).await.is_empty());
    assert!(is_open(&world, 10).await);
}

async fn uses_and_proofs_move_forward(world: World) {
    sign_in(&world.store, ADA, 1, NOW).await;
    let find = async || world.store.find_session(&digest(1)).await.unwrap().unwrap();
    world
        .store
        .touch_session(id(1), NOW.plus_seconds(60))
        .await
        .unwrap();
    world
        .store
        .touch_session(id(1), NOW.plus_seconds(30))
        .await
        .unwrap();
    let touched = find().await;
    assert_eq!(
        (touched.seen_at, touched.signed_in_at),
        (NOW.plus_seconds(60), NOW)
    );
    let mut tx = world.begin().await;
    assert!(tx.prove_session(id(1), NOW.plus_seconds(90)).await.unwrap());
    assert!(!tx.prove_session(id(2), NOW).await.unwrap());
    tx.commit(&[]).await.unwrap();
    let proved = find().await;
    assert_eq!(
        (proved.seen_at, proved.signed_in_at),
        (NOW.plus_seconds(90), NOW.plus_seconds(90))
    );
    assert_eq!(
        (proved.created, proved.expires_at),
        (NOW, NOW.plus_days(WEEK))
    );
}

async fn sessions_that_ended_by_time_are_removed(world: World) {
    sign_in(&world.store, ADA, 1, NOW).await;
    sign_in(&world.store, ADA, 2, NOW.plus_days(1)).await;
    sign_in(&world.store, BOB, 3, NOW.plus_days(2)).await;
    let listed = async |now, idle_since| {
        let listed = world
            .store
            .list_sessions(ADA, now, idle_since)
            .await
            .unwrap();
        listed.iter().map(|session| session.id).collect::<Vec<_>>()
    };
    let end = NOW.plus_days(WEEK);
    let before = |at: Timestamp| Timestamp::from_micros(at.micros() - 1);
    assert_eq!(listed(before(end), before(NOW)).await, [id(2), id(1)]);
    assert_eq!(
        listed(end, before(NOW)).await,
        [id(2)],
        "one has just ended"
    );
    assert_eq!(
        listed(before(end), NOW).await,
        [id(2)],
        "one has rested too long"
    );
    assert_eq!(
        world
            .store
            .trim_sessions(before(end), before(NOW))
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        world.store.trim_sessions(end, before(NOW)).await.unwrap(),
        1
    );
    assert_eq!(
        world
            .store
            .trim_sessions(end, NOW.plus_days(1))
            .await
            .unwrap(),
        1
    );
    assert!(is_open(&world, 3).await);
}
