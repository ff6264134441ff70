//! Adding tokens: what comes back, and who may not.

use crate::{
    both_engines,
    world::{
        ACME, ADA, BOB, Draft, GLOBEX, LATER, NOW, World, digest, member, name, pepper, prefix,
        rest, scope, token_id,
    },
};
use hallpass_domain::{
    access_token::{Expiration, LastUse, TokenState},
    member::Membership,
    organization::Standing,
    permission::PermissionSet,
    role::BuiltInRole,
    time::Timestamp,
    token::{BcryptHash, Kind},
};
use hallpass_store::{Inserted, LastUseRow, Stored};

both_engines!(
    every_field_comes_back,
    an_empty_scope_is_not_a_missing_one,
    a_bcrypt_token_is_loaded_as_one,
    a_suspended_user_gets_none,
    a_membership_must_be_as_it_was_checked,
    a_taken_prefix_is_drawn_again_in_the_same_transaction,
    a_taken_digest_is_drawn_again_too,
    names_are_unique_without_regard_to_case,
    ended_tokens_do_not_count,
    tokens_to_be_held_in_memory,
    a_dropped_transaction_leaves_nothing,
);

#[expect(clippy::too_many_lines, reason = "every field")]
async fn every_field_comes_back(world: World) {
    let draft = Draft {
        name: name("Déploy ☂ 'x' \"y\" %_\\"),
        scope: Some(scope("orders:read orders:* users:write")),
        created: Timestamp::from_micros(NOW.micros() + 1),
        expiration: Expiration::At(Timestamp::MAX),
        ..Draft::new(7, "-")
    };
    let mut tx = world.begin().await;
    let mut new = draft.as_new();
    new.never_expires_acknowledged = true;
    assert_eq!(tx.insert_token(&new).await.unwrap(), Inserted::Done);
    tx.commit(&[]).await.unwrap();

    let made = world.find(draft.id).await;
    assert_eq!((made.recent_uses, made.version), (0, 0));
    let token = made.token;
    assert_eq!(
        (token.id, token.organization, token.owner),
        (draft.id, ACME, ADA)
    );
    assert_eq!((&token.name, token.prefix), (&draft.name, prefix(7)));
    assert_eq!((&token.scope, token.created), (&draft.scope, draft.created));
    assert_eq!(token.expiration, draft.expiration);
    assert!(token.never_expires_acknowledged);
    assert_eq!(
        (token.revoked, token.suspension, &token.last_use),
        (None, None, &None)
    );

    let last_use = LastUse {
        at: NOW.plus_seconds(5),
        method: Some("GET".to_owned()),
        path: Some("/orders/ä".to_owned()),
        address: Some("2001:db8::1".to_owned()),
        agent: Some("curl/8.5".to_owned()),
    };
    let row = LastUseRow {
        token: draft.id,
        at: last_use.at,
        method: last_use.method.clone(),
        path: last_use.path.clone(),
        address: last_use.address.clone(),
        agent: last_use.agent.clone(),
    };
    world.store.write_uses(&[row], &[]).await.unwrap();
    let mut tx = world.begin().await;
    tx.suspend_token(ACME, draft.id, &rest(NOW.plus_seconds(1)))
        .await
        .unwrap();
    tx.revoke_token(ACME, ADA, draft.id, NOW.plus_seconds(2))
        .await
        .unwrap();
    tx.commit(&[]).await.unwrap();
    let ended = world.find(draft.id).await;
    assert_eq!(ended.version, 2);
    assert_eq!(ended.token.suspension, Some(rest(NOW.plus_seconds(1))));
    assert_eq!(ended.token.revoked, Some(NOW.plus_seconds(2)));
    assert_eq!(ended.token.last_use, Some(last_use));
    assert_eq!(ended.token.state(NOW), TokenState::Revoked);
    let same = world.walk(crate::world::all()).await.0.remove(0);
    assert_eq!(same.token, ended.token);

    let loaded = world.store.load_token(draft.id).await.unwrap().unwrap();
    assert_eq!(
        (loaded.id, loaded.kind),
        (draft.id, Kind::PersonalAccessToken)
    );
    assert_eq!(
        (loaded.organization, loaded.user, loaded.role),
        (ACME, Some(ADA), None)
    );
    assert_eq!((&loaded.name, loaded.prefix), (&draft.name, prefix(7)));
    assert_eq!(loaded.stored, Ok(digest(7)));
    assert_eq!(
        (loaded.scope, loaded.expires_at),
        (draft.scope, Some(Timestamp::MAX))
    );
    assert_eq!(
        (loaded.valid_from, loaded.suspended, loaded.revoked),
        (None, true, true)
    );
}

