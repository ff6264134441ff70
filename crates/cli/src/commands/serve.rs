//! `hallpass serve`.

use crate::{
    arguments::{Serve, settings::SettingFlags},
    commands::variable,
    credentials::TOKEN_VARIABLE,
    exit::{Exit, Failure},
    output,
};
use hallpass_server::{
    config::{Config, ConfigError, SETTINGS},
    error::ServiceError,
    run::RunError,
};
use std::future::Future;

/// Runs the server until it is told to stop.
pub(super) fn run(arguments: &Serve) -> Result<Exit, Failure> {
    let config = load(&arguments.settings)?;
    block_on(hallpass_server::run::serve(&config, arguments.demo))?
        .map_err(|error| failed(&error))?;
    Ok(Exit::Done)
}

/// The settings in force.
pub(super) fn load(flags: &SettingFlags) -> Result<Config, Failure> {
    let config = Config::load(&flags.0, variable).map_err(|error| refused(&error))?;
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in names.filter(|name| is_unknown(name)) {
        output::tell(&format!(
            "warning: the variable {name} is no setting and changes nothing; `hallpass config` lists those there are"
        ));
    }
    Ok(config)
}

/// Whether somebody may have meant a setting by this variable, and misspelt it.
fn is_unknown(variable: &str) -> bool {
    let others = ["HALLPASS_HOST", TOKEN_VARIABLE];
    // What Kubernetes sets for services that are called hallpass or hallpass-gateway.
    let foreign = ["_SERVICE_", "_PORT_"];
    variable.starts_with("HALLPASS_")
        && !others.contains(&variable)
        && !foreign.iter().any(|part| variable.contains(part))
        && !variable.ends_with("_PORT")
        && !SETTINGS.iter().any(|setting| setting.env == variable)
}

/// What the server itself says of why it does not run.
pub(super) fn failed(error: &RunError) -> Failure {
    match error {
        RunError::Config(error) => refused(error),
        RunError::DemoOnData => Failure::usage(error.to_string()),
        RunError::Service(ServiceError::Invalid(fields)) => {
            let lines = fields
                .iter()
                .map(|field| format!("{}: {}", field.field, field.detail))
                .collect();
            Failure {
                more: lines,
                ..Failure::usage("this cannot be done as it was asked for")
            }
        }
        RunError::Service(error) => Failure::new(
            Exit::of_status(error.face().status.as_u16()),
            error.detail().trim_end_matches('.'),
        ),
        other => Failure::new(Exit::Trouble, other.to_string().trim_end_matches('.')),
    }
}

fn refused(error: &ConfigError) -> Failure {
    Failure::usage(error.to_string().trim_end_matches('.'))
}

/// Runs a future of the server to its end.
pub(super) fn block_on<F: Future>(future: F) -> Result<F::Output, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| {
        Failure::new(Exit::Trouble, format!("no threads can be started: {error}"))
    })?;
    Ok(runtime.block_on(future))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_is_no_setting_is_noticed() {
        for unknown in ["HALLPASS_LISTN", "HALLPASS_", "HALLPASS_LISTEN_GATEWAY"] {
            assert!(is_unknown(unknown), "{unknown}");
        }
        for known in [
            "HALLPASS_LISTEN",
            "HALLPASS_PEPPERS",
            "HALLPASS_HOST",
            "HALLPASS_TOKEN",
            "HALLPASS_SERVICE_HOST",
            "HALLPASS_PORT_4377_TCP",
            "HALLPASS_GATEWAY_SERVICE_HOST",
            "HALLPASS_GATEWAY_PORT",
            "PATH",
        ] {
            assert!(!is_unknown(known), "{known}");
        }
    }
}
