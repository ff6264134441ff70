//! The table of settings.

use super::Source;

/// How a setting's value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One text.
    Text,
    /// On or off: a switch as a flag, `true` or `false` elsewhere.
    Switch,
    /// Several texts: separated by commas, or an array in `hallpass.toml`.
    List,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name: of the flag (`--key`) and of the line in `hallpass.toml`.
    pub key: &'static str,
    /// Its environment variable.
    pub env: &'static str,
    /// How its value is written.
    pub shape: Shape,
    /// What stands for the value in help texts.
    pub value_name: &'static str,
    /// What it does, in one sentence.
    pub help: &'static str,
    /// The default, as help texts print it; empty when there is none.
    pub default: &'static str,
    /// It is never shown.
    pub secret: bool,
    /// It may be given as a flag. A secret is never an argument: other users see a command's arguments.
    pub flag: bool,
    /// It may stand in `hallpass.toml`.
    pub file: bool,
}

const fn text(
    key: &'static str,
    env: &'static str,
    value_name: &'static str,
    default: &'static str,
    help: &'static str,
) -> Setting {
    Setting {
        key,
        env,
        shape: Shape::Text,
        value_name,
        help,
        default,
        secret: false,
        flag: true,
        file: true,
    }
}

const fn secret(key: &'static str, env: &'static str, help: &'static str) -> Setting {
    Setting {
        secret: true,
        flag: false,
        file: false,
        ..text(key, env, "SECRET", "", help)
    }
}

/// Every setting, in the order in which they are shown.
pub const SETTINGS: &[Setting] = &[
    text(
        "data",
        "HALLPASS_DATA",
        "FOLDER",
        "./hallpass-data",
        "Folder for the database, the key file and the lock",
    ),
    Setting {
        file: false,
        ..text(
            "config",
            "HALLPASS_CONFIG",
            "FILE",
            "./hallpass.toml, else <data>/hallpass.toml",
            "File of settings and permissions",
        )
    },
    text(
        "database",
        "HALLPASS_DATABASE",
        "URL",
        "sqlite:<data>/hallpass.db",
        "sqlite:FILE or postgres://USER@HOST/NAME",
    ),
    text(
        "listen",
        "HALLPASS_LISTEN",
        "ADDRESS:PORT",
        "127.0.0.1:4377",
        "Address for people and the REST interface",
    ),
    text(
        "gateway-listen",
        "HALLPASS_GATEWAY_LISTEN",
        "ADDRESS:PORT",
        "127.0.0.1:4378",
        "Address for gateways",
    ),
    text(
        "ops-listen",
        "HALLPASS_OPS_LISTEN",
        "ADDRESS:PORT",
        "127.0.0.1:4379",
        "Address for metrics, health and readiness",
    ),
    text(
        "tls-cert",
        "HALLPASS_TLS_CERT",
        "FILE",
        "",
        "Certificate chain in PEM; read again when it changes",
    ),
    text(
        "tls-key",
        "HALLPASS_TLS_KEY",
        "FILE",
        "",
        "Key of the certificate in PEM; read again when it changes",
    ),
    text(
        "base-url",
        "HALLPASS_BASE_URL",
        "URL",
        "from --listen",
        "Public address, for links and for checking where a request comes from",
    ),
    Setting {
        shape: Shape::Switch,
        ..text(
            "behind-tls-proxy",
            "HALLPASS_BEHIND_TLS_PROXY",
            "",
            "false",
            "A proxy that terminates TLS stands in front",
        )
    },
    Setting {
        shape: Shape::List,
        ..text(
            "trusted-proxies",
            "HALLPASS_TRUSTED_PROXIES",
            "NETWORKS",
            "",
            "Networks whose X-Forwarded-For counts, such as 10.0.0.0/8",
        )
    },
    secret(
        "gateway-secret",
        "HALLPASS_GATEWAY_SECRET",
        "What a gateway beyond loopback must send; or --gateway-secret-file",
    ),
    text(
        "gateway-secret-file",
        "HALLPASS_GATEWAY_SECRET_FILE",
        "FILE",
        "",
        "File that holds the gateways' secret",
    ),
    text(
        "log-format",
        "HALLPASS_LOG_FORMAT",
        "people|json",
        "people on a terminal, json otherwise",
        "How log lines look",
    ),
    text(
        "log-level",
        "HALLPASS_LOG_LEVEL",
        "LEVEL",
        "info",
        "error, warn, info, debug, trace, or directives such as info,hyper=debug",
    ),
    text(
        "brand",
        "HALLPASS_BRAND",
        "XX",
        "hp",
        "The two lower-case letters or digits that every token begins with",
    ),
    text(
        "digest-scheme",
        "HALLPASS_DIGEST_SCHEME",
        "hmac-sha256|bcrypt",
        "hmac-sha256",
        "How new tokens are stored",
    ),
    secret(
        "peppers",
        "HALLPASS_PEPPERS",
        "Keys of the digests, id:base64,…, the current one first; otherwise <data>/peppers.key holds them",
    ),
    Setting {
        shape: Shape::List,
        ..text(
            "member-permissions",
            "HALLPASS_MEMBER_PERMISSIONS",
            "PERMISSIONS",
            "",
            "What the role Member holds: nothing unless listed, once permissions are named; in hallpass.toml also [roles] member",
        )
    },
    Setting {
        shape: Shape::List,
        ..text(
            "viewer-permissions",
            "HALLPASS_VIEWER_PERMISSIONS",
            "PERMISSIONS",
            "",
            "What the role Viewer holds: the same; in hallpass.toml also [roles] viewer",
        )
    },
];

/// The setting `key`, if there is one.
pub(super) fn find(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

/// Where a value of `key` came from, as the reader knows it.
pub(super) fn origin(key: &str, source: Source) -> String {
    match source {
        Source::Flag => format!("--{key}"),
        Source::Environment => find(key)
            .map_or("environment", |setting| setting.env)
            .to_owned(),
        Source::File => super::FILE_NAME.to_owned(),
        Source::Default => "default".to_owned(),
    }
}

/// The key that `wrong` was probably meant to be.
pub(super) fn nearest<'a>(wrong: &str, keys: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const CHANGES_MAX: usize = 2;
    let wrong = wrong.replace('_', "-");
    keys.map(|key| (changes(&wrong, key), key))
        .filter(|(changes, _)| *changes <= CHANGES_MAX)
        .min()
        .map(|(_, key)| key)
}

/// Characters to insert, remove or replace to get from `a` to `b` (Levenshtein).
fn changes(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let replaced = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}
