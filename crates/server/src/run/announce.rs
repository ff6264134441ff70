//! What the server says where it was started.

use super::{Addresses, RunError, open::Opened};
use crate::{app::App, config::Config, demo};
use std::{fmt::Write as _, io::Write as _};

/// Says where the server can be reached, how to begin, and what to take care of.
///
/// # Errors
/// The store's, or nobody reads what is said.
pub async fn announce(
    config: &Config,
    app: &App,
    opened: &Opened,
    addresses: &Addresses,
    is_demo: bool,
) -> Result<(), RunError> {
    if !config.cookies_secure() {
        tracing::warn!(
            "plain http on this machine alone: the session cookie goes without Secure and __Host-. Use --tls-cert and --tls-key, or a proxy with TLS and --behind-tls-proxy, for anything else"
        );
    }
    let mut text = format!(
        "Hallpass {}\n\n  People and API   {}\n  Gateways         http://{}/auth\n  Operations       http://{}/metrics\n",
        env!("CARGO_PKG_VERSION"),
        app.base_url,
        addresses.gateway,
        addresses.operations,
    );
    // Writing to a string cannot fail.
    if let Some(path) = &opened.key_file_created {
        let _ = write!(
            text,
            "\nThe key to every token is in {}. Keep a copy of it, apart from the database:\nwithout it no token can be checked, and with it and the database tokens can.\n",
            path.display()
        );
    }
    if is_demo {
        text.push_str(&demo::how_to_sign_in(&app.base_url));
    } else if opened.services.needs_set_up().await? {
        let code = opened.services.set_up_code.expose();
        let _ = write!(
            text,
            "\nNobody can sign in yet. Open this link to begin (it works once, within a day):\n\n  {}/setup?code={code}\n",
            app.base_url
        );
    }
    text.push('\n');
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| RunError::Io {
            what: "cannot say where the server listens".to_owned(),
            error,
        })
}
