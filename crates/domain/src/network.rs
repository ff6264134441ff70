//! From where a token may be used: networks in CIDR notation, sets of them, and the rules that a token has of its own.

use crate::limits::NETWORKS_MAX;
use ipnet::{IpNet, Ipv4Net};
use std::{fmt, net::IpAddr};

/// A network, `192.0.2.0/24` or `2001:db8::/32`. A single address is a network too. IPv4 addresses and networks in the
/// form that IPv6 has for them (`::ffff:192.0.2.7`) are taken as IPv4; no IPv6 network holds an IPv4 address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(IpNet);

/// Why a text is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedNetwork {
    /// It is neither an address nor a network.
    #[error("not an address or a network such as 192.0.2.0/24 or 2001:db8::/32")]
    Shape,
    /// It is an address inside a network, and one cannot tell which of the two is meant.
    #[error("not a network, since it has bits set after its prefix: the network is {0}")]
    HostBits(Network),
}

impl Network {
    /// Parses an address or a network.
    ///
    /// # Errors
    /// [`MalformedNetwork`].
    pub fn parse(text: &str) -> Result<Self, MalformedNetwork> {
        let given = match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address),
            Err(_) => text.parse().map_err(|_| MalformedNetwork::Shape)?,
        };
        let given = mapped(given).unwrap_or(given);
        let network = given.trunc();
        if given == network {
            Ok(Self(network))
        } else {
            Err(MalformedNetwork::HostBits(Self(network)))
        }
    }

    /// Whether all of `other` lies inside.
    pub fn contains_all(&self, other: &Self) -> bool {
        self.0.contains(&other.0)
    }

    /// Whether `address` lies inside.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

/// The IPv4 network that an IPv6 one stands for, if it stands for one.
fn mapped(given: IpNet) -> Option<IpNet> {
    const BEFORE: u8 = 96;
    let IpNet::V6(six) = given else { return None };
    let four = six.addr().to_ipv4_mapped()?;
    let prefix = six.prefix_len().checked_sub(BEFORE)?;
    Ipv4Net::new(four, prefix).ok().map(IpNet::V4)
}

impl fmt::Display for Network {
    /// A single address without a prefix, as one writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            write!(f, "{}", self.0.addr())
        } else {
            write!(f, "{}", self.0)
        }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A set of networks, sorted, without doubles.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkSet(Box<[Network]>);

/// Why a list of texts is no set of networks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedNetworks {
    /// One of them is no network.
    #[error("“{text}” is {source}")]
    Network {
        /// What was given.
        text: String,
        /// Why it is none.
        source: MalformedNetwork,
    },
    /// There are too many.
    #[error("at most {NETWORKS_MAX} networks can be named")]
    TooMany,
}

impl NetworkSet {
    /// Parses a list of texts; order and doubles do not matter.
    ///
    /// # Errors
    /// The first text that is no network, or too many of them.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, MalformedNetworks> {
        let mut networks = Vec::new();
        for text in texts {
            if networks.len() == NETWORKS_MAX {
                return Err(MalformedNetworks::TooMany);
            }
            networks.push(
                Network::parse(text).map_err(|source| MalformedNetworks::Network {
                    text: text.to_owned(),
                    source,
                })?,
            );
        }
        Ok(networks.into_iter().collect())
    }

    /// Whether `address` lies inside one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.0.contains(&address))
    }

    /// Whether each network of `other` lies inside one of these.
    pub fn contains_all(&self, other: &Self) -> bool {
        let holds = |inner: &Network| self.iter().any(|network| network.contains_all(inner));
        other.iter().all(holds)
    }

    /// Whether this set, as the list of all that is allowed, lets `address` in. A set without networks allows all;
    /// any other one only what is known to lie inside.
    pub fn admits(&self, address: Option<IpAddr>) -> bool {
        self.is_empty() || address.is_some_and(|address| self.contains(address))
    }

    /// The networks in order, IPv4 first.
    pub fn iter(&self) -> std::slice::Iter<'_, Network> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The networks in order, joined by one blank: as stored.
    pub fn to_text(&self) -> String {
        let texts: Vec<String> = self.iter().map(Network::to_string).collect();
        texts.join(" ")
    }
}

impl FromIterator<Network> for NetworkSet {
    fn from_iter<I: IntoIterator<Item = Network>>(networks: I) -> Self {
        let mut all: Vec<Network> = networks.into_iter().collect();
        all.sort_unstable();
        all.dedup();
        Self(all.into_boxed_slice())
    }
}

impl<'a> IntoIterator for &'a NetworkSet {
    type Item = &'a Network;
    type IntoIter = std::slice::Iter<'a, Network>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for NetworkSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.to_text())
    }
}

/// From where one token may be used.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressRules {
    /// From here alone, if there is anything in it.
    pub allow: NetworkSet,
    /// Never from here, whatever is allowed.
    pub deny: NetworkSet,
}

impl AddressRules {
    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.allow.is_empty() && self.deny.is_empty()
    }

    /// Whether these rules let in no address that `other` keeps out. Networks are looked at one by one: of two that only
    /// together lie inside a third, this is not seen.
    pub fn are_within(&self, other: &Self) -> bool {
        let allowed = other.allow.is_empty()
            || (!self.allow.is_empty() && other.allow.contains_all(&self.allow));
        allowed && self.deny.contains_all(&other.deny)
    }

    /// Whether the rules let `address` in. An address that is not known passes no rule.
    pub fn admits(&self, address: Option<IpAddr>) -> bool {
        self.is_empty()
            || address.is_some_and(|address| {
                !self.deny.contains(address) && self.allow.admits(Some(address))
            })
    }
}

#[cfg(test)]
mod tests;