async fn an_empty_scope_is_not_a_missing_one(world: World) {
    let nothing = Draft {
        scope: Some(PermissionSet::default()),
        expiration: Expiration::Never,
        ..Draft::new(1, "nothing")
    };
    let everything = Draft::new(2, "everything");
    world
        .insert_all(&[nothing.clone(), everything.clone()])
        .await;
    assert_eq!(world.find(nothing.id).await.token.scope, nothing.scope);
    assert_eq!(world.find(everything.id).await.token.scope, None);
    let token = world.find(nothing.id).await.token;
    assert_eq!(token.expiration, Expiration::Never);
    assert!(token.never_expires_acknowledged);
}

async fn a_bcrypt_token_is_loaded_as_one(world: World) {
    let hash = BcryptHash::parse(&format!("$2b$10${}", "a".repeat(53))).unwrap();
    let draft = Draft {
        stored: Stored::Bcrypt(hash.clone()),
        ..Draft::new(1, "by hash")
    };
    world.insert_all(std::slice::from_ref(&draft)).await;
    let loaded = world.store.load_token(draft.id).await.unwrap().unwrap();
    assert_eq!(loaded.stored, Err(hash));
}

async fn a_suspended_user_gets_none(world: World) {
    for (standing, expected) in [
        (Standing::Suspended, Inserted::NotAllowed),
        (Standing::Active, Inserted::Done),
    ] {
        let mut tx = world.begin().await;
        tx.set_user_standing(ADA, standing).await.unwrap();
        tx.commit(&[]).await.unwrap();
        assert_eq!(world.insert(&Draft::new(1, "a")).await, expected);
    }
    let nobody = Draft {
        owner: hallpass_domain::id::UserId::from_bytes([9; 16]),
        ..Draft::new(2, "b")
    };
    assert_eq!(world.insert(&nobody).await, Inserted::NotAllowed);
}

async fn a_membership_must_be_as_it_was_checked(world: World) {
    let good = member(ACME, ADA);
    let refused = |change: fn(&mut Membership)| {
        let mut membership = good.clone();
        change(&mut membership);
        membership
    };
    for bad in [
        refused(|membership| membership.standing = Standing::Suspended),
        refused(|membership| membership.may_have_tokens = false),
        refused(|membership| membership.role = BuiltInRole::Superuser.id()),
    ] {
        world.put_membership(&bad).await;
        assert_eq!(
            world.insert(&Draft::new(1, "a")).await,
            Inserted::NotAllowed,
            "{bad:?}"
        );
    }
    let mut tx = world.begin().await;
    tx.delete_membership(ACME, ADA).await.unwrap();
    tx.commit(&[]).await.unwrap();
    assert_eq!(
        world.insert(&Draft::new(1, "a")).await,
        Inserted::NotAllowed
    );
    // Bob is in Acme alone.
    let elsewhere = Draft {
        owner: BOB,
        organization: GLOBEX,
        ..Draft::new(1, "a")
    };
    assert_eq!(world.insert(&elsewhere).await, Inserted::NotAllowed);
    assert_eq!(world.store.count_tokens().await.unwrap(), 0);
    world.put_membership(&good).await;
    assert_eq!(world.insert(&Draft::new(1, "a")).await, Inserted::Done);
}

