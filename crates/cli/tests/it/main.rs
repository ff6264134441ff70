//! The executable from outside: the real server on a folder of its own, and every command against it.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test reports by panicking, and tells one story from its beginning to its end"
)]

mod catalogue;
mod kill_nine;
mod lookout;
mod offline;
mod organization;
mod said;
mod tokens;
mod world;
