//! Changing, suspending and revoking: only what is as it was, and only one's own.

use crate::{
    both_engines,
    world::{
        ACME, ADA, BOB, Draft, GLOBEX, LATER, NOW, World, all, digest, name, pepper, prefix, rest,
        scope, token_id,
    },
};
use hallpass_domain::{
    access_token::Expiration,
    id::{OrganizationId, UserId},
    name::TokenName,
    time::Timestamp,
};
use hallpass_store::{FeedKey, Inserted, TokenChange};

both_engines!(
    a_change_is_for_the_version_it_was_made_for,
    ended_tokens_are_not_changed,
    a_name_in_use_is_not_given_again,
    revoking_twice_changes_nothing,
    suspending_and_lifting,
    somebody_elses_token_is_out_of_reach,
    a_digest_moves_to_the_current_pepper,
);

fn to(called: &TokenName) -> TokenChange<'_> {
    TokenChange {
        name: called,
        expiration: Expiration::At(LATER),
        never_expires_acknowledged: false,
        scope: None,
        valid_from: None,
        address_rules: None,
        now: NOW,
    }
}

async fn change(
    world: &World,
    number: u32,
    version: i64,
    change: &TokenChange<'_>,
) -> Result<bool, hallpass_domain::token::Prefix> {
    let id = token_id(number);
    let mut tx = world.begin().await;
    let changed = tx
        .change_token(ACME, ADA, id, version, change)
        .await
        .unwrap();
    tx.commit(&[]).await.unwrap();
    changed.map(|key| {
        assert!(key.is_none() || key == Some(FeedKey::Token(id)));
        key.is_some()
    })
}

async fn a_change_is_for_the_version_it_was_made_for(world: World) {
    world.insert_all(&[Draft::new(1, "old")]).await;
    let (new, narrowed) = (name("New"), scope("orders:read"));
    let change_all = TokenChange {
        expiration: Expiration::Never,
        never_expires_acknowledged: true,
        scope: Some(&narrowed),
        ..to(&new)
    };
    for wrong in [-1, 1] {
        assert_eq!(change(&world, 1, wrong, &change_all).await, Ok(false));
    }
    assert_eq!(world.find(token_id(1)).await.token.name, name("old"));
    assert_eq!(change(&world, 1, 0, &change_all).await, Ok(true));
    assert_eq!(
        change(&world, 1, 0, &to(&new)).await,
        Ok(false),
        "it has moved on"
    );
    let changed = world.find(token_id(1)).await;
    assert_eq!((changed.version, &changed.token.name), (1, &new));
    assert_eq!(changed.token.expiration, Expiration::Never);
    assert!(changed.token.never_expires_acknowledged);
    assert_eq!(changed.token.scope, Some(narrowed));
    assert_eq!(
        change(&world, 1, 1, &to(&new)).await,
        Ok(true),
        "its own name is not taken"
    );
    assert_eq!(world.find(token_id(1)).await.token.scope, None);
}

async fn ended_tokens_are_not_changed(world: World) {
    world.insert_all(&Draft::several(1, 2)).await;
    let new = name("New");
    let at = |now| TokenChange { now, ..to(&new) };
    assert_eq!(
        change(&world, 1, 0, &at(LATER)).await,
        Ok(false),
        "it has just expired"
    );
    let before = Timestamp::from_micros(LATER.micros() - 1);
    assert_eq!(change(&world, 1, 0, &at(before)).await, Ok(true));
    world.revoke(token_id(2), NOW).await;
    for version in [0, 1] {
        assert_eq!(
            change(&world, 2, version, &to(&name("Other"))).await,
            Ok(false)
        );
    }
    assert_eq!(
        change(&world, 3, 0, &to(&name("Other"))).await,
        Ok(false),
        "there is none"
    );
}

async fn a_name_in_use_is_not_given_again(world: World) {
    world
        .insert_all(&[Draft::new(1, "One"), Draft::new(2, "Two")])
        .await;
    let bobs = Draft {
        owner: BOB,
        ..Draft::new(3, "Three")
    };
    world.insert_all(&[bobs]).await;
    assert_eq!(
        change(&world, 2, 0, &to(&name("oNE"))).await,
        Err(prefix(1))
    );
    assert_eq!(
        change(&world, 2, 0, &to(&name("tWO"))).await,
        Ok(true),
        "its own, respelled"
    );
    assert_eq!(
        change(&world, 2, 1, &to(&name("three"))).await,
        Ok(true),
        "Bob's"
    );
    world.revoke(token_id(1), NOW).await;
    assert_eq!(change(&world, 2, 2, &to(&name("ONE"))).await, Ok(true));
    assert_eq!(
        world.insert(&Draft::new(4, "one")).await,
        Inserted::NameTaken(prefix(2))
    );
    assert_eq!(
        world.insert(&Draft::new(4, "Two")).await,
        Inserted::Done,
        "given up"
    );
}

