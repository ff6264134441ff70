use super::*;
use proptest::prelude::*;
use std::net::{Ipv4Addr, Ipv6Addr};

fn set(text: &str) -> NetworkSet {
    NetworkSet::parse(text.split_whitespace()).unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn addresses_and_networks_are_read_and_printed() {
    for (text, printed) in [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7/32", "192.0.2.7"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("2001:db8::17", "2001:db8::17"),
        ("::/0", "::/0"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
    ] {
        assert_eq!(Network::parse(text).unwrap().to_string(), printed);
    }
    for bad in [
        "",
        "here",
        "192.0.2",
        "192.0.2.0/33",
        "192.0.2.0/",
        "/24",
        "192.0.2.0/-1",
        "192.0.2.0 /24",
        "2001:db8::/129",
        "fe80::1%eth0",
        "192.0.2.0/255.255.255.0",
    ] {
        assert_eq!(Network::parse(bad), Err(MalformedNetwork::Shape), "{bad}");
    }
}

#[test]
fn an_address_inside_a_network_is_told_which_network_it_is_in() {
    for (text, meant) in [
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("2001:db8::1/32", "2001:db8::/32"),
        ("::ffff:10.1.2.3/104", "10.0.0.0/8"),
    ] {
        let error = Network::parse(text).unwrap_err();
        assert_eq!(
            error,
            MalformedNetwork::HostBits(Network::parse(meant).unwrap())
        );
        assert!(error.to_string().ends_with(meant), "{error}");
    }
}

#[test]
fn a_set_is_sorted_without_doubles_and_has_an_end() {
    let both = set("2001:db8::/32 192.0.2.7/32 10.0.0.0/8 192.0.2.7 ::ffff:10.0.0.0/104");
    assert_eq!(both.to_text(), "10.0.0.0/8 192.0.2.7 2001:db8::/32");
    assert_eq!(both.len(), 3);
    let named = |count: usize| {
        let texts: Vec<_> = (0..count)
            .map(|number| format!("10.0.{number}.0/24"))
            .collect();
        NetworkSet::parse(texts.iter().map(String::as_str))
    };
    assert_eq!(named(NETWORKS_MAX).unwrap().len(), NETWORKS_MAX);
    assert_eq!(named(NETWORKS_MAX + 1), Err(MalformedNetworks::TooMany));
    let error = NetworkSet::parse(["10.0.0.0/8", "10.0.0.1/8"]).unwrap_err();
    assert!(error.to_string().contains("“10.0.0.1/8”"), "{error}");
}

#[test]
fn rules_admit_what_is_allowed_and_not_denied() {
    let rules = |allow, deny| AddressRules {
        allow: set(allow),
        deny: set(deny),
    };
    let [inside, bad, outside] = ["10.1.0.1", "10.2.0.1", "192.0.2.1"].map(address);
    for (allow, deny, admitted) in [
        ("", "", [true, true, true]),
        ("10.0.0.0/8", "", [true, true, false]),
        ("", "10.2.0.0/16", [true, false, true]),
        ("10.0.0.0/8", "10.2.0.0/16", [true, false, false]),
        ("10.2.0.0/16", "10.0.0.0/8", [false, false, false]),
        ("2001:db8::/32", "", [false, false, false]),
        ("", "2001:db8::/32", [true, true, true]),
    ] {
        let rules = rules(allow, deny);
        let found = [inside, bad, outside].map(|address| rules.admits(Some(address)));
        assert_eq!(found, admitted, "{rules:?}");
        assert_eq!(rules.admits(None), rules.is_empty(), "{rules:?}");
    }
    let allow = set("10.0.0.0/8");
    assert!(allow.admits(Some(inside)) && !allow.admits(Some(outside)) && !allow.admits(None));
    assert!(set("").admits(None));
}

#[test]
fn a_mapped_address_is_the_one_it_stands_for() {
    let rules = set("10.0.0.0/8");
    assert!(rules.contains(address("::ffff:10.1.2.3")));
    assert!(
        Network::parse("10.0.0.0/8")
            .unwrap()
            .contains(address("::ffff:10.1.2.3"))
    );
    assert!(!rules.contains(address("::10.1.2.3")));
    assert!(!set("::/0").contains(address("::ffff:10.1.2.3")));
}

fn some_address() -> impl Strategy<Value = IpAddr> {
    // Few bits set, so that networks and addresses meet.
    let four = prop_oneof![
        any::<u32>(),
        0..16_u32,
        (0..16_u32).prop_map(|high| high << 28)
    ];
    let six = prop_oneof![
        any::<u128>(),
        0..16_u128,
        (0..16_u128).prop_map(|high| high << 124)
    ];
    prop_oneof![
        four.prop_map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))),
        six.prop_map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits))),
    ]
}

