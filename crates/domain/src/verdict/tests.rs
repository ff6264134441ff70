use super::*;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_micros(1_000_000);

fn set(text: &str) -> PermissionSet {
    PermissionSet::parse(text.split_whitespace()).unwrap()
}

fn permission(text: &str) -> Permission {
    Permission::parse(text).unwrap()
}

fn good(role: &PermissionSet) -> Facts<'_> {
    Facts {
        revoked: false,
        expires_at: None,
        valid_from: None,
        suspended: false,
        organization_active: true,
        host: false,
        organization_networks: None,
        address_rules: None,
        bearer: Bearer::Person {
            user_active: true,
            membership: Some(MembershipFacts {
                active: true,
                may_have_tokens: true,
            }),
        },
        role,
        scope: None,
        forbidden: None,
    }
}

fn at(needed: Option<&Permission>, now: Timestamp) -> Question<'_> {
    Question {
        needed,
        address: None,
        now,
    }
}

fn asked(needed: Option<&Permission>) -> Question<'_> {
    at(needed, NOW)
}

fn from(address: &str) -> Question<'static> {
    Question {
        address: Some(address.parse().unwrap()),
        ..asked(None)
    }
}

fn networks(text: &str) -> NetworkSet {
    NetworkSet::parse(text.split_whitespace()).unwrap()
}

