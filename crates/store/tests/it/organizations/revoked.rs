//! Tokens that are revoked together: by one row, at once, for good.

use crate::{
    both_engines,
    world::{
        ACME, ADA, BOB, Draft, GLOBEX, KeyDraft, NOW, World, all, key_prefix, member, name, prefix,
        rest, token_id,
    },
};
use hallpass_domain::{
    access_token::{Expiration, TokenState},
    api_key::Overlap,
    id::{OrganizationId, UserId},
    time::Timestamp,
};
use hallpass_store::{FeedKey, Inserted, InventoryFilter, KeyInserted, KeyQuery, Rotated};
use hallpass_store::{TokenChange, TokenQuery};

both_engines!(
    an_organizations_tokens_end_at_once,
    one_members_tokens_end_at_once,
    what_was_revoked_together_is_out_of_reach,
    names_and_places_are_free_at_once,
    a_keys_name_is_free_at_once,
    who_comes_back_does_not_find_old_tokens,
    the_floor_is_the_later_of_both,
);

fn before() -> Timestamp {
    Timestamp::from_micros(NOW.micros() - 1)
}

async fn revoke_organization(world: &World, id: OrganizationId, before: Timestamp) {
    let mut tx = world.begin().await;
    let key = tx.revoke_tokens_of_organization(id, before).await.unwrap();
    assert_eq!(key, FeedKey::Organization(id));
    tx.commit(&[]).await.unwrap();
}

async fn revoke_member(world: &World, user: UserId, before: Timestamp) {
    let mut tx = world.begin().await;
    let key = tx.revoke_tokens_of_member(ACME, user, before).await;
    assert_eq!(key.unwrap(), FeedKey::Membership(ACME, user));
    tx.commit(&[]).await.unwrap();
}

/// Ada's 1 and 2 (2 made now) and Bob's 3 in Acme, Ada's 4 in Globex; keys 5, 6 (6 made now) of Acme, 7 of Globex.
async fn settle(world: &World) {
    let made = |number, owner, organization, created| Draft {
        owner,
        organization,
        created,
        ..Draft::new(number, &format!("Token {number}"))
    };
    let tokens = [
        made(1, ADA, ACME, before()),
        made(2, ADA, ACME, NOW),
        made(3, BOB, ACME, before()),
        made(4, ADA, GLOBEX, before()),
    ];
    world.insert_all(&tokens).await;
    let keys = [
        KeyDraft::new(5, "Key 5").made(before()),
        KeyDraft::new(6, "Key 6"),
        KeyDraft::new(7, "Key 7").made(before()).of(GLOBEX),
    ];
    world.insert_keys(&keys).await;
}

/// The numbers of all rows that every list calls revoked, checked that they agree.
#[expect(clippy::too_many_lines, reason = "every list")]
async fn revoked(world: &World) -> Vec<u8> {
    let mut numbers = Vec::new();
    for (organization, owner) in [(ACME, ADA), (ACME, BOB), (GLOBEX, ADA)] {
        let query = TokenQuery {
            state: Some(TokenState::Revoked),
            ..all()
        };
        let page = world.store.list_tokens(organization, owner, &query).await;
        let page = page.unwrap().items;
        let counts = world.store.count_tokens_by_state(organization, owner, NOW);
        let counts = counts.await.unwrap();
        let count = counts.iter().find(|(of, _)| *of == TokenState::Revoked);
        assert_eq!(count.map_or(0, |(_, count)| *count), page.len() as u64);
        for item in page {
            let id = item.token.id;
            let one = world.store.find_token(organization, owner, id, NOW).await;
            assert_eq!(one.unwrap().unwrap().token, item.token);
            numbers.push((item.token.id.bytes()[15], item.token.revoked));
        }
    }
    for organization in [ACME, GLOBEX] {
        let query = KeyQuery {
            state: Some(TokenState::Revoked),
            search: String::new(),
            after: None,
            limit: 100,
            now: NOW,
            recent_since: NOW,
        };
        for item in world.store.list_keys(organization, &query).await.unwrap() {
            let one = world.store.find_key(organization, item.key.id, NOW).await;
            assert_eq!(one.unwrap().unwrap().key, item.key);
            numbers.push((item.key.id.bytes()[15], item.key.revoked));
        }
    }
    numbers.sort_unstable_by_key(|(number, _)| *number);
    let mut inventory = Vec::new();
    for organization in [ACME, GLOBEX] {
        let filter = InventoryFilter {
            state: Some(TokenState::Revoked),
            ..InventoryFilter::default()
        };
        let rows = world
            .store
            .list_inventory(organization, &filter, None, 100, NOW);
        for row in rows.await.unwrap() {
            let standing = world.store.find_standing(organization, row.id).await;
            assert_eq!(standing.unwrap().unwrap().revoked, row.revoked);
            inventory.push((row.id.bytes()[15], row.revoked));
        }
    }
    inventory.sort_unstable_by_key(|(number, _)| *number);
    assert_eq!(numbers, inventory);
    assert!(numbers.iter().all(|(_, revoked)| *revoked == Some(NOW)));
    numbers.into_iter().map(|(number, _)| number).collect()
}

