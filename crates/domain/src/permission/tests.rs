use super::*;
use proptest::prelude::*;

fn set(texts: &[&str]) -> PermissionSet {
    PermissionSet::parse(texts.iter().copied()).unwrap()
}

#[test]
fn only_resource_and_action_are_a_permission() {
    for good in [
        "repo:read",
        "repo:*",
        "a:b",
        "org/team:pull-request.merge_all",
        "2fa:reset",
    ] {
        assert!(Permission::parse(good).is_ok(), "{good}");
    }
    let long = format!("{}:read", "r".repeat(PERMISSION_BYTES_MAX));
    for bad in [
        "",
        ":",
        "repo",
        "repo:",
        ":read",
        "*:read",
        "*",
        "*:*",
        "repo:*x",
        "Repo:read",
        "repo:read:x",
        "repo: read",
        "répo:read",
        "-a:b",
        long.as_str(),
    ] {
        assert_eq!(Permission::parse(bad), Err(MalformedPermission), "{bad}");
    }
}

#[test]
fn a_wildcard_covers_its_resource_and_nothing_else() {
    let held = set(&["repo:*", "report:read"]);
    for (needed, covered) in [
        ("repo:read", true),
        ("repo:*", true),
        ("report:read", true),
        ("report:*", false),
        ("rep:read", false),
        ("repo2:read", false),
    ] {
        assert_eq!(
            held.covers(&Permission::parse(needed).unwrap()),
            covered,
            "{needed}"
        );
    }
}

#[test]
fn no_wildcard_gives_own_tokens() {
    let own = Permission::parse(Permission::OWN_TOKENS).unwrap();
    assert!(!set(&["hallpass:*"]).covers(&own));
    assert!(set(&["hallpass:own-tokens"]).covers(&own));
}

#[test]
fn forbidding_takes_in_every_action_of_a_wildcard() {
    let forbidden = set(&["hallpass:*", "repo:write"]);
    for (permission, is_forbidden) in [
        ("hallpass:keys", true),
        ("hallpass:own-tokens", true),
        ("repo:write", true),
        ("repo:*", true),
        ("repo:read", false),
        ("rep:*", false),
        ("report:write", false),
    ] {
        let permission = Permission::parse(permission).unwrap();
        assert_eq!(forbidden.forbids(&permission), is_forbidden, "{permission}");
    }
}

fn a_permission() -> impl Strategy<Value = Permission> {
    ("[a-c]", prop_oneof!["[a-c]", Just("*".to_owned())])
        .prop_map(|(r, a)| Permission::parse(&format!("{r}:{a}")).unwrap())
}
fn a_set() -> impl Strategy<Value = PermissionSet> {
    proptest::collection::vec(a_permission(), 0..8).prop_map(|all| all.into_iter().collect())
}

proptest! {
    #[test]
    fn narrowing_never_adds(role in a_set(), narrowing in a_set(), needed in a_permission()) {
        let left = role.narrowed_to(&narrowing);
        prop_assert!(role.covers_all(&left));
        if left.covers(&needed) {
            prop_assert!(role.covers(&needed) && narrowing.covers(&needed));
        }
    }

    #[test]
    fn text_reads_back(held in a_set()) {
        prop_assert_eq!(PermissionSet::parse(held.to_text().split_whitespace()).unwrap(), held);
    }
}
