use crate::world::*;
use hallpass_domain::{name::TokenName, verdict::Verdict};
use hallpass_engine::{Answer, ApplyError, Change, Engine, Owner, Stored, TokenRecord};

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
        (
            stranger(9, 0, 0),
            ApplyError::UnknownOrganization(organization(9)),
        ),
        (stranger(0, 9, 0), ApplyError::UnknownUser(user(9))),
        (stranger(0, 0, 9), ApplyError::UnknownRole(role(9))),
        (
            Change::Token(TokenRecord {
                organization: organization(9),
                ..good.clone()
            }),
            ApplyError::UnknownOrganization(organization(9)),
        ),
        (
            Change::Token(TokenRecord {
                bearer: Owner::User(user(9)),
                ..good.clone()
            }),
            ApplyError::UnknownUser(user(9)),
        ),
        (
            Change::Token(TokenRecord {
                bearer: Owner::Organization(role(9)),
                ..good.clone()
            }),
            ApplyError::UnknownRole(role(9)),
        ),
    ] {
        assert_eq!(engine.apply(change), Err(error));
    }
    assert!(engine.is_empty());
    engine
        .apply(Change::MembershipGone {
            organization: organization(9),
            user: user(9),
        })
        .unwrap();
    engine.apply(Change::TokenGone(token_id(9))).unwrap();
}

#[test]
fn two_tokens_cannot_be_found_alike() {
    let engine = engine();
    let token = text(1);
    engine
        .apply(Change::Token(record(0, &token, &pepper(2))))
        .unwrap();
    assert_eq!(
        engine.apply(Change::Token(record(1, &token, &pepper(2)))),
        Err(ApplyError::Taken(token_id(1)))
    );
    let hashed = |number| TokenRecord {
        stored: Stored::Bcrypt(some_hash('a')),
        ..record(number, &token, &pepper(2))
    };
    engine.apply(Change::Token(hashed(2))).unwrap();
    assert_eq!(
        engine.apply(Change::Token(hashed(3))),
        Err(ApplyError::Taken(token_id(3)))
    );
    assert_eq!(engine.len(), 2);
}

#[test]
fn the_same_change_again_changes_nothing() {
    let engine = engine();
    let good = Change::Token(record(0, &text(1), &pepper(2)));
    engine.apply(good.clone()).unwrap();
    let before = engine.sizes();
    for _ in 0..100 {
        engine
            .apply_all(people().into_iter().chain([good.clone()]))
            .unwrap();
    }
    assert_eq!(engine.sizes(), before);
    assert_eq!(before.garbage_bytes, 0);
}

/// An engine of 3,000 tokens of every sort, each of which was renamed; some are gone.
fn worn() -> Engine {
    let engine = engine();
    for number in 0..3_000 {
        let token = text(u64::from(number));
        let mut good = record(number, &token, &pepper(2));
        if number % 7 == 0 {
            good.stored = Stored::Bcrypt(some_hash('a'));
        }
        if number % 5 == 0 {
            good.bearer = Owner::Organization(role(1));
        }
        good.scope = (number % 3 == 0).then(|| set("repo:read"));
        good.revoked = number % 4 == 0;
        engine.apply(Change::Token(good.clone())).unwrap();
        good.name = TokenName::parse("another name").unwrap();
        good.suspended = number % 11 == 0;
        engine.apply(Change::Token(good)).unwrap();
        if number % 6 == 1 {
            engine.apply(Change::TokenGone(token_id(number))).unwrap();
        }
        if number % 14 == 0 {
            let found = slow(engine.verify(&token, &peppers(), &asked(None)));
            assert!(engine.remember(&found, pepper(2).digest(&token)));
        }
    }
    engine
}

fn counts(engine: &Engine) -> (usize, usize, usize) {
    let sizes = engine.sizes();
    (sizes.tokens, sizes.slow_tokens, sizes.remembered_tokens)
}

#[test]
fn a_compacted_engine_knows_the_same_without_the_garbage() {
    let engine = worn();
    let compacted = engine.compacted().unwrap();
    let answer = compacted.verify(&text(1), &peppers(), &asked(None));
    assert!(matches!(answer, Answer::NotAnswering));
    compacted.set_answering(true);
    let garbage = [&engine, &compacted].map(|engine| engine.sizes().garbage_bytes);
    assert!(garbage[0] > 40_000 && garbage[1] == 0, "{garbage:?}");
    assert_eq!(counts(&engine), counts(&compacted));
    // Both change alike from here on, too: 28 was remembered.
    let gone = [
        Change::TokenGone(token_id(28)),
        Change::TokenGone(token_id(2)),
    ];
    for change in [
        user_is(0, false),
        user_is(0, true),
        role_holds(1, "repo:write"),
    ]
    .into_iter()
    .chain(gone)
    {
        engine.apply(change.clone()).unwrap();
        compacted.apply(change).unwrap();
    }
    assert_eq!(counts(&engine), counts(&compacted));
    let (all, needed) = (peppers(), permission("repo:write"));
    for seed in 0..3_001 {
        let ask = |engine| Engine::verify(engine, &text(seed), &all, &asked(Some(&needed)));
        let (old, new) = (ask(&engine), ask(&compacted));
        assert_eq!(format!("{old:?}"), format!("{new:?}"));
        if let (Answer::Known { token: old, .. }, Answer::Known { token: new, .. }) = (old, new) {
            assert_eq!((old.name(), old.owner()), (new.name(), new.owner()));
            assert_eq!(old.role_name(), new.role_name());
        }
    }
    assert_eq!(ask(&engine, &text(5), "repo:write"), Verdict::Allow);
}
