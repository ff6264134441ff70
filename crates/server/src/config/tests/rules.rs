//! Settings that are each good, and do not go together.

use super::*;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn passwords_never_cross_a_network_in_the_clear() {
    for (settings, starts) in [
        (&[("listen", "0.0.0.0:1")][..], false),
        (&[("listen", "192.0.2.1:1")], false),
        (&[("listen", "[::]:1")], false),
        (&[("listen", "[::ffff:127.0.0.1]:1")], true),
        (&[("listen", "127.9.9.9:1")], true),
        (
            &[("listen", "0.0.0.0:1"), ("behind-tls-proxy", "true")],
            true,
        ),
        (
            &[("listen", "0.0.0.0:1"), ("tls-cert", "c"), ("tls-key", "k")],
            true,
        ),
    ] {
        assert_eq!(check(settings).is_ok(), starts, "{settings:?}");
    }
    assert_eq!(
        check(&[("listen", "0.0.0.0:1")]).unwrap_err(),
        "listen (--listen) is “0.0.0.0:1”: passwords and tokens would cross the network unencrypted. Listen on 127.0.0.1, \
         give tls-cert and tls-key, or, if a proxy that terminates TLS stands in front, say behind-tls-proxy."
    );
}

#[test]
fn no_other_listener_speaks_in_the_clear_beyond_loopback() {
    let env = [("HALLPASS_GATEWAY_SECRET", SECRET)];
    for (key, crosses) in [
        ("gateway-listen", "tokens and the gateways' secret"),
        ("ops-listen", "what it tells"),
    ] {
        for (address, rest, starts) in [
            ("0.0.0.0:1", &[][..], false),
            ("[2001:db8::1]:1", &[], false),
            ("[::1]:1", &[], true),
            ("0.0.0.0:1", &[("behind-tls-proxy", "true")], true),
            ("0.0.0.0:1", &[("tls-cert", "c"), ("tls-key", "k")], true),
        ] {
            let all = [&[(key, address)], rest].concat();
            let said = resolve(&all, &env, "").unwrap().check();
            assert_eq!(said.is_ok(), starts, "{all:?}");
            if let Err(said) = said {
                let said = said.to_string();
                assert!(
                    said.starts_with(&format!(
                        "{key} (--{key}) is “{address}”: {crosses} would cross"
                    )) && said.contains("tls-key")
                        && said.contains("behind-tls-proxy")
                        && said.contains("127.0.0.1"),
                    "{said}"
                );
            }
        }
    }
}

#[test]
fn a_gateway_beyond_loopback_needs_a_secret() {
    let beyond = [
        ("gateway-listen", "0.0.0.0:1"),
        ("behind-tls-proxy", "true"),
    ];
    assert!(
        check(&beyond)
            .unwrap_err()
            .contains("HALLPASS_GATEWAY_SECRET")
    );
    let env = [("HALLPASS_GATEWAY_SECRET", SECRET)];
    resolve(&beyond, &env, "").unwrap().check().unwrap();
    let twice = refusal(&[("gateway-secret-file", "f")], &env, "");
    assert!(
        twice.contains("gateway-secret-file") && !twice.contains("0123"),
        "{twice}"
    );
}

#[test]
fn the_public_address_fits_what_is_spoken() {
    let tls = [("tls-cert", "c"), ("tls-key", "k")];
    let with = |url: &'static str, rest: &[(&'static str, &'static str)]| {
        let all: Vec<_> = rest.iter().copied().chain([("base-url", url)]).collect();
        check(&all).is_ok()
    };
    assert!(
        with("http://localhost:4377", &[])
            && with("http://[::1]:1", &[])
            && with("http://127.0.0.1", &[])
    );
    assert!(
        with("https://a.example", &tls)
            && with("https://a.example", &[("behind-tls-proxy", "true")])
    );
    assert!(!with("http://a.example", &[]), "links over plain http");
    assert!(!with("https://a.example", &[]), "nothing speaks TLS");
    assert!(!with("http://localhost", &tls), "people arrive over TLS");
}

#[test]
fn two_listeners_never_share_an_address() {
    assert!(
        check(&[("ops-listen", "127.0.0.1:4378")])
            .unwrap_err()
            .contains("the same address as gateway-listen")
    );
    assert!(check(&[("listen", "127.0.0.1:0"), ("ops-listen", "127.0.0.1:0")]).is_ok());
}

#[test]
fn cookies_are_plain_only_on_plain_loopback() {
    for (settings, secure) in [
        (&[][..], false),
        (&[("listen", "[::1]:1")], false),
        (&[("listen", "0.0.0.0:1")], true),
        (&[("behind-tls-proxy", "true")], true),
        (&[("tls-cert", "c"), ("tls-key", "k")], true),
        (
            &[("listen", "0.0.0.0:1"), ("behind-tls-proxy", "true")],
            true,
        ),
    ] {
        assert_eq!(
            resolve(settings, &[], "").unwrap().cookies_secure(),
            secure,
            "{settings:?}"
        );
    }
}
