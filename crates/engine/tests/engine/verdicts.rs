use crate::world::*;
use hallpass_domain::{
    name::TokenName,
    time::Timestamp,
    token::{Kind, Peppers},
    verdict::{DenyReason, Question, Verdict},
};
use hallpass_engine::{Answer, Change, Engine, Owner, OwnerView, TokenRecord};

/// Lets token 0 write, makes a change, and sees it refused for its reason; again and again.
fn each_refuses(changes: impl IntoIterator<Item = (Change, DenyReason)>) {
    let engine = engine();
    let token = text(1);
    for (bad, why) in changes {
        let good = Change::Token(record(0, &token, &pepper(2)));
        engine
            .apply_all(people().into_iter().chain([good]))
            .unwrap();
        let before = ask(&engine, &token, "repo:write");
        assert_eq!(before, Verdict::Allow, "before {bad:?}");
        engine.apply(bad.clone()).unwrap();
        let after = ask(&engine, &token, "repo:write");
        assert_eq!(after, deny(why), "after {bad:?}");
    }
}

#[test]
fn every_fact_about_a_token_refuses_and_is_taken_back() {
    let good = record(0, &text(1), &pepper(2));
    let moment = |off| Some(Timestamp::from_micros(NOW.micros() + off));
    let revoked = TokenRecord {
        revoked: true,
        ..good.clone()
    };
    let expired = TokenRecord {
        expires_at: moment(0),
        ..good.clone()
    };
    let early = TokenRecord {
        valid_from: moment(1),
        ..good.clone()
    };
    let suspended = TokenRecord {
        suspended: true,
        ..good.clone()
    };
    let narrow = TokenRecord {
        scope: Some(set("repo:read")),
        ..good.clone()
    };
    let empty = TokenRecord {
        scope: Some(set("")),
        ..good.clone()
    };
    each_refuses([
        (Change::Token(revoked), DenyReason::Revoked),
        (Change::Token(expired), DenyReason::Expired),
        (Change::Token(early), DenyReason::NotYetValid),
        (Change::Token(suspended), DenyReason::Suspended),
        (Change::Token(narrow), DenyReason::PermissionMissing),
        (Change::Token(empty), DenyReason::PermissionMissing),
        (Change::TokenGone(token_id(0)), DenyReason::Unknown),
    ]);
    let engine = engine();
    assert_eq!(ask(&engine, &text(1), ""), deny(DenyReason::Unknown));
    let just = TokenRecord {
        expires_at: moment(1),
        valid_from: moment(0),
        ..good
    };
    engine.apply(Change::Token(just)).unwrap();
    assert_eq!(ask(&engine, &text(1), "repo:write"), Verdict::Allow);
}

#[test]
fn every_fact_about_its_bearer_refuses_and_is_taken_back() {
    let gone = Change::MembershipGone {
        organization: organization(0),
        user: user(0),
    };
    each_refuses([
        (organization_is(0, false), DenyReason::OrganizationSuspended),
        (user_is(0, false), DenyReason::UserSuspended),
        (gone, DenyReason::NotAMember),
        (member(0, 0, false, true), DenyReason::MembershipSuspended),
        (member(0, 0, true, false), DenyReason::TokensNotAllowed),
        (member(0, 1, true, true), DenyReason::PermissionMissing),
        (role_holds(0, "repo:read"), DenyReason::PermissionMissing),
    ]);
}

#[test]
fn a_suspended_user_is_refused_everywhere_also_where_they_become_a_member_later() {
    let engine = engine();
    let tokens = [text(1), text(2)];
    engine
        .apply_all([organization_is(1, true), user_is(0, false)])
        .unwrap();
    engine
        .apply(Change::Token(record(0, &tokens[0], &pepper(2))))
        .unwrap();
    let elsewhere = Change::Membership {
        organization: organization(1),
        user: user(0),
        role: role(0),
        active: true,
        may_have_tokens: true,
    };
    engine.apply(elsewhere).unwrap();
    engine
        .apply(Change::Token(TokenRecord {
            organization: organization(1),
            ..record(1, &tokens[1], &pepper(2))
        }))
        .unwrap();
    assert!(
        tokens
            .iter()
            .all(|token| ask(&engine, token, "") == deny(DenyReason::UserSuspended))
    );
    engine.apply(user_is(1, false)).unwrap();
    engine.apply(user_is(0, true)).unwrap();
    assert!(
        tokens
            .iter()
            .all(|token| ask(&engine, token, "") == Verdict::Allow)
    );
}

