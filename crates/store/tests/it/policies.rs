//! Policies: what they say, what they are to become, and what they do to tokens at the boundaries. What a preview says
//! has a file of its own.

mod preview;

use crate::{
    both_engines,
    world::{ACME, ADA, Draft, GLOBEX, KeyDraft, NOW, World, scope, token_id},
};
use hallpass_domain::{
    access_token::Expiration,
    api_key::Overlap,
    id::OrganizationId,
    network::NetworkSet,
    policy::{Lifetime, Policy},
    time::Timestamp,
};
use hallpass_store::{FeedKey, LastUseRow, PolicyChange, PolicyEffect};
use tokio::task::JoinSet;

both_engines!(
    a_policy_comes_back,
    a_change_is_due_at_its_moment,
    a_change_is_taken_once,
    lifetimes_end_at_their_boundaries,
    what_never_ends_is_revoked_where_it_may_not,
    what_was_not_used_is_revoked_at_the_boundary,
    secrets_follow_their_key,
);

fn after(moment: Timestamp, micros: i64) -> Timestamp {
    Timestamp::from_micros(moment.micros() + micros)
}

fn ago(days: i64) -> Timestamp {
    NOW.plus_days(-days)
}

fn days(days_max: u32) -> Lifetime {
    Lifetime {
        days_max: Some(days_max),
        may_never_expire: false,
    }
}

const MUST_END: Lifetime = Lifetime {
    days_max: None,
    may_never_expire: false,
};

fn strict() -> Policy {
    Policy {
        personal: days(30),
        key: Lifetime {
            days_max: Some(90),
            may_never_expire: true,
        },
        forbidden: scope("users:* orders:write"),
        unused_days_max: Some(10),
        networks: NetworkSet::parse(["192.0.2.0/24", "2001:db8::/32"]).unwrap(),
        owner_may_lift: true,
    }
}

fn change(policy: Policy, made: Timestamp) -> PolicyChange {
    PolicyChange {
        policy,
        enforce_at: NOW.plus_days(3),
        made,
        user: Some(ADA),
        token: Some(token_id(7)),
    }
}

async fn enforce(world: &World, organization: OrganizationId, policy: &Policy) -> PolicyEffect {
    let preview = world.store.preview_policy(organization, policy, NOW).await;
    let mut tx = world.begin().await;
    let (mut effect, changed) = tx.enforce_policy(organization, policy, NOW).await.unwrap();
    let bulk = FeedKey::Bulk(organization, NOW);
    assert_eq!(changed, [FeedKey::Organization(organization), bulk]);
    if let Some(days) = policy.unused_days_max {
        let (unused, key) = tx.revoke_unused(organization, days, NOW).await.unwrap();
        assert_eq!(key, bulk);
        effect.unused = unused;
    }
    tx.commit(&changed).await.unwrap();
    assert_eq!(effect, preview.unwrap(), "nothing happens silently");
    let again = world.store.preview_policy(organization, policy, NOW).await;
    assert_eq!(again.unwrap(), PolicyEffect::default(), "it is done");
    effect
}

async fn put_change(world: &World, organization: OrganizationId, change: &PolicyChange) {
    let mut tx = world.begin().await;
    tx.put_policy_change(organization, change).await.unwrap();
    tx.commit(&[]).await.unwrap();
}

async fn a_policy_comes_back(world: World) {
    let find = async |organization| world.store.find_policy(organization).await.unwrap();
    assert_eq!(find(ACME).await, Policy::default());
    let other = Policy {
        key: MUST_END,
        ..Policy::default()
    };
    for policy in [strict(), other, Policy::default(), strict()] {
        enforce(&world, ACME, &policy).await;
        assert_eq!(find(ACME).await, policy);
        let now = world.begin().await.policy_now(ACME).await.unwrap();
        assert_eq!(now, policy);
        let loaded = world.store.load_organization(ACME).await.unwrap().unwrap();
        assert_eq!(
            (loaded.networks, loaded.forbidden),
            (policy.networks, policy.forbidden)
        );
    }
    assert_eq!(find(GLOBEX).await, Policy::default());
    let now = world.begin().await.policy_now(GLOBEX).await.unwrap();
    assert_eq!(now, Policy::default());
    let all = world.store.organizations().await.unwrap();
    let globex = all
        .iter()
        .find(|one| one.organization.id == GLOBEX)
        .unwrap();
    assert!(globex.networks.is_empty() && globex.forbidden.is_empty());
    let about_use = world.store.policies_about_use().await.unwrap();
    assert_eq!(about_use, [(ACME, 10)]);
}

