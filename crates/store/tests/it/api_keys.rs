//! API keys: made, listed, revoked. Rotation has a file of its own.

mod listed;
mod rotated;

use crate::{
    both_engines,
    world::{
        ACME, ADA, Draft, GLOBEX, KeyDraft, LATER, NOW, World, digest, key_prefix, name, prefix,
        role_of, scope, token_id,
    },
};
use hallpass_domain::{
    access_token::Expiration,
    api_key::{KeySecret, Overlap},
    limits::LIVE_KEYS_PER_ORGANIZATION_MAX,
    network::{AddressRules, NetworkSet},
    role::{BuiltInRole, Role},
    token::Kind,
};
use hallpass_store::{FeedKey, KeyInserted, RoleWritten};
use tokio::task::JoinSet;

both_engines!(
    every_field_comes_back,
    names_are_the_organizations,
    a_name_is_given_once,
    a_key_gets_its_role_as_it_was_checked,
    there_is_room_for_so_many,
    revoking_takes_all_secrets,
    another_organizations_key_is_out_of_reach,
    a_personal_token_is_no_key,
);

#[expect(clippy::too_many_lines, reason = "every field")]
async fn every_field_comes_back(world: World) {
    let mut draft = KeyDraft::new(1, "Build & deploy");
    let networks = |text: &str| NetworkSet::parse(text.split_ascii_whitespace()).unwrap();
    draft.key.scope = Some(scope("orders:read users:*"));
    draft.key.valid_from = Some(NOW.plus_days(1));
    draft.key.expiration = Expiration::Never;
    draft.key.never_expires_acknowledged = true;
    draft.key.address_rules = Some(AddressRules {
        allow: networks("192.0.2.0/24 2001:db8::/32"),
        deny: networks("192.0.2.7"),
    });
    draft.key.maker_user = Some(ADA);
    draft.key.maker_token = Some(token_id(99));
    let plain = KeyDraft::new(2, "Plain");
    world.insert_keys(&[draft.clone(), plain.clone()]).await;
    for draft in [&mut draft.clone(), &mut plain.clone()] {
        draft.key.secrets = vec![KeySecret {
            id: draft.key.id,
            prefix: draft.prefix,
            since: NOW,
            retired: None,
            until: None,
            quiet_seconds: None,
            last_use: None,
        }];
        let found = world.store.find_key(ACME, draft.key.id, NOW).await.unwrap();
        let found = found.unwrap();
        assert_eq!(found.key, draft.key);
        assert_eq!(found.role_name, "Member");
        assert_eq!((found.version, found.recent_uses), (0, 0));
    }
    let loaded = world.store.load_token(token_id(1)).await.unwrap().unwrap();
    assert_eq!((loaded.kind, loaded.organization), (Kind::ApiKey, ACME));
    let role = BuiltInRole::Member.id();
    assert_eq!((loaded.user, loaded.role), (None, Some(role)));
    assert_eq!(
        (loaded.name, loaded.prefix),
        (name("Build & deploy"), key_prefix(1))
    );
    assert_eq!(
        (loaded.stored, loaded.scope),
        (Ok(digest(1)), draft.key.scope)
    );
    assert_eq!(loaded.valid_from, draft.key.valid_from);
    assert_eq!(loaded.address_rules, draft.key.address_rules);
    assert_eq!((loaded.expires_at, loaded.secret_of), (None, None));
    let loaded = world.store.load_token(token_id(2)).await.unwrap().unwrap();
    assert_eq!(
        (loaded.expires_at, loaded.address_rules),
        (Some(LATER), None)
    );
}

