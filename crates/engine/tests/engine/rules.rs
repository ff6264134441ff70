//! What an organization asks of all its tokens, what many tokens lose together, and keys with several secrets.

use crate::world::*;
use hallpass_domain::{
    id::TokenId,
    time::Timestamp,
    token::Kind,
    verdict::{Check, DenyReason, Outcome, Verdict, explain},
};
use hallpass_engine::{ApplyError, Change, Engine, Owner, Stored, TokenRecord};

/// An engine with tokens 1 to 4 of user 0, made in the milliseconds of their numbers; their texts have the same numbers.
fn four() -> Engine {
    let engine = engine();
    for number in 1..=4 {
        let text = text(u64::from(number));
        engine
            .apply(Change::Token(record(number, &text, &pepper(2))))
            .unwrap();
    }
    engine
}

fn key(number: u32, secret_of: Option<u32>) -> TokenRecord {
    TokenRecord {
        kind: Kind::ApiKey,
        bearer: Owner::Organization(role(0)),
        secret_of: secret_of.map(token_id),
        ..record(number, &text(u64::from(number)), &pepper(2))
    }
}

/// Which of the tokens 1 to 4 work.
fn working(engine: &Engine) -> Vec<u64> {
    let works = |number: &u64| match ask(engine, &text(*number), "repo:read") {
        Verdict::Allow => true,
        Verdict::Deny(DenyReason::Revoked) => false,
        other => panic!("{other:?}"),
    };
    (1..=4).filter(works).collect()
}

#[test]
fn everything_made_before_a_moment_is_revoked_for_good() {
    let engine = four();
    engine
        .apply(organization_asks(false, "", "", Some(3)))
        .unwrap();
    assert_eq!(working(&engine), [3, 4]);
    for before in [None, Some(2), Some(3)] {
        engine
            .apply(organization_asks(false, "", "", before))
            .unwrap();
        assert_eq!(working(&engine), [3, 4], "it only rises");
    }
    engine
        .apply(organization_asks(false, "", "", Some(4)))
        .unwrap();
    assert_eq!(working(&engine), [4]);
    // Applied again, and a token of before that only now becomes known.
    engine
        .apply(Change::Token(record(2, &text(2), &pepper(2))))
        .unwrap();
    assert_eq!(working(&engine), [4]);
    assert_eq!(working(&compacted(&engine)), [4]);
}

#[test]
fn all_of_a_users_tokens_are_revoked_and_nobody_elses() {
    let engine = four();
    engine.apply(member(1, 0, true, true)).unwrap();
    let other = TokenRecord {
        bearer: Owner::User(user(1)),
        ..record(2, &text(2), &pepper(2))
    };
    engine.apply(Change::Token(other)).unwrap();
    engine.apply(Change::Token(key(1, None))).unwrap();
    engine.apply(user_revoked(0, 4)).unwrap();
    assert_eq!(
        working(&engine),
        [1, 2, 4],
        "a key and another's token stay"
    );
    engine.apply(user_revoked(0, 2)).unwrap();
    assert_eq!(working(&engine), [1, 2, 4], "it only rises");
    // It outlives the membership.
    let gone = Change::MembershipGone {
        organization: organization(0),
        user: user(0),
    };
    engine
        .apply_all([
            gone,
            user_is(0, false),
            user_is(0, true),
            member(0, 1, true, true),
        ])
        .unwrap();
    assert_eq!(working(&engine), [1, 2, 4]);
    assert_eq!(working(&compacted(&engine)), [1, 2, 4]);
    engine.apply(user_revoked(0, 5)).unwrap();
    assert_eq!(working(&engine), [1, 2]);
    let stranger = Change::TokensRevoked {
        organization: organization(9),
        user: user(0),
        before: NOW,
    };
    let error = ApplyError::UnknownOrganization(organization(9));
    assert_eq!(engine.apply(stranger), Err(error));
    assert_eq!(
        engine.apply(user_revoked(9, 1)),
        Err(ApplyError::UnknownUser(user(9)))
    );
}