async fn a_change_is_due_at_its_moment(world: World) {
    let find = async |organization| world.store.find_policy_change(organization).await.unwrap();
    let due = async |at| world.store.policy_changes_due(at).await.unwrap();
    assert_eq!(find(ACME).await, None);
    put_change(&world, ACME, &change(Policy::default(), ago(1))).await;
    let by_key = PolicyChange {
        user: None,
        token: None,
        ..change(strict(), NOW)
    };
    // The later one takes the place of the one before.
    put_change(&world, ACME, &by_key).await;
    assert_eq!(find(ACME).await, Some(by_key.clone()));
    assert_eq!(find(GLOBEX).await, None);
    assert_eq!(
        world.store.find_policy(ACME).await.unwrap(),
        Policy::default()
    );
    assert!(due(after(by_key.enforce_at, -1)).await.is_empty());
    assert_eq!(due(by_key.enforce_at).await, [ACME]);
    put_change(&world, ACME, &change(strict(), NOW)).await;
    assert_eq!(find(ACME).await, Some(change(strict(), NOW)));
}

async fn a_change_is_taken_once(world: World) {
    let (old, new) = (change(strict(), ago(1)), change(strict(), NOW));
    put_change(&world, ACME, &new).await;
    put_change(&world, GLOBEX, &new).await;
    let mut tx = world.begin().await;
    let taken = tx.take_policy_change(ACME, &old).await.unwrap();
    assert!(!taken, "it is another by now");
    drop(tx);
    world.warm_up().await;
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let (store, new) = (world.store.clone(), new.clone());
        tasks.spawn(async move {
            let mut tx = store.begin().await.unwrap();
            let taken = tx.take_policy_change(ACME, &new).await.unwrap();
            tx.commit(&[]).await.unwrap();
            taken
        });
    }
    let all = tasks.join_all().await;
    assert_eq!(all.iter().filter(|taken| **taken).count(), 1);
    assert_eq!(world.store.find_policy_change(ACME).await.unwrap(), None);
    let other = world.store.find_policy_change(GLOBEX).await.unwrap();
    assert_eq!(other, Some(new));
}

fn draft(number: u32, created: Timestamp, expiration: Expiration) -> Draft {
    Draft {
        created,
        expiration,
        ..Draft::new(number, &format!("Token {number}"))
    }
}

#[expect(clippy::too_many_lines, reason = "every boundary")]
async fn lifetimes_end_at_their_boundaries(world: World) {
    use Expiration::{At, Never};
    let latest = ago(10).plus_days(30);
    let tokens = [
        draft(1, ago(10), At(latest)),
        draft(2, ago(10), At(after(latest, 1))),
        draft(3, ago(10), Never),
        draft(4, ago(30), At(after(NOW, 1))),
        draft(5, after(ago(30), 1), Never),
        draft(6, ago(40), At(NOW)),
        draft(7, ago(40), At(after(NOW, 1))),
    ];
    world.insert_all(&tokens).await;
    let theirs = Draft {
        organization: GLOBEX,
        ..draft(8, ago(40), Never)
    };
    world.insert_all(&[theirs]).await;
    // Keys have a rule of their own.
    let keys = [
        KeyDraft::new(10, "Kept")
            .made(ago(40))
            .ends(At(ago(40).plus_days(90))),
        KeyDraft::new(11, "Cut").made(ago(40)).ends(Never),
        KeyDraft::new(12, "Gone")
            .made(ago(90))
            .ends(At(after(NOW, 1))),
    ];
    world.insert_keys(&keys).await;
    let policy = Policy {
        unused_days_max: None,
        ..strict()
    };
    let effect = enforce(&world, ACME, &policy).await;
    let expected = PolicyEffect {
        shortened: 4,
        revoked: 3,
        unused: 0,
    };
    assert_eq!(effect, expected);
    assert_eq!(world.revoked_rows().await, [4, 7, 12].map(token_id));
    for (number, expiration, version) in [
        (1, At(latest), 0),
        (2, At(latest), 1),
        (3, At(latest), 1),
        (4, At(after(NOW, 1)), 1),
        (5, At(after(NOW, 1)), 1),
        (6, At(NOW), 0),
    ] {
        let found = world.find(token_id(number)).await;
        assert_eq!(
            (found.token.expiration, found.version),
            (expiration, version),
            "{number}"
        );
    }
    assert_eq!(world.find(token_id(4)).await.token.revoked, Some(NOW));
    let key = world.find_key(11).await.key;
    assert_eq!(key.expiration, At(ago(40).plus_days(90)));
    let theirs = world.store.load_token(token_id(8)).await.unwrap().unwrap();
    assert_eq!(theirs.expires_at, None);
}