fn member(active: bool, may_have_tokens: bool) -> Bearer {
    Bearer::Person {
        user_active: true,
        membership: Some(MembershipFacts {
            active,
            may_have_tokens,
        }),
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of facts and reasons")]
fn each_fact_alone_refuses_for_its_own_reason() {
    let role = set("repo:read");
    let facts = good(&role);
    assert_eq!(decide(Some(facts), &asked(None)), Verdict::Allow);
    let moment = |micros| Some(Timestamp::from_micros(micros));
    for (facts, why) in [
        (
            Facts {
                revoked: true,
                ..facts
            },
            DenyReason::Revoked,
        ),
        (
            Facts {
                expires_at: moment(1_000_000),
                ..facts
            },
            DenyReason::Expired,
        ),
        (
            Facts {
                valid_from: moment(1_000_001),
                ..facts
            },
            DenyReason::NotYetValid,
        ),
        (
            Facts {
                suspended: true,
                ..facts
            },
            DenyReason::Suspended,
        ),
        (
            Facts {
                organization_active: false,
                ..facts
            },
            DenyReason::OrganizationSuspended,
        ),
        (
            Facts {
                bearer: Bearer::Person {
                    user_active: false,
                    membership: None,
                },
                ..facts
            },
            DenyReason::UserSuspended,
        ),
        (
            Facts {
                bearer: Bearer::Person {
                    user_active: true,
                    membership: None,
                },
                ..facts
            },
            DenyReason::NotAMember,
        ),
        (
            Facts {
                bearer: member(false, true),
                ..facts
            },
            DenyReason::MembershipSuspended,
        ),
        (
            Facts {
                bearer: member(true, false),
                ..facts
            },
            DenyReason::TokensNotAllowed,
        ),
    ] {
        assert_eq!(decide(Some(facts), &asked(None)), Verdict::Deny(why));
        assert_eq!(
            decide(Some(facts), &asked(Some(&permission("repo:read")))),
            Verdict::Deny(why)
        );
    }
    assert_eq!(
        decide(None, &asked(None)),
        Verdict::Deny(DenyReason::Unknown)
    );
}

#[test]
fn the_end_is_the_first_moment_at_which_it_no_longer_works() {
    let role = set("");
    let until = |expires, now| {
        decide(
            Some(Facts {
                expires_at: Some(Timestamp::from_micros(expires)),
                ..good(&role)
            }),
            &at(None, Timestamp::from_micros(now)),
        )
    };
    assert_eq!(until(10, 9), Verdict::Allow);
    assert_eq!(until(10, 10), Verdict::Deny(DenyReason::Expired));
    let since = |start, now| {
        decide(
            Some(Facts {
                valid_from: Some(Timestamp::from_micros(start)),
                ..good(&role)
            }),
            &at(None, Timestamp::from_micros(now)),
        )
    };
    assert_eq!(since(10, 9), Verdict::Deny(DenyReason::NotYetValid));
    assert_eq!(since(10, 10), Verdict::Allow);
}

#[test]
fn an_api_key_looks_at_nobody() {
    let role = set("repo:read");
    let key = Facts {
        bearer: Bearer::Organization,
        ..good(&role)
    };
    assert_eq!(
        decide(Some(key), &asked(Some(&permission("repo:read")))),
        Verdict::Allow
    );
    assert_eq!(
        decide(Some(key), &asked(Some(&permission("repo:write")))),
        Verdict::Deny(DenyReason::PermissionMissing)
    );
}

#[test]
fn only_a_token_that_names_it_manages_its_owners_tokens() {
    let own = permission(Permission::OWN_TOKENS);
    let role = set("hallpass:verify hallpass:own-tokens");
    let [named, wild] = [set("hallpass:own-tokens"), set("hallpass:*")];
    let may = |scope| {
        decide(
            Some(Facts {
                scope,
                ..good(&role)
            }),
            &asked(Some(&own)),
        ) == Verdict::Allow
    };
    assert!(may(Some(&named)));
    assert!(!may(Some(&wild)), "no wildcard gives it");
    assert!(!may(None), "no role gives it");
}

#[test]
fn an_address_is_asked_after_the_bearer_and_before_the_permission() {
    let role = set("repo:read");
    let organization = networks("10.0.0.0/8");
    let rules = AddressRules {
        allow: networks(""),
        deny: networks("10.9.0.0/16"),
    };
    let facts = Facts {
        organization_networks: Some(&organization),
        address_rules: Some(&rules),
        ..good(&role)
    };
    let not_allowed = Verdict::Deny(DenyReason::AddressNotAllowed);
    assert_eq!(decide(Some(facts), &from("10.1.2.3")), Verdict::Allow);
    assert_eq!(
        decide(Some(facts), &from("::ffff:10.1.2.3")),
        Verdict::Allow
    );
    assert_eq!(decide(Some(facts), &from("10.9.2.3")), not_allowed);
    assert_eq!(decide(Some(facts), &from("192.0.2.1")), not_allowed);
    assert_eq!(
        decide(Some(facts), &asked(None)),
        not_allowed,
        "fails closed"
    );
    let other = permission("repo:write");
    assert_eq!(decide(Some(facts), &asked(Some(&other))), not_allowed);
    let gated = Facts {
        bearer: member(true, false),
        ..facts
    };
    let gate = Verdict::Deny(DenyReason::TokensNotAllowed);
    assert_eq!(decide(Some(gated), &from("192.0.2.1")), gate);
    let key = Facts {
        bearer: Bearer::Organization,
        ..facts
    };
    assert_eq!(decide(Some(key), &from("192.0.2.1")), not_allowed);
    let own_rules = Facts {
        organization_networks: None,
        ..facts
    };
    assert_eq!(decide(Some(own_rules), &from("192.0.2.1")), Verdict::Allow);
    assert_eq!(decide(Some(own_rules), &from("10.9.2.3")), not_allowed);
}

#[test]
fn what_is_forbidden_to_personal_tokens_is_not_forbidden_to_keys() {
    let role = set("repo:read repo:write wiki:read");
    let scope = set("repo:* hallpass:own-tokens wiki:read");
    let forbidden = set("repo:write wiki:* hallpass:*");
    let token = Facts {
        scope: Some(&scope),
        forbidden: Some(&forbidden),
        ..good(&role)
    };
    let key = Facts {
        bearer: Bearer::Organization,
        ..token
    };
    for (text, by_token) in [
        ("repo:read", true),
        ("repo:write", false),
        ("wiki:read", false),
        ("hallpass:own-tokens", false),
    ] {
        let needed = permission(text);
        let may = |facts| decide(Some(facts), &asked(Some(&needed))) == Verdict::Allow;
        assert_eq!((may(token), may(key)), (by_token, true), "{text}");
    }
    assert_eq!(token.permissions(), set("repo:read"));
    assert_eq!(
        key.permissions(),
        set("hallpass:own-tokens repo:read repo:write wiki:read")
    );
}

#[test]
fn the_deployment_is_for_the_organization_that_runs_it() {
    let role = set("hallpass:deployment hallpass:members");
    let wild = set("hallpass:*");
    let deployment = permission(Permission::DEPLOYMENT);
    for (role, scope) in [(&role, None), (&role, Some(&wild)), (&wild, None)] {
        for host in [false, true] {
            let facts = Facts {
                host,
                scope,
                ..good(role)
            };
            let allowed = decide(Some(facts), &asked(Some(&deployment))) == Verdict::Allow;
            assert_eq!(allowed, host);
            assert_eq!(
                facts.permissions().names(&deployment),
                host && !role.names(&permission("hallpass:*"))
            );
        }
    }
}

#[test]
fn every_check_has_its_own_word_and_the_reason_it_stands_for() {
    let words: std::collections::HashSet<_> = Check::ALL.iter().map(|check| check.word()).collect();
    assert_eq!(words.len(), Check::ALL.len());
    let mut reasons: Vec<_> = Check::ALL.iter().map(|check| check.reason()).collect();
    reasons.dedup();
    assert_eq!(reasons, DenyReason::ALL[1..], "in the order of the reasons");
}

#[test]
fn an_explanation_tells_the_steps_up_to_the_one_that_fails() {
    let role = set("repo:read");
    let needed = permission("repo:read");
    let told = |facts, needed| {
        let steps = explain(facts, &asked(needed));
        let steps = steps.iter().map(|step| (step.check, step.outcome));
        steps.collect::<Vec<_>>()
    };
    let all = |outcome| Check::ALL.map(|check| (check, outcome)).to_vec();
    assert_eq!(told(Some(good(&role)), Some(&needed)), all(Outcome::Holds));
    assert_eq!(told(Some(good(&role)), None), all(Outcome::Holds)[..11]);
    let mut unknown = all(Outcome::NotReached);
    unknown[0].1 = Outcome::Fails;
    assert_eq!(told(None, Some(&needed)), unknown);
    assert_eq!(told(None, None), unknown[..11]);
    let mut suspended = all(Outcome::NotReached);
    suspended[..4].fill_with(|| (Check::Known, Outcome::Holds));
    for (step, check) in suspended.iter_mut().zip(Check::ALL) {
        step.0 = check;
    }
    suspended[4].1 = Outcome::Fails;
    let resting = Facts {
        suspended: true,
        ..good(&role)
    };
    assert_eq!(told(Some(resting), Some(&needed)), suspended);
    let key = Facts {
        bearer: Bearer::Organization,
        ..good(&role)
    };
    let looks_at_nobody: Vec<_> = all(Outcome::Holds)
        .into_iter()
        .filter(|(check, _)| {
            let words = ["user", "member", "tokens", "policy"];
            !words.iter().any(|word| check.word().contains(word))
        })
        .collect();
    assert_eq!(told(Some(key), Some(&needed)), looks_at_nobody);
}

fn a_set() -> impl Strategy<Value = PermissionSet> {
    proptest::collection::vec(("[ab]", prop_oneof!["[ab]", Just("*".to_owned())]), 0..5).prop_map(
        |all| {
            all.iter()
                .map(|(r, a)| permission(&format!("{r}:{a}")))
                .collect()
        },
    )
}

proptest! {
    /// Allowed is exactly: in the role now, and in the narrowing if there is one.
    #[test]
    fn allowed_is_the_intersection(role in a_set(), scope in proptest::option::of(a_set()), r in "[ab]", a in "[ab]") {
        let needed = permission(&format!("{r}:{a}"));
        let facts = Facts { scope: scope.as_ref(), ..good(&role) };
        let expected = role.covers(&needed) && scope.as_ref().is_none_or(|scope| scope.covers(&needed));
        prop_assert_eq!(decide(Some(facts), &asked(Some(&needed))) == Verdict::Allow, expected);
    }

    /// What is shown as the permissions of a token is what it may do: with concrete roles, as the engine
    /// has them, nothing more and nothing less.
    #[test]
    fn what_is_shown_is_what_is_allowed(role in a_set(), scope in proptest::option::of(a_set())) {
        let catalogue = set("a:a a:b b:a b:b");
        let role = catalogue.narrowed_to(&role);
        let facts = Facts { scope: scope.as_ref(), ..good(&role) };
        let shown = facts.permissions();
        for needed in &catalogue {
            prop_assert_eq!(decide(Some(facts), &asked(Some(needed))) == Verdict::Allow, shown.names(needed));
        }
    }

    /// The steps tell the same as the verdict, whatever the facts are.
    #[test]
    fn the_first_step_that_fails_is_the_reason(
        flags in proptest::collection::vec(any::<bool>(), 8),
        times in proptest::collection::vec(proptest::option::of(999_999..=1_000_001_i64), 2),
        sets in (a_set(), proptest::option::of(a_set()), proptest::option::of(a_set())),
        rules in proptest::collection::vec(proptest::sample::select(vec!["", "10.0.0.0/8", "10.1.0.0/16"]), 3),
        address in proptest::option::of(proptest::sample::select(vec!["10.0.0.1", "10.1.0.1", "192.0.2.1"])),
        needed in proptest::option::of(proptest::sample::select(vec!["a:a", "b:b", "hallpass:deployment", "hallpass:own-tokens"])),
    ) {
        let (role, scope, forbidden) = sets;
        let own = [Permission::DEPLOYMENT, Permission::OWN_TOKENS].map(permission);
        let role = set("a:a a:b b:a b:b").narrowed_to(&role);
        let role = if flags[7] { role.iter().chain(&own).cloned().collect() } else { role };
        let scope = scope.map(|scope| if flags[6] { scope.iter().chain(&own).cloned().collect() } else { scope });
        let moment = |at: usize| times[at].map(Timestamp::from_micros);
        let organization = networks(rules[0]);
        let own_rules = AddressRules { allow: networks(rules[1]), deny: networks(rules[2]) };
        let membership = flags[3].then_some(MembershipFacts { active: flags[4], may_have_tokens: flags[5] });
        let facts = Facts {
            revoked: flags[0] && flags[1],
            expires_at: moment(0),
            valid_from: moment(1),
            suspended: flags[0] && flags[2],
            organization_active: flags[1] || flags[2],
            host: flags[4],
            organization_networks: flags[5].then_some(&organization),
            address_rules: flags[6].then_some(&own_rules),
            bearer: if flags[7] { Bearer::Organization } else { Bearer::Person { user_active: flags[2] || flags[4], membership } },
            role: &role,
            scope: scope.as_ref(),
            forbidden: forbidden.as_ref(),
        };
        let needed = needed.map(permission);
        let question = Question { needed: needed.as_ref(), address: address.map(|text| text.parse().unwrap()), now: NOW };
        for facts in [Some(facts), None] {
            let steps = explain(facts, &question);
            let failed = steps.iter().position(|step| step.outcome == Outcome::Fails);
            let told = failed.map_or(Verdict::Allow, |at| Verdict::Deny(steps[at].check.reason()));
            prop_assert_eq!(decide(facts, &question), told);
            let reached = failed.unwrap_or(steps.len());
            prop_assert!(steps[..reached].iter().all(|step| step.outcome == Outcome::Holds));
            prop_assert!(steps.iter().skip(reached + 1).all(|step| step.outcome == Outcome::NotReached));
        }
        // What is shown is what is allowed, with rules about permissions too.
        if let Some(needed) = &needed && decide(Some(facts), &Question { needed: None, ..question }) == Verdict::Allow {
            let shown = facts.permissions();
            prop_assert_eq!(decide(Some(facts), &question) == Verdict::Allow, shown.names(needed));
        }
    }
}
