//! Every token and key of an organization: found by what they are, counted, revoked together.

use crate::{
    both_engines,
    world::{
        ACME, ADA, BOB, Draft, GLOBEX, KeyDraft, LATER, NOW, World, account, built_in, rest, scope,
        token_id,
    },
};
use hallpass_domain::{
    access_token::{Expiration, TokenState},
    api_key::Overlap,
    id::{OrganizationId, RoleId},
    permission::Permission,
    role::BuiltInRole,
    time::Timestamp,
    token::Kind,
};
use hallpass_store::{FeedKey, InventoryFilter, InventoryOwner, InventoryRow, LastUseRow};

both_engines!(
    each_filter_alone,
    each_filter_with_each_other,
    a_row_says_what_there_is_to_say,
    a_list_is_read_page_by_page,
    what_was_counted_is_revoked,
    secrets_go_with_their_keys,
);

fn ago(days: i64) -> Timestamp {
    NOW.plus_days(-days)
}

fn just_after(moment: Timestamp) -> Timestamp {
    Timestamp::from_micros(moment.micros() + 1)
}

fn used(number: u32, at: Timestamp, address: &str) -> LastUseRow {
    LastUseRow {
        token: token_id(number),
        at,
        method: Some("GET".to_owned()),
        path: Some("/orders".to_owned()),
        address: Some(address.to_owned()),
        agent: Some("curl".to_owned()),
    }
}

/// 1, 2 and 5 (revoked) are Ada's, 3 (suspended) and 4 (expired) Bob's; 6 and 7 (rotated to 70) are keys. 8 and 9 are
/// Globex's.
async fn settle(world: &World) {
    let draft = |number, called: &str, created, expiration| Draft {
        created,
        expiration,
        ..Draft::new(number, called)
    };
    let end = Expiration::At(LATER);
    let mut tokens = [
        draft(1, "100% Deploy", ago(10), end),
        draft(2, "Under_Score", ago(5), Expiration::Never),
        draft(3, "Build", ago(10), end),
        draft(4, "Old", ago(10), Expiration::At(ago(1))),
        draft(5, "Gone", ago(4), end),
        draft(8, "Theirs", ago(10), end),
    ];
    tokens[0].scope = Some(scope("orders:read my_orders:read"));
    tokens[2].scope = Some(scope("orders:* myxorders:read"));
    for bobs in [2, 3] {
        tokens[bobs].owner = BOB;
    }
    tokens[5].organization = GLOBEX;
    world.insert_all(&tokens).await;
    let mut keys = [
        KeyDraft::new(6, "Deploy key").made(ago(3)),
        KeyDraft::new(7, "Viewer key")
            .made(ago(20))
            .ends(Expiration::Never)
            .with_role(&built_in(BuiltInRole::Viewer)),
        KeyDraft::new(9, "Deploy key").made(ago(3)).of(GLOBEX),
    ];
    keys[1].key.scope = Some(scope("users:read"));
    world.insert_keys(&keys).await;
    let overlap = Overlap::Until(NOW.plus_days(1));
    world.rotate(7, 70, overlap, ago(2)).await;
    let uses = [
        used(1, ago(7), "192.0.2.1"),
        used(7, ago(8), "192.0.2.7"),
        used(70, ago(6), "198.51.100.70"),
    ];
    world.store.write_uses(&uses, &[]).await.unwrap();
    let mut tx = world.begin().await;
    tx.suspend_token(ACME, token_id(3), &rest(NOW))
        .await
        .unwrap();
    tx.commit(&[]).await.unwrap();
    world.revoke(token_id(5), NOW).await;
}

fn any() -> InventoryFilter {
    InventoryFilter::default()
}

fn searched(text: &str) -> InventoryFilter {
    InventoryFilter {
        search: text.to_owned(),
        ..any()
    }
}

fn can(permission: &str, roles: &[BuiltInRole]) -> InventoryFilter {
    let roles: Vec<RoleId> = roles.iter().map(|role| role.id()).collect();
    InventoryFilter {
        permission: Some((Permission::parse(permission).unwrap(), roles)),
        ..any()
    }
}