const MARKED: &str = "select count(*) from token where revoked_at is not null";

async fn an_organizations_tokens_end_at_once(world: World) {
    settle(&world).await;
    assert!(revoked(&world).await.is_empty());
    revoke_organization(&world, ACME, NOW).await;
    // What was made at that moment lives on.
    assert_eq!(revoked(&world).await, [1, 3, 5]);
    assert_eq!(world.count(MARKED).await, 0, "no token was touched");
    let load = async |id| world.store.load_organization(id).await.unwrap().unwrap();
    assert_eq!(load(ACME).await.tokens_revoked_before, Some(NOW));
    assert_eq!(load(GLOBEX).await.tokens_revoked_before, None);
    revoke_organization(&world, ACME, before()).await;
    assert_eq!(load(ACME).await.tokens_revoked_before, Some(NOW));
    assert_eq!(world.store.settle_revoked().await.unwrap(), 3);
    assert_eq!(world.count(MARKED).await, 3);
    assert_eq!(revoked(&world).await, [1, 3, 5]);
    assert_eq!(world.store.settle_revoked().await.unwrap(), 0);
    let rows = world.revoked_rows().await;
    assert_eq!(rows, [token_id(1), token_id(3), token_id(5)]);
}

async fn one_members_tokens_end_at_once(world: World) {
    settle(&world).await;
    revoke_member(&world, ADA, NOW).await;
    assert_eq!(revoked(&world).await, [1]);
    assert_eq!(world.count(MARKED).await, 0);
    let row = world.store.find_member(ACME, ADA, NOW).await.unwrap();
    assert_eq!(row.unwrap().tokens, 1);
    revoke_member(&world, ADA, before()).await;
    let all = world.store.tokens_revoked().await.unwrap();
    assert_eq!(all, [(ACME, ADA, NOW)]);
    let of = async |organization, user| {
        let found = world.store.tokens_revoked_of(organization, user).await;
        found.unwrap()
    };
    assert_eq!(of(ACME, ADA).await, Some(NOW));
    assert_eq!(of(ACME, BOB).await, None);
    assert_eq!(of(GLOBEX, ADA).await, None);
    assert_eq!(world.store.settle_revoked().await.unwrap(), 1);
    assert_eq!(world.store.settle_revoked().await.unwrap(), 0);
    assert_eq!(world.revoked_rows().await, [token_id(1)]);
    assert_eq!(revoked(&world).await, [1]);
    revoke_member(&world, ADA, NOW.plus_seconds(1)).await;
    assert_eq!(of(ACME, ADA).await, Some(NOW.plus_seconds(1)));
}

async fn what_was_revoked_together_is_out_of_reach(world: World) {
    settle(&world).await;
    revoke_organization(&world, ACME, NOW).await;
    revoke_member(&world, ADA, NOW).await;
    let mut tx = world.begin().await;
    for (number, works) in [(1, false), (2, true), (5, false), (6, true)] {
        let held = tx.hold_token(token_id(number), ACME, NOW).await.unwrap();
        assert_eq!(held, works, "{number}");
        let elsewhere = tx.hold_token(token_id(number), GLOBEX, NOW).await;
        assert!(!elsewhere.unwrap(), "{number}");
    }
    for number in [1, 5] {
        let id = token_id(number);
        let suspended = tx.suspend_token(ACME, id, &rest(NOW)).await.unwrap();
        assert_eq!(suspended, []);
    }
    let revoked = tx.revoke_token(ACME, ADA, token_id(1), NOW).await.unwrap();
    assert_eq!(revoked, None);
    let revoked = tx.revoke_key(ACME, token_id(5), NOW).await.unwrap();
    assert_eq!(revoked, None);
    let other = name("Other");
    let change = TokenChange {
        name: &other,
        expiration: Expiration::Never,
        never_expires_acknowledged: true,
        scope: None,
        valid_from: None,
        address_rules: None,
        now: NOW,
    };
    let changed = tx.change_token(ACME, ADA, token_id(1), 0, &change).await;
    assert_eq!(changed.unwrap(), Ok(None));
    let everything = InventoryFilter::default();
    let swept = tx.revoke_inventory(ACME, &everything, NOW).await.unwrap();
    assert_eq!(swept, (2, FeedKey::Bulk(ACME, NOW)), "2 and 6 alone");
    drop(tx);
    let rotated = world.rotate(5, 50, Overlap::None, NOW).await;
    assert_eq!(rotated, Rotated::Changed);
}