async fn revoking_twice_changes_nothing(world: World) {
    world.insert_all(&[Draft::new(1, "a")]).await;
    world.revoke(token_id(1), NOW).await;
    let mut tx = world.begin().await;
    let again = tx
        .revoke_token(ACME, ADA, token_id(1), LATER)
        .await
        .unwrap();
    assert_eq!(again, None);
    let suspended = tx
        .suspend_token(ACME, token_id(1), &rest(NOW))
        .await
        .unwrap();
    assert_eq!(suspended, []);
    assert_eq!(
        tx.revoke_token(ACME, ADA, token_id(2), NOW).await.unwrap(),
        None
    );
    tx.commit(&[]).await.unwrap();
    let revoked = world.find(token_id(1)).await;
    assert_eq!(
        (revoked.token.revoked, revoked.token.suspension),
        (Some(NOW), None)
    );
    assert_eq!(revoked.version, 1);
}

async fn suspending_and_lifting(world: World) {
    world.insert_all(&[Draft::new(1, "a")]).await;
    for (rests, version) in [(Some(rest(NOW)), 1), (None, 2)] {
        let mut tx = world.begin().await;
        let keys = match &rests {
            Some(rests) => tx.suspend_token(ACME, token_id(1), rests).await,
            None => tx.lift_suspension(ACME, token_id(1), false).await,
        };
        assert_eq!(keys.unwrap(), [FeedKey::Token(token_id(1))]);
        tx.commit(&[]).await.unwrap();
        let found = world.find(token_id(1)).await;
        assert_eq!((&found.token.suspension, found.version), (&rests, version));
        let loaded = world.store.load_token(token_id(1)).await.unwrap().unwrap();
        assert_eq!(loaded.suspended, rests.is_some());
    }
}

async fn somebody_elses_token_is_out_of_reach(world: World) {
    world.insert_all(&[Draft::new(1, "a")]).await;
    let id = token_id(1);
    let nobody = UserId::from_bytes([0; 16]);
    let nowhere = OrganizationId::from_bytes([0; 16]);
    for (organization, owner) in [(GLOBEX, ADA), (ACME, BOB), (ACME, nobody), (nowhere, ADA)] {
        let found = world
            .store
            .find_token(organization, owner, id, NOW)
            .await
            .unwrap();
        assert!(found.is_none());
        let listed = world
            .store
            .list_tokens(organization, owner, &all())
            .await
            .unwrap();
        assert!(listed.items.is_empty());
        let counted = world
            .store
            .count_tokens_by_state(organization, owner, NOW)
            .await
            .unwrap();
        assert!(counted.is_empty());
        let mut tx = world.begin().await;
        let new = name("Stolen");
        let changed = tx
            .change_token(organization, owner, id, 0, &to(&new))
            .await
            .unwrap();
        assert_eq!(changed, Ok(None));
        if organization != ACME {
            let suspended = tx.suspend_token(organization, id, &rest(NOW)).await;
            assert_eq!(suspended.unwrap(), []);
        }
        assert_eq!(
            tx.revoke_token(organization, owner, id, NOW).await.unwrap(),
            None
        );
        tx.commit(&[]).await.unwrap();
    }
    let token = world.find(id).await;
    assert_eq!((token.version, token.token.name), (0, name("a")));
    assert_eq!((token.token.revoked, token.token.suspension), (None, None));
}

async fn a_digest_moves_to_the_current_pepper(world: World) {
    world.insert_all(&[Draft::new(1, "a")]).await;
    let (old, new) = (digest(1), digest(100));
    let mut tx = world.begin().await;
    let moved = tx
        .redigest_token(token_id(1), &old, &new, &pepper())
        .await
        .unwrap();
    let key = FeedKey::Token(token_id(1));
    assert_eq!(moved, Some(key));
    let again = tx
        .redigest_token(token_id(1), &old, &new, &pepper())
        .await
        .unwrap();
    assert_eq!(again, None);
    tx.commit(&[key]).await.unwrap();
    let loaded = world.store.load_token(token_id(1)).await.unwrap().unwrap();
    assert_eq!(loaded.stored, Ok(new));
}
