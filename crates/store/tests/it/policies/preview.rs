//! What a preview says is what happens, and both are what the domain says, whatever the tokens are.

use super::{MUST_END, after, ago, days, draft, enforce, used};
use crate::{
    both_engines,
    world::{ACME, BOB, GLOBEX, KeyDraft, NOW, World, rest, token_id},
};
use hallpass_domain::{
    access_token::Expiration,
    api_key::Overlap,
    policy::{Enforced, Lifetime, Policy},
    time::Timestamp,
    token::Kind,
};
use hallpass_store::{InventoryFilter, InventoryRow, PolicyEffect};

both_engines!(
    a_preview_is_what_happens,
    what_is_revoked_already_is_not_counted
);

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    /// Whole days around those that policies name, and the moments beside them.
    fn past(&mut self) -> Timestamp {
        let days = [0, 1, 5, 10, 20, 30, 60][self.roll(7) as usize];
        after(ago(days), self.roll(3) as i64 - 1)
    }

    fn expiration(&mut self, made: Timestamp) -> Expiration {
        let days = [1, 10, 20, 30, 31, 60, 90][self.roll(7) as usize];
        match self.roll(4) {
            0 => Expiration::Never,
            _ => Expiration::At(after(made.plus_days(days), self.roll(3) as i64 - 1)),
        }
    }

    fn lifetime(&mut self) -> Lifetime {
        match self.roll(6) {
            0 => Lifetime::ANY,
            1 => MUST_END,
            2 => days(10),
            3 => days(20),
            4 => days(30),
            _ => Lifetime {
                days_max: Some(60),
                may_never_expire: true,
            },
        }
    }

    fn policy(&mut self) -> Policy {
        Policy {
            personal: self.lifetime(),
            key: self.lifetime(),
            unused_days_max: [None, Some(5), Some(20), Some(30)][self.roll(4) as usize],
            ..Policy::default()
        }
    }
}

const TOKENS: u32 = 24;

async fn settle(world: &World, dice: &mut Dice) {
    world.execute("delete from token_use; delete from token where secret_of is not null; delete from token; delete from policy").await;
    let mut uses = Vec::new();
    for number in 1..=TOKENS {
        let made = dice.past();
        let expiration = dice.expiration(made);
        if number % 3 == 0 {
            let key = KeyDraft::new(number, &format!("Key {number}"));
            world.insert_keys(&[key.made(made).ends(expiration)]).await;
            if dice.roll(2) == 0 {
                let overlap = Overlap::Until(NOW.plus_days(9));
                // Those that have ended are not rotated.
                let _ = world.rotate(number, number + 100, overlap, NOW).await;
            }
        } else {
            let mut draft = draft(number, made, expiration);
            if dice.roll(3) == 0 {
                draft.owner = BOB;
            } else if dice.roll(5) == 0 {
                draft.organization = GLOBEX;
            }
            world.insert_all(&[draft]).await;
        }
        if dice.roll(2) == 0 {
            let secret = number + 100 * u32::from(dice.roll(3) == 0);
            uses.push(used(secret, dice.past()));
        }
    }
    world.store.write_uses(&uses, &[]).await.unwrap();
    let mut tx = world.begin().await;
    for number in 1..=TOKENS {
        if dice.roll(6) == 0 {
            let resting = rest(NOW);
            tx.suspend_token(ACME, token_id(number), &resting)
                .await
                .unwrap();
        }
        if dice.roll(8) == 0 {
            tx.revoke_key(ACME, token_id(number), ago(1)).await.unwrap();
            tx.revoke_token(ACME, BOB, token_id(number), ago(1))
                .await
                .unwrap();
        }
    }
    tx.commit(&[]).await.unwrap();
}

async fn everything(world: &World) -> Vec<InventoryRow> {
    let all = InventoryFilter::default();
    let rows = world.store.list_inventory(ACME, &all, None, 100, NOW);
    rows.await.unwrap()
}

/// What the domain says becomes of a row: when it ends, and when it was revoked.
fn becomes(
    row: &InventoryRow,
    policy: &Policy,
    effect: &mut PolicyEffect,
) -> (Expiration, Option<Timestamp>) {
    let as_it_was = (row.expiration, row.revoked);
    if row.revoked.is_some() || row.expiration.date().is_some_and(|end| end <= NOW) {
        return as_it_was;
    }
    let lifetime = match row.kind {
        Kind::ApiKey => policy.key,
        _ => policy.personal,
    };
    let unused = policy.unused_days_max.is_some_and(|days| {
        let since = ago(i64::from(days));
        row.created < since && row.last_use.as_ref().is_none_or(|last| last.at < since)
    });
    let mut expiration = row.expiration;
    match lifetime.enforce(row.expiration, row.created, NOW) {
        Enforced::Kept => {}
        Enforced::Shortened(end) => {
            effect.shortened += 1;
            expiration = Expiration::At(end);
        }
        Enforced::Revoked => {
            effect.revoked += 1;
            return (row.expiration, Some(NOW));
        }
    }
    if unused {
        effect.unused += 1;
        return (expiration, Some(NOW));
    }
    (expiration, row.revoked)
}

async fn a_preview_is_what_happens(world: World) {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut seen = PolicyEffect::default();
    for _ in 0..12 {
        settle(&world, &mut dice).await;
        let policy = dice.policy();
        let before = everything(&world).await;
        let mut expected = PolicyEffect::default();
        let becomes: Vec<_> = before
            .iter()
            .map(|row| becomes(row, &policy, &mut expected))
            .collect();
        let effect = enforce(&world, ACME, &policy).await;
        assert_eq!(effect, expected, "{policy:?}");
        for (row, becomes) in everything(&world).await.iter().zip(becomes) {
            assert_eq!(
                (row.expiration, row.revoked),
                becomes,
                "{row:?} under {policy:?}"
            );
        }
        let globex = "select count(*) from token where bulk_at is not null and organization_id = (select id from organization where name = 'Globex')";
        assert_eq!(world.count(globex).await, 0);
        seen.shortened += effect.shortened;
        seen.revoked += effect.revoked;
        seen.unused += effect.unused;
    }
    assert!(
        seen.shortened > 10 && seen.revoked > 10 && seen.unused > 5,
        "{seen:?}"
    );
}

async fn what_is_revoked_already_is_not_counted(world: World) {
    let tokens = [
        draft(1, ago(20), Expiration::Never),
        draft(2, ago(5), Expiration::Never),
    ];
    world.insert_all(&tokens).await;
    let mut tx = world.begin().await;
    tx.revoke_tokens_of_organization(ACME, ago(5))
        .await
        .unwrap();
    tx.commit(&[]).await.unwrap();
    let policies = [
        (days(10), None),
        (days(30), None),
        (MUST_END, None),
        (Lifetime::ANY, Some(1)),
    ];
    for (personal, unused_days_max) in policies {
        let policy = Policy {
            personal,
            unused_days_max,
            ..Policy::default()
        };
        let preview = world
            .store
            .preview_policy(ACME, &policy, NOW)
            .await
            .unwrap();
        let sum = preview.shortened + preview.revoked + preview.unused;
        assert_eq!(sum, 1, "{policy:?}");
        let mut tx = world.begin().await;
        let (effect, _) = tx.enforce_policy(ACME, &policy, NOW).await.unwrap();
        let mut sum = effect.shortened + effect.revoked;
        if let Some(days) = unused_days_max {
            sum += tx.revoke_unused(ACME, days, NOW).await.unwrap().0;
        }
        assert_eq!(sum, 1, "{policy:?}");
    }
}
