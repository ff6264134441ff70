use crate::world::*;
use hallpass_domain::verdict::Verdict;
use hallpass_engine::{Answer, ApplyError, Change, Owner, Stored, TokenRecord};

#[test]
fn what_is_not_known_cannot_be_named() {
    let engine = engine();
    let good = record(0, &text(1), &pepper(2));
    let stranger = |organization_number, user_number, role_number| Change::Membership {
        organization: organization(organization_number),
        user: user(user_number),
        role: role(role_number),
        active: true,
        may_have_tokens: true,
    };
    for (change, error) in [
        (stranger(9, 0, 0), ApplyError::UnknownOrganization(organization(9))),
        (stranger(0, 9, 0), ApplyError::UnknownUser(user(9))),
        (stranger(0, 0, 9), ApplyError::UnknownRole(role(9))),
        (Change::Token(TokenRecord { organization: organization(9), ..good.clone() }), ApplyError::UnknownOrganization(organization(9))),
        (Change::Token(TokenRecord { bearer: Owner::User(user(9)), ..good.clone() }), ApplyError::UnknownUser(user(9))),
        (Change::Token(TokenRecord { bearer: Owner::Organization(role(9)), ..good.clone() }), ApplyError::UnknownRole(role(9))),
    ] {
        assert_eq!(engine.apply(change), Err(error));
    }
    assert!(engine.is_empty());
    engine.apply(Change::MembershipGone { organization: organization(9), user: user(9) }).unwrap();
    engine.apply(Change::TokenGone(token_id(9))).unwrap();
}

#[test]
fn two_tokens_cannot_be_found_alike() {
    let engine = engine();
    let token = text(1);
    engine.apply(Change::Token(record(0, &token, &pepper(2)))).unwrap();
    assert_eq!(engine.apply(Change::Token(record(1, &token, &pepper(2)))), Err(ApplyError::Taken(token_id(1))));
    let hashed = |number| TokenRecord { stored: Stored::Bcrypt(some_hash('a')), ..record(number, &token, &pepper(2)) };
    engine.apply(Change::Token(hashed(2))).unwrap();
    assert_eq!(engine.apply(Change::Token(hashed(3))), Err(ApplyError::Taken(token_id(3))));
    assert_eq!(engine.len(), 2);
}

#[test]
fn the_same_change_again_changes_nothing() {
    let engine = engine();
    let good = Change::Token(record(0, &text(1), &pepper(2)));
    engine.apply(good.clone()).unwrap();
    let before = engine.sizes();
    for _ in 0..100 {
        engine.apply_all(people().into_iter().chain([good.clone()])).unwrap();
    }
    assert_eq!(engine.sizes(), before);
    assert_eq!(before.garbage_bytes, 0);
}

#[test]
fn a_compacted_engine_knows_the_same_without_the_garbage() {
    let engine = engine();
    for number in 0..3_000 {
        let seed = u64::from(number);
        let stored = if number % 7 == 0 { Some(Stored::Bcrypt(some_hash('a'))) } else { None };
        let good = record(number, &text(seed), &pepper(2));
        let scope = (number % 3 == 0).then(|| set("repo:read"));
        let key = if number % 5 == 0 { Owner::Organization(role(1)) } else { good.bearer };
        let good = TokenRecord { stored: stored.unwrap_or_else(|| good.stored.clone()), scope, bearer: key, ..good };
        engine.apply(Change::Token(TokenRecord { revoked: number % 4 == 0, ..good.clone() })).unwrap();
        let renamed = hallpass_domain::name::TokenName::parse("another name").unwrap();
        engine.apply(Change::Token(TokenRecord { name: renamed, suspended: number % 11 == 0, ..good })).unwrap();
        if number % 6 == 1 {
            engine.apply(Change::TokenGone(token_id(number))).unwrap();
        }
        if number % 14 == 0 {
            let found = slow(engine.verify(&text(seed), &peppers(), None, NOW));
            assert!(engine.remember(&found, pepper(2).digest(&text(seed))));
        }
    }
    let compacted = engine.compacted().unwrap();
    assert!(matches!(compacted.verify(&text(1), &peppers(), None, NOW), Answer::NotAnswering));
    compacted.set_answering(true);
    let (before, after) = (engine.sizes(), compacted.sizes());
    assert!(before.garbage_bytes > 40_000 && after.garbage_bytes == 0, "{before:?}");
    assert_eq!((before.tokens, before.slow_tokens, before.remembered_tokens), (after.tokens, after.slow_tokens, after.remembered_tokens));
    // Both change alike from here on, too.
    for change in [user_is(0, true), role_holds(1, "repo:write"), Change::TokenGone(token_id(14))] {
        engine.apply(change.clone()).unwrap();
        compacted.apply(change).unwrap();
    }
    let (all, needed) = (peppers(), permission("repo:write"));
    for seed in 0..3_001 {
        let [old, new] = [&engine, &compacted].map(|engine| engine.verify(&text(seed), &all, Some(&needed), NOW));
        assert_eq!(format!("{old:?}"), format!("{new:?}"));
        if let (Answer::Known { token: old, .. }, Answer::Known { token: new, .. }) = (old, new) {
            assert_eq!((old.name(), old.owner(), old.role_name()), (new.name(), new.owner(), new.role_name()));
        }
    }
    assert_eq!(ask(&engine, &text(5), "repo:write"), Verdict::Allow);
}