async fn names_are_the_organizations(world: World) {
    world.insert_keys(&[KeyDraft::new(1, "Straße É")]).await;
    let taken = KeyInserted::NameTaken(key_prefix(1));
    for same in ["Straße É", "STRAßE é", "straße E\u{301}"] {
        assert_eq!(
            world.try_key(&KeyDraft::new(2, same)).await,
            taken,
            "{same}"
        );
    }
    world
        .insert_keys(&[KeyDraft::new(2, "straße é").of(GLOBEX)])
        .await;
    world.insert_all(&[Draft::new(3, "straße é")]).await;
    // A further secret has the name too, and does not stand in its way.
    world.rotate(1, 10, Overlap::None, NOW).await;
    assert_eq!(world.try_key(&KeyDraft::new(4, "straße é")).await, taken);
    // Expired is not revoked: the name stays taken, as those of personal tokens do.
    let later = KeyDraft::new(4, "straße é").made(LATER.plus_days(1));
    assert_eq!(world.try_key(&later).await, taken);
    let mut tx = world.begin().await;
    tx.revoke_key(ACME, token_id(1), NOW).await.unwrap();
    tx.commit(&[]).await.unwrap();
    world.insert_keys(&[KeyDraft::new(4, "straße é")]).await;
    let mut twin = KeyDraft::new(5, "New");
    twin.prefix = key_prefix(10);
    assert_eq!(world.try_key(&twin).await, KeyInserted::PrefixTaken);
    twin.prefix = key_prefix(5);
    twin.stored = KeyDraft::new(10, "x").stored;
    assert_eq!(world.try_key(&twin).await, KeyInserted::PrefixTaken);
}

async fn a_name_is_given_once(world: World) {
    world.warm_up().await;
    let mut tasks = JoinSet::new();
    for number in 1..=8 {
        let store = world.store.clone();
        tasks.spawn(async move {
            let draft = KeyDraft::new(number, "Deploy");
            let mut tx = store.begin().await.unwrap();
            let inserted = tx.insert_key(&draft.as_new()).await.unwrap();
            tx.commit(&[]).await.unwrap();
            inserted
        });
    }
    let all = tasks.join_all().await;
    let taken = |one: &&KeyInserted| matches!(one, KeyInserted::NameTaken(_));
    assert_eq!(all.iter().filter(taken).count(), 7, "{all:?}");
}

async fn a_key_gets_its_role_as_it_was_checked(world: World) {
    let role = role_of(ACME, 1, "Builder");
    world.add_role(&role).await;
    let draft = |number| KeyDraft::new(number, &format!("Key {number}")).with_role(&role);
    world.insert_keys(&[draft(1)]).await;
    let mut tx = world.begin().await;
    let changed = tx.change_role(ACME, &role).await.unwrap();
    assert_eq!(changed, RoleWritten::Done(FeedKey::Role(role.id)));
    tx.commit(&[]).await.unwrap();
    assert_eq!(world.try_key(&draft(2)).await, KeyInserted::RoleChanged);
    let now = Role {
        version: 1,
        ..role.clone()
    };
    world.insert_keys(&[draft(2).with_role(&now)]).await;
    let mut tx = world.begin().await;
    let deleted = tx.delete_role(ACME, &now, NOW).await.unwrap();
    assert!(deleted.is_some());
    tx.commit(&[]).await.unwrap();
    let gone = Role {
        version: 2,
        ..role.clone()
    };
    let late = draft(3).with_role(&gone);
    assert_eq!(world.try_key(&late).await, KeyInserted::RoleChanged);
    let nowhere =
        KeyDraft::new(4, "x").of(hallpass_domain::id::OrganizationId::from_bytes([9; 16]));
    assert_eq!(world.try_key(&nowhere).await, KeyInserted::RoleChanged);
}

async fn there_is_room_for_so_many(world: World) {
    let mut rows = Vec::new();
    for number in 1..LIVE_KEYS_PER_ORGANIZATION_MAX {
        let of = |bytes: &[u8]| world.blob(bytes);
        rows.push(format!(
            "({}, 'api_key', {}, {}, 'x', 'x{number}', 'hpk_{number:06}', {}, 'p1', {}, {}, true)",
            of(token_id(number).bytes()),
            of(ACME.bytes()),
            of(BuiltInRole::Member.id().bytes()),
            of(digest(number).bytes()),
            NOW.plus_days(-1).micros(),
            NOW.plus_days(1).micros(),
        ));
    }
    let rows = rows.join(", ");
    world.execute(&format!("insert into token (id, kind, organization_id, role_id, name, name_key, prefix, digest, pepper_id, created_at, expires_at, never_expires_acknowledged) values {rows}")).await;
    world.insert_keys(&[KeyDraft::new(2_000, "Last")]).await;
    let one_more = KeyDraft::new(2_001, "One more");
    assert_eq!(world.try_key(&one_more).await, KeyInserted::TooMany);
    world
        .insert_keys(&[KeyDraft::new(2_002, "Theirs").of(GLOBEX)])
        .await;
    world.insert_all(&[Draft::new(2_003, "Ada's")]).await;
    world.rotate(1, 3_001, Overlap::None, NOW).await;
    // Neither what is revoked nor what has expired counts; a further secret is no key.
    let mut tx = world.begin().await;
    tx.revoke_key(ACME, token_id(2), NOW).await.unwrap();
    tx.commit(&[]).await.unwrap();
    world.insert_keys(std::slice::from_ref(&one_more)).await;
    let full = KeyDraft::new(2_004, "Full");
    assert_eq!(world.try_key(&full).await, KeyInserted::TooMany);
    world
        .insert_keys(&[full.made(NOW.plus_days(1)).ends(Expiration::Never)])
        .await;
}

