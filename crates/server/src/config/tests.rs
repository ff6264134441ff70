use super::*;
use hallpass_domain::permission::CatalogueEntry;

mod refusals;
mod rules;

fn flags(pairs: &[(&'static str, &str)]) -> BTreeMap<&'static str, String> {
    pairs
        .iter()
        .map(|(key, value)| (*key, (*value).to_owned()))
        .collect()
}

fn resolve(
    flag: &[(&'static str, &str)],
    env: &[(&str, &str)],
    file: &str,
) -> Result<Config, ConfigError> {
    let env = |name: &str| {
        env.iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).to_owned())
    };
    Config::resolve(&flags(flag), env, Some(file))
}

fn refusal(flag: &[(&'static str, &str)], env: &[(&str, &str)], file: &str) -> String {
    resolve(flag, env, file).unwrap_err().to_string()
}

fn check(flag: &[(&'static str, &str)]) -> Result<(), String> {
    resolve(flag, &[("HALLPASS_GATEWAY_SECRET", "")], "")
        .unwrap()
        .check()
        .map_err(|error| error.to_string())
}

#[test]
fn every_setting_has_names_of_its_own_that_go_together() {
    for setting in SETTINGS {
        let env = format!("HALLPASS_{}", setting.key.replace('-', "_").to_uppercase());
        assert_eq!(setting.env, env);
        assert_eq!(
            SETTINGS
                .iter()
                .filter(|other| other.key == setting.key)
                .count(),
            1,
            "{}",
            setting.key
        );
        assert!(
            !setting.help.is_empty() && !setting.help.ends_with('.'),
            "{}",
            setting.key
        );
        assert!(!(setting.secret && setting.flag), "{}", setting.key);
    }
}

#[test]
fn without_any_setting_the_defaults_stand() {
    let config = resolve(&[], &[], "").unwrap();
    config.check().unwrap();
    let shown: Vec<_> = config
        .effective()
        .iter()
        .map(|row| format!("{}={} ({})", row.key, row.value, row.source.word()))
        .collect();
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
    viewer-permissions= (default)
    ");
    assert_eq!(
        config.catalogue,
        CatalogueEntry::of_product(),
        "the product's own permissions are always there"
    );
    assert_eq!(
        config.pepper_file(),
        PathBuf::from("./hallpass-data/peppers.key")
    );
}

#[test]
fn a_flag_wins_over_the_environment_over_the_file_over_the_default() {
    let file = "listen = \"127.0.0.1:3\"\nbrand = \"aa\"\nlog-format = \"json\"";
    let env = [
        ("HALLPASS_LISTEN", "127.0.0.1:2"),
        ("HALLPASS_BRAND", "bb"),
        ("HALLPASS_LOG_FORMAT", ""),
    ];
    let config = resolve(&[("listen", "127.0.0.1:1")], &env, file).unwrap();
    assert_eq!(
        (config.listen.port(), config.source("listen")),
        (1, Source::Flag)
    );
    assert_eq!(
        (config.brand.as_str(), config.source("brand")),
        ("bb", Source::Environment)
    );
    assert_eq!(
        (config.log_format, config.source("log-format")),
        (Some(LogFormat::Json), Source::File),
        "an empty variable is none"
    );
    assert_eq!(config.source("ops-listen"), Source::Default);
}

/// A file that says all that one can.
const WHOLE_FILE: &str = r#"
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
        viewer = ["repo:read"]
        [[permission]]
        name = "repo:read"
        description = "Read"
        [[permission]]
        name = "repo:delete"
        description = "Delete"
        risk = "high"
    "#;

#[test]
fn every_setting_that_may_stand_in_the_file_is_read_from_there() {
    let config = resolve(&[], &[], WHOLE_FILE).unwrap();
    let from_file = config
        .effective()
        .iter()
        .filter(|row| row.source == Source::File)
        .map(|row| row.key)
        .collect::<Vec<_>>();
    let all: Vec<_> = SETTINGS
        .iter()
        .filter(|setting| setting.file)
        .map(|setting| setting.key)
        .collect();
    assert_eq!(from_file, all);
    assert_eq!(config.base_url(config.listen), "https://hall.example");
    assert_eq!(config.trusted_proxies.len(), 2);
    assert_eq!(config.gateway_listen, SocketAddr::from(([127, 0, 0, 1], 2)));
    let own = CatalogueEntry::of_product().len();
    assert_eq!(config.catalogue.len(), own + 2);
    assert_eq!(config.member_permissions.to_text(), "repo:*");
    assert_eq!(config.viewer_permissions.to_text(), "repo:read");
    assert_eq!(
        config.database.to_string(),
        "postgres://ann:***@db/hallpass?sslpassword=***&sslmode=verify-full"
    );
    assert!(config.database.expose_url().contains("pass@"));
}

#[test]
fn no_secret_is_shown() {
    let env = [
        ("HALLPASS_DATABASE", "postgres://ann:canary@db/x"),
        ("HALLPASS_PEPPERS", "a:canary"),
        (
            "HALLPASS_GATEWAY_SECRET",
            "canary-canary-canary-canary-canary",
        ),
    ];
    let config = resolve(&[], &env, "").unwrap();
    assert!(config.gateway_secret.is_some() && config.peppers.is_some());
    assert!(!format!("{config:?}").contains("canary"), "{config:?}");
    for (variable, value) in [
        ("HALLPASS_DATABASE", "mysql://ann:canary@db/x"),
        ("HALLPASS_GATEWAY_SECRET", "canary"),
    ] {
        let said = refusal(&[], &[(variable, value)], "");
        assert!(
            !said.contains("canary") && said.contains(variable),
            "{said}"
        );
    }
    let said = refusal(&[("database", "postgres://ann:canary@db/x")], &[], "");
    assert!(!said.contains("canary"), "{said}");
    let said = refusal(&[("peppers", "a:canary")], &[], "");
    assert!(!said.contains("canary"), "{said}");
    let said = refusal(
        &[],
        &[],
        "brand = \"hp\"\ndatabase = \"postgres://ann:canary@db/x",
    );
    assert!(
        !said.contains("canary") && said.contains("line 2"),
        "{said}"
    );
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
    std::fs::write(
        folder.path().join("secret"),
        "0123456789abcdef0123456789abcdef\r\n",
    )
    .unwrap();

    let data = path("");
    let settings = flags(&[("data", &data), ("gateway-secret-file", &path("secret"))]);
    let config = Config::load(&settings, |_| None).unwrap();
    assert_eq!(
        config.brand.as_str(),
        "zz",
        "the file in the data folder was read"
    );
    assert_eq!(
        config.gateway_secret.unwrap().expose(),
        "0123456789abcdef0123456789abcdef"
    );

    for (key, name) in [
        ("config", "missing.toml"),
        ("gateway-secret-file", "missing"),
    ] {
        let said = Config::load(&flags(&[(key, &path(name))]), |_| None)
            .unwrap_err()
            .to_string();
        assert!(
            said.starts_with(key) && said.contains(name) && said.contains("cannot be read"),
            "{said}"
        );
    }
    std::fs::write(folder.path().join("short"), "canary").unwrap();
    let said = Config::load(&flags(&[("gateway-secret-file", &path("short"))]), |_| None)
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("--gateway-secret-file") && !said.contains("canary"),
        "{said}"
    );
}
