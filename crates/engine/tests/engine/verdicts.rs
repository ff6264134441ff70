use crate::world::*;
use hallpass_domain::{
    time::Timestamp,
    token::{Kind, Peppers},
    verdict::{DenyReason, Verdict},
};
use hallpass_engine::{Answer, Change, Engine, Owner, OwnerView, TokenRecord};

#[test]
fn every_reason_is_reached_and_taken_back() {
    let engine = engine();
    let token = text(1);
    let good = record(0, &token, &pepper(2));
    let moment = |micros| Some(Timestamp::from_micros(micros));
    let now = NOW.micros();
    assert_eq!(ask(&engine, &token, ""), deny(DenyReason::Unknown));
    let with = |record: TokenRecord| Change::Token(record);
    for (bad, why) in [
        (with(TokenRecord { revoked: true, ..good.clone() }), DenyReason::Revoked),
        (with(TokenRecord { expires_at: moment(now), ..good.clone() }), DenyReason::Expired),
        (with(TokenRecord { valid_from: moment(now + 1), ..good.clone() }), DenyReason::NotYetValid),
        (with(TokenRecord { suspended: true, ..good.clone() }), DenyReason::Suspended),
        (organization_is(0, false), DenyReason::OrganizationSuspended),
        (user_is(0, false), DenyReason::UserSuspended),
        (Change::MembershipGone { organization: organization(0), user: user(0) }, DenyReason::NotAMember),
        (member(0, 0, false, true), DenyReason::MembershipSuspended),
        (member(0, 0, true, false), DenyReason::TokensNotAllowed),
        (member(0, 1, true, true), DenyReason::PermissionMissing),
        (role_holds(0, "repo:read"), DenyReason::PermissionMissing),
        (with(TokenRecord { scope: Some(set("repo:read")), ..good.clone() }), DenyReason::PermissionMissing),
        (with(TokenRecord { scope: Some(set("")), ..good.clone() }), DenyReason::PermissionMissing),
        (Change::TokenGone(token_id(0)), DenyReason::Unknown),
    ] {
        engine.apply_all(people().into_iter().chain([Change::Token(good.clone())])).unwrap();
        assert_eq!(ask(&engine, &token, "repo:write"), Verdict::Allow, "before {bad:?}");
        engine.apply(bad.clone()).unwrap();
        assert_eq!(ask(&engine, &token, "repo:write"), deny(why), "after {bad:?}");
    }
    engine.apply(with(TokenRecord { expires_at: moment(now + 1), valid_from: moment(now), ..good })).unwrap();
    assert_eq!(ask(&engine, &token, "repo:write"), Verdict::Allow);
}

#[test]
fn a_suspended_user_is_refused_everywhere_also_where_they_become_a_member_later() {
    let engine = engine();
    let tokens = [text(1), text(2)];
    engine.apply_all([organization_is(1, true), user_is(0, false)]).unwrap();
    engine.apply(Change::Token(record(0, &tokens[0], &pepper(2)))).unwrap();
    let elsewhere = Change::Membership { organization: organization(1), user: user(0), role: role(0), active: true, may_have_tokens: true };
    engine.apply(elsewhere).unwrap();
    engine.apply(Change::Token(TokenRecord { organization: organization(1), ..record(1, &tokens[1], &pepper(2)) })).unwrap();
    assert!(tokens.iter().all(|token| ask(&engine, token, "") == deny(DenyReason::UserSuspended)));
    engine.apply(user_is(1, false)).unwrap();
    engine.apply(user_is(0, true)).unwrap();
    assert!(tokens.iter().all(|token| ask(&engine, token, "") == Verdict::Allow));
}

#[test]
fn an_api_key_speaks_with_its_role_and_looks_at_nobody() {
    let engine = engine();
    let token = text(1);
    let key = TokenRecord { kind: Kind::ApiKey, bearer: Owner::Organization(role(1)), ..record(0, &token, &pepper(2)) };
    engine.apply_all([Change::Token(key), user_is(0, false)]).unwrap();
    assert_eq!(ask(&engine, &token, "repo:read"), Verdict::Allow);
    assert_eq!(ask(&engine, &token, "repo:write"), deny(DenyReason::PermissionMissing));
    engine.apply(role_holds(1, "repo:write")).unwrap();
    assert_eq!(ask(&engine, &token, "repo:write"), Verdict::Allow);
    engine.apply(organization_is(0, false)).unwrap();
    assert_eq!(ask(&engine, &token, "repo:write"), deny(DenyReason::OrganizationSuspended));
    let all = peppers();
    let Answer::Known { token, .. } = engine.verify(&token, &all, None, NOW) else { panic!("it is known") };
    assert_eq!((token.owner(), token.user_id(), token.kind()), (OwnerView::Organization, None, Kind::ApiKey));
    assert_eq!((token.role_id(), token.role_name().as_deref()), (Some(role(1)), Some("Role 1")));
}