async fn what_never_ends_is_revoked_where_it_may_not(world: World) {
    let far = Expiration::At(Timestamp::MAX);
    let tokens = [draft(1, ago(1), Expiration::Never), draft(2, ago(1), far)];
    world.insert_all(&tokens).await;
    world
        .insert_keys(&[KeyDraft::new(3, "Key").ends(Expiration::Never)])
        .await;
    let of_keys = Policy {
        key: MUST_END,
        ..Policy::default()
    };
    assert_eq!(enforce(&world, ACME, &of_keys).await.revoked, 1);
    assert_eq!(world.revoked_rows().await, [token_id(3)]);
    let of_both = Policy {
        personal: MUST_END,
        ..of_keys
    };
    assert_eq!(enforce(&world, ACME, &of_both).await.revoked, 1);
    assert_eq!(world.revoked_rows().await, [1, 3].map(token_id));
}

fn used(number: u32, at: Timestamp) -> LastUseRow {
    LastUseRow {
        token: token_id(number),
        at,
        method: None,
        path: None,
        address: None,
        agent: None,
    }
}

async fn what_was_not_used_is_revoked_at_the_boundary(world: World) {
    let end = Expiration::At(NOW.plus_days(1));
    let tokens = [
        draft(1, ago(10), end),
        draft(2, after(ago(10), -1), end),
        draft(3, ago(20), end),
        draft(4, ago(20), end),
        draft(5, ago(20), Expiration::At(NOW)),
        draft(6, ago(20), end),
    ];
    world.insert_all(&tokens).await;
    world.revoke(token_id(6), ago(1)).await;
    let key = |number| KeyDraft::new(number, &format!("Key {number}")).made(ago(20));
    world
        .insert_keys(&[key(7), key(8), key(9).of(GLOBEX)])
        .await;
    for number in [7, 8] {
        let overlap = Overlap::Until(NOW.plus_days(1));
        world.rotate(number, number * 10, overlap, ago(15)).await;
    }
    let uses = [
        used(3, ago(10)),
        used(4, after(ago(10), -1)),
        used(70, ago(10)),
        used(8, ago(11)),
        used(80, ago(12)),
    ];
    world.store.write_uses(&uses, &[]).await.unwrap();
    let policy = Policy {
        unused_days_max: Some(10),
        ..Policy::default()
    };
    let effect = enforce(&world, ACME, &policy).await;
    assert_eq!(
        (effect.unused, effect.revoked),
        (3, 0),
        "2, 4 and the key 8"
    );
    assert_eq!(world.revoked_rows().await, [2, 4, 6, 8, 80].map(token_id));
    assert_eq!(world.find(token_id(6)).await.token.revoked, Some(ago(1)));
}

async fn secrets_follow_their_key(world: World) {
    let key = |number, made| {
        let draft = KeyDraft::new(number, &format!("Key {number}")).made(made);
        draft.ends(Expiration::Never)
    };
    world
        .insert_keys(&[key(1, ago(10)), key(2, ago(40)), key(3, ago(10)).of(GLOBEX)])
        .await;
    world
        .insert_keys(&[KeyDraft::new(4, "Kept")
            .made(ago(1))
            .ends(Expiration::At(NOW.plus_days(1)))])
        .await;
    for number in [1, 2, 4] {
        let overlap = Overlap::Until(NOW.plus_days(25));
        world.rotate(number, number * 10, overlap, ago(1)).await;
    }
    let policy = Policy {
        key: days(30),
        ..Policy::default()
    };
    let effect = enforce(&world, ACME, &policy).await;
    let expected = PolicyEffect {
        shortened: 1,
        revoked: 1,
        unused: 0,
    };
    assert_eq!(effect, expected, "keys are counted, not secrets");
    assert_eq!(world.revoked_rows().await, [2, 20].map(token_id));
    for number in [1, 10] {
        let loaded = world.store.load_token(token_id(number)).await.unwrap();
        assert_eq!(
            loaded.unwrap().expires_at,
            Some(NOW.plus_days(20)),
            "{number}"
        );
    }
    let mut rows = Vec::new();
    let take = |token: hallpass_store::LoadedToken| {
        rows.push(token.id);
        Ok(())
    };
    world.store.load_bulk(ACME, NOW, take).await.unwrap();
    rows.sort_unstable();
    assert_eq!(rows, [1, 2, 10, 20].map(token_id));
}