fn some_network() -> impl Strategy<Value = Network> {
    (some_address(), 0..=128_u8).prop_map(|(address, prefix)| {
        let address = address.to_canonical();
        let prefix = if address.is_ipv4() {
            prefix.min(32)
        } else {
            prefix
        };
        let given = format!("{address}/{prefix}");
        Network::parse(&given).unwrap_or_else(|error| match error {
            MalformedNetwork::HostBits(network) => network,
            MalformedNetwork::Shape => panic!("{given}"),
        })
    })
}

fn some_set() -> impl Strategy<Value = NetworkSet> {
    proptest::collection::vec(some_network(), 0..6).prop_map(|all| all.into_iter().collect())
}

/// The first bits of an address agree with those of the network: said once more, by text of ones and zeros.
fn lies_in(address: IpAddr, network: &Network) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(four) => format!("{:032b}", four.to_bits()),
        IpAddr::V6(six) => format!("{:0128b}", six.to_bits()),
    };
    let text = network.to_string();
    let (start, prefix) = text.split_once('/').unwrap_or((&text, "999"));
    let (address, start) = (bits(address.to_canonical()), bits(start.parse().unwrap()));
    let prefix = prefix.parse::<usize>().unwrap().min(start.len());
    address.len() == start.len() && address[..prefix] == start[..prefix]
}

proptest! {
    #[test]
    fn text_reads_back(networks in some_set()) {
        prop_assert_eq!(NetworkSet::parse(networks.to_text().split_whitespace()).unwrap(), networks);
    }

    #[test]
    fn inside_is_what_begins_alike(networks in some_set(), address in some_address()) {
        let inside = networks.iter().any(|network| lies_in(address, network));
        prop_assert_eq!(networks.contains(address), inside);
    }

    #[test]
    fn rules_are_their_two_lists(allow in some_set(), deny in some_set(), address in proptest::option::of(some_address())) {
        let rules = AddressRules { allow: allow.clone(), deny: deny.clone() };
        let admitted = match address {
            None => allow.is_empty() && deny.is_empty(),
            Some(address) => !deny.contains(address) && (allow.is_empty() || allow.contains(address)),
        };
        prop_assert_eq!(rules.admits(address), admitted);
    }

    #[test]
    fn rules_within_others_let_nobody_in_whom_those_keep_out(
        inner in (some_set(), some_set()), outer in (some_set(), some_set()), address in some_address()
    ) {
        let [inner, outer] = [inner, outer].map(|(allow, deny)| AddressRules { allow, deny });
        // Whatever is drawn, this much is within.
        let both = AddressRules { allow: inner.allow.clone(), deny: inner.deny.iter().chain(&outer.deny).copied().collect() };
        for rules in [&inner, &both] {
            if rules.are_within(&outer) && rules.admits(Some(address)) {
                prop_assert!(outer.admits(Some(address)));
            }
        }
        prop_assert!(inner.are_within(&inner));
        prop_assert!(both.are_within(&AddressRules { allow: NetworkSet::default(), deny: outer.deny.clone() }));
    }
}

#[test]
fn no_list_of_what_is_allowed_is_within_no_list_alone() {
    let set = |texts: &[&str]| NetworkSet::parse(texts.iter().copied()).unwrap();
    let allow = |texts: &[&str]| AddressRules {
        allow: set(texts),
        deny: NetworkSet::default(),
    };
    let (none, wide, narrow) = (
        AddressRules::default(),
        allow(&["192.0.2.0/24"]),
        allow(&["192.0.2.7", "192.0.2.64/26"]),
    );
    assert!(narrow.are_within(&wide) && wide.are_within(&none));
    assert!(!wide.are_within(&narrow) && !none.are_within(&wide));
    assert!(!allow(&["192.0.2.7", "198.51.100.7"]).are_within(&wide));
    let denied = AddressRules {
        allow: NetworkSet::default(),
        deny: set(&["192.0.2.0/24"]),
    };
    assert!(denied.are_within(&none) && !none.are_within(&denied));
    assert!(!wide.are_within(&denied), "what is denied stays denied");
}