async fn a_taken_prefix_is_drawn_again_in_the_same_transaction(world: World) {
    let bobs = Draft {
        owner: BOB,
        ..Draft::new(1, "first")
    };
    world.insert_all(&[bobs]).await;
    let mut draft = Draft {
        prefix: prefix(1),
        ..Draft::new(2, "second")
    };
    let mut tx = world.begin().await;
    for _ in 0..2 {
        let inserted = tx.insert_token(&draft.as_new()).await.unwrap();
        assert_eq!(inserted, Inserted::PrefixTaken);
    }
    draft.prefix = prefix(2);
    assert_eq!(
        tx.insert_token(&draft.as_new()).await.unwrap(),
        Inserted::Done
    );
    tx.commit(&[]).await.unwrap();
    assert_eq!(world.find(draft.id).await.token.prefix, prefix(2));
    // A revoked token's prefix is never given again: lists and logs tell tokens apart by it.
    world.revoke(draft.id, NOW).await;
    draft.id = token_id(3);
    draft.stored = Stored::Digest(digest(3), pepper());
    assert_eq!(world.insert(&draft).await, Inserted::PrefixTaken);
}

async fn a_taken_digest_is_drawn_again_too(world: World) {
    world.insert_all(&[Draft::new(1, "first")]).await;
    let twin = Draft {
        stored: Stored::Digest(digest(1), pepper()),
        ..Draft::new(2, "second")
    };
    assert_eq!(world.insert(&twin).await, Inserted::PrefixTaken);
    assert_eq!(world.store.count_tokens().await.unwrap(), 1);
}

async fn names_are_unique_without_regard_to_case(world: World) {
    world.insert_all(&[Draft::new(1, "Straße É")]).await;
    let taken = Inserted::NameTaken(prefix(1));
    for same in [
        "Straße É",
        "STRAßE É",
        "straße é",
        "straße E\u{301}",
        "ｓtraße é",
    ] {
        assert_eq!(world.insert(&Draft::new(2, same)).await, taken, "{same}");
    }
    let elsewhere = Draft {
        organization: GLOBEX,
        ..Draft::new(2, "straße é")
    };
    assert_eq!(
        world.insert(&elsewhere).await,
        Inserted::Done,
        "a name is a user's own in each organization"
    );
    let bobs = Draft {
        owner: BOB,
        ..Draft::new(3, "straße é")
    };
    assert_eq!(world.insert(&bobs).await, Inserted::Done, "Bob has his own");
    assert_eq!(
        world.insert(&Draft::new(4, "strase é")).await,
        Inserted::Done
    );

    let mut tx = world.begin().await;
    let holder = tx.name_holder(ACME, ADA, &name("STRAßE é")).await.unwrap();
    assert_eq!(holder, Some(prefix(1)));
    assert_eq!(
        tx.name_holder(ACME, ADA, &name("other")).await.unwrap(),
        None
    );
    drop(tx);

    world.revoke(token_id(1), NOW).await;
    assert_eq!(
        world.insert(&Draft::new(5, "STRAßE é")).await,
        Inserted::Done
    );
    assert_eq!(
        world.insert(&Draft::new(6, "straße é")).await,
        Inserted::NameTaken(prefix(5))
    );
}