/// Every filter, and what it finds in Acme, the latest first and the higher id before the lower one.
#[expect(clippy::too_many_lines, reason = "every filter")]
fn filters() -> Vec<(InventoryFilter, &'static [u8])> {
    use BuiltInRole::{Member, Viewer};
    let kind = |kind| InventoryFilter {
        kind: Some(kind),
        ..any()
    };
    let owner = |owner| InventoryFilter {
        owner: Some(owner),
        ..any()
    };
    let state = |state| InventoryFilter {
        state: Some(state),
        ..any()
    };
    let unused = |since| InventoryFilter {
        unused_since: Some(since),
        ..any()
    };
    let made = |before| InventoryFilter {
        made_before: Some(before),
        ..any()
    };
    let ends = |before| InventoryFilter {
        ends_before: Some(before),
        ..any()
    };
    let endless = InventoryFilter {
        endless: true,
        ..any()
    };
    vec![
        (any(), &[6, 5, 2, 4, 3, 1, 7]),
        (kind(Kind::PersonalAccessToken), &[5, 2, 4, 3, 1]),
        (kind(Kind::ApiKey), &[6, 7]),
        (owner(ADA), &[5, 2, 1]),
        (owner(BOB), &[4, 3]),
        (state(TokenState::Active), &[6, 2, 1, 7]),
        (state(TokenState::Expired), &[4]),
        (state(TokenState::Revoked), &[5]),
        (state(TokenState::Suspended), &[3]),
        (can("orders:read", &[Member, Viewer]), &[6, 5, 2, 4, 3, 1]),
        (can("orders:write", &[Member]), &[6, 5, 2, 4, 3]),
        (can("users:read", &[Viewer]), &[7]),
        (can("my_orders:read", &[Member]), &[6, 5, 2, 4, 1]),
        (can("orders:read", &[]), &[]),
        (unused(ago(6)), &[4, 3, 1]),
        (unused(just_after(ago(6))), &[4, 3, 1, 7]),
        (unused(ago(5)), &[4, 3, 1, 7]),
        (unused(just_after(ago(5))), &[2, 4, 3, 1, 7]),
        (made(ago(5)), &[4, 3, 1, 7]),
        (made(just_after(ago(5))), &[2, 4, 3, 1, 7]),
        (ends(LATER), &[4]),
        (ends(just_after(LATER)), &[6, 5, 4, 3, 1]),
        (endless, &[2, 7]),
        (searched("%"), &[1]),
        (searched("_s"), &[2]),
        (searched("deploy"), &[6, 1]),
        (searched("hpp_000003"), &[3]),
        (searched("hpk_000007"), &[7]),
        (searched("hpk_000070"), &[7]),
        (searched("bob@acme"), &[4, 3]),
        (searched("192.0.2.1"), &[1]),
        // The last use of a key is that of any of its secrets.
        (searched("198.51.100.70"), &[7]),
        (searched("192.0.2.7"), &[]),
        (searched("a\0"), &[]),
    ]
}

async fn list(world: &World, filter: &InventoryFilter) -> Vec<InventoryRow> {
    let list = world.store.list_inventory(ACME, filter, None, 100, NOW);
    let rows = list.await.unwrap();
    let count = world
        .store
        .count_inventory(ACME, filter, NOW)
        .await
        .unwrap();
    assert_eq!(count, rows.len() as u64, "{filter:?}");
    rows
}

fn numbers(rows: &[InventoryRow]) -> Vec<u8> {
    rows.iter().map(|row| row.id.bytes()[15]).collect()
}

async fn each_filter_alone(world: World) {
    settle(&world).await;
    for (filter, expected) in filters() {
        assert_eq!(
            numbers(&list(&world, &filter).await),
            expected,
            "{filter:?}"
        );
    }
}

/// What both ask for; none if they ask for the same thing differently.
fn together(one: &InventoryFilter, other: &InventoryFilter) -> Option<InventoryFilter> {
    fn either<T: Clone>(one: Option<&T>, other: Option<&T>) -> Result<Option<T>, ()> {
        match (one, other) {
            (Some(_), Some(_)) => Err(()),
            (one, other) => Ok(one.or(other).cloned()),
        }
    }
    let text =
        |filter: &InventoryFilter| (!filter.search.is_empty()).then(|| filter.search.clone());
    Some(InventoryFilter {
        kind: either(one.kind.as_ref(), other.kind.as_ref()).ok()?,
        owner: either(one.owner.as_ref(), other.owner.as_ref()).ok()?,
        state: either(one.state.as_ref(), other.state.as_ref()).ok()?,
        permission: either(one.permission.as_ref(), other.permission.as_ref()).ok()?,
        unused_since: either(one.unused_since.as_ref(), other.unused_since.as_ref()).ok()?,
        made_before: either(one.made_before.as_ref(), other.made_before.as_ref()).ok()?,
        ends_before: either(one.ends_before.as_ref(), other.ends_before.as_ref()).ok()?,
        endless: one.endless || other.endless,
        unrevoked: one.unrevoked || other.unrevoked,
        search: either(text(one).as_ref(), text(other).as_ref())
            .ok()?
            .unwrap_or_default(),
    })
}

async fn each_filter_with_each_other(world: World) {
    settle(&world).await;
    let filters = filters();
    let (mut pairs, mut found) = (0, 0);
    for (number, (one, of_one)) in filters.iter().enumerate() {
        for (other, of_other) in &filters[number + 1..] {
            let Some(both) = together(one, other) else {
                continue;
            };
            let expected: Vec<u8> = of_one
                .iter()
                .copied()
                .filter(|id| of_other.contains(id))
                .collect();
            assert_eq!(numbers(&list(&world, &both).await), expected, "{both:?}");
            pairs += 1;
            found += usize::from(!expected.is_empty());
        }
    }
    assert!(pairs > 300 && found > 100, "{pairs}, {found}");
}

