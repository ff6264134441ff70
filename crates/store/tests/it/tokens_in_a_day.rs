//! How many tokens one may make in a day.

use crate::{
    both_engines,
    world::{ACME, ADA, BOB, Draft, GLOBEX, NOW, World},
};
use hallpass_domain::limits::{TOKENS_MADE_MAX, TOKENS_MADE_SECONDS};
use hallpass_store::Inserted;

both_engines!(tokens_made_in_a_day_count_until_it_is_over);

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
