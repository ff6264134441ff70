//! What the server says about itself: log lines, metrics, and whether it is ready.

mod health;
mod histogram;
mod log;
mod metrics;
mod scrub;
mod sharded;

pub use health::{Health, State};
pub use log::{LogError, install, log_panics};
pub use metrics::{Door, EngineFigures, ListenerMetrics, ListenerName, Metrics, Outcome, SignIn};
pub use scrub::scrub;

#[cfg(test)]
mod tests;