#[expect(clippy::too_many_lines, reason = "every column")]
async fn a_row_says_what_there_is_to_say(world: World) {
    settle(&world).await;
    let rows = list(&world, &any()).await;
    let row = |number| rows.iter().find(|row| row.id == token_id(number)).unwrap();
    let ada = account(ADA, "Ada@acme.example").user;
    let owner = InventoryOwner::User {
        id: ADA,
        name: ada.name,
        email: ada.email,
    };
    let first = row(1);
    assert_eq!(
        (first.kind, &first.owner),
        (Kind::PersonalAccessToken, &owner)
    );
    assert_eq!(
        (first.name.as_str(), first.prefix.as_str()),
        ("100% Deploy", "hpp_000001")
    );
    assert_eq!(first.scope, Some(scope("my_orders:read orders:read")));
    assert_eq!(
        (first.created, first.expiration),
        (ago(10), Expiration::At(LATER))
    );
    assert_eq!(
        first.last_use.as_ref().unwrap().address.as_deref(),
        Some("192.0.2.1")
    );
    assert_eq!((row(5).revoked, row(1).revoked), (Some(NOW), None));
    assert_eq!(
        (&row(3).suspension, &row(1).suspension),
        (&Some(rest(NOW)), &None)
    );
    let key = row(7);
    let role = InventoryOwner::Organization {
        role: BuiltInRole::Viewer.id(),
        name: "Viewer".to_owned(),
    };
    assert_eq!((key.kind, &key.owner), (Kind::ApiKey, &role));
    assert_eq!(
        key.prefix.as_str(),
        "hpk_000070",
        "that of the current secret"
    );
    assert_eq!(key.last_use.as_ref().unwrap().at, ago(6));
    for row in &rows {
        let filter = InventoryFilter {
            state: Some(row.state(NOW)),
            ..any()
        };
        assert!(numbers(&list(&world, &filter).await).contains(&row.id.bytes()[15]));
    }
}

async fn a_list_is_read_page_by_page(world: World) {
    settle(&world).await;
    let everything = any();
    for limit in 1..=8 {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = world
                .store
                .list_inventory(ACME, &everything, after, limit, NOW);
            let page = page.await.unwrap();
            assert!(page.len() <= limit as usize);
            let Some(last) = page.last() else { break };
            after = Some((last.created, last.id));
            assert!(all.len() < 100, "a list that does not end");
            all.extend(numbers(&page));
        }
        assert_eq!(all, [6, 5, 2, 4, 3, 1, 7], "{limit}");
    }
}

async fn revoke(
    world: &World,
    organization: OrganizationId,
    filter: &InventoryFilter,
    commit: bool,
) -> u64 {
    let mut tx = world.begin().await;
    let (count, key) = tx
        .revoke_inventory(organization, filter, NOW)
        .await
        .unwrap();
    assert_eq!(key, FeedKey::Bulk(organization, NOW));
    if commit {
        tx.commit(&[key]).await.unwrap();
    }
    count
}

async fn what_was_counted_is_revoked(world: World) {
    settle(&world).await;
    for (filter, found) in filters() {
        let expected = found.iter().filter(|number| **number != 5).count();
        let revoked = revoke(&world, ACME, &filter, false).await;
        assert_eq!(revoked, expected as u64, "{filter:?}");
    }
    assert_eq!(revoke(&world, ACME, &searched("deploy"), true).await, 2);
    assert_eq!(world.revoked_rows().await, [1, 5, 6].map(token_id));
    let untouched = revoke(&world, ACME, &searched("deploy"), true).await;
    assert_eq!(untouched, 0, "once");
    let mut rows = Vec::new();
    let take = |token: hallpass_store::LoadedToken| {
        rows.push(token.id);
        Ok(())
    };
    world.store.load_bulk(ACME, NOW, take).await.unwrap();
    rows.sort_unstable();
    assert_eq!(rows, [1, 6].map(token_id));
    assert_eq!(world.find(token_id(1)).await.version, 1);
    assert_eq!(world.find(token_id(5)).await.version, 1, "as it was");
}

async fn secrets_go_with_their_keys(world: World) {
    settle(&world).await;
    world.rotate(6, 60, Overlap::None, NOW).await;
    let keys = InventoryFilter {
        endless: true,
        kind: Some(Kind::ApiKey),
        ..any()
    };
    assert_eq!(revoke(&world, GLOBEX, &keys, true).await, 0);
    assert_eq!(revoke(&world, ACME, &keys, true).await, 1);
    assert_eq!(world.revoked_rows().await, [5, 7, 70].map(token_id));
    assert_eq!(revoke(&world, ACME, &any(), true).await, 5);
    let all = [1, 2, 3, 4, 5, 6, 7, 60, 70].map(token_id);
    assert_eq!(world.revoked_rows().await, all, "but those of Globex");
}
