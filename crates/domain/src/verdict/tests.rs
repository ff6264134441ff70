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
        bearer: Bearer::Person {
            user_active: true,
            membership: Some(MembershipFacts {
                active: true,
                may_have_tokens: true,
            }),
        },
        role,
        scope: None,
    }
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
    assert_eq!(decide(Some(facts), None, NOW), Verdict::Allow);
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
        assert_eq!(decide(Some(facts), None, NOW), Verdict::Deny(why));
        assert_eq!(
            decide(Some(facts), Some(&permission("repo:read")), NOW),
            Verdict::Deny(why)
        );
    }
    assert_eq!(decide(None, None, NOW), Verdict::Deny(DenyReason::Unknown));
}

#[test]
fn the_end_is_the_first_moment_at_which_it_no_longer_works() {
    let role = set("");
    let at = |expires, now| {
        decide(
            Some(Facts {
                expires_at: Some(Timestamp::from_micros(expires)),
                ..good(&role)
            }),
            None,
            Timestamp::from_micros(now),
        )
    };
    assert_eq!(at(10, 9), Verdict::Allow);
    assert_eq!(at(10, 10), Verdict::Deny(DenyReason::Expired));
    let from = |start, now| {
        decide(
            Some(Facts {
                valid_from: Some(Timestamp::from_micros(start)),
                ..good(&role)
            }),
            None,
            Timestamp::from_micros(now),
        )
    };
    assert_eq!(from(10, 9), Verdict::Deny(DenyReason::NotYetValid));
    assert_eq!(from(10, 10), Verdict::Allow);
}

#[test]
fn an_api_key_looks_at_nobody() {
    let role = set("repo:read");
    let key = Facts {
        bearer: Bearer::Organization,
        ..good(&role)
    };
    assert_eq!(
        decide(Some(key), Some(&permission("repo:read")), NOW),
        Verdict::Allow
    );
    assert_eq!(
        decide(Some(key), Some(&permission("repo:write")), NOW),
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
            Some(&own),
            NOW,
        ) == Verdict::Allow
    };
    assert!(may(Some(&named)));
    assert!(!may(Some(&wild)), "no wildcard gives it");
    assert!(!may(None), "no role gives it");
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
        prop_assert_eq!(decide(Some(facts), Some(&needed), NOW) == Verdict::Allow, expected);
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
            prop_assert_eq!(decide(Some(facts), Some(needed), NOW) == Verdict::Allow, shown.names(needed));
        }
    }
}
