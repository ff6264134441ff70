//! Lists of keys: their order, what they find, and the uses they tell of.

use crate::{
    both_engines,
    world::{ACME, GLOBEX, KeyDraft, LATER, NOW, World, rest, token_id},
};
use hallpass_domain::{
    access_token::{Expiration, TokenState},
    api_key::Overlap,
};
use hallpass_store::{HourCount, KeyQuery, LastUseRow};

both_engines!(
    a_list_is_read_page_by_page,
    a_list_is_searched,
    a_list_is_filtered_by_state,
    uses_of_all_secrets_are_added_up,
);

pub(super) fn by_name() -> KeyQuery {
    KeyQuery {
        state: None,
        search: String::new(),
        after: None,
        limit: 100,
        now: NOW,
        recent_since: NOW,
    }
}

pub(super) async fn names(world: &World, query: &KeyQuery) -> Vec<String> {
    let listed = world.store.list_keys(ACME, query).await.unwrap();
    let name = |item: &hallpass_store::KeyWithUse| item.key.name.to_string();
    listed.iter().map(name).collect()
}

async fn a_list_is_read_page_by_page(world: World) {
    let called = ["beta", "Alpha", "Étage", "a_b", "ab", "a%b", "Zeta"];
    let drafts: Vec<KeyDraft> = (1..)
        .zip(called)
        .map(|(number, called)| KeyDraft::new(number, called))
        .collect();
    world.insert_keys(&drafts).await;
    // Two of one name, since the first is revoked.
    let mut tx = world.begin().await;
    tx.revoke_key(ACME, token_id(1), NOW).await.unwrap();
    tx.commit(&[]).await.unwrap();
    world.insert_keys(&[KeyDraft::new(8, "Beta")]).await;
    world
        .insert_keys(&[KeyDraft::new(9, "Theirs").of(GLOBEX)])
        .await;
    let expected = ["a%b", "a_b", "ab", "Alpha", "beta", "Beta", "Zeta", "Étage"];
    for limit in 1..=9 {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let query = KeyQuery {
                after: after.clone(),
                limit,
                ..by_name()
            };
            let page = world.store.list_keys(ACME, &query).await.unwrap();
            assert!(page.len() <= limit as usize);
            let Some(last) = page.last() else { break };
            after = Some((last.key.name.key(), last.key.id));
            assert!(all.len() < 100, "a list that does not end");
            all.extend(page.iter().map(|item| item.key.name.to_string()));
        }
        assert_eq!(all, expected, "{limit}");
    }
}

/// 1 is active and has a new secret, 2 has expired, 3 rests, 4 is revoked.
async fn settle(world: &World) {
    let drafts = [
        KeyDraft::new(1, "100% Active"),
        KeyDraft::new(2, "Under_Score").ends(Expiration::At(NOW)),
        KeyDraft::new(3, "Resting"),
        KeyDraft::new(4, "Revoked"),
    ];
    world.insert_keys(&drafts).await;
    world.rotate(1, 10, Overlap::Until(LATER), NOW).await;
    let mut tx = world.begin().await;
    tx.suspend_token(ACME, token_id(3), &rest(NOW))
        .await
        .unwrap();
    tx.revoke_key(ACME, token_id(4), NOW).await.unwrap();
    tx.commit(&[]).await.unwrap();
}

async fn a_list_is_searched(world: World) {
    settle(&world).await;
    let search = async |text: &str| {
        let query = KeyQuery {
            search: text.to_owned(),
            ..by_name()
        };
        names(&world, &query).await
    };
    assert_eq!(search("%").await, ["100% Active"]);
    assert_eq!(search("r_s").await, ["Under_Score"]);
    assert_eq!(search("re").await, ["Resting", "Revoked", "Under_Score"]);
    assert_eq!(search("hpk_000001").await, ["100% Active"]);
    assert_eq!(
        search("hpk_000010").await,
        ["100% Active"],
        "its new secret"
    );
    assert!(search("a\0").await.is_empty());
}

async fn a_list_is_filtered_by_state(world: World) {
    settle(&world).await;
    let state = async |state| {
        let query = KeyQuery {
            state: Some(state),
            ..by_name()
        };
        names(&world, &query).await
    };
    assert_eq!(state(TokenState::Active).await, ["100% Active"]);
    assert_eq!(state(TokenState::Expired).await, ["Under_Score"]);
    assert_eq!(state(TokenState::Suspended).await, ["Resting"]);
    assert_eq!(state(TokenState::Revoked).await, ["Revoked"]);
}

async fn uses_of_all_secrets_are_added_up(world: World) {
    settle(&world).await;
    let last = |number, at| LastUseRow {
        token: token_id(number),
        at,
        method: Some("GET".to_owned()),
        path: None,
        address: None,
        agent: None,
    };
    let hour = |number, hour, allowed| HourCount {
        token: token_id(number),
        hour,
        allowed,
        refused: 1,
    };
    let last = [last(1, NOW), last(10, NOW.plus_seconds(5))];
    let before = NOW.plus_seconds(-1);
    let hours = [hour(1, NOW, 2), hour(10, NOW, 40), hour(1, before, 900)];
    world.store.write_uses(&last, &hours).await.unwrap();
    let key = world.find_key(1).await;
    assert_eq!(key.recent_uses, 42, "with any secret");
    assert_eq!(key.key.last_use().unwrap().at, NOW.plus_seconds(5));
    let uses = key
        .key
        .secrets
        .iter()
        .map(|secret| secret.last_use.as_ref());
    let uses: Vec<_> = uses.map(|last| last.unwrap().at).collect();
    assert_eq!(uses, [NOW.plus_seconds(5), NOW]);
}
