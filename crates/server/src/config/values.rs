//! From texts to values: each setting is picked from its sources and understood here.

use super::{
    Config, ConfigError, Row, SecretText, Source,
    check::is_loopback,
    file::FileText,
    secret::{MASK, mask_url_password},
    settings::{self, SETTINGS, Shape},
};
use hallpass_domain::{
    permission::{Permission, PermissionSet},
    token::{Brand, Scheme},
};
use ipnet::IpNet;
use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};
use zeroize::Zeroizing;

pub(super) const DATA_DEFAULT: &str = "./hallpass-data";
/// Characters of the secret that gateways share: 32 random ones have more than 128 bits in any encoding.
const GATEWAY_SECRET_CHARS_MIN: usize = 32;
const GATEWAY_SECRET_CHARS_MAX: usize = 512;

/// Where the tokens are.
#[derive(Clone)]
pub enum Database {
    /// A file beside the server.
    Sqlite(PathBuf),
    /// A server, by its URL, which may hold a password.
    Postgres(SecretText),
}

impl Database {
    /// The URL, with its password.
    pub fn expose_url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(url) => url.expose().to_owned(),
        }
    }

    /// Whether it is the embedded one.
    pub const fn is_embedded(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }
}

impl fmt::Display for Database {
    /// The URL without its password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => f.write_str(&mask_url_password(url.expose())),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The certificate and its key, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For eyes.
    People,
    /// For programs: one JSON object a line.
    Json,
}

/// A public address: scheme, host and perhaps port, no slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    host: String,
}

impl BaseUrl {
    /// Parses `https://host` or `https://host:port`; one slash at the end is dropped.
    pub fn parse(text: &str) -> Option<Self> {
        let uri: http::Uri = text.parse().ok()?;
        let good = matches!(uri.scheme_str()?, "http" | "https")
            && matches!(uri.path(), "" | "/")
            && uri.query().is_none()
            && !uri.authority()?.as_str().contains('@')
            && !uri.host()?.is_empty();
        let text = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
        good.then(|| Self { host: uri.host().unwrap_or_default().to_ascii_lowercase(), text })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it says https.
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https:")
    }

    /// Whether only this machine can follow it.
    pub fn is_loopback(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.ends_with(".localhost") || host.parse::<IpAddr>().is_ok_and(is_loopback)
    }
}

