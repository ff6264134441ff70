//! Settings: what they are, where they come from, and which of them contradict each other.
//!
//! A flag wins over an environment variable, that over a line of `hallpass.toml`, that over the default. The
//! table in [`SETTINGS`] is the only place that knows a setting's names; the command line is made from it.

mod catalogue;
mod check;
mod file;
mod reader;
mod secret;
mod settings;
mod values;

pub use secret::{SecretText, mask_url_password};
pub use settings::{SETTINGS, Setting, Shape};
pub use values::{BaseUrl, Database, LogFormat, TlsFiles};

use file::FileText;
use hallpass_domain::{
    permission::{CatalogueEntry, PermissionSet},
    token::{Brand, Scheme},
};
use ipnet::IpNet;
use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// The name of the file of settings.
pub const FILE_NAME: &str = "hallpass.toml";
/// Bytes of the file of settings: a catalogue at its maximum fits several times.
pub const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What the server goes by, read and understood.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder that holds what the server keeps: database, key file, lock.
    pub data: PathBuf,
    /// Where the tokens are.
    pub database: Database,
    /// Address for people, REST, OAuth and the dialects.
    pub listen: SocketAddr,
    /// Address for gateways.
    pub gateway_listen: SocketAddr,
    /// Address for operations.
    pub ops_listen: SocketAddr,
    /// The certificate and its key, when the server itself speaks TLS.
    pub tls: Option<TlsFiles>,
    /// The public address, when it was given; see [`Self::base_url`].
    pub base_url_given: Option<BaseUrl>,
    /// A proxy that terminates TLS stands in front.
    pub behind_tls_proxy: bool,
    /// The networks whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpNet>,
    /// What a gateway beyond loopback must send.
    pub gateway_secret: Option<SecretText>,
    /// How log lines look; `None` means people on a terminal and JSON otherwise.
    pub log_format: Option<LogFormat>,
    /// Which log lines there are: a level, or directives such as `info,hallpass_server=debug`.
    pub log_level: String,
    /// How every token begins.
    pub brand: Brand,
    /// How new tokens are stored.
    pub digest_scheme: Scheme,
    /// Peppers from the environment, `id:base64,…`; without them the key file holds them.
    pub peppers: Option<SecretText>,
    /// The permissions there are, the product's own first.
    pub catalogue: Vec<CatalogueEntry>,
    /// What the built-in role *Member* holds.
    pub member_permissions: PermissionSet,
    /// What the role Viewer holds.
    pub viewer_permissions: PermissionSet,
    rows: Vec<Row>,
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `--key value`.
    Flag,
    /// `HALLPASS_KEY`.
    Environment,
    /// A line of `hallpass.toml`.
    File,
    /// Nobody said anything.
    Default,
}

impl Source {
    /// The word that `hallpass config` prints.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::File => "file",
            Self::Default => "default",
        }
    }
}

/// One effective setting, fit to be shown: what is secret is masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The setting.
    pub key: &'static str,
    /// Its value, masked if it is secret; empty when it has none.
    pub value: String,
    /// Where the value came from.
    pub source: Source,
}

/// A setting that cannot be gone by. Its text names the setting, where it came from, its value unless that
/// is secret, and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The setting, or the key that is none.
    pub setting: String,
    /// Where it came from, as the reader knows it: `--listen`, `HALLPASS_LISTEN`, `hallpass.toml`.
    pub origin: String,
    /// The value, unless it is secret or there is none.
    pub value: Option<String>,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub way_out: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.setting, self.origin)?;
        if let Some(value) = &self.value {
            write!(f, " is “{}”", value.escape_debug())?;
        }
        write!(f, ": {}. {}.", self.problem, self.way_out)
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Finds the file of settings, reads it and the files it names, and resolves everything. Relative paths
    /// are taken from the working directory.
    ///
    /// # Errors
    /// A file that cannot be read, and everything of [`Self::resolve`].
    pub fn load(
        flags: &BTreeMap<&'static str, String>,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let path = file::find(flags, &env)?;
        let text = path.as_deref().map(file::read_settings).transpose()?;
        let mut config = Self::resolve(flags, &env, text.as_deref())?;
        if let Some(path) = path {
            config.set_row("config", path.display().to_string());
        }
        config.read_gateway_secret()?;
        Ok(config)
    }

    /// Resolves every setting from flags (by key; a switch is `true`), environment and the text of
    /// `hallpass.toml`. Touches no file: a `gateway-secret-file` is read by [`Self::load`].
    ///
    /// # Errors
    /// The first unknown key, value that is none, or permission that is not in the catalogue.
    pub fn resolve(
        flags: &BTreeMap<&'static str, String>,
        env: impl Fn(&str) -> Option<String>,
        file: Option<&str>,
    ) -> Result<Self, ConfigError> {
        let file = FileText::parse(file.unwrap_or(""))?;
        reader::Reader::new(flags, &env, &file).read()
    }

    /// Every effective setting with where it came from, secrets masked: what `hallpass config` prints.
    pub fn effective(&self) -> &[Row] {
        &self.rows
    }

    /// Where the setting `key` came from.
    pub fn source(&self, key: &str) -> Source {
        self.rows
            .iter()
            .find(|row| row.key == key)
            .map_or(Source::Default, |row| row.source)
    }

    /// The address people know the server by, without a slash at the end; from the address it listens on
    /// (`bound`, since port 0 only becomes one then) when none was given.
    pub fn base_url(&self, bound: SocketAddr) -> String {
        match &self.base_url_given {
            Some(given) => given.as_str().to_owned(),
            None => values::derived_base_url(bound, self.tls.is_some() || self.behind_tls_proxy),
        }
    }

    /// Whether cookies go with `Secure` and the prefix `__Host-`: always, but on plain-http loopback without
    /// a declared proxy, where browsers would drop them. The caller then logs a warning.
    pub fn cookies_secure(&self) -> bool {
        self.tls.is_some() || self.behind_tls_proxy || !check::is_loopback(self.listen.ip())
    }

    /// The key file, which holds the peppers unless the environment does.
    pub fn pepper_file(&self) -> PathBuf {
        self.data.join("peppers.key")
    }

    fn set_row(&mut self, key: &str, value: String) {
        if let Some(row) = self.rows.iter_mut().find(|row| row.key == key) {
            row.value = value;
        }
    }

    fn read_gateway_secret(&mut self) -> Result<(), ConfigError> {
        let Some(row) = self
            .rows
            .iter()
            .find(|row| row.key == "gateway-secret-file" && !row.value.is_empty())
        else {
            return Ok(());
        };
        let origin = settings::origin("gateway-secret-file", row.source);
        let secret = file::read_secret(Path::new(&row.value), "gateway-secret-file", &origin)?;
        self.gateway_secret = Some(values::gateway_secret(
            "gateway-secret-file",
            &origin,
            secret,
        )?);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
