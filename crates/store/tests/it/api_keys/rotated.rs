//! Rotation: a new secret, and what becomes of those before it.

use crate::{
    both_engines,
    world::{ACME, KeyDraft, LATER, NOW, World, digest, key_prefix, pepper, rest, scope, token_id},
};
use hallpass_domain::{
    access_token::Expiration,
    api_key::{KeySecret, Overlap},
    id::OrganizationId,
    limits::{KEY_OVERLAP_DAYS_MAX, KEY_SECRETS_MAX},
    time::Timestamp,
};
use hallpass_store::{FeedKey, LastUseRow, NewSecret, Rotated, Stored, Tx};

both_engines!(
    a_leaked_secret_ends_at_once,
    an_old_secret_works_until_a_moment,
    an_old_secret_works_until_it_was_quiet,
    an_earlier_end_stays,
    so_many_secrets_work_at_the_same_time,
    a_rotation_is_for_the_version_it_was_made_for,
    what_does_not_work_is_not_rotated,
    a_taken_prefix_is_drawn_again_in_the_same_transaction,
    a_secret_ends_with_its_key_too,
    a_quiet_secret_is_found_when_its_time_has_come,
    a_secret_is_ended_once,
);

pub(super) async fn rotate_in(
    tx: &mut Tx,
    organization: OrganizationId,
    key: u32,
    version: i64,
    secret: u32,
) -> Rotated {
    let stored = Stored::Digest(digest(secret), pepper());
    let new = NewSecret {
        id: token_id(secret),
        prefix: key_prefix(secret),
        stored: &stored,
        overlap: Overlap::None,
        now: NOW,
    };
    let rotated = tx
        .rotate_key(organization, token_id(key), version, &new)
        .await;
    rotated.unwrap()
}

fn just_before(moment: Timestamp) -> Timestamp {
    Timestamp::from_micros(moment.micros() - 1)
}

fn secret(number: u32, since: Timestamp) -> KeySecret {
    KeySecret {
        id: token_id(number),
        prefix: key_prefix(number),
        since,
        retired: None,
        until: None,
        quiet_seconds: None,
        last_use: None,
    }
}

async fn secrets(world: &World) -> Vec<KeySecret> {
    world.find_key(1).await.key.secrets
}

async fn end_of(world: &World, number: u32) -> Option<Timestamp> {
    let loaded = world.store.load_token(token_id(number)).await.unwrap();
    loaded.unwrap().expires_at
}

async fn done(world: &World, number: u32, overlap: Overlap, now: Timestamp) {
    let rotated = world.rotate(1, number, overlap, now).await;
    let Rotated::Done(feed) = rotated else {
        panic!("{rotated:?}")
    };
    let all = secrets(world).await;
    assert_eq!(feed.len(), all.len());
    for secret in all {
        assert!(feed.contains(&FeedKey::Token(secret.id)));
    }
}

async fn a_leaked_secret_ends_at_once(world: World) {
    let mut draft = KeyDraft::new(1, "Key");
    draft.key.scope = Some(scope("orders:read"));
    draft.key.valid_from = Some(NOW.plus_days(-1));
    world.insert_keys(&[draft.clone()]).await;
    let then = NOW.plus_seconds(10);
    done(&world, 10, Overlap::None, then).await;
    let old = KeySecret {
        retired: Some(then),
        until: Some(then),
        ..secret(1, NOW)
    };
    assert_eq!(secrets(&world).await, [secret(10, then), old]);
    assert_eq!(end_of(&world, 1).await, Some(then));
    let key = world.find_key(1).await;
    assert_eq!((key.version, key.key.id), (1, token_id(1)), "the same key");
    assert_eq!(key.key.current().unwrap().id, token_id(10));
    let new = world.store.load_token(token_id(10)).await.unwrap().unwrap();
    let old = world.store.load_token(token_id(1)).await.unwrap().unwrap();
    assert_eq!(new.secret_of, Some(token_id(1)));
    assert_eq!((new.stored, new.prefix), (Ok(digest(10)), key_prefix(10)));
    assert_eq!(
        (new.role, new.name, new.kind),
        (old.role, old.name, old.kind)
    );
    assert_eq!((new.scope, new.valid_from), (old.scope, old.valid_from));
    assert_eq!(new.organization, ACME);
    assert_eq!(new.expires_at, Some(LATER));
}

async fn an_old_secret_works_until_a_moment(world: World) {
    world.insert_keys(&[KeyDraft::new(1, "Key")]).await;
    let until = NOW.plus_days(2);
    done(&world, 10, Overlap::Until(until), NOW).await;
    let old = KeySecret {
        retired: Some(NOW),
        until: Some(until),
        ..secret(1, NOW)
    };
    assert!(old.works(just_before(until)) && !old.works(until));
    assert_eq!(secrets(&world).await, [secret(10, NOW), old]);
    assert_eq!(end_of(&world, 1).await, Some(until));
}

