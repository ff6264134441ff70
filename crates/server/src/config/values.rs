//! The types of settings that are more than a text.

use super::{ConfigError, SecretText, check::is_loopback, secret::mask_url_password};
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

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
        good.then(|| Self {
            host: uri.host().unwrap_or_default().to_ascii_lowercase(),
            text,
        })
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
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<IpAddr>().is_ok_and(is_loopback)
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
    if bound.port() == usual {
        format!("{scheme}://{host}")
    } else {
        format!("{scheme}://{host}:{}", bound.port())
    }
}

/// Checks a secret that gateways share: it travels in a header, and only its length keeps it from being guessed.
pub(super) fn gateway_secret(
    key: &str,
    origin: &str,
    secret: SecretText,
) -> Result<SecretText, ConfigError> {
    let text = secret.expose();
    let good = (GATEWAY_SECRET_CHARS_MIN..=GATEWAY_SECRET_CHARS_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    if good {
        return Ok(secret);
    }
    Err(ConfigError {
        setting: key.to_owned(),
        origin: origin.to_owned(),
        value: None,
        problem: format!(
            "not {GATEWAY_SECRET_CHARS_MIN} to {GATEWAY_SECRET_CHARS_MAX} visible ASCII characters"
        ),
        way_out: "Make one with: head -c 32 /dev/urandom | base64".to_owned(),
    })
}
