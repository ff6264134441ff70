//! The address of the server, and which ones a token is never sent to.

use crate::exit::Failure;
use std::{fmt, net::IpAddr};
use ureq::http::Uri;

/// Where `hallpass serve` listens unless told otherwise.
pub(crate) const DEFAULT: &str = "http://127.0.0.1:4377";

/// The address of a server: `https://` and a host, or `http://` and this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    url: String,
    encrypted: bool,
}

impl Host {
    /// Parses an address; without a scheme it is https, or http for this machine.
    ///
    /// # Errors
    /// What is wrong with it: no address, more than an address, or plain http over a network.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let refused = |what: &str| {
            Failure::usage(format!(
                "“{}” is no address of a server: {what}",
                crate::exit::clean(text)
            ))
        };
        let text = text.trim();
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => (None, text),
        };
        let example = "write it like https://hallpass.example.com";
        if rest.contains('@') {
            // Not repeated: it may hold a password.
            return Err(Failure::usage(
                "the address of the server holds a name or a password; leave that away",
            ));
        }
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#']) {
            return Err(refused("it goes on after the host; leave the path away"));
        }
        let (host, port) = host_and_port(authority).ok_or_else(|| refused(example))?;
        let local = is_this_machine(&host);
        let encrypted = match scheme.as_deref() {
            Some("https") => true,
            Some("http") => false,
            None => !local,
            Some(_) => return Err(refused(example)),
        };
        if !encrypted && !local {
            return Err(refused("a token sent over plain http can be read on the way").next("Write https://. Plain http is for this machine alone, such as http://127.0.0.1:4377."));
        }
        let (scheme, usual) = if encrypted {
            ("https", 443)
        } else {
            ("http", 80)
        };
        let url = match port.filter(|port| *port != usual) {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        };
        Ok(Self { url, encrypted })
    }

    /// The address, without a slash at the end.
    pub(crate) fn as_str(&self) -> &str {
        &self.url
    }

    /// Whether it is reached over TLS. If not, it is this machine.
    pub(crate) const fn is_encrypted(&self) -> bool {
        self.encrypted
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

/// The host in lower case and the port, if one is written.
fn host_and_port(authority: &str) -> Option<(String, Option<u16>)> {
    let uri: Uri = format!("http://{authority}").parse().ok()?;
    let host = uri.host().filter(|host| !host.is_empty())?;
    // `port_u16` is silent about a port that is none.
    let port = match authority.get(host.len()..)? {
        "" => None,
        written => {
            let port = written.strip_prefix(':')?.parse::<u16>().ok()?;
            Some(port).filter(|port| *port > 0).map(Some)?
        }
    };
    Some((host.to_ascii_lowercase(), port))
}

fn is_this_machine(host: &str) -> bool {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    host == "localhost"
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|ip| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_made_alike() {
        for (written, read) in [
            (
                "https://Hallpass.Example.com/",
                "https://hallpass.example.com",
            ),
            ("hallpass.example.com", "https://hallpass.example.com"),
            (
                "https://hallpass.example.com:443",
                "https://hallpass.example.com",
            ),
            (
                "https://hallpass.example.com:8443",
                "https://hallpass.example.com:8443",
            ),
            ("127.0.0.1:4377", "http://127.0.0.1:4377"),
            ("http://localhost", "http://localhost"),
            ("http://[::1]:4377/", "http://[::1]:4377"),
            (DEFAULT, DEFAULT),
        ] {
            assert_eq!(Host::parse(written).unwrap().as_str(), read, "{written}");
        }
    }

    #[test]
    fn a_token_never_crosses_a_network_in_the_clear() {
        for network in [
            "http://hallpass.example.com",
            "HTTP://10.0.0.1:4377",
            "http://0.0.0.0:4377",
            "http://localhost.example.com",
            "http://[2001:db8::1]",
        ] {
            let failure = Host::parse(network).unwrap_err();
            assert_eq!(failure.exit.code(), 2);
            assert!(
                failure.to_string().contains("can be read on the way"),
                "{network}"
            );
        }
    }

    #[test]
    fn what_is_more_or_less_than_an_address_is_refused() {
        for bad in [
            "",
            "https://",
            "ftp://x",
            "https://a b",
            "https://ada:secret@x",
            "https://x/path",
            "https://x?q",
            "https://x#f",
            "https://x:99999",
            "https://x:0",
            "https://x:",
            "://x",
        ] {
            assert!(Host::parse(bad).is_err(), "{bad}");
        }
        assert!(
            !Host::parse("https://ada:secret@x")
                .unwrap_err()
                .to_string()
                .contains("secret")
        );
    }
}
