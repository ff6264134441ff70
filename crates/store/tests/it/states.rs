//! What SQL says of a token's state is what the domain says.

use crate::{
    both_engines,
    world::{ACME, ADA, BOB, Draft, LATER, NOW, World, all, rest, token_id},
};
use hallpass_domain::{
    access_token::{Expiration, TokenState},
    id::TokenId,
    time::Timestamp,
};
use hallpass_store::TokenQuery;

both_engines!(lists_and_counts_agree_with_the_domain, unused_since);

/// Every mixture of never, past, now and future with suspended and revoked.
async fn settle(world: &World) {
    let mut drafts = Draft::several(0, 24);
    for (number, draft) in drafts.iter_mut().enumerate() {
        draft.created = NOW.plus_days(-1);
        draft.expiration = match number % 6 {
            0 => Expiration::Never,
            1 => Expiration::At(Timestamp::from_micros(NOW.micros() - 1)),
            2 => Expiration::At(NOW),
            3 => Expiration::At(Timestamp::from_micros(NOW.micros() + 1)),
            4 => Expiration::At(LATER),
            _ => Expiration::At(Timestamp::MAX),
        };
    }
    world.insert_all(&drafts).await;
    let bobs = Draft {
        owner: BOB,
        ..Draft::new(100, "Bob's")
    };
    world.insert_all(&[bobs]).await;
    let mut tx = world.begin().await;
    for number in 0..24 {
        let id = token_id(number);
        if number / 6 % 2 == 1 {
            tx.suspend_token(ACME, id, &rest(NOW)).await.unwrap();
        }
        if number / 12 == 1 {
            tx.revoke_token(ACME, ADA, id, NOW).await.unwrap();
        }
    }
    tx.commit(&[]).await.unwrap();
}

async fn lists_and_counts_agree_with_the_domain(world: World) {
    settle(&world).await;
    let everything = world.walk(all()).await.0;
    assert_eq!(everything.len(), 24);
    let moments = [-1, 0, 1, 2].map(|off| Timestamp::from_micros(NOW.micros() + off));
    let mut seen = 0;
    for now in moments
        .into_iter()
        .chain([LATER, Timestamp::MIN, Timestamp::MAX])
    {
        let counts = world
            .store
            .count_tokens_by_state(ACME, ADA, now)
            .await
            .unwrap();
        for state in TokenState::ALL {
            let expected: Vec<TokenId> = everything
                .iter()
                .map(|item| &item.token)
                .filter(|token| token.state(now) == state)
                .map(|token| token.id)
                .collect();
            let query = TokenQuery {
                state: Some(state),
                now,
                limit: 5,
                ..all()
            };
            let listed = world.walk(query).await.0;
            let listed: Vec<TokenId> = listed.iter().map(|item| item.token.id).collect();
            assert_eq!(listed, expected, "{state:?} at {now}");
            let counted = counts
                .iter()
                .filter(|(of, _)| *of == state)
                .map(|(_, count)| *count);
            assert_eq!(
                counted.sum::<u64>(),
                expected.len() as u64,
                "{state:?} at {now}"
            );
            seen += expected.len();
        }
    }
    assert_eq!(seen, 7 * 24);
}

async fn unused_since(world: World) {
    let mut drafts = Draft::several(1, 4);
    drafts[0].created = NOW.plus_days(-10);
    drafts[1].created = NOW.plus_days(-10);
    drafts[2].created = NOW.plus_days(-1);
    drafts[3].created = NOW.plus_days(-10);
    world.insert_all(&drafts).await;
    let used = |number, at| hallpass_store::LastUseRow {
        token: token_id(number),
        at,
        method: None,
        path: None,
        address: None,
        agent: None,
    };
    let uses = [used(2, NOW.plus_days(-5)), used(4, NOW.plus_days(-9))];
    world.store.write_uses(&uses, &[]).await.unwrap();
    let listed = async |since| {
        let query = TokenQuery {
            unused_since: Some(since),
            ..all()
        };
        let listed = world.walk(query).await.0;
        listed
            .iter()
            .map(|item| item.token.id.bytes()[15])
            .collect::<Vec<u8>>()
    };
    assert_eq!(listed(NOW).await, [1, 2, 4, 3]);
    assert_eq!(
        listed(NOW.plus_days(-1)).await,
        [1, 2, 4],
        "made at that very moment"
    );
    assert_eq!(
        listed(NOW.plus_days(-5)).await,
        [1, 4],
        "used at that very moment"
    );
    let after = Timestamp::from_micros(NOW.plus_days(-5).micros() + 1);
    assert_eq!(listed(after).await, [1, 2, 4]);
    assert!(listed(NOW.plus_days(-10)).await.is_empty());
}
