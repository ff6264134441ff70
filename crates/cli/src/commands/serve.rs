//! `hallpass serve`.

use crate::{
    arguments::{Serve, settings::SettingFlags},
    commands::variable,
    exit::{Exit, Failure},
};
use hallpass_server::{
    config::{Config, ConfigError},
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
    Config::load(&flags.0, variable).map_err(|error| refused(&error))
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
