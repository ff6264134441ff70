//! Readers while things change: each answer is that of before or of after.

use crate::world::*;
use hallpass_domain::{
    name::TokenName,
    verdict::{DenyReason, Verdict},
};
use hallpass_engine::{Answer, Change, Engine, TokenRecord};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

const READERS: usize = 3;

/// Runs `change` once while readers call `read` over and over, at least once before and once after.
fn hammer(change: impl FnOnce() + Send, read: impl Fn() + Sync) {
    let done = AtomicBool::new(false);
    thread::scope(|threads| {
        for _ in 0..READERS {
            threads.spawn(|| {
                loop {
                    let last = done.load(Ordering::Acquire);
                    read();
                    if last {
                        return;
                    }
                }
            });
        }
        threads.spawn(|| {
            // A panic in here must not leave the readers running for ever.
            let _ended = Ended(&done);
            change();
        });
    });
}

struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[test]
fn a_change_of_two_things_is_never_seen_by_halves() {
    let engine = engine();
    let token = text(1);
    let good = record(0, &token, &pepper(2));
    let [narrow, wide] = [set("repo:read"), set("repo:read repo:write")];
    // One works but not for writing; the other would do for writing but is over.
    let works = TokenRecord {
        scope: Some(narrow),
        ..good.clone()
    };
    let over = TokenRecord {
        scope: Some(wide),
        expires_at: Some(NOW),
        ..good
    };
    engine.apply(Change::Token(works.clone())).unwrap();
    hammer(
        || {
            for round in 0..30_000 {
                let next = if round % 2 == 0 { &over } else { &works };
                engine.apply(Change::Token(next.clone())).unwrap();
            }
        },
        || assert_ne!(ask(&engine, &token, "repo:write"), Verdict::Allow),
    );
}

#[test]
fn growth_and_renaming_hide_nobody() {
    let engine = engine();
    let tokens: Vec<_> = (0..64).map(text).collect();
    for (number, token) in (0..).zip(&tokens) {
        engine
            .apply(Change::Token(record(number, token, &pepper(2))))
            .unwrap();
    }
    let [short, long] = ["x".to_owned(), "é".repeat(80)];
    let (all, names) = (peppers(), [short, long]);
    let rename = |number: u32, name: &str| {
        let name = TokenName::parse(name).unwrap();
        engine
            .apply(Change::Token(TokenRecord {
                name,
                ..record(number, &tokens[number as usize], &pepper(2))
            }))
            .unwrap();
    };
    (0..64).for_each(|number| rename(number, &names[0]));
    hammer(
        || {
            for number in 64..12_000_u32 {
                engine
                    .apply(Change::Token(record(
                        number,
                        &text(u64::from(number)),
                        &pepper(2),
                    )))
                    .unwrap();
                rename(number % 64, &names[(number / 64 % 2) as usize]);
                if number % 3 == 0 && number > 200 {
                    engine
                        .apply(Change::TokenGone(token_id(number - 100)))
                        .unwrap();
                }
            }
        },
        || {
            for token in &tokens {
                let Answer::Known { verdict, token, .. } = engine.verify(token, &all, &asked(None))
                else {
                    panic!("it was hidden")
                };
                assert_eq!(verdict, Verdict::Allow);
                assert!(names.contains(&token.name().to_string()));
            }
        },
    );
}

#[test]
fn a_token_that_gets_another_digest_is_found_all_the_time() {
    let engine = engine();
    let token = text(1);
    engine
        .apply(Change::Token(record(0, &token, &pepper(1))))
        .unwrap();
    hammer(
        || {
            for round in 0..15_000_u32 {
                let under = if round % 2 == 0 { pepper(2) } else { pepper(1) };
                engine
                    .apply(Change::Token(record(0, &token, &under)))
                    .unwrap();
            }
        },
        || assert_eq!(ask(&engine, &token, "repo:write"), Verdict::Allow),
    );
}

#[test]
fn a_role_changes_between_two_answers() {
    let engine = engine();
    let token = text(1);
    engine
        .apply(Change::Token(record(0, &token, &pepper(2))))
        .unwrap();
    let [some, others] = [set("repo:read repo:write"), set("wiki:read")];
    let all = peppers();
    hammer(
        || {
            for round in 0..20_000 {
                engine
                    .apply(role_holds(
                        0,
                        if round % 2 == 0 {
                            "wiki:read"
                        } else {
                            "repo:read repo:write"
                        },
                    ))
                    .unwrap();
                engine.apply(member(0, round / 2 % 2, true, true)).unwrap();
                engine.apply(member(0, 0, true, true)).unwrap();
            }
        },
        || {
            let Answer::Known { token, verdict, .. } = engine.verify(&token, &all, &asked(None))
            else {
                panic!("it was hidden")
            };
            let permissions = token.permissions();
            assert_eq!(verdict, Verdict::Allow);
            assert!(
                permissions == some || permissions == others || permissions == set("repo:read"),
                "{permissions:?}"
            );
        },
    );
}

#[test]
fn what_was_revoked_is_refused_from_then_on() {
    let engine = engine();
    let tokens: Vec<_> = (0..3_000).map(text).collect();
    for (number, token) in (0..).zip(&tokens) {
        engine
            .apply(Change::Token(record(number, token, &pepper(2))))
            .unwrap();
    }
    let revoked: Vec<_> = tokens.iter().map(|_| AtomicBool::new(false)).collect();
    let check = |engine: &Engine, number: usize| {
        // Asked before the token is: an answer may be older than a revocation only if it was asked before.
        let was_revoked = revoked[number].load(Ordering::Acquire);
        let verdict = ask(engine, &tokens[number], "");
        assert!(
            verdict == deny(DenyReason::Revoked) || (verdict == Verdict::Allow && !was_revoked)
        );
    };
    hammer(
        || {
            for (number, token) in (0..).zip(&tokens) {
                engine
                    .apply(Change::Token(TokenRecord {
                        revoked: true,
                        ..record(number, token, &pepper(2))
                    }))
                    .unwrap();
                revoked[number as usize].store(true, Ordering::Release);
                engine
                    .apply(Change::Token(record(
                        10_000 + number,
                        &text(u64::from(10_000 + number)),
                        &pepper(2),
                    )))
                    .unwrap();
            }
        },
        || (0..tokens.len()).for_each(|number| check(&engine, number)),
    );
}

#[test]
fn an_organization_that_comes_back_without_its_tokens_never_has_them() {
    let engine = engine();
    let token = text(1);
    let all = peppers();
    engine.apply(organization_is(0, false)).unwrap();
    hammer(
        || {
            for number in 1..20_000 {
                let fresh = Change::Token(record(number, &token, &pepper(2)));
                // The very change that lets the organization work again revokes the token.
                let back = organization_asks(false, "", "", Some(number + 1));
                let rest = organization_is(0, false);
                for change in [fresh, back, rest, Change::TokenGone(token_id(number))] {
                    engine.apply(change).unwrap();
                }
            }
        },
        || {
            let verdict = engine.verify(&token, &all, &asked(None)).verdict();
            assert_ne!(verdict, Some(Verdict::Allow));
        },
    );
}