#[test]
fn an_api_key_speaks_with_its_role_and_looks_at_nobody() {
    let engine = engine();
    let token = text(1);
    let key = TokenRecord {
        kind: Kind::ApiKey,
        bearer: Owner::Organization(role(1)),
        ..record(0, &token, &pepper(2))
    };
    engine
        .apply_all([Change::Token(key), user_is(0, false)])
        .unwrap();
    assert_eq!(ask(&engine, &token, "repo:read"), Verdict::Allow);
    assert_eq!(
        ask(&engine, &token, "repo:write"),
        deny(DenyReason::PermissionMissing)
    );
    engine.apply(role_holds(1, "repo:write")).unwrap();
    assert_eq!(ask(&engine, &token, "repo:write"), Verdict::Allow);
    engine.apply(organization_is(0, false)).unwrap();
    assert_eq!(
        ask(&engine, &token, "repo:write"),
        deny(DenyReason::OrganizationSuspended)
    );
    let all = peppers();
    let Answer::Known { token, .. } = engine.verify(&token, &all, &asked(None)) else {
        panic!("it is known")
    };
    assert_eq!(
        (token.owner(), token.user_id(), token.kind()),
        (OwnerView::Organization, None, Kind::ApiKey)
    );
    let role_name = token.role_name().map(|name| name.to_string());
    assert_eq!(
        (token.role_id(), role_name.as_deref()),
        (Some(role(1)), Some("Role 1"))
    );
}

#[test]
fn an_engine_answers_only_when_told() {
    let engine = Engine::default();
    engine
        .apply_all(
            people()
                .into_iter()
                .chain([Change::Token(record(0, &text(1), &pepper(2)))]),
        )
        .unwrap();
    let all = peppers();
    let is_silent = |token| {
        let answer = engine.verify(&token, &all, &asked(None));
        matches!(answer, Answer::NotAnswering) && answer.verdict().is_none()
    };
    assert!(
        is_silent(text(1)) && is_silent(text(2)),
        "a new engine is silent"
    );
    engine.set_answering(true);
    assert_eq!(ask(&engine, &text(1), ""), Verdict::Allow);
    engine.set_answering(false);
    assert!(is_silent(text(1)) && is_silent(text(2)));
}

#[test]
fn a_retired_pepper_verifies_until_it_is_removed() {
    let engine = engine();
    let token = text(1);
    engine
        .apply(Change::Token(record(0, &token, &pepper(1))))
        .unwrap();
    let under = |all: &Peppers| match engine.verify(&token, all, &asked(None)) {
        Answer::Known {
            verdict: Verdict::Allow,
            pepper,
            ..
        } => Some(pepper),
        _ => None,
    };
    assert_eq!(under(&peppers()), Some(1));
    assert_eq!(
        under(&Peppers::new(pepper(3), vec![pepper(2), pepper(1)])),
        Some(2)
    );
    assert_eq!(under(&Peppers::new(pepper(2), Vec::new())), None);
    // The digest is renewed: from now on the old one is nobody's, whatever becomes of the token.
    engine
        .apply(Change::Token(record(0, &token, &pepper(2))))
        .unwrap();
    assert_eq!(under(&peppers()), Some(0));
    assert_eq!(under(&Peppers::new(pepper(1), Vec::new())), None);
    engine.apply(Change::TokenGone(token_id(0))).unwrap();
    assert_eq!(ask(&engine, &token, ""), deny(DenyReason::Unknown));
    assert!(engine.is_empty());
}