#[test]
fn someone_without_a_token_or_a_membership_can_be_revoked_before() {
    let engine = engine();
    engine.apply(user_revoked(1, 3)).unwrap();
    engine.apply(member(1, 0, true, true)).unwrap();
    for number in [2, 3] {
        let token = text(u64::from(number));
        let record = TokenRecord {
            bearer: Owner::User(user(1)),
            ..record(number, &token, &pepper(2))
        };
        engine.apply(Change::Token(record)).unwrap();
    }
    assert_eq!(ask(&engine, &text(2), ""), deny(DenyReason::Revoked));
    assert_eq!(ask(&engine, &text(3), ""), Verdict::Allow);
}

#[test]
fn within_a_millisecond_revoking_takes_all_of_it() {
    let engine = four();
    let Change::TokensRevoked {
        organization, user, ..
    } = user_revoked(0, 0)
    else {
        unreachable!()
    };
    engine
        .apply(Change::TokensRevoked {
            organization,
            user,
            before: Timestamp::from_micros(2_001),
        })
        .unwrap();
    assert_eq!(working(&engine), [3, 4]);
}

#[test]
fn an_organization_says_from_where_and_so_does_a_token() {
    let engine = engine();
    let token = text(1);
    let ruled = TokenRecord {
        address_rules: addresses("10.0.0.0/8", "10.9.0.0/16"),
        ..record(0, &token, &pepper(2))
    };
    let plain = text(2);
    engine
        .apply_all([
            Change::Token(ruled.clone()),
            Change::Token(record(1, &plain, &pepper(2))),
        ])
        .unwrap();
    let refused = deny(DenyReason::AddressNotAllowed);
    let check = |engine: &Engine| {
        assert_eq!(ask_from(engine, &token, "10.1.0.1"), Verdict::Allow);
        assert_eq!(ask_from(engine, &token, "10.9.0.1"), refused);
        assert_eq!(ask_from(engine, &token, "192.0.2.1"), refused);
        assert_eq!(ask(engine, &token, ""), refused, "not known is not allowed");
        assert_eq!(ask(engine, &plain, ""), Verdict::Allow);
    };
    check(&engine);
    check(&compacted(&engine));
    // Both must agree.
    let narrow = organization_asks(false, "10.1.0.0/16 192.0.2.0/24", "", None);
    engine.apply(narrow).unwrap();
    for engine in [&engine, &compacted(&engine)] {
        let from = |address| [&token, &plain].map(|text| ask_from(engine, text, address));
        assert_eq!(from("10.1.0.1"), [Verdict::Allow; 2]);
        assert_eq!(from("10.2.0.1"), [refused; 2]);
        assert_eq!(from("192.0.2.1"), [refused, Verdict::Allow]);
        assert_eq!(ask(engine, &plain, ""), refused);
    }
    engine.apply(organization_is(0, true)).unwrap();
    check(&engine);
    let free = TokenRecord {
        address_rules: addresses("", ""),
        ..ruled
    };
    engine.apply(Change::Token(free)).unwrap();
    assert_eq!(ask(&engine, &token, ""), Verdict::Allow);
}

#[test]
fn what_is_forbidden_is_taken_from_personal_tokens_at_once_and_from_their_texts() {
    let engine = engine();
    let personal = record(0, &text(1), &pepper(2));
    let texts = |engine: &Engine| {
        [1, 2].map(|number| {
            let mut bytes = Vec::new();
            view(engine, &text(number)).append_permissions(&mut bytes);
            String::from_utf8(bytes).unwrap()
        })
    };
    engine
        .apply_all([Change::Token(personal), Change::Token(key(2, None))])
        .unwrap();
    let all = "repo:read repo:write";
    for (forbidden, left) in [
        ("", all),
        ("repo:write", "repo:read"),
        ("repo:*", ""),
        ("wiki:*", all),
        ("", all),
    ] {
        engine
            .apply(organization_asks(false, "", forbidden, None))
            .unwrap();
        for engine in [&engine, &compacted(&engine)] {
            assert_eq!(texts(engine), [left, all], "{forbidden}");
            let may = |seed| ask(engine, &text(seed), "repo:write") == Verdict::Allow;
            assert_eq!([may(1), may(2)], [left == all, true], "{forbidden}");
        }
    }
}

#[test]
fn the_deployment_is_for_the_organization_that_runs_it() {
    let engine = four();
    engine
        .apply(role_holds(0, "hallpass:deployment repo:read"))
        .unwrap();
    for host in [false, true, false] {
        engine.apply(organization_asks(host, "", "", None)).unwrap();
        for engine in [&engine, &compacted(&engine)] {
            let allowed = ask(engine, &text(1), "hallpass:deployment") == Verdict::Allow;
            assert_eq!(allowed, host);
            let mut shown = Vec::new();
            view(engine, &text(1)).append_permissions(&mut shown);
            let shown = String::from_utf8(shown).unwrap();
            assert_eq!(shown.contains("deployment"), host, "{shown}");
        }
    }
}

