//! What keeps a token from working that is no word of its own.

use crate::{
    both_engines,
    world::{ACME, ADA, Draft, KeyDraft, NOW, World, token_id},
};
use hallpass_domain::{access_token::Expiration, member::Membership, organization::Standing};
use hallpass_store::{AtRest, InventoryFilter};

both_engines!(what_is_around_a_token_keeps_it_from_working);

/// 1 is live, 4 has expired, 5 is revoked, 6 is a key.
async fn settle(world: &World) {
    let ended = Draft {
        expiration: Expiration::At(NOW),
        ..Draft::new(4, "Old")
    };
    let tokens = [Draft::new(1, "Deploy"), ended, Draft::new(5, "Gone")];
    world.insert_all(&tokens).await;
    world.insert_keys(&[KeyDraft::new(6, "Deploy key")]).await;
    world.revoke(token_id(5), NOW).await;
}

async fn around(world: &World) -> [Option<AtRest>; 4] {
    let all = InventoryFilter::default();
    let rows = world.store.list_inventory(ACME, &all, None, 10, NOW).await;
    let rows = rows.unwrap();
    [1, 4, 5, 6].map(|number| {
        let row = rows.iter().find(|row| row.id == token_id(number)).unwrap();
        row.at_rest(NOW)
    })
}

async fn what_is_around_a_token_keeps_it_from_working(world: World) {
    settle(&world).await;
    let at_rest = async || around(&world).await;
    assert_eq!(at_rest().await, [None; 4]);
    let found = world.store.find_member(ACME, ADA, NOW).await;
    let before = found.unwrap().unwrap().membership;
    for (membership, around) in [
        (
            Membership {
                may_have_tokens: false,
                ..before.clone()
            },
            AtRest::Gate,
        ),
        (
            Membership {
                standing: Standing::Suspended,
                may_have_tokens: false,
                ..before.clone()
            },
            AtRest::Member,
        ),
    ] {
        let mut tx = world.begin().await;
        tx.put_membership(&membership, NOW).await.unwrap();
        tx.commit(&[]).await.unwrap();
        // 4 and 5 have ended, 6 is the organization's.
        assert_eq!(at_rest().await, [Some(around), None, None, None]);
    }
    let mut tx = world.begin().await;
    tx.set_user_standing(ADA, Standing::Suspended)
        .await
        .unwrap();
    tx.commit(&[]).await.unwrap();
    assert_eq!(at_rest().await, [Some(AtRest::Account), None, None, None]);
    let mut tx = world.begin().await;
    tx.set_organization_standing(ACME, Standing::Suspended)
        .await
        .unwrap();
    tx.commit(&[]).await.unwrap();
    let whole = Some(AtRest::Organization);
    assert_eq!(at_rest().await, [whole, None, None, whole]);
}