async fn names_and_places_are_free_at_once(world: World) {
    let mut drafts = Draft::several(1, 99);
    for draft in &mut drafts {
        draft.created = before();
    }
    drafts.push(Draft {
        organization: GLOBEX,
        created: before(),
        ..Draft::new(100, "Elsewhere")
    });
    world.insert_all(&drafts).await;
    let inserted = world.insert(&Draft::new(101, "elsewhere")).await;
    assert_eq!(inserted, Inserted::TooMany);
    revoke_organization(&world, GLOBEX, NOW).await;
    let inserted = world.insert(&Draft::new(101, "elsewhere")).await;
    assert_eq!(inserted, Inserted::Done, "its name and its place");
    let inserted = world.insert(&Draft::new(102, "One more")).await;
    assert_eq!(inserted, Inserted::TooMany);
    revoke_member(&world, ADA, NOW).await;
    let again: Vec<Draft> = (1..=99)
        .map(|number| Draft::new(200 + number, &format!("token {number}")))
        .collect();
    world.insert_all(&again).await;
    let inserted = world.insert(&Draft::new(300, "One more")).await;
    assert_eq!(inserted, Inserted::TooMany);

    // A name is free for renaming too.
    revoke_member(&world, ADA, NOW.plus_seconds(1)).await;
    let new = Draft {
        created: NOW.plus_seconds(1),
        ..Draft::new(301, "New")
    };
    assert_eq!(world.insert(&new).await, Inserted::Done);
    let wanted = name("Token 7");
    let change = TokenChange {
        name: &wanted,
        expiration: Expiration::Never,
        never_expires_acknowledged: true,
        scope: None,
        valid_from: None,
        address_rules: None,
        now: NOW,
    };
    let mut tx = world.begin().await;
    let changed = tx.change_token(ACME, ADA, new.id, 0, &change).await;
    assert_eq!(changed.unwrap(), Ok(Some(FeedKey::Token(new.id))));
    tx.commit(&[]).await.unwrap();
    let taken = world.insert(&Draft::new(302, "token 7")).await;
    assert_eq!(taken, Inserted::NameTaken(prefix(301)));
}

async fn a_keys_name_is_free_at_once(world: World) {
    settle(&world).await;
    let twin = KeyDraft::new(8, "KEY 5");
    let taken = KeyInserted::NameTaken(key_prefix(5));
    assert_eq!(world.try_key(&twin).await, taken);
    revoke_member(&world, ADA, NOW).await;
    assert_eq!(world.try_key(&twin).await, taken, "keys are nobody's");
    revoke_organization(&world, ACME, NOW).await;
    assert_eq!(world.try_key(&twin).await, KeyInserted::Done);
    let living = KeyDraft::new(9, "key 6");
    let taken = KeyInserted::NameTaken(key_prefix(6));
    assert_eq!(world.try_key(&living).await, taken);
    assert_eq!(revoked(&world).await, [1, 3, 5]);
}

async fn who_comes_back_does_not_find_old_tokens(world: World) {
    settle(&world).await;
    let mut tx = world.begin().await;
    tx.revoke_tokens_of_member(ACME, ADA, NOW.plus_seconds(1))
        .await
        .unwrap();
    tx.delete_membership(ACME, ADA).await.unwrap();
    tx.commit(&[]).await.unwrap();
    let mut tx = world.begin().await;
    let back = tx.insert_membership(&member(ACME, ADA), NOW).await.unwrap();
    assert_eq!(back, Some(FeedKey::Membership(ACME, ADA)));
    tx.commit(&[]).await.unwrap();
    for number in [1, 2] {
        let state = world.find(token_id(number)).await.token.state(NOW);
        assert_eq!(state, TokenState::Revoked, "{number}");
    }
    let made = |number, created| Draft {
        created,
        ..Draft::new(number, &format!("New {number}"))
    };
    let new = [made(10, NOW), made(11, NOW.plus_seconds(1))];
    world.insert_all(&new).await;
    let state = world.find(token_id(10)).await.token.state(NOW);
    assert_eq!(state, TokenState::Revoked, "made before the floor");
    let state = world.find(token_id(11)).await.token.state(NOW);
    assert_eq!(state, TokenState::Active);
}

async fn the_floor_is_the_later_of_both(world: World) {
    let floors = async || {
        let mut tx = world.begin().await;
        let mut floors = Vec::new();
        for (organization, user) in [
            (ACME, Some(ADA)),
            (ACME, Some(BOB)),
            (ACME, None),
            (GLOBEX, Some(ADA)),
        ] {
            let floor = tx.tokens_floor(organization, user).await.unwrap();
            floors.push(floor.seconds());
        }
        floors
    };
    let at = Timestamp::from_micros(0);
    assert_eq!(floors().await, [0, 0, 0, 0]);
    revoke_organization(&world, ACME, at.plus_seconds(10)).await;
    assert_eq!(floors().await, [10, 10, 10, 0]);
    revoke_member(&world, ADA, at.plus_seconds(5)).await;
    assert_eq!(floors().await, [10, 10, 10, 0]);
    revoke_member(&world, ADA, at.plus_seconds(20)).await;
    assert_eq!(floors().await, [20, 10, 10, 0]);
    revoke_organization(&world, ACME, at.plus_seconds(30)).await;
    assert_eq!(floors().await, [30, 30, 30, 0]);
}
