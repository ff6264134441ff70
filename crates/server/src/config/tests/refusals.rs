//! What a wrong setting is answered with.

use super::*;

/// Setting, value, and what the refusal says of the way out.
const WRONG_VALUES: &[(&str, &str, &str)] = &[
    ("listen", "4377", "0.0.0.0:4377"),
    ("database", "mysql://x", "sqlite:FILE or postgres://"),
    ("database", "sqlite::memory:", "sqlite:hallpass.db"),
    ("base-url", "hallpass.example", "https://"),
    ("base-url", "https://a.example/path", "without a path"),
    ("base-url", "https://ann@a.example", "https://"),
    ("behind-tls-proxy", "yes", "true or false"),
    ("trusted-proxies", "10.0.0.0/8,ten", "ten is no network"),
    ("log-format", "xml", "people or json"),
    ("log-level", "a=b=c", "error, warn"),
    ("log-level", "verbose", "error, warn"),
    ("log-level", "info,loud", "error, warn"),
    ("brand", "HP", "two lower-case"),
    ("digest-scheme", "md5", "hmac-sha256 or bcrypt"),
    ("member-permissions", "repo:read", "[[permission]]"),
    ("member-permissions", "hallpass:own-tokens", "no role gives"),
    ("member-permissions", "repo", "not a permission"),
    ("tls-cert", "c.pem", "tls-key"),
    ("tls-key", "k.pem", "tls-cert"),
];

/// A file and the whole refusal.
const WRONG_FILES: &[(&str, &str)] = &[
    (
        "listne = \"127.0.0.1:1\"",
        "listne (hallpass.toml): no such setting. Perhaps listen was meant.",
    ),
    (
        "gateway_listen = \"127.0.0.1:1\"",
        "gateway_listen (hallpass.toml): no such setting. Perhaps gateway-listen was meant.",
    ),
    (
        "colour = \"red\"",
        "colour (hallpass.toml): no such setting. `hallpass config` lists the settings there are.",
    ),
    (
        "peppers = \"a:b\"",
        "peppers (hallpass.toml): this does not belong in the file. Set HALLPASS_PEPPERS in the environment.",
    ),
    (
        "config = \"x\"",
        "config (hallpass.toml): this does not belong in the file. Use --config or HALLPASS_CONFIG.",
    ),
    (
        "listen = 4377",
        "listen (hallpass.toml) is “4377”: not a text. Write listen = \"…\".",
    ),
    (
        "behind-tls-proxy = \"true\"",
        "behind-tls-proxy (hallpass.toml) is “\\\"true\\\"”: neither true nor false. Write behind-tls-proxy = true or behind-tls-proxy = false.",
    ),
    (
        "trusted-proxies = [1]",
        "trusted-proxies (hallpass.toml) is “1”: not a list of texts. Write [\"…\", \"…\"].",
    ),
    (
        "member-permissions = []\n[roles]\nmember = []",
        "member-permissions (hallpass.toml): given twice, also under [roles]. Keep one of the two.",
    ),
    (
        "[roles]\nadmin = []",
        "roles.admin (hallpass.toml): no such role. Only member and viewer can be given permissions here.",
    ),
    (
        "[[permission]]\ndescription = \"x\"",
        "permission (hallpass.toml): a permission without a name. Write name = \"repo:read\".",
    ),
    (
        "[[permission]]\nname = \"a:b\"\nrisk = \"huge\"",
        "permission.risk (hallpass.toml) is “huge”: no such risk. It is low, medium or high.",
    ),
    (
        "[[permission]]\nname = \"a:b\"\nrisky = \"low\"",
        "permission.risky (hallpass.toml): no such setting. A permission has a name, a description and a risk.",
    ),
    (
        "[[permission]]\nname = \"a:*\"",
        "permission.name (hallpass.toml) is “a:*”: a wildcard is no permission of its own. List each action; roles may then hold the wildcard.",
    ),
    (
        "[[permission]]\nname = \"hallpass:x\"",
        "permission.name (hallpass.toml) is “hallpass:x”: hallpass:… belongs to the product. Choose another resource.",
    ),
    (
        "[[permission]]\nname = \"a:b\"\n[[permission]]\nname = \"a:b\"",
        "permission.name (hallpass.toml) is “a:b”: listed twice. Keep one of the two.",
    ),
];

#[test]
fn a_wrong_value_is_named_with_its_source_and_the_way_out() {
    for (key, value, way_out) in WRONG_VALUES {
        let variable = settings::find(key).unwrap().env;
        let said = refusal(&[], &[(variable, value)], "");
        assert!(
            said.starts_with(&format!("{key} ({variable}) is “{value}”: "))
                && said.contains(way_out),
            "{said}"
        );
        assert!(said.ends_with('.') && !said.contains(".."), "{said}");
        let said = refusal(&[(key, value)], &[], "");
        assert!(said.starts_with(&format!("{key} (--{key}) is ")), "{said}");
    }
}

#[test]
fn a_wrong_line_in_the_file_is_named() {
    for (file, said) in WRONG_FILES {
        assert_eq!(refusal(&[], &[], file), *said);
    }
    assert!(refusal(&[], &[], "\n\n = 1").starts_with("line 3 (hallpass.toml): not TOML: "));
}