#[test]
fn a_view_tells_what_the_token_is() {
    let engine = engine();
    let token = text(1);
    let ends = Some(NOW.plus_days(1));
    let good = TokenRecord {
        scope: Some(set("repo:* hallpass:own-tokens")),
        expires_at: ends,
        valid_from: Some(NOW),
        ..record(7, &token, &pepper(2))
    };
    engine.apply(Change::Token(good)).unwrap();
    let view = view(&engine, &token);
    assert_eq!((view.id(), view.prefix()), (token_id(7), token.prefix()));
    assert_eq!(
        (view.expires_at(), view.facts().valid_from),
        (ends, Some(NOW))
    );
    assert_eq!(
        view.permissions(),
        set("hallpass:own-tokens repo:read repo:write")
    );
    assert_eq!(view.organization_id(), organization(0));
    assert_eq!(view.organization_name().to_string(), "Organization 0");
    assert_eq!(
        (view.role_id(), view.user_id()),
        (Some(role(0)), Some(user(0)))
    );
    assert!(!view.is_remembered());
    assert!(!format!("{view:?}").contains(token.expose()));
}

#[test]
fn names_can_change() {
    let engine = engine();
    let token = text(1);
    for name in ["x", "deploy", &"🔑".repeat(80)] {
        let name = TokenName::parse(name).unwrap();
        let renamed = TokenRecord {
            name: name.clone(),
            ..record(0, &token, &pepper(2))
        };
        engine.apply(Change::Token(renamed)).unwrap();
        assert_eq!(view(&engine, &token).name().to_string(), name.as_str());
    }
    let owner = || match view(&engine, &token).owner() {
        OwnerView::User { id, name } => (id, name.to_string()),
        OwnerView::Organization => panic!("a user has it"),
    };
    assert_eq!(owner(), (user(0), "User 0".to_owned()));
    let renamed = Change::User {
        id: user(0),
        name: name("Ada"),
        active: true,
    };
    engine.apply(renamed).unwrap();
    assert_eq!(owner(), (user(0), "Ada".to_owned()));
}

#[test]
fn the_text_of_the_permissions_changes_with_the_role() {
    let engine = engine();
    let token = text(1);
    engine
        .apply(Change::Token(record(0, &token, &pepper(2))))
        .unwrap();
    let texts = || {
        let mut bytes = Vec::new();
        view(&engine, &token).append_permissions(&mut bytes);
        (
            String::from_utf8(bytes).unwrap(),
            view(&engine, &token).permissions().to_text(),
        )
    };
    for held in [
        "repo:read repo:write",
        "repo:read",
        "",
        "repo:read repo:write",
    ] {
        engine.apply(role_holds(0, held)).unwrap();
        // Twice: the second may be one that was kept.
        for _ in 0..2 {
            assert_eq!(texts(), (held.to_owned(), held.to_owned()));
        }
    }
}

#[test]
fn a_verification_allocates_nothing() {
    let engine = engine();
    let (known, old, unknown) = (text(1), text(2), text(3));
    let scope = Some(set("repo:read"));
    engine
        .apply(Change::Token(TokenRecord {
            scope,
            valid_from: Some(NOW),
            address_rules: addresses("10.0.0.0/8", "10.9.0.0/16"),
            secret_of: Some(token_id(7)),
            ..record(0, &known, &pepper(2))
        }))
        .unwrap();
    engine
        .apply(Change::Token(record(1, &old, &pepper(1))))
        .unwrap();
    engine
        .apply_all([
            organization_asks(true, "10.0.0.0/8", "repo:write", Some(1)),
            user_revoked(0, 1),
        ])
        .unwrap();
    let (all, needed) = (peppers(), permission("repo:read"));
    // The first on a thread may set up what is kept by thread.
    let _ = engine.verify(&known, &all, &asked(None));
    let measured = allocation_counter::measure(|| {
        for token in [&known, &old, &unknown] {
            for needed in [None, Some(&needed)] {
                for address in [None, Some([10, 1, 0, 1].into())] {
                    let question = Question {
                        address,
                        ..asked(needed)
                    };
                    std::hint::black_box(engine.verify(token, &all, &question));
                }
            }
        }
    });
    assert_eq!(measured.count_total, 0);
    let name = allocation_counter::measure(|| {
        if let Answer::Known { token, .. } = engine.verify(&known, &all, &asked(None)) {
            let mut bytes = std::hint::black_box(Vec::with_capacity(64));
            token.name().append_to(&mut bytes);
        }
    });
    assert_eq!(name.count_total, 1, "the count counts");
}
