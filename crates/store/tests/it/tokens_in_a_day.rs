//! How many tokens one may make in a day.

use crate::{
    both_engines,
    world::{ACME, ADA, BOB, Draft, GLOBEX, KeyDraft, NOW, World, token_id},
};
use hallpass_domain::{
    api_key::Overlap,
    limits::{KEY_SECRETS_SHOWN_MAX, TOKENS_MADE_MAX, TOKENS_MADE_SECONDS},
};
use hallpass_store::{Inserted, KeyInserted, Rotated};

both_engines!(
    tokens_made_in_a_day_count_until_it_is_over,
    keys_and_their_secrets_made_in_a_day_count_together,
);

async fn tokens_made_in_a_day_count_until_it_is_over(world: World) {
    let (organization, user) = (world.blob(ACME.bytes()), world.blob(ADA.bytes()));
    // Half of them as old as they can be and still count, all of them revoked.
    let rows: Vec<String> = (0..TOKENS_MADE_MAX)
        .map(|number| {
            let mut digest = [9; 32];
            digest[..4].copy_from_slice(&number.to_be_bytes());
            let (id, digest) = (world.blob(&digest[..16]), world.blob(&digest));
            let age = i64::from(number % 2) * (1 - TOKENS_MADE_SECONDS);
            let at = NOW.plus_seconds(age).micros();
            format!("({id}, 'personal_access_token', {organization}, {user}, 'n', 'n', 'x{number:09}', {digest}, 'p1', {at}, {at}, {at}, false)")
        })
        .collect();
    let all = rows.join(", ");
    world.raw().await.execute(&format!("insert into token (id, kind, organization_id, user_id, name, name_key, prefix, digest, pepper_id, created_at, expires_at, revoked_at, never_expires_acknowledged) values {all}")).await.unwrap();
    let at = |seconds: i64| Draft {
        created: NOW.plus_seconds(seconds),
        ..Draft::new(1, "one more")
    };
    assert_eq!(world.insert(&at(0)).await, Inserted::TooManyToday);
    let elsewhere = Draft {
        organization: GLOBEX,
        ..at(0)
    };
    assert_eq!(world.insert(&elsewhere).await, Inserted::Done);
    let bobs = Draft {
        owner: BOB,
        ..Draft::new(2, "Bob's")
    };
    assert_eq!(world.insert(&bobs).await, Inserted::Done);
    let next = Draft {
        created: NOW.plus_seconds(1),
        ..Draft::new(3, "the next day")
    };
    assert_eq!(world.insert(&next).await, Inserted::Done);
}

async fn keys_and_their_secrets_made_in_a_day_count_together(world: World) {
    world.insert_keys(&[KeyDraft::new(1, "first")]).await;
    let (organization, first) = (world.blob(ACME.bytes()), world.blob(token_id(1).bytes()));
    let at = NOW.plus_seconds(1 - TOKENS_MADE_SECONDS).micros();
    // Secrets of one key, all ended; with the key itself they are as many as may be.
    let rows: Vec<String> = (1..TOKENS_MADE_MAX)
        .map(|number| {
            let mut digest = [9; 32];
            digest[..4].copy_from_slice(&number.to_be_bytes());
            let (id, digest) = (world.blob(&digest[..16]), world.blob(&digest));
            format!("({id}, 'api_key', {organization}, (select role_id from token where id = {first}), 'first', 'first', 'hpk_y{number:05}', {digest}, 'p1', {at}, {at}, {at}, {at}, {at}, false, {first})")
        })
        .collect();
    let all = rows.join(", ");
    world.raw().await.execute(&format!("insert into token (id, kind, organization_id, role_id, name, name_key, prefix, digest, pepper_id, created_at, secret_since, secret_retired_at, secret_until, expires_at, never_expires_acknowledged, secret_of) values {all}")).await.unwrap();
    assert_eq!(
        world.try_key(&KeyDraft::new(2, "more")).await,
        KeyInserted::TooManyToday
    );
    let rotated = world.rotate(1, 3, Overlap::None, NOW).await;
    assert_eq!(rotated, Rotated::TooManyToday);
    let abroad = KeyDraft::new(4, "abroad").of(GLOBEX);
    assert_eq!(world.try_key(&abroad).await, KeyInserted::Done);
    let told = world.find_key(1).await.key;
    assert_eq!(told.secrets.len(), KEY_SECRETS_SHOWN_MAX as usize);
    assert!(
        told.current()
            .is_some_and(|secret| secret.id == token_id(1))
    );
    // A day later it is rotated, and the feed is told of what that changed alone.
    let rotated = world.rotate(1, 3, Overlap::None, NOW.plus_seconds(2)).await;
    let Rotated::Done(changed) = rotated else {
        panic!("{rotated:?}");
    };
    assert_eq!(changed.len(), 2);
}