async fn revoking_takes_all_secrets(world: World) {
    world
        .insert_keys(&[KeyDraft::new(1, "One"), KeyDraft::new(2, "Two")])
        .await;
    world.rotate(1, 10, Overlap::Until(LATER), NOW).await;
    world.rotate(1, 11, Overlap::Until(LATER), NOW).await;
    let mut tx = world.begin().await;
    let secret = tx.revoke_key(ACME, token_id(11), NOW).await.unwrap();
    assert_eq!(secret, None, "a secret is no key");
    let mut revoked = tx
        .revoke_key(ACME, token_id(1), NOW)
        .await
        .unwrap()
        .unwrap();
    revoked.sort_by_key(|key| format!("{key:?}"));
    assert_eq!(
        revoked,
        [1, 10, 11].map(|number| FeedKey::Token(token_id(number)))
    );
    let again = tx.revoke_key(ACME, token_id(1), LATER).await.unwrap();
    assert_eq!(again, None);
    tx.commit(&[]).await.unwrap();
    assert_eq!(world.revoked_rows().await, [1, 10, 11].map(token_id));
    assert_eq!(world.find_key(1).await.key.revoked, Some(NOW));
}

async fn another_organizations_key_is_out_of_reach(world: World) {
    world.insert_keys(&[KeyDraft::new(1, "Ours")]).await;
    world.rotate(1, 10, Overlap::Until(LATER), NOW).await;
    let before = world.find_key(1).await;
    let id = token_id(1);
    assert!(
        world
            .store
            .find_key(GLOBEX, id, NOW)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        world
            .store
            .list_keys(GLOBEX, &listed::by_name())
            .await
            .unwrap()
            .is_empty()
    );
    let mut tx = world.begin().await;
    assert_eq!(tx.revoke_key(GLOBEX, id, NOW).await.unwrap(), None);
    assert!(!tx.hold_token(id, GLOBEX, NOW).await.unwrap());
    let rotated = rotated::rotate_in(&mut tx, GLOBEX, 1, before.version, 20).await;
    assert_eq!(rotated, hallpass_store::Rotated::Changed);
    tx.commit(&[]).await.unwrap();
    let after = world.find_key(1).await;
    assert_eq!((after.key, after.version), (before.key, before.version));
    assert!(world.revoked_rows().await.is_empty());
}

async fn a_personal_token_is_no_key(world: World) {
    world.insert_all(&[Draft::new(1, "Ada's")]).await;
    world.insert_keys(&[KeyDraft::new(2, "Key")]).await;
    world.rotate(2, 10, Overlap::None, NOW).await;
    for number in [1, 10] {
        let found = world.store.find_key(ACME, token_id(number), NOW).await;
        assert!(found.unwrap().is_none(), "{number}");
    }
    let mut tx = world.begin().await;
    let revoked = tx.revoke_key(ACME, token_id(1), NOW).await.unwrap();
    assert_eq!(revoked, None);
    let rotated = rotated::rotate_in(&mut tx, ACME, 1, 0, 20).await;
    assert_eq!(rotated, hallpass_store::Rotated::Changed);
    tx.commit(&[]).await.unwrap();
    assert_eq!(world.find(token_id(1)).await.token.prefix, prefix(1));
    assert_eq!(listed::names(&world, &listed::by_name()).await, ["Key"]);
}