async fn an_old_secret_works_until_it_was_quiet(world: World) {
    world.insert_keys(&[KeyDraft::new(1, "Key")]).await;
    done(&world, 10, Overlap::UntilQuiet(3_600), NOW).await;
    let old = KeySecret {
        retired: Some(NOW),
        until: Some(NOW.plus_days(KEY_OVERLAP_DAYS_MAX)),
        quiet_seconds: Some(3_600),
        ..secret(1, NOW)
    };
    assert_eq!(secrets(&world).await, [secret(10, NOW), old]);
}

async fn an_earlier_end_stays(world: World) {
    world.insert_keys(&[KeyDraft::new(1, "Key")]).await;
    let at = |seconds| NOW.plus_seconds(seconds);
    let days = |count| NOW.plus_days(count);
    done(&world, 10, Overlap::Until(days(2)), at(1)).await;
    done(&world, 11, Overlap::Until(days(9)), at(2)).await;
    let ends = async || {
        let all = secrets(&world).await;
        let end = |one: &KeySecret| (one.id, one.retired, one.until);
        all.iter().map(end).collect::<Vec<_>>()
    };
    let id = token_id;
    let expected = [
        (id(11), None, None),
        (id(10), Some(at(2)), Some(days(9))),
        (id(1), Some(at(1)), Some(days(2))),
    ];
    assert_eq!(ends().await, expected);
    // Those of older rotations end with the current one at the latest.
    done(&world, 12, Overlap::Until(days(5)), at(3)).await;
    let expected = [
        (id(12), None, None),
        (id(11), Some(at(3)), Some(days(5))),
        (id(10), Some(at(2)), Some(days(5))),
        (id(1), Some(at(1)), Some(days(2))),
    ];
    assert_eq!(ends().await, expected);
    done(&world, 13, Overlap::None, at(4)).await;
    let all = secrets(&world).await;
    let working: Vec<_> = all.iter().filter(|one| one.works(at(4))).collect();
    assert_eq!(working.len(), 1, "{working:?}");
}

async fn so_many_secrets_work_at_the_same_time(world: World) {
    world.insert_keys(&[KeyDraft::new(1, "Key")]).await;
    let until = |number: u32| NOW.plus_days(1).plus_seconds(i64::from(number));
    for number in 2..=KEY_SECRETS_MAX {
        done(&world, number, Overlap::Until(until(number)), NOW).await;
    }
    let before = world.find_key(1).await;
    let working = before.key.secrets.iter().filter(|one| one.works(NOW));
    assert_eq!(working.count(), KEY_SECRETS_MAX as usize);
    for overlap in [Overlap::Until(LATER), Overlap::UntilQuiet(60)] {
        let rotated = world.rotate(1, 50, overlap, NOW).await;
        assert_eq!(rotated, Rotated::TooMany);
    }
    let after = world.find_key(1).await;
    assert_eq!((after.key, after.version), (before.key, before.version));
    // When one has ended there is room for one, and after a leak there is always room.
    let free = until(2);
    let rotated = world
        .rotate(1, 50, Overlap::Until(LATER), just_before(free))
        .await;
    assert_eq!(rotated, Rotated::TooMany);
    done(&world, 50, Overlap::Until(LATER), free).await;
    let rotated = world.rotate(1, 51, Overlap::Until(LATER), free).await;
    assert_eq!(rotated, Rotated::TooMany);
    done(&world, 51, Overlap::None, free).await;
    let all = secrets(&world).await;
    assert_eq!(all.iter().filter(|one| one.works(free)).count(), 1);
}

async fn a_rotation_is_for_the_version_it_was_made_for(world: World) {
    world.insert_keys(&[KeyDraft::new(1, "Key")]).await;
    let mut tx = world.begin().await;
    for wrong in [-1, 1] {
        let rotated = rotate_in(&mut tx, ACME, 1, wrong, 10).await;
        assert_eq!(rotated, Rotated::Changed);
    }
    let rotated = rotate_in(&mut tx, ACME, 1, 0, 10).await;
    assert!(matches!(rotated, Rotated::Done(_)));
    let again = rotate_in(&mut tx, ACME, 1, 0, 11).await;
    assert_eq!(again, Rotated::Changed);
    let of_secret = rotate_in(&mut tx, ACME, 10, 0, 11).await;
    assert_eq!(of_secret, Rotated::Changed, "a secret is no key");
    tx.commit(&[]).await.unwrap();
    assert_eq!(secrets(&world).await.len(), 2);
}

async fn what_does_not_work_is_not_rotated(world: World) {
    let end = NOW.plus_days(1);
    let draft = KeyDraft::new(1, "Key").ends(Expiration::At(end));
    world.insert_keys(&[draft]).await;
    let late = world.rotate(1, 10, Overlap::None, end).await;
    assert_eq!(late, Rotated::Changed);
    let suspension = rest(NOW);
    let mut tx = world.begin().await;
    tx.suspend_token(ACME, token_id(1), &suspension)
        .await
        .unwrap();
    tx.commit(&[]).await.unwrap();
    let rotated = world.rotate(1, 10, Overlap::None, NOW).await;
    assert_eq!(rotated, Rotated::Changed);
    let mut tx = world.begin().await;
    tx.lift_suspension(ACME, token_id(1), false).await.unwrap();
    tx.commit(&[]).await.unwrap();
    done(&world, 10, Overlap::None, just_before(end)).await;
    let mut tx = world.begin().await;
    tx.revoke_key(ACME, token_id(1), NOW).await.unwrap();
    tx.commit(&[]).await.unwrap();
    let rotated = world.rotate(1, 11, Overlap::None, NOW).await;
    assert_eq!(rotated, Rotated::Changed);
}

