//! Which settings contradict each other, or the world.

use super::{
    Config, ConfigError,
    settings::{self},
};
use std::net::IpAddr;

/// Whether only this machine can reach `ip`.
pub(super) fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

impl Config {
    /// Whether the server may start with these settings. They are each good by themselves.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.check_plain_http()?;
        self.check_gateway()?;
        self.check_base_url()?;
        self.check_addresses()
    }

    fn fault(&self, key: &str, problem: &str, way_out: &str) -> ConfigError {
        let row = self.rows.iter().find(|row| row.key == key);
        ConfigError {
            setting: key.to_owned(),
            origin: settings::origin(key, self.source(key)),
            value: row.map(|row| row.value.clone()),
            problem: problem.to_owned(),
            way_out: way_out.to_owned(),
        }
    }

    fn check_plain_http(&self) -> Result<(), ConfigError> {
        if self.tls.is_some() || self.behind_tls_proxy {
            return Ok(());
        }
        let open = [
            (
                "listen",
                self.listen,
                "passwords and tokens would cross the network unencrypted",
            ),
            (
                "gateway-listen",
                self.gateway_listen,
                "tokens and the gateways' secret would cross the network unencrypted",
            ),
            (
                "ops-listen",
                self.ops_listen,
                "what it tells would cross the network unencrypted",
            ),
        ]
        .into_iter()
        .find(|(_, address, _)| !is_loopback(address.ip()));
        let way_out = "Listen on 127.0.0.1, give tls-cert and tls-key, or, if a proxy that terminates TLS stands in front, say behind-tls-proxy";
        open.map_or(Ok(()), |(key, _, problem)| {
            Err(self.fault(key, problem, way_out))
        })
    }

    fn check_gateway(&self) -> Result<(), ConfigError> {
        if is_loopback(self.gateway_listen.ip()) || self.gateway_secret.is_some() {
            return Ok(());
        }
        let problem = "anyone on the network could ask about tokens";
        Err(self.fault(
            "gateway-listen",
            problem,
            "Give gateway-secret-file (or HALLPASS_GATEWAY_SECRET), or listen on 127.0.0.1",
        ))
    }

    fn check_base_url(&self) -> Result<(), ConfigError> {
        let Some(url) = &self.base_url_given else {
            return Ok(());
        };
        let encrypted = self.tls.is_some() || self.behind_tls_proxy;
        if !url.is_https() && !url.is_loopback() {
            return Err(self.fault(
                "base-url",
                "links would lead people over unencrypted http",
                "Write https://",
            ));
        }
        if url.is_https() && !encrypted {
            return Err(self.fault(
                "base-url",
                "it says https, but nothing here speaks TLS",
                "Give tls-cert and tls-key, or say behind-tls-proxy",
            ));
        }
        if !url.is_https() && encrypted {
            return Err(self.fault(
                "base-url",
                "it says http, but people arrive over TLS",
                "Write https://",
            ));
        }
        Ok(())
    }

    fn check_addresses(&self) -> Result<(), ConfigError> {
        let addresses = [
            ("listen", self.listen),
            ("gateway-listen", self.gateway_listen),
            ("ops-listen", self.ops_listen),
        ];
        for (index, (key, address)) in addresses.iter().enumerate() {
            let twin = addresses[..index]
                .iter()
                .find(|(_, other)| other == address && address.port() != 0);
            if let Some((other, _)) = twin {
                return Err(self.fault(
                    key,
                    &format!("the same address as {other}"),
                    "Give each listener its own port",
                ));
            }
        }
        Ok(())
    }
}