async fn ended_tokens_do_not_count(world: World) {
    let mut drafts = Draft::several(1, 100);
    drafts[0].expiration = Expiration::At(NOW.plus_seconds(10));
    world.insert_all(&drafts).await;
    let at = |number: u32, moment: Timestamp| Draft {
        created: moment,
        expiration: Expiration::At(LATER),
        ..Draft::new(number, &format!("New {number}"))
    };
    let before = Timestamp::from_micros(NOW.plus_seconds(10).micros() - 1);
    assert_eq!(world.insert(&at(101, before)).await, Inserted::TooMany);
    // `expires_at` is the first moment at which a token no longer works.
    assert_eq!(
        world.insert(&at(101, NOW.plus_seconds(10))).await,
        Inserted::Done
    );
    assert_eq!(
        world.insert(&at(102, NOW.plus_seconds(10))).await,
        Inserted::TooMany
    );
    world.revoke(token_id(2), NOW).await;
    assert_eq!(
        world.insert(&at(102, NOW.plus_seconds(10))).await,
        Inserted::Done
    );
    let mut tx = world.begin().await;
    tx.suspend_token(ACME, token_id(3), &rest(NOW))
        .await
        .unwrap();
    tx.commit(&[]).await.unwrap();
    let suspended_counts = world.insert(&at(103, NOW.plus_seconds(10))).await;
    assert_eq!(suspended_counts, Inserted::TooMany);
    // Bob's are his own, and Ada's in Globex count with hers in Acme.
    let bobs = Draft {
        owner: BOB,
        ..at(103, NOW)
    };
    assert_eq!(world.insert(&bobs).await, Inserted::Done);
    let globex = Draft {
        organization: GLOBEX,
        ..at(104, NOW)
    };
    assert_eq!(world.insert(&globex).await, Inserted::TooMany);
}

async fn tokens_to_be_held_in_memory(world: World) {
    let mut drafts = Draft::several(1, 6);
    drafts[0].expiration = Expiration::At(NOW.plus_seconds(10));
    drafts[1].expiration = Expiration::Never;
    world.insert_all(&drafts).await;
    world.revoke(token_id(3), NOW.plus_seconds(10)).await;
    let insert_key = format!(
        "insert into token (id, kind, organization_id, role_id, name, name_key, prefix, digest, pepper_id, created_at, never_expires_acknowledged, valid_from)
         values ({}, 'api_key', {}, {}, 'key', 'key', 'hpk_000001', {}, 'p1', 0, false, 5)",
        world.blob(&[9; 16]),
        world.blob(ACME.bytes()),
        world.blob(BuiltInRole::Member.id().bytes()),
        world.blob(&[9; 32]),
    );
    world.execute(&insert_key).await;
    let load = async |since| {
        let mut numbers = Vec::new();
        let take = |token: hallpass_store::LoadedToken| {
            if token.kind == Kind::ApiKey {
                assert_eq!(
                    (token.user, token.role),
                    (None, Some(BuiltInRole::Member.id()))
                );
                assert_eq!(token.valid_from, Some(Timestamp::from_micros(5)));
            }
            numbers.push(token.id.bytes()[15]);
            Ok(())
        };
        world.store.load_tokens(since, take).await.unwrap();
        numbers.sort_unstable();
        numbers
    };
    assert_eq!(load(NOW).await, [1, 2, 3, 4, 5, 6, 9]);
    // What ended at that very moment is no longer needed.
    assert_eq!(load(NOW.plus_seconds(10)).await, [2, 4, 5, 6, 9]);
    assert_eq!(load(LATER).await, [2, 9]);
    let stop = |_| Err(hallpass_store::StoreError::Malformed("stop"));
    assert!(world.store.load_tokens(NOW, stop).await.is_err());
    assert_eq!(world.store.count_tokens().await.unwrap(), 7);
}

async fn a_dropped_transaction_leaves_nothing(world: World) {
    let draft = Draft::new(1, "a");
    let mut tx = world.begin().await;
    assert_eq!(
        tx.insert_token(&draft.as_new()).await.unwrap(),
        Inserted::Done
    );
    tx.set_user_standing(BOB, Standing::Suspended)
        .await
        .unwrap();
    drop(tx);
    assert_eq!(world.store.count_tokens().await.unwrap(), 0);
    assert!(
        world
            .store
            .find_user(BOB)
            .await
            .unwrap()
            .unwrap()
            .standing
            .is_active()
    );
    assert_eq!(world.store.head().await.unwrap(), 1);
    assert_eq!(world.insert(&draft).await, Inserted::Done);
}
