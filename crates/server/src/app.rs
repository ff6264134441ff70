//! What every handler is given.

use crate::{
    observe::{Health, ListenerMetrics},
    service::Services,
};
use ipnet::IpNet;
use std::{net::IpAddr, sync::Arc};

/// What every handler is given. Cheap to clone.
#[derive(Clone, Debug)]
pub struct App {
    /// The use cases.
    pub services: Arc<Services>,
    /// Whether cookies are for https alone: always, but on plain-http loopback.
    pub secure_cookies: bool,
    /// The address that links begin with, without a slash at its end.
    pub base_url: Arc<str>,
    /// Proxies whose word on the client's address counts.
    pub trusted_proxies: Arc<[IpNet]>,
    /// What a gateway must send, if anything.
    pub gateway_secret: Option<Arc<crate::config::SecretText>>,
    /// Whether this node may be sent requests.
    pub health: Arc<Health>,
    /// The numbers of the listener that serves people.
    pub people_metrics: Arc<ListenerMetrics>,
    /// The numbers of the listener that serves gateways.
    pub gateway_metrics: Arc<ListenerMetrics>,
}

impl App {
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
            let address: IpAddr = entry.trim().parse().ok()?;
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
