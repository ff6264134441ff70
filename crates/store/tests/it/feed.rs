//! Commit numbers and the feed.

use crate::{
    both_engines,
    world::{ACME, ADA, NOW, World, pepper, token_id},
};
use hallpass_domain::{
    audit::Action,
    id::{OrganizationId, RoleId, TokenId, UserId},
    token::Pepper,
};
use hallpass_store::{AuditEntry, FeedEntry, FeedKey};
use tokio::task::JoinSet;

both_engines!(
    every_kind_of_key_comes_back_in_order,
    nothing_changed_is_not_numbered,
    a_dropped_commit_takes_no_number,
    numbers_have_no_gap_and_readers_see_no_hole,
    one_commit_comes_whole_however_large,
    the_beginning_is_forgotten,
    the_audit_commits_with_the_change,
);

async fn every_kind_of_key_comes_back_in_order(world: World) {
    let keys = [
        FeedKey::Token(token_id(1)),
        FeedKey::Catalogue,
        FeedKey::Organization(ACME),
        FeedKey::Role(RoleId::from_bytes([3; 16])),
        FeedKey::User(ADA),
        FeedKey::Membership(
            OrganizationId::from_bytes([4; 16]),
            UserId::from_bytes([5; 16]),
        ),
        FeedKey::Token(token_id(1)),
    ];
    assert_eq!(world.begin().await.commit(&keys).await.unwrap(), Some(2));
    let expected: Vec<_> = keys
        .iter()
        .map(|key| FeedEntry { seq: 2, key: *key })
        .collect();
    assert_eq!(world.store.feed_after(1).await.unwrap(), expected);
    assert_eq!(world.store.feed_after(0).await.unwrap().len(), 8);
    assert!(world.store.feed_after(2).await.unwrap().is_empty());
    assert!(world.store.feed_after(i64::MAX).await.unwrap().is_empty());
}

async fn nothing_changed_is_not_numbered(world: World) {
    assert_eq!(world.begin().await.commit(&[]).await.unwrap(), None);
    assert_eq!(world.store.head().await.unwrap(), 1);
}

async fn a_dropped_commit_takes_no_number(world: World) {
    let mut tx = world.begin().await;
    tx.is_empty_and_held().await.unwrap();
    drop(tx);
    assert_eq!(world.store.head().await.unwrap(), 1);
    let seq = world
        .begin()
        .await
        .commit(&[FeedKey::Catalogue])
        .await
        .unwrap();
    assert_eq!(seq, Some(2));
}

const WRITERS: u8 = 8;
const COMMITS: u8 = 12;

/// The keys of one commit tell how many they are.
fn keys(writer: u8, commit: u8) -> Vec<FeedKey> {
    let count = 1 + (writer + commit) % 5;
    (0..count)
        .map(|position| {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&[writer, commit, position, count]);
            FeedKey::Token(TokenId::from_bytes(bytes))
        })
        .collect()
}

fn marks(entry: &FeedEntry) -> [u8; 4] {
    let FeedKey::Token(id) = entry.key else {
        panic!("{entry:?}")
    };
    id.bytes()[..4].try_into().unwrap()
}

/// Checks that what was read goes on from `applied` without a hole, each commit whole; gives back the last.
fn apply(mut applied: i64, entries: &[FeedEntry]) -> i64 {
    for commit in entries.chunk_by(|one, next| one.seq == next.seq) {
        assert_eq!(commit[0].seq, applied + 1, "a hole");
        applied += 1;
        let [writer, number, ..] = marks(&commit[0]);
        let found: Vec<FeedKey> = commit.iter().map(|entry| entry.key).collect();
        assert_eq!(found, keys(writer, number));
    }
    applied
}

async fn numbers_have_no_gap_and_readers_see_no_hole(world: World) {
    let last = 1 + i64::from(WRITERS) * i64::from(COMMITS);
    world.warm_up().await;
    let mut readers = JoinSet::new();
    for _ in 0..2 {
        let store = world.store.clone();
        readers.spawn(async move {
            let mut applied = 1;
            while applied < last {
                // A number is seen as soon as it is the head.
                let head = store.head().await.unwrap();
                let entries = store.feed_after(applied).await.unwrap();
                applied = apply(applied, &entries);
                assert!(applied >= head);
                tokio::task::yield_now().await;
            }
        });
    }
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = world.store.clone();
        writers.spawn(async move {
            let mut numbers = Vec::new();
            for commit in 0..COMMITS {
                let tx = store.begin().await.unwrap();
                numbers.push(tx.commit(&keys(writer, commit)).await.unwrap().unwrap());
            }
            assert!(numbers.is_sorted());
            numbers
        });
    }
    let mut numbers = writers.join_all().await.concat();
    numbers.sort_unstable();
    assert_eq!(numbers, (2..=last).collect::<Vec<_>>());
    readers.join_all().await;
    assert_eq!(world.store.head().await.unwrap(), last);
}