/// The address people would use on this machine for a server bound to `bound`.
pub(super) fn derived_base_url(bound: SocketAddr, https: bool) -> String {
    let (scheme, usual) = if https { ("https", 443) } else { ("http", 80) };
    let host = match bound.ip() {
        ip if ip.is_unspecified() => "localhost".to_owned(),
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    if bound.port() == usual { format!("{scheme}://{host}") } else { format!("{scheme}://{host}:{}", bound.port()) }
}

/// Checks a secret that gateways share: it travels in a header, and only its length keeps it from being guessed.
pub(super) fn gateway_secret(key: &str, origin: &str, secret: SecretText) -> Result<SecretText, ConfigError> {
    let text = secret.expose();
    let good = (GATEWAY_SECRET_CHARS_MIN..=GATEWAY_SECRET_CHARS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if good {
        return Ok(secret);
    }
    Err(ConfigError {
        setting: key.to_owned(),
        origin: origin.to_owned(),
        value: None,
        problem: format!("not {GATEWAY_SECRET_CHARS_MIN} to {GATEWAY_SECRET_CHARS_MAX} visible ASCII characters"),
        way_out: "Make one with: head -c 32 /dev/urandom | base64".to_owned(),
    })
}

/// Picks values from their sources and notes where each came from.
pub(super) struct Reader<'a, E> {
    flags: &'a BTreeMap<&'static str, String>,
    env: &'a E,
    file: &'a FileText,
    rows: Vec<Row>,
}

/// A value that was given, and where.
struct Given {
    key: &'static str,
    text: Zeroizing<String>,
    source: Source,
}

impl Given {
    /// What is wrong with the value, and the way out.
    fn fault(&self, problem: impl Into<String>, way_out: impl Into<String>) -> ConfigError {
        let secret = settings::find(self.key).is_none_or(|setting| setting.secret);
        ConfigError {
            setting: self.key.to_owned(),
            origin: settings::origin(self.key, self.source),
            value: (!secret).then(|| mask_url_password(&self.text)),
            problem: problem.into(),
            way_out: way_out.into(),
        }
    }
}

impl<'a, E: Fn(&str) -> Option<String>> Reader<'a, E> {
    pub(super) const fn new(flags: &'a BTreeMap<&'static str, String>, env: &'a E, file: &'a FileText) -> Self {
        Self { flags, env, file, rows: Vec::new() }
    }

    pub(super) fn read(mut self) -> Result<Config, ConfigError> {
        self.note_rows()?;
        let data = PathBuf::from(self.text("data").map_or_else(|| DATA_DEFAULT.to_owned(), |given| given.text.to_string()));
        let database = self.read_database(&data)?;
        let listen = self.read_address("listen", 4377)?;
        let gateway_listen = self.read_address("gateway-listen", 4378)?;
        let ops_listen = self.read_address("ops-listen", 4379)?;
        let tls = self.read_tls()?;
        let base_url_given = self.parsed("base-url", BaseUrl::parse, "not a public address", "Write https://hallpass.example.com, without a path")?;
        let behind_tls_proxy = self
            .parsed("behind-tls-proxy", |text| text.parse().ok(), "neither true nor false", "Write true or false")?
            .unwrap_or(false);
        let derived = derived_base_url(listen, tls.is_some() || behind_tls_proxy);
        self.default_row("data", DATA_DEFAULT.to_owned());
        self.default_row("database", database.to_string());
        self.default_row("base-url", derived);
        Ok(Config {
            trusted_proxies: self.read_networks()?,
            gateway_secret: self.read_gateway_secret()?,
            peppers: self.text("peppers").map(|given| SecretText::new(given.text)),
            log_format: self.read_log_format()?,
            log_level: self.read_log_level()?,
            brand: self.parsed("brand", Brand::parse, "not a brand", "Write two lower-case letters or digits, such as hp")?.unwrap_or(Brand::DEFAULT),
            digest_scheme: self.parsed("digest-scheme", Scheme::from_word, "no such scheme", "It is hmac-sha256 or bcrypt")?.unwrap_or_default(),
            catalogue: self.file.catalogue.clone(),
            member_permissions: self.read_member_permissions()?,
            rows: self.rows,
            data,
            database,
            listen,
            gateway_listen,
            ops_listen,
            tls,
            base_url_given,
            behind_tls_proxy,
        })
    }

    /// One row for each setting, and a refusal of secrets among the flags.
    fn note_rows(&mut self) -> Result<(), ConfigError> {
        for setting in SETTINGS {
            if !setting.flag && self.flags.contains_key(setting.key) {
                return Err(ConfigError {
                    setting: setting.key.to_owned(),
                    origin: format!("--{}", setting.key),
                    value: None,
                    problem: "a secret is never an argument, since other users can see it".to_owned(),
                    way_out: format!("Set {} in the environment", setting.env),
                });
            }
            let given = self.text(setting.key);
            let value = match &given {
                Some(_) if setting.secret => MASK.to_owned(),
                Some(given) => mask_url_password(&given.text),
                None if setting.shape == Shape::Text && setting.default.contains([' ', '<']) => String::new(),
                None => setting.default.to_owned(),
            };
            self.rows.push(Row { key: setting.key, value, source: given.map_or(Source::Default, |given| given.source) });
        }
        Ok(())
    }

    fn default_row(&mut self, key: &str, value: String) {
        if let Some(row) = self.rows.iter_mut().find(|row| row.key == key && row.source == Source::Default) {
            row.value = value;
        }
    }

    /// The value of `key` by precedence. An empty environment variable counts as none: that is how compose
    /// files pass on what is not set.
    fn text(&self, key: &'static str) -> Option<Given> {
        let setting = settings::find(key)?;
        let of = |source, text: String| Given { key, text: Zeroizing::new(text), source };
        let flag = || self.flags.get(key).map(|text| of(Source::Flag, text.clone()));
        let env = || (self.env)(setting.env).filter(|text| !text.is_empty()).map(|text| of(Source::Environment, text));
        let file = || self.file.values.get(key).map(|text| of(Source::File, text.clone()));
        flag().or_else(env).or_else(file)
    }

    /// The value of `key`, parsed; `None` when nobody gave one.
    fn parsed<T>(&self, key: &'static str, parse: impl Fn(&str) -> Option<T>, problem: &str, way_out: &str) -> Result<Option<T>, ConfigError> {
        let Some(given) = self.text(key) else {
            return Ok(None);
        };
        parse(&given.text).map(Some).ok_or_else(|| given.fault(problem, way_out))
    }

    fn read_address(&self, key: &'static str, port: u16) -> Result<SocketAddr, ConfigError> {
        let parse = |text: &str| match text.strip_prefix("localhost:") {
            Some(port) => port.parse().ok().map(|port| SocketAddr::from(([127, 0, 0, 1], port))),
            None => text.parse().ok(),
        };
        let way_out = format!("Write 127.0.0.1:{port}, [::1]:{port}, or 0.0.0.0:{port} for every network");
        let given = self.parsed(key, parse, "not an address with a port", &way_out)?;
        Ok(given.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], port))))
    }

    fn read_database(&self, data: &std::path::Path) -> Result<Database, ConfigError> {
        let Some(given) = self.text("database") else {
            return Ok(Database::Sqlite(data.join("hallpass.db")));
        };
        if let Some(path) = given.text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path.contains(['?', ':']) {
                return Err(given.fault("not the path of a file", "Write sqlite:hallpass.db"));
            }
            return Ok(Database::Sqlite(PathBuf::from(path)));
        }
        if !["postgres://", "postgresql://"].iter().any(|scheme| given.text.starts_with(scheme)) {
            return Err(given.fault("no database that is known here", "Write sqlite:FILE or postgres://USER@HOST/NAME"));
        }
        if given.source == Source::Flag && mask_url_password(&given.text) != *given.text {
            return Err(given.fault("a password is never an argument, since other users can see it", "Set HALLPASS_DATABASE, or write the line in hallpass.toml"));
        }
        Ok(Database::Postgres(SecretText::new(given.text)))
    }

    fn read_tls(&self) -> Result<Option<TlsFiles>, ConfigError> {
        match (self.text("tls-cert"), self.text("tls-key")) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate: PathBuf::from(&*certificate.text), key: PathBuf::from(&*key.text) })),
            (Some(alone), None) => Err(alone.fault("a certificate without its key", "Give tls-key too, or neither")),
            (None, Some(alone)) => Err(alone.fault("a key without its certificate", "Give tls-cert too, or neither")),
        }
    }

    fn read_networks(&self) -> Result<Vec<IpNet>, ConfigError> {
        let Some(given) = self.text("trusted-proxies") else {
            return Ok(Vec::new());
        };
        let parse = |text: &str| text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        items(&given.text).map(|item| parse(item).ok_or_else(|| given.fault(format!("{item} is no network"), "Write 10.0.0.0/8 or 192.0.2.7"))).collect()
    }

    fn read_gateway_secret(&self) -> Result<Option<SecretText>, ConfigError> {
        let (secret, file) = (self.text("gateway-secret"), self.text("gateway-secret-file"));
        match (secret, file) {
            (Some(secret), Some(_)) => Err(secret.fault("given twice, also by gateway-secret-file", "Keep one of the two")),
            (Some(secret), None) => {
                let origin = settings::origin(secret.key, secret.source);
                gateway_secret(secret.key, &origin, SecretText::new(secret.text)).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn read_log_format(&self) -> Result<Option<LogFormat>, ConfigError> {
        let parse = |text: &str| match text {
            "people" => Some(LogFormat::People),
            "json" => Some(LogFormat::Json),
            _ => None,
        };
        self.parsed("log-format", parse, "no such format", "It is people or json")
    }

    fn read_log_level(&self) -> Result<String, ConfigError> {
        let parse = |text: &str| text.parse::<tracing_subscriber::EnvFilter>().ok().map(|_| text.to_owned());
        let level = self.parsed("log-level", parse, "no level", "It is error, warn, info, debug or trace, or directives such as info,hyper=debug")?;
        Ok(level.unwrap_or_else(|| "info".to_owned()))
    }

    /// What members hold must be in the catalogue: a mistyped permission would silently give nothing.
    fn read_member_permissions(&self) -> Result<PermissionSet, ConfigError> {
        let Some(given) = self.text("member-permissions") else {
            return Ok(PermissionSet::default());
        };
        let set = PermissionSet::parse(items(&given.text)).map_err(|error| given.fault(error.to_string(), "Write repo:read,repo:write"))?;
        for held in &set {
            let known = |entry: &hallpass_domain::permission::CatalogueEntry| held.covers(&entry.permission);
            if held.as_str() == Permission::OWN_TOKENS {
                return Err(given.fault(format!("no role gives {held}"), "Only a token that names it has it"));
            }
            if !self.file.catalogue.iter().any(known) {
                return Err(given.fault(format!("{held} is not in the catalogue"), "List it in hallpass.toml under [[permission]]"));
            }
        }
        Ok(set)
    }
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}
