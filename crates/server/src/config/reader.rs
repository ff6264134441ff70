//! From texts to values: each setting is picked from its sources and understood here.

use super::{
    Config, ConfigError, Row, SecretText, Source,
    file::FileText,
    secret::{MASK, mask_url_password},
    settings::{self, SETTINGS, Shape},
    values::{
        BaseUrl, DATA_DEFAULT, Database, LogFormat, TlsFiles, derived_base_url, gateway_secret,
    },
};
use hallpass_domain::{
    permission::{CatalogueEntry, Permission, PermissionSet},
    token::{Brand, Scheme},
};
use ipnet::IpNet;
use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The levels of the log.
const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

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
    pub(super) const fn new(
        flags: &'a BTreeMap<&'static str, String>,
        env: &'a E,
        file: &'a FileText,
    ) -> Self {
        Self {
            flags,
            env,
            file,
            rows: Vec::new(),
        }
    }

    pub(super) fn read(mut self) -> Result<Config, ConfigError> {
        self.note_rows()?;
        let data = PathBuf::from(self.given_or("data", DATA_DEFAULT));
        let database = self.read_database(&data)?;
        let listen = self.read_address("listen", 4377)?;
        let tls = self.read_tls()?;
        let behind_tls_proxy = self.read_behind_tls_proxy()?;
        self.default_row("data", DATA_DEFAULT.to_owned());
        self.default_row("database", database.to_string());
        self.default_row(
            "base-url",
            derived_base_url(listen, tls.is_some() || behind_tls_proxy),
        );
        Ok(Config {
            gateway_listen: self.read_address("gateway-listen", 4378)?,
            ops_listen: self.read_address("ops-listen", 4379)?,
            base_url_given: self.read_base_url()?,
            trusted_proxies: self.read_networks()?,
            gateway_secret: self.read_gateway_secret()?,
            peppers: self
                .text("peppers")
                .map(|given| SecretText::new(given.text)),
            log_format: self.read_log_format()?,
            log_level: self.read_log_level()?,
            brand: self.read_brand()?,
            digest_scheme: self.read_scheme()?,
            catalogue: self.file.catalogue.clone(),
            member_permissions: self.read_permissions("member-permissions")?,
            viewer_permissions: self.read_permissions("viewer-permissions")?,
            rows: self.rows,
            data,
            database,
            listen,
            tls,
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
                    problem: "a secret is never an argument, since other users can see it"
                        .to_owned(),
                    way_out: format!("Set {} in the environment", setting.env),
                });
            }
            let given = self.text(setting.key);
            let value = match &given {
                Some(_) if setting.secret => MASK.to_owned(),
                Some(given) => mask_url_password(&given.text),
                None if setting.shape == Shape::Text && setting.default.contains([' ', '<']) => {
                    String::new()
                }
                None => setting.default.to_owned(),
            };
            self.rows.push(Row {
                key: setting.key,
                value,
                source: given.map_or(Source::Default, |given| given.source),
            });
        }
        Ok(())
    }

    fn default_row(&mut self, key: &str, value: String) {
        if let Some(row) = self
            .rows
            .iter_mut()
            .find(|row| row.key == key && row.source == Source::Default)
        {
            row.value = value;
        }
    }

    /// The value of `key` by precedence. An empty environment variable counts as none: that is how compose
    /// files pass on what is not set.
    fn text(&self, key: &'static str) -> Option<Given> {
        let setting = settings::find(key)?;
        let of = |source, text: String| Given {
            key,
            text: Zeroizing::new(text),
            source,
        };
        let flag = || {
            self.flags
                .get(key)
                .map(|text| of(Source::Flag, text.clone()))
        };
        let env = || {
            (self.env)(setting.env)
                .filter(|text| !text.is_empty())
                .map(|text| of(Source::Environment, text))
        };
        let file = || {
            self.file
                .values
                .get(key)
                .map(|text| of(Source::File, text.clone()))
        };
        flag().or_else(env).or_else(file)
    }

    /// The value of `key`, parsed; `None` when nobody gave one.
    fn parsed<T>(
        &self,
        key: &'static str,
        parse: impl Fn(&str) -> Option<T>,
        problem: &str,
        way_out: &str,
    ) -> Result<Option<T>, ConfigError> {
        let Some(given) = self.text(key) else {
            return Ok(None);
        };
        parse(&given.text)
            .map(Some)
            .ok_or_else(|| given.fault(problem, way_out))
    }

    fn given_or(&self, key: &'static str, default: &str) -> String {
        self.text(key)
            .map_or_else(|| default.to_owned(), |given| given.text.to_string())
    }

    fn read_base_url(&self) -> Result<Option<BaseUrl>, ConfigError> {
        let way_out = "Write https://hallpass.example.com, without a path";
        self.parsed("base-url", BaseUrl::parse, "not a public address", way_out)
    }

    fn read_behind_tls_proxy(&self) -> Result<bool, ConfigError> {
        let parse = |text: &str| text.parse().ok();
        let given = self.parsed(
            "behind-tls-proxy",
            parse,
            "neither true nor false",
            "Write true or false",
        )?;
        Ok(given.unwrap_or(false))
    }

    fn read_brand(&self) -> Result<Brand, ConfigError> {
        let way_out = "Write two lower-case letters or digits, such as hp";
        let given = self.parsed("brand", Brand::parse, "not a brand", way_out)?;
        Ok(given.unwrap_or(Brand::DEFAULT))
    }

    fn read_scheme(&self) -> Result<Scheme, ConfigError> {
        let way_out = "It is hmac-sha256 or bcrypt";
        Ok(self
            .parsed(
                "digest-scheme",
                Scheme::from_word,
                "no such scheme",
                way_out,
            )?
            .unwrap_or_default())
    }

    fn read_address(&self, key: &'static str, port: u16) -> Result<SocketAddr, ConfigError> {
        let parse = |text: &str| match text.strip_prefix("localhost:") {
            Some(port) => port
                .parse()
                .ok()
                .map(|port| SocketAddr::from(([127, 0, 0, 1], port))),
            None => text.parse().ok(),
        };
        let way_out =
            format!("Write 127.0.0.1:{port}, [::1]:{port}, or 0.0.0.0:{port} for every network");
        let given = self.parsed(key, parse, "not an address with a port", &way_out)?;
        Ok(given.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], port))))
    }

    fn read_database(&self, data: &Path) -> Result<Database, ConfigError> {
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
        if !["postgres://", "postgresql://"]
            .iter()
            .any(|scheme| given.text.starts_with(scheme))
        {
            return Err(given.fault(
                "no database that is known here",
                "Write sqlite:FILE or postgres://USER@HOST/NAME",
            ));
        }
        if given.source == Source::Flag && mask_url_password(&given.text) != *given.text {
            return Err(given.fault(
                "a password is never an argument, since other users can see it",
                "Set HALLPASS_DATABASE, or write the line in hallpass.toml",
            ));
        }
        Ok(Database::Postgres(SecretText::new(given.text)))
    }

    fn read_tls(&self) -> Result<Option<TlsFiles>, ConfigError> {
        match (self.text("tls-cert"), self.text("tls-key")) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Ok(Some(TlsFiles {
                certificate: PathBuf::from(&*certificate.text),
                key: PathBuf::from(&*key.text),
            })),
            (Some(alone), None) => Err(alone.fault(
                "a certificate without its key",
                "Give tls-key too, or neither",
            )),
            (None, Some(alone)) => Err(alone.fault(
                "a key without its certificate",
                "Give tls-cert too, or neither",
            )),
        }
    }

    fn read_networks(&self) -> Result<Vec<IpNet>, ConfigError> {
        let Some(given) = self.text("trusted-proxies") else {
            return Ok(Vec::new());
        };
        let parse = |text: &str| {
            text.parse::<IpNet>()
                .ok()
                .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
        };
        items(&given.text)
            .map(|item| {
                parse(item).ok_or_else(|| {
                    given.fault(
                        format!("{item} is no network"),
                        "Write 10.0.0.0/8 or 192.0.2.7",
                    )
                })
            })
            .collect()
    }

    fn read_gateway_secret(&self) -> Result<Option<SecretText>, ConfigError> {
        let (secret, file) = (
            self.text("gateway-secret"),
            self.text("gateway-secret-file"),
        );
        match (secret, file) {
            (Some(secret), Some(_)) => Err(secret.fault(
                "given twice, also by gateway-secret-file",
                "Keep one of the two",
            )),
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
        self.parsed(
            "log-format",
            parse,
            "no such format",
            "It is people or json",
        )
    }

    fn read_log_level(&self) -> Result<String, ConfigError> {
        // A word that is no level would name a part of the program, and all others would be silent.
        let is_directive = |part: &str| {
            let part = part.trim();
            part.is_empty()
                || part.contains('=')
                || LEVELS.iter().any(|level| part.eq_ignore_ascii_case(level))
        };
        let parse = |text: &str| {
            text.split(',').all(is_directive).then_some(())?;
            text.parse::<tracing_subscriber::EnvFilter>().ok()?;
            Some(text.to_owned())
        };
        let level = self.parsed(
            "log-level",
            parse,
            "no level",
            "It is error, warn, info, debug or trace, or directives such as info,hyper=debug",
        )?;
        Ok(level.unwrap_or_else(|| "info".to_owned()))
    }

    /// What a role holds must be in the catalogue: a mistyped permission would silently give nothing.
    fn read_permissions(&self, setting: &'static str) -> Result<PermissionSet, ConfigError> {
        let Some(given) = self.text(setting) else {
            return Ok(PermissionSet::default());
        };
        let set = PermissionSet::parse(items(&given.text))
            .map_err(|error| given.fault(error.to_string(), "Write repo:read,repo:write"))?;
        for held in &set {
            let known = |entry: &CatalogueEntry| held.covers(&entry.permission);
            if held.as_str() == Permission::OWN_TOKENS {
                return Err(given.fault(
                    format!("no role gives {held}"),
                    "Only a token that names it has it",
                ));
            }
            if !self.file.catalogue.iter().any(known) {
                return Err(given.fault(
                    format!("{held} is not in the catalogue"),
                    "List it in hallpass.toml under [[permission]]",
                ));
            }
        }
        Ok(set)
    }
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}
