use super::*;

fn flags(pairs: &[(&'static str, &str)]) -> BTreeMap<&'static str, String> {
    pairs.iter().map(|(key, value)| (*key, (*value).to_owned())).collect()
}

fn resolve(flag: &[(&'static str, &str)], env: &[(&str, &str)], file: &str) -> Result<Config, ConfigError> {
    let env = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    Config::resolve(&flags(flag), env, Some(file))
}

fn refusal(flag: &[(&'static str, &str)], env: &[(&str, &str)], file: &str) -> String {
    resolve(flag, env, file).unwrap_err().to_string()
}

fn check(flag: &[(&'static str, &str)]) -> Result<(), String> {
    resolve(flag, &[("HALLPASS_GATEWAY_SECRET", "")], "").unwrap().check().map_err(|error| error.to_string())
}

#[test]
fn every_setting_has_names_of_its_own_that_go_together() {
    for setting in SETTINGS {
        let env = format!("HALLPASS_{}", setting.key.replace('-', "_").to_uppercase());
        assert_eq!(setting.env, env);
        assert_eq!(SETTINGS.iter().filter(|other| other.key == setting.key).count(), 1, "{}", setting.key);
        assert!(!setting.help.is_empty() && !setting.help.ends_with('.'), "{}", setting.key);
        assert!(!(setting.secret && setting.flag), "{}", setting.key);
    }
}

#[test]
fn without_any_setting_the_defaults_stand() {
    let config = resolve(&[], &[], "").unwrap();
    config.check().unwrap();
    let shown: Vec<_> = config.effective().iter().map(|row| format!("{}={} ({})", row.key, row.value, row.source.word())).collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    data=./hallpass-data (default)
    config= (default)
    database=sqlite:./hallpass-data/hallpass.db (default)
    listen=127.0.0.1:4377 (default)
    gateway-listen=127.0.0.1:4378 (default)
    ops-listen=127.0.0.1:4379 (default)
    tls-cert= (default)
    tls-key= (default)
    base-url=http://127.0.0.1:4377 (default)
    behind-tls-proxy=false (default)
    trusted-proxies= (default)
    gateway-secret= (default)
    gateway-secret-file= (default)
    log-format= (default)
    log-level=info (default)
    brand=hp (default)
    digest-scheme=hmac-sha256 (default)
    peppers= (default)
    member-permissions= (default)
    ");
    assert_eq!(config.catalogue.len(), 1, "the product's own permission to verify is always there");
    assert_eq!(config.pepper_file(), PathBuf::from("./hallpass-data/peppers.key"));
}

#[test]
fn a_flag_wins_over_the_environment_over_the_file_over_the_default() {
    let file = "listen = \"127.0.0.1:3\"\nbrand = \"aa\"\nlog-format = \"json\"";
    let env = [("HALLPASS_LISTEN", "127.0.0.1:2"), ("HALLPASS_BRAND", "bb"), ("HALLPASS_LOG_FORMAT", "")];
    let config = resolve(&[("listen", "127.0.0.1:1")], &env, file).unwrap();
    assert_eq!((config.listen.port(), config.source("listen")), (1, Source::Flag));
    assert_eq!((config.brand.as_str(), config.source("brand")), ("bb", Source::Environment));
    assert_eq!((config.log_format, config.source("log-format")), (Some(LogFormat::Json), Source::File), "an empty variable is none");
    assert_eq!(config.source("ops-listen"), Source::Default);
}

#[test]
fn every_setting_that_may_stand_in_the_file_is_read_from_there() {
    let file = r#"
        data = "d"
        database = "postgres://ann:pass@db/hallpass?sslpassword=hush&sslmode=verify-full"
        listen = "[::1]:1"
        gateway-listen = "localhost:2"
        ops-listen = "127.0.0.1:3"
        tls-cert = "c.pem"
        tls-key = "k.pem"
        base-url = "https://Hall.Example/"
        behind-tls-proxy = true
        trusted-proxies = ["10.0.0.0/8", "192.0.2.7"]
        gateway-secret-file = "s"
        log-format = "people"
        log-level = "info,hyper=debug"
        brand = "x9"
        digest-scheme = "bcrypt"
        [roles]
        member = ["repo:*"]
        [[permission]]
        name = "repo:read"
        description = "Read"
        [[permission]]
        name = "repo:delete"
        description = "Delete"
        risk = "high"
    "#;
    let config = resolve(&[], &[], file).unwrap();
    let from_file = config.effective().iter().filter(|row| row.source == Source::File).map(|row| row.key).collect::<Vec<_>>();
    let all: Vec<_> = SETTINGS.iter().filter(|setting| setting.file).map(|setting| setting.key).collect();
    assert_eq!(from_file, all);
    assert_eq!(config.base_url(config.listen), "https://hall.example");
    assert_eq!(config.trusted_proxies.len(), 2);
    assert_eq!(config.gateway_listen, SocketAddr::from(([127, 0, 0, 1], 2)));
    assert_eq!(config.catalogue.len(), 3);
    assert_eq!(config.member_permissions.to_text(), "repo:*");
    assert_eq!(config.database.to_string(), "postgres://ann:***@db/hallpass?sslpassword=***&sslmode=verify-full");
    assert!(config.database.expose_url().contains("pass@"));
}

#[test]
fn no_secret_is_shown() {
    let env = [
        ("HALLPASS_DATABASE", "postgres://ann:canary@db/x"),
        ("HALLPASS_PEPPERS", "a:canary"),
        ("HALLPASS_GATEWAY_SECRET", "canary-canary-canary-canary-canary"),
    ];
    let config = resolve(&[], &env, "").unwrap();
    assert!(config.gateway_secret.is_some() && config.peppers.is_some());
    assert!(!format!("{config:?}").contains("canary"), "{config:?}");
    for (variable, value) in [("HALLPASS_DATABASE", "mysql://ann:canary@db/x"), ("HALLPASS_GATEWAY_SECRET", "canary")] {
        let said = refusal(&[], &[(variable, value)], "");
        assert!(!said.contains("canary") && said.contains(variable), "{said}");
    }
    let said = refusal(&[("database", "postgres://ann:canary@db/x")], &[], "");
    assert!(!said.contains("canary"), "{said}");
    let said = refusal(&[("peppers", "a:canary")], &[], "");
    assert!(!said.contains("canary"), "{said}");
    let said = refusal(&[], &[], "brand = \"hp\"\ndatabase = \"postgres://ann:canary@db/x");
    assert!(!said.contains("canary") && said.contains("line 2"), "{said}");
}

#[test]
fn a_wrong_value_is_named_with_its_source_and_the_way_out() {
    let cases: &[(&str, &str, &str, &str)] = &[
        ("listen", "4377", "HALLPASS_LISTEN", "0.0.0.0:4377"),
        ("database", "mysql://x", "HALLPASS_DATABASE", "sqlite:FILE or postgres://"),
        ("database", "sqlite::memory:", "HALLPASS_DATABASE", "sqlite:hallpass.db"),
        ("base-url", "hallpass.example", "HALLPASS_BASE_URL", "https://"),
        ("base-url", "https://a.example/path", "HALLPASS_BASE_URL", "without a path"),
        ("base-url", "https://ann@a.example", "HALLPASS_BASE_URL", "https://"),
        ("behind-tls-proxy", "yes", "HALLPASS_BEHIND_TLS_PROXY", "true or false"),
        ("trusted-proxies", "10.0.0.0/8,ten", "HALLPASS_TRUSTED_PROXIES", "ten is no network"),
        ("log-format", "xml", "HALLPASS_LOG_FORMAT", "people or json"),
        ("log-level", "a=b=c", "HALLPASS_LOG_LEVEL", "error, warn"),
        ("brand", "HP", "HALLPASS_BRAND", "two lower-case"),
        ("digest-scheme", "md5", "HALLPASS_DIGEST_SCHEME", "hmac-sha256 or bcrypt"),
        ("member-permissions", "repo:read", "HALLPASS_MEMBER_PERMISSIONS", "[[permission]]"),
        ("member-permissions", "hallpass:own-tokens", "HALLPASS_MEMBER_PERMISSIONS", "no role gives"),
        ("member-permissions", "repo", "HALLPASS_MEMBER_PERMISSIONS", "not a permission"),
        ("tls-cert", "c.pem", "HALLPASS_TLS_CERT", "tls-key"),
        ("tls-key", "k.pem", "HALLPASS_TLS_KEY", "tls-cert"),
    ];
    for (key, value, variable, way_out) in cases {
        let said = refusal(&[], &[(variable, value)], "");
        assert!(said.starts_with(&format!("{key} ({variable}) is “{value}”: ")) && said.contains(way_out), "{said}");
        assert!(said.ends_with('.') && !said.contains(".."), "{said}");
        let said = refusal(&[(key, value)], &[], "");
        assert!(said.starts_with(&format!("{key} (--{key}) is ")), "{said}");
    }
}

#[test]
fn a_wrong_line_in_the_file_is_named() {
    for (file, said) in [
        ("listne = \"127.0.0.1:1\"", "listne (hallpass.toml): no such setting. Perhaps listen was meant."),
        ("gateway_listen = \"127.0.0.1:1\"", "gateway_listen (hallpass.toml): no such setting. Perhaps gateway-listen was meant."),
        ("colour = \"red\"", "colour (hallpass.toml): no such setting. `hallpass config` lists the settings there are."),
        ("peppers = \"a:b\"", "peppers (hallpass.toml): this does not belong in the file. Set HALLPASS_PEPPERS in the environment."),
        ("config = \"x\"", "config (hallpass.toml): this does not belong in the file. Use --config or HALLPASS_CONFIG."),
        ("listen = 4377", "listen (hallpass.toml) is “4377”: not a text. Write listen = \"…\"."),
        ("behind-tls-proxy = \"true\"", "behind-tls-proxy (hallpass.toml) is “\\\"true\\\"”: neither true nor false. Write behind-tls-proxy = true or behind-tls-proxy = false."),
        ("trusted-proxies = [1]", "trusted-proxies (hallpass.toml) is “1”: not a list of texts. Write [\"…\", \"…\"]."),
        ("member-permissions = []\n[roles]\nmember = []", "member-permissions (hallpass.toml): given twice, also as member under [roles]. Keep one of the two."),
        ("[roles]\nadmin = []", "roles.admin (hallpass.toml): no such role. Only member can be given permissions here."),
        ("[[permission]]\ndescription = \"x\"", "permission (hallpass.toml): a permission without a name. Write name = \"repo:read\"."),
        ("[[permission]]\nname = \"a:b\"\nrisk = \"huge\"", "permission.risk (hallpass.toml) is “huge”: no such risk. It is low, medium or high."),
        ("[[permission]]\nname = \"a:b\"\nrisky = \"low\"", "permission.risky (hallpass.toml): no such setting. A permission has a name, a description and a risk."),
        ("[[permission]]\nname = \"a:*\"", "permission.name (hallpass.toml) is “a:*”: a wildcard is no permission of its own. List each action; roles may then hold the wildcard."),
        ("[[permission]]\nname = \"hallpass:x\"", "permission.name (hallpass.toml) is “hallpass:x”: hallpass:… belongs to the product. Choose another resource."),
        ("[[permission]]\nname = \"a:b\"\n[[permission]]\nname = \"a:b\"", "permission.name (hallpass.toml) is “a:b”: listed twice. Keep one of the two."),
    ] {
        assert_eq!(refusal(&[], &[], file), said);
    }
    assert!(refusal(&[], &[], "\n\n = 1").starts_with("line 3 (hallpass.toml): not TOML: "));
}

#[test]
fn passwords_never_cross_a_network_in_the_clear() {
    for (settings, starts) in [
        (&[("listen", "0.0.0.0:1")][..], false),
        (&[("listen", "192.0.2.1:1")], false),
        (&[("listen", "[::]:1")], false),
        (&[("listen", "[::ffff:127.0.0.1]:1")], true),
        (&[("listen", "127.9.9.9:1")], true),
        (&[("listen", "0.0.0.0:1"), ("behind-tls-proxy", "true")], true),
        (&[("listen", "0.0.0.0:1"), ("tls-cert", "c"), ("tls-key", "k")], true),
    ] {
        assert_eq!(check(settings).is_ok(), starts, "{settings:?}");
    }
    assert_eq!(
        check(&[("listen", "0.0.0.0:1")]).unwrap_err(),
        "listen (--listen) is “0.0.0.0:1”: passwords and tokens would cross the network unencrypted. Give tls-cert and tls-key, or, \
         if a proxy that terminates TLS stands in front, say behind-tls-proxy."
    );
}

#[test]
fn a_gateway_beyond_loopback_needs_a_secret() {
    assert!(check(&[("gateway-listen", "0.0.0.0:1")]).unwrap_err().contains("HALLPASS_GATEWAY_SECRET"));
    let env = [("HALLPASS_GATEWAY_SECRET", "0123456789abcdef0123456789abcdef")];
    resolve(&[("gateway-listen", "0.0.0.0:1")], &env, "").unwrap().check().unwrap();
    let twice = refusal(&[("gateway-secret-file", "f")], &env, "");
    assert!(twice.contains("gateway-secret-file") && !twice.contains("0123"), "{twice}");
}

#[test]
fn the_public_address_fits_what_is_spoken() {
    let tls = [("tls-cert", "c"), ("tls-key", "k")];
    let with = |url: &'static str, rest: &[(&'static str, &'static str)]| {
        let all: Vec<_> = rest.iter().copied().chain([("base-url", url)]).collect();
        check(&all).is_ok()
    };
    assert!(with("http://localhost:4377", &[]) && with("http://[::1]:1", &[]) && with("http://127.0.0.1", &[]));
    assert!(with("https://a.example", &tls) && with("https://a.example", &[("behind-tls-proxy", "true")]));
    assert!(!with("http://a.example", &[]), "links over plain http");
    assert!(!with("https://a.example", &[]), "nothing speaks TLS");
    assert!(!with("http://localhost", &tls), "people arrive over TLS");
}

#[test]
fn two_listeners_never_share_an_address() {
    assert!(check(&[("ops-listen", "127.0.0.1:4378")]).unwrap_err().contains("the same address as gateway-listen"));
    assert!(check(&[("listen", "127.0.0.1:0"), ("ops-listen", "127.0.0.1:0")]).is_ok());
}

#[test]
fn cookies_are_plain_only_on_plain_loopback() {
    for (settings, secure) in [
        (&[][..], false),
        (&[("listen", "[::1]:1")], false),
        (&[("behind-tls-proxy", "true")], true),
        (&[("tls-cert", "c"), ("tls-key", "k")], true),
        (&[("listen", "0.0.0.0:1"), ("behind-tls-proxy", "true")], true),
    ] {
        assert_eq!(resolve(settings, &[], "").unwrap().cookies_secure(), secure, "{settings:?}");
    }
}

#[test]
fn the_public_address_is_derived_from_where_it_listens() {
    let plain = resolve(&[], &[], "").unwrap();
    let proxied = resolve(&[("behind-tls-proxy", "true")], &[], "").unwrap();
    for (config, bound, url) in [
        (&plain, "127.0.0.1:4377", "http://127.0.0.1:4377"),
        (&plain, "[::1]:80", "http://[::1]"),
        (&proxied, "0.0.0.0:443", "https://localhost"),
    ] {
        assert_eq!(config.base_url(bound.parse().unwrap()), url);
    }
}

#[test]
fn files_are_found_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(folder.path().join(FILE_NAME), "brand = \"zz\"\n").unwrap();
    std::fs::write(folder.path().join("secret"), "0123456789abcdef0123456789abcdef\r\n").unwrap();

    let data = path("");
    let settings = flags(&[("data", &data), ("gateway-secret-file", &path("secret"))]);
    let config = Config::load(&settings, |_| None).unwrap();
    assert_eq!(config.brand.as_str(), "zz", "the file in the data folder was read");
    assert_eq!(config.gateway_secret.unwrap().expose(), "0123456789abcdef0123456789abcdef");

    for (key, name) in [("config", "missing.toml"), ("gateway-secret-file", "missing")] {
        let said = Config::load(&flags(&[(key, &path(name))]), |_| None).unwrap_err().to_string();
        assert!(said.starts_with(key) && said.contains(name) && said.contains("cannot be read"), "{said}");
    }
    std::fs::write(folder.path().join("short"), "canary").unwrap();
    let said = Config::load(&flags(&[("gateway-secret-file", &path("short"))]), |_| None).unwrap_err().to_string();
    assert!(said.contains("--gateway-secret-file") && !said.contains("canary"), "{said}");
}
