//! What every handler is given.

use crate::{observe::Health, service::Services};
use ipnet::IpNet;
use std::{net::IpAddr, ops::Deref, sync::Arc};

/// What every handler is given. A clone is one reference count.
#[derive(Clone, Debug)]
pub struct App(Arc<AppParts>);

impl App {
    /// An app of these parts.
    pub fn new(parts: AppParts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for App {
    type Target = AppParts;

    fn deref(&self) -> &AppParts {
        &self.0
    }
}

/// What an [`App`] is made of.
#[derive(Debug)]
pub struct AppParts {
    /// The use cases.
    pub services: Arc<Services>,
    /// Whether cookies are for https alone: always, but on plain-http loopback.
    pub secure_cookies: bool,
    /// The address that links begin with, without a slash at its end.
    pub base_url: Box<str>,
    /// Proxies whose word on the client's address counts.
    pub trusted_proxies: Box<[IpNet]>,
    /// What a gateway must send, if anything.
    pub gateway_secret: Option<crate::config::SecretText>,
    /// Whether this node may be sent requests.
    pub health: Arc<Health>,
}

impl AppParts {
    /// The client's address: the peer's, unless the peer is a trusted proxy; then the last address of
    /// `forwarded` (the values of `X-Forwarded-For`, in order) that is not one itself. What stands before it
    /// was written by the client.
    pub fn client_address<'a>(
        &self,
        peer: IpAddr,
        forwarded: impl DoubleEndedIterator<Item = &'a str>,
    ) -> IpAddr {
        if !self.is_trusted_proxy(peer) {
            return peer.to_canonical();
        }
        self.last_untrusted(forwarded)
            .unwrap_or_else(|| peer.to_canonical())
    }

    /// The last address in `forwarded` that is no trusted proxy.
    pub fn last_untrusted<'a>(
        &self,
        forwarded: impl DoubleEndedIterator<Item = &'a str>,
    ) -> Option<IpAddr> {
        for entry in forwarded.rev().flat_map(|line| line.rsplit(',')) {
            let address = parse_forwarded(entry)?;
            if !self.is_trusted_proxy(address) {
                return Some(address.to_canonical());
            }
        }
        None
    }

    fn is_trusted_proxy(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted_proxies
            .iter()
            .any(|network| network.contains(&address))
    }
}

/// One address of `X-Forwarded-For`. Some proxies add the port: `192.0.2.7:4711`, `[2001:db8::17]:4711`.
fn parse_forwarded(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let bare = entry
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or(entry)
        .parse()
        .ok()
        .or_else(|| Some(entry.parse::<std::net::SocketAddr>().ok()?.ip()))
}

#[cfg(test)]
mod tests {
    use super::parse_forwarded;

    #[test]
    fn addresses_with_and_without_a_port_are_read() {
        for (entry, address) in [
            ("192.0.2.7", "192.0.2.7"),
            (" 192.0.2.7:4711 ", "192.0.2.7"),
            ("2001:db8::17", "2001:db8::17"),
            ("[2001:db8::17]", "2001:db8::17"),
            ("[2001:db8::17]:4711", "2001:db8::17"),
        ] {
            assert_eq!(
                parse_forwarded(entry),
                Some(address.parse().unwrap()),
                "{entry}"
            );
        }
        for bad in ["", "unknown", "_hidden", "192.0.2.7:x", "[192.0.2.7"] {
            assert_eq!(parse_forwarded(bad), None, "{bad}");
        }
    }
}