async fn one_commit_comes_whole_however_large(world: World) {
    let many = |count: u32| {
        (0..count)
            .map(|n| FeedKey::Token(token_id(n)))
            .collect::<Vec<_>>()
    };
    for (number, count) in [(2, 998), (3, 2), (4, 1_200), (5, 1)] {
        let seq = world.begin().await.commit(&many(count)).await.unwrap();
        assert_eq!(seq, Some(number));
    }
    let mut applied = 0;
    let mut sizes = [0; 6];
    while applied < 5 {
        let entries = world.store.feed_after(applied).await.unwrap();
        assert!(entries[0].seq == applied + 1);
        for commit in entries.chunk_by(|one, next| one.seq == next.seq) {
            assert_eq!(
                sizes[usize::try_from(commit[0].seq).unwrap()],
                0,
                "cut in two"
            );
            sizes[usize::try_from(commit[0].seq).unwrap()] = commit.len();
        }
        applied = entries.last().unwrap().seq;
    }
    assert_eq!(sizes, [0, 1, 998, 2, 1_200, 1]);
    let large = world.store.feed_after(3).await.unwrap();
    let in_order: Vec<FeedKey> = large.iter().take(1_200).map(|entry| entry.key).collect();
    assert_eq!(in_order, many(1_200));
}

async fn the_beginning_is_forgotten(world: World) {
    for _ in 0..3 {
        world
            .begin()
            .await
            .commit(&[FeedKey::Catalogue])
            .await
            .unwrap();
    }
    assert_eq!(world.store.trim_feed(3).await.unwrap(), 2);
    let seqs: Vec<i64> = world
        .store
        .feed_after(0)
        .await
        .unwrap()
        .iter()
        .map(|entry| entry.seq)
        .collect();
    assert_eq!(seqs, [3, 4]);
    assert_eq!(world.store.head().await.unwrap(), 4);
}

async fn the_audit_commits_with_the_change(world: World) {
    let entropy = crate::world::Counting::new();
    let pepper = Pepper::new(pepper(), &[1; 32].into());
    let line = AuditEntry {
        at: NOW,
        organization: Some(ACME),
        actor: Some(ADA),
        token: Some(token_id(1)),
        action: Action::TokenRevoked,
        target: Some(token_id(1).to_string()),
        address: Some("192.0.2.1"),
        agent: Some("curl"),
        before: Some("{\"b\":1}".to_owned()),
        after: Some("{\"c\":1}".to_owned()),
        detail: Some("{\"a\":1}".to_owned()),
    };
    let bare = AuditEntry {
        organization: None,
        actor: None,
        token: None,
        target: None,
        address: None,
        agent: None,
        before: None,
        after: None,
        detail: None,
        ..line.clone()
    };
    let mut tx = world.begin().await;
    tx.append_audit(&entropy, &pepper, &line);
    drop(tx);
    assert_eq!(world.count("select count(*) from audit").await, 0);
    let mut tx = world.begin().await;
    tx.append_audit(&entropy, &pepper, &line);
    tx.append_audit(&entropy, &pepper, &bare);
    tx.commit(&[]).await.unwrap();
    let full = "select count(*) from audit where action = 'token.revoked' and address = '192.0.2.1' and agent = 'curl' and detail = '{\"a\":1}' and before_state = '{\"b\":1}' and after_state = '{\"c\":1}' and target is not null and actor_user_id is not null and actor_token_id is not null and organization_id is not null";
    assert_eq!(world.count(full).await, 1);
    let empty = "select count(*) from audit where actor_user_id is null and actor_token_id is null and organization_id is null and target is null and address is null and agent is null and before_state is null and after_state is null and detail is null";
    assert_eq!(world.count(empty).await, 1);
}
