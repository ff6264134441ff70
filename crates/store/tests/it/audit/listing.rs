//! Pages of the audit.

use super::{entry, write};
use crate::{
    both_engines,
    world::{ACME, ADA, BOB, Counting, GLOBEX, NOW, World, token_id},
};
use hallpass_domain::audit::Action;
use hallpass_store::{AuditEntry, AuditQuery};

both_engines!(
    pages_hold_every_line_once,
    actions_and_texts_are_filtered,
    who_where_and_when_are_filtered
);

async fn seqs(world: &World, query: &AuditQuery) -> Vec<i64> {
    let page = world.store.list_audit(query).await.unwrap();
    assert_eq!(page.next, None);
    page.lines.iter().map(|line| line.seq).collect()
}

/// 1 and 2 in Acme, 3 in Globex, 4 in none.
async fn four(world: &World) {
    let other = AuditEntry {
        at: NOW.plus_seconds(10),
        token: Some(token_id(1)),
        target: Some("it's 100%".to_owned()),
        address: Some("2001:db8::1"),
        ..entry(Some(ACME), BOB, Action::Refused)
    };
    let globex = AuditEntry {
        at: NOW.plus_seconds(20),
        ..entry(Some(GLOBEX), ADA, Action::TokenRevoked)
    };
    let nowhere = AuditEntry {
        target: None,
        address: None,
        actor: None,
        ..entry(None, ADA, Action::SignInFailed)
    };
    let first = entry(Some(ACME), ADA, Action::TokenCreated);
    write(
        &world.store,
        &Counting::new(),
        &[first, other, globex, nowhere],
    )
    .await;
}

async fn pages_hold_every_line_once(world: World) {
    four(&world).await;
    for (organization, expected) in [
        (None, vec![4, 3, 2, 1]),
        (Some(ACME), vec![2, 1]),
        (Some(GLOBEX), vec![3]),
    ] {
        for limit in 1..=5 {
            let mut query = AuditQuery::all(organization, limit);
            let mut seen = Vec::new();
            loop {
                let page = world.store.list_audit(&query).await.unwrap();
                assert!(page.lines.len() <= limit as usize && !page.lines.is_empty());
                seen.extend(page.lines.iter().map(|line| line.seq));
                query.before = page.next;
                if page.next.is_none() {
                    break;
                }
            }
            assert_eq!(seen, expected, "{organization:?} by {limit}");
        }
    }
    // What was put in without a number has no place in the list.
    let id = world.blob(&[7; 16]);
    world
        .execute(&format!(
            "insert into audit (id, at, action, seq) values ({id}, 0, 'refused', 0)"
        ))
        .await;
    assert_eq!(seqs(&world, &AuditQuery::all(None, 9)).await, [4, 3, 2, 1]);
}

#[track_caller]
fn sees(found: &[i64], expected: &[i64], query: &AuditQuery) {
    assert_eq!(found, expected, "{query:?}");
}

async fn actions_and_texts_are_filtered(world: World) {
    four(&world).await;
    let of = |actions: &[Action]| AuditQuery {
        actions: actions.to_vec(),
        ..AuditQuery::all(None, 9)
    };
    let target = |text: &str| AuditQuery {
        target: Some(text.to_owned()),
        ..AuditQuery::all(None, 9)
    };
    let address = |text: &str| AuditQuery {
        address: Some(text.to_owned()),
        ..AuditQuery::all(None, 9)
    };
    for (query, expected) in [
        (of(&[Action::TokenCreated]), &[1][..]),
        (of(&[Action::SignInFailed, Action::TokenRevoked]), &[4, 3]),
        (of(&[Action::TokenRevoked, Action::SignInFailed]), &[4, 3]),
        // A word is no part of another.
        (of(&[Action::SignInFailed]), &[4]),
        (of(&[Action::Refused]), &[2]),
        (of(Action::ALL), &[4, 3, 2, 1]),
        (target("target"), &[3, 1]),
        (target("Target"), &[]),
        (target("it's 100%"), &[2]),
        (target("%"), &[]),
        (target(""), &[]),
        (target("\0"), &[]),
        (address("2001:db8::1"), &[2]),
        (address("192.0.2.\0"), &[]),
    ] {
        sees(&seqs(&world, &query).await, expected, &query);
    }
}

async fn who_where_and_when_are_filtered(world: World) {
    four(&world).await;
    let all = AuditQuery::all(None, 9);
    let between = |since: i64, until: i64| AuditQuery {
        since: Some(NOW.plus_seconds(since)),
        until: Some(NOW.plus_seconds(until)),
        ..all.clone()
    };
    let by = |organization, actor_user, actor_token| AuditQuery {
        organization,
        actor_user,
        actor_token,
        ..all.clone()
    };
    for (query, expected) in [
        (between(0, 10), &[4, 1][..]),
        (between(10, 20), &[2]),
        (between(10, 21), &[3, 2]),
        (by(None, Some(ADA), None), &[3, 1]),
        (by(Some(ACME), Some(ADA), None), &[1]),
        (by(None, None, Some(token_id(1))), &[2]),
        (by(Some(GLOBEX), None, Some(token_id(1))), &[]),
    ] {
        sees(&seqs(&world, &query).await, expected, &query);
    }
}