#[test]
fn an_engine_answers_only_when_told() {
    let engine = Engine::default();
    engine.apply_all(people().into_iter().chain([Change::Token(record(0, &text(1), &pepper(2)))])).unwrap();
    let all = peppers();
    let is_silent = |token| {
        let answer = engine.verify(&token, &all, None, NOW);
        matches!(answer, Answer::NotAnswering) && answer.verdict().is_none()
    };
    assert!(is_silent(text(1)) && is_silent(text(2)), "a new engine is silent");
    engine.set_answering(true);
    assert_eq!(ask(&engine, &text(1), ""), Verdict::Allow);
    engine.set_answering(false);
    assert!(is_silent(text(1)) && is_silent(text(2)));
}

#[test]
fn a_retired_pepper_verifies_until_it_is_removed() {
    let engine = engine();
    let token = text(1);
    engine.apply(Change::Token(record(0, &token, &pepper(1)))).unwrap();
    let under = |all: &Peppers| match engine.verify(&token, all, None, NOW) {
        Answer::Known { verdict: Verdict::Allow, pepper, .. } => Some(pepper),
        _ => None,
    };
    assert_eq!(under(&peppers()), Some(1));
    assert_eq!(under(&Peppers::new(pepper(3), vec![pepper(2), pepper(1)])), Some(2));
    assert_eq!(under(&Peppers::new(pepper(2), Vec::new())), None);
    // The digest is renewed: from now on the old one is nobody's, whatever becomes of the token.
    engine.apply(Change::Token(record(0, &token, &pepper(2)))).unwrap();
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
    let long = "🔑".repeat(80);
    let named = |text: &str| hallpass_domain::name::TokenName::parse(text).unwrap();
    let good = TokenRecord { scope: Some(set("repo:* hallpass:own-tokens")), expires_at: ends, valid_from: Some(NOW), ..record(7, &token, &pepper(2)) };
    let all = peppers();
    for name in ["x", "deploy", &long] {
        engine.apply(Change::Token(TokenRecord { name: named(name), ..good.clone() })).unwrap();
        let Answer::Known { token: view, .. } = engine.verify(&token, &all, None, NOW) else { panic!("it is known") };
        assert_eq!((view.name().as_str(), view.id(), view.prefix()), (name, token_id(7), token.prefix()));
        assert_eq!((view.expires_at(), view.facts().valid_from), (ends, Some(NOW)));
        assert_eq!(view.permissions(), set("hallpass:own-tokens repo:read repo:write"));
        assert_eq!((view.organization_id(), view.organization_name().as_str()), (organization(0), "Organization 0"));
        assert_eq!(view.owner(), OwnerView::User { id: user(0), name: "User 0".to_owned() });
        assert!(!view.is_remembered());
    }
    let renamed = Change::User { id: user(0), name: crate::world::name("Ada"), active: true };
    engine.apply(renamed).unwrap();
    let Answer::Known { token: view, .. } = engine.verify(&token, &all, None, NOW) else { panic!("it is known") };
    assert_eq!(view.owner(), OwnerView::User { id: user(0), name: "Ada".to_owned() });
    assert!(!format!("{view:?}").contains(token.expose()));
}

#[test]
fn a_verification_allocates_nothing() {
    let engine = engine();
    let (known, old, unknown) = (text(1), text(2), text(3));
    let scope = Some(set("repo:read"));
    engine.apply(Change::Token(TokenRecord { scope, valid_from: Some(NOW), ..record(0, &known, &pepper(2)) })).unwrap();
    engine.apply(Change::Token(record(1, &old, &pepper(1)))).unwrap();
    let (all, needed) = (peppers(), permission("repo:read"));
    // The first on a thread may set up what is kept by thread.
    let _ = engine.verify(&known, &all, None, NOW);
    let measured = allocation_counter::measure(|| {
        for token in [&known, &old, &unknown] {
            for needed in [None, Some(&needed)] {
                std::hint::black_box(engine.verify(token, &all, needed, NOW));
            }
        }
    });
    assert_eq!(measured.count_total, 0);
    let name = allocation_counter::measure(|| {
        if let Answer::Known { token, .. } = engine.verify(&known, &all, None, NOW) {
            std::hint::black_box(token.name());
        }
    });
    assert_eq!(name.count_total, 1, "the count counts");
}
