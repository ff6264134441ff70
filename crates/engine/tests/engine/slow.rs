//! Tokens stored as bcrypt hashes.

use crate::world::*;
use hallpass_domain::{
    token::{BcryptHash, Digest, PlainToken},
    verdict::{DenyReason, Verdict},
};
use hallpass_engine::{Answer, Change, Engine, SlowCandidate, Stored, TokenRecord};

fn hashed(number: u32, text: &PlainToken, hash: BcryptHash) -> TokenRecord {
    TokenRecord {
        stored: Stored::Bcrypt(hash),
        ..record(number, text, &pepper(2))
    }
}

fn candidate(engine: &Engine, text: &PlainToken) -> SlowCandidate {
    slow(engine.verify(text, &peppers(), &asked(None)))
}

fn digest(text: &PlainToken) -> Digest {
    pepper(2).digest(text)
}

/// An engine in which token 0 was found by its prefix and remembered.
fn remembered() -> (Engine, PlainToken, TokenRecord) {
    let (engine, token) = (engine(), text(1));
    let good = hashed(0, &token, some_hash('a'));
    engine.apply(Change::Token(good.clone())).unwrap();
    assert!(engine.remember(&candidate(&engine, &token), digest(&token)));
    assert_eq!(ask(&engine, &token, "repo:write"), Verdict::Allow);
    (engine, token, good)
}

#[test]
fn the_first_use_compares_and_the_next_is_quick() {
    let (engine, token) = (engine(), text(1));
    let hash = BcryptHash::of(&token, [7; 16]).unwrap();
    engine
        .apply(Change::Token(hashed(0, &token, hash)))
        .unwrap();
    // The same prefix with another secret: a candidate too, and a comparison that fails.
    let mut other = token.expose().as_bytes()[..10].to_vec();
    other.extend_from_slice(&text(2).expose().as_bytes()[10..]);
    let found = candidate(&engine, &token);
    assert_eq!(found.id(), token_id(0));
    assert!(found.matches(&token) && !found.matches(&text(2)));
    assert!(engine.remember(&found, digest(&token)));
    let all = peppers();
    let Answer::Known {
        verdict,
        token: view,
        pepper,
    } = engine.verify(&token, &all, &asked(None))
    else {
        panic!("it is known")
    };
    assert_eq!(
        (verdict, view.id(), view.name().to_string().as_str(), pepper),
        (Verdict::Allow, token_id(0), "token 0", 0)
    );
    assert!(view.is_remembered());
    assert_eq!(
        ask(&engine, &text(2), ""),
        deny(DenyReason::Unknown),
        "another prefix is unknown at once"
    );
    let sizes = engine.sizes();
    assert_eq!(
        (sizes.tokens, sizes.slow_tokens, sizes.remembered_tokens),
        (1, 1, 1)
    );
}

#[test]
fn a_change_reaches_the_remembered_token() {
    let (engine, token, good) = remembered();
    engine
        .apply(Change::Token(TokenRecord {
            scope: Some(set("repo:read")),
            ..good.clone()
        }))
        .unwrap();
    assert_eq!(
        ask(&engine, &token, "repo:write"),
        deny(DenyReason::PermissionMissing)
    );
    engine
        .apply(Change::Token(TokenRecord {
            revoked: true,
            ..good
        }))
        .unwrap();
    assert_eq!(ask(&engine, &token, ""), deny(DenyReason::Revoked));
}

#[test]
fn a_token_revoked_while_it_was_compared_is_refused() {
    let (engine, token) = (engine(), text(1));
    let good = hashed(0, &token, some_hash('a'));
    engine.apply(Change::Token(good.clone())).unwrap();
    let found = candidate(&engine, &token);
    engine
        .apply(Change::Token(TokenRecord {
            revoked: true,
            ..good
        }))
        .unwrap();
    assert!(engine.remember(&found, digest(&token)));
    assert_eq!(ask(&engine, &token, ""), deny(DenyReason::Revoked));
}

#[test]
fn a_token_that_is_gone_or_has_another_hash_is_not_remembered() {
    let (engine, token) = (engine(), text(1));
    let good = hashed(0, &token, some_hash('a'));
    engine.apply(Change::Token(good.clone())).unwrap();
    let found = candidate(&engine, &token);
    engine
        .apply(Change::Token(TokenRecord {
            stored: Stored::Bcrypt(some_hash('b')),
            ..good
        }))
        .unwrap();
    assert!(!engine.remember(&found, digest(&token)));
    let found = candidate(&engine, &token);
    engine.apply(Change::TokenGone(token_id(0))).unwrap();
    assert!(!engine.remember(&found, digest(&token)));
    assert_eq!(ask(&engine, &token, ""), deny(DenyReason::Unknown));
}

#[test]
fn another_hash_makes_the_engine_forget() {
    let (engine, token, good) = remembered();
    engine
        .apply(Change::Token(TokenRecord {
            stored: Stored::Bcrypt(some_hash('b')),
            ..good
        }))
        .unwrap();
    let _ = candidate(&engine, &token);
    assert_eq!(engine.sizes().remembered_tokens, 0);
}

#[test]
fn a_token_that_goes_takes_what_was_remembered_with_it() {
    let (engine, token, _) = remembered();
    engine.apply(Change::TokenGone(token_id(0))).unwrap();
    assert_eq!(ask(&engine, &token, ""), deny(DenyReason::Unknown));
    let sizes = engine.sizes();
    assert_eq!(
        (sizes.tokens, sizes.slow_tokens, sizes.remembered_tokens),
        (0, 0, 0)
    );
}

#[test]
fn a_token_may_change_from_a_hash_to_a_digest_and_back() {
    let (engine, token, good) = remembered();
    engine
        .apply(Change::Token(record(0, &token, &pepper(2))))
        .unwrap();
    let all = peppers();
    assert!(
        matches!(engine.verify(&token, &all, &asked(None)), Answer::Known { token, .. } if !token.is_remembered())
    );
    let sizes = engine.sizes();
    assert_eq!(
        (sizes.tokens, sizes.slow_tokens, sizes.remembered_tokens),
        (1, 0, 0)
    );
    engine.apply(Change::Token(good)).unwrap();
    let _ = candidate(&engine, &token);
}

#[test]
fn a_token_is_remembered_under_one_pepper_at_a_time() {
    let (engine, token, _) = remembered();
    // As a node does that still has the older key file: it finds nothing under its own pepper.
    let older = hallpass_domain::token::Peppers::new(pepper(1), Vec::new());
    let found = slow(engine.verify(&token, &older, &asked(None)));
    assert!(engine.remember(&found, pepper(1).digest(&token)));
    assert_eq!(engine.sizes().remembered_tokens, 1);
    assert!(matches!(
        engine.verify(&token, &peppers(), &asked(None)),
        Answer::Known { pepper: 1, .. }
    ));
}