#[test]
fn a_secret_of_a_key_speaks_as_the_key_and_is_noted_by_itself() {
    let engine = engine();
    engine
        .apply_all([Change::Token(key(1, None)), Change::Token(key(3, Some(1)))])
        .unwrap();
    for engine in [&engine, &compacted(&engine)] {
        let ids = |number| {
            let view = view(engine, &text(number));
            (view.id(), view.secret_id())
        };
        assert_eq!(ids(1), (token_id(1), token_id(1)));
        assert_eq!(ids(3), (token_id(1), token_id(3)));
        assert_eq!(ask(engine, &text(3), "repo:write"), Verdict::Allow);
    }
    // One secret ends, the key goes on.
    engine
        .apply(Change::Token(TokenRecord {
            expires_at: Some(NOW),
            ..key(1, None)
        }))
        .unwrap();
    assert_eq!(ask(&engine, &text(1), ""), deny(DenyReason::Expired));
    assert_eq!(ask(&engine, &text(3), ""), Verdict::Allow);
    // The key was made before the moment, though this secret was not.
    engine
        .apply(organization_asks(false, "", "", Some(2)))
        .unwrap();
    assert_eq!(ask(&engine, &text(3), ""), deny(DenyReason::Revoked));
}

#[test]
fn a_token_is_found_by_its_id_and_explained() {
    let engine = four();
    let prefix = text(2).prefix();
    let found = |id: TokenId| engine.view(id, prefix);
    let view = found(token_id(2)).unwrap();
    assert_eq!((view.id(), view.prefix()), (token_id(2), prefix));
    assert_eq!(view.name().to_string(), "token 2");
    assert!(found(token_id(9)).is_none());
    engine.apply(user_revoked(0, 3)).unwrap();
    let view = found(token_id(2)).unwrap();
    let steps = explain(Some(*view.facts()), &asked(None));
    let failed = steps.iter().find(|step| step.outcome == Outcome::Fails);
    assert_eq!(failed.map(|step| step.check), Some(Check::NotRevoked));
    // Found by prefix, and remembered as well.
    let hashed = TokenRecord {
        stored: Stored::Bcrypt(some_hash('a')),
        ..record(4, &text(4), &pepper(2))
    };
    engine.apply(Change::Token(hashed)).unwrap();
    assert!(found(token_id(4)).is_some_and(|view| !view.is_remembered()));
    let candidate = slow(engine.verify(&text(4), &peppers(), &asked(None)));
    assert!(engine.remember(&candidate, pepper(2).digest(&text(4))));
    assert!(found(token_id(4)).is_some());
    engine.apply(Change::TokenGone(token_id(4))).unwrap();
    assert!(found(token_id(4)).is_none());
}

#[test]
fn rules_that_many_share_take_room_once() {
    let engine = engine();
    let with_rules = |number: u32, network: &str| {
        Change::Token(TokenRecord {
            address_rules: addresses(network, ""),
            ..record(number, &text(u64::from(number)), &pepper(2))
        })
    };
    engine.apply(with_rules(1, "10.0.0.0/8")).unwrap();
    let before = engine.bytes();
    for number in 2..60 {
        engine.apply(with_rules(number, "10.0.0.0/8")).unwrap();
        engine
            .apply(organization_asks(false, "10.0.0.0/8", "", None))
            .unwrap();
    }
    let shared = engine.bytes() - before;
    for number in 2..60 {
        let network = format!("10.{number}.0.0/16");
        engine.apply(with_rules(number, &network)).unwrap();
    }
    let each = engine.bytes() - before - shared;
    assert!(
        each > 58 * 18,
        "what each has of its own is counted: {each}"
    );
    // Those that nobody names any more are left behind.
    for number in 2..60 {
        engine.apply(with_rules(number, "10.0.0.0/8")).unwrap();
    }
    assert!(compacted(&engine).bytes() < engine.bytes());
}

fn compacted(engine: &Engine) -> Engine {
    let new = engine.compacted().unwrap();
    new.set_answering(true);
    new
}