async fn a_taken_prefix_is_drawn_again_in_the_same_transaction(world: World) {
    world
        .insert_keys(&[KeyDraft::new(1, "Key"), KeyDraft::new(2, "Other")])
        .await;
    let stored = Stored::Digest(digest(10), pepper());
    let mut new = NewSecret {
        id: token_id(10),
        prefix: key_prefix(2),
        stored: &stored,
        overlap: Overlap::None,
        now: NOW,
    };
    let mut tx = world.begin().await;
    for _ in 0..2 {
        let rotated = tx.rotate_key(ACME, token_id(1), 0, &new).await.unwrap();
        assert_eq!(rotated, Rotated::PrefixTaken);
    }
    new.prefix = key_prefix(10);
    let rotated = tx.rotate_key(ACME, token_id(1), 0, &new).await.unwrap();
    assert!(matches!(rotated, Rotated::Done(_)), "{rotated:?}");
    tx.commit(&[]).await.unwrap();
    assert_eq!(secrets(&world).await.len(), 2);
}

async fn a_secret_ends_with_its_key_too(world: World) {
    let end = NOW.plus_days(1);
    world
        .insert_keys(&[KeyDraft::new(1, "Key").ends(Expiration::At(end))])
        .await;
    done(&world, 10, Overlap::Until(NOW.plus_days(2)), NOW).await;
    assert_eq!(end_of(&world, 1).await, Some(end), "the earlier of both");
    assert_eq!(end_of(&world, 10).await, Some(end));
    done(&world, 11, Overlap::Until(NOW.plus_seconds(5)), NOW).await;
    assert_eq!(end_of(&world, 10).await, Some(NOW.plus_seconds(5)));
    assert_eq!(end_of(&world, 1).await, Some(NOW.plus_seconds(5)));
    assert_eq!(end_of(&world, 11).await, Some(end));
}

async fn quiet(world: &World, now: Timestamp) -> Vec<u8> {
    let found = world.store.secrets_gone_quiet(now).await.unwrap();
    let mut numbers = Vec::new();
    for (id, organization, key) in found {
        assert_eq!((organization, key), (ACME, token_id(1)));
        numbers.push(id.bytes()[15]);
    }
    numbers.sort_unstable();
    numbers
}

async fn used(world: &World, number: u32, at: Timestamp) {
    let row = LastUseRow {
        token: token_id(number),
        at,
        method: None,
        path: None,
        address: None,
        agent: None,
    };
    world.store.write_uses(&[row], &[]).await.unwrap();
}

async fn a_quiet_secret_is_found_when_its_time_has_come(world: World) {
    world.insert_keys(&[KeyDraft::new(1, "Key")]).await;
    used(&world, 1, NOW.plus_seconds(-500)).await;
    done(&world, 10, Overlap::UntilQuiet(60), NOW).await;
    // From its retirement on, whatever was before.
    let due = NOW.plus_seconds(60);
    assert!(quiet(&world, just_before(due)).await.is_empty());
    assert_eq!(quiet(&world, due).await, [1]);
    // From its last use on; those of others do not matter.
    used(&world, 1, NOW.plus_seconds(30)).await;
    used(&world, 10, NOW.plus_seconds(50)).await;
    let due = NOW.plus_seconds(90);
    assert!(quiet(&world, just_before(due)).await.is_empty());
    assert_eq!(quiet(&world, due).await, [1]);
    let end = NOW.plus_days(KEY_OVERLAP_DAYS_MAX);
    assert_eq!(quiet(&world, just_before(end)).await, [1]);
    assert!(quiet(&world, end).await.is_empty(), "it has ended anyway");
    let mut tx = world.begin().await;
    tx.revoke_key(ACME, token_id(1), due).await.unwrap();
    tx.commit(&[]).await.unwrap();
    assert!(quiet(&world, due).await.is_empty());
}

async fn a_secret_is_ended_once(world: World) {
    world.insert_keys(&[KeyDraft::new(1, "Key")]).await;
    done(&world, 10, Overlap::UntilQuiet(60), NOW).await;
    let due = NOW.plus_seconds(60);
    let mut tx = world.begin().await;
    let current = tx.end_secret(token_id(10), due).await.unwrap();
    assert_eq!(current, None, "the current one does not end so");
    let ended = tx.end_secret(token_id(1), due).await.unwrap();
    assert_eq!(ended, Some(FeedKey::Token(token_id(1))));
    assert_eq!(tx.end_secret(token_id(1), due).await.unwrap(), None);
    tx.commit(&[]).await.unwrap();
    assert!(quiet(&world, due).await.is_empty());
    assert_eq!(end_of(&world, 1).await, Some(due));
    assert_eq!(end_of(&world, 10).await, Some(LATER));
}
