//! What tests start for themselves: PostgreSQL clusters, programs, an nginx, temporary folders, ports.
//!
//! Nothing here returns an error: a test that cannot have what it asked for must fail, and the panic says what
//! was missing and how to get it. Nothing is skipped.
//!
//! | A test wants | It calls |
//! |---|---|
//! | an empty database | [`Postgres::shared`]`().database()` |
//! | a cluster that it may crash | [`Postgres::start`] |
//! | a running executable | [`Program::start`] |
//! | a real reverse proxy | [`nginx()`] |
//! | a folder, a port | [`temp_dir`], [`free_port`] |
#![warn(missing_docs)]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test helper reports by panicking in the test"
)]

pub mod find;
mod nginx;
mod port;
pub mod postgres;
mod program;
mod wait;

pub use nginx::{Nginx, nginx};
pub use port::free_port;
pub use postgres::Postgres;
pub use program::Program;
pub use tempfile::TempDir;
pub use wait::wait_until;

use std::fs::File;
use std::io::Read as _;

/// A new empty folder that goes away with the value.
pub fn temp_dir() -> TempDir {
    tempfile::Builder::new()
        .prefix("hallpass-test-")
        .tempdir()
        .expect("a folder for temporary files")
}

/// Sixteen random lower-case hexadecimal digits, for names that must not meet those of another process.
fn random_name() -> String {
    let mut bytes = [0; 8];
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .expect("the system's random bytes");
    format!("{:016x}", u64::from_ne_bytes(bytes))
}
