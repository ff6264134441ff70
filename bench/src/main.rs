//! What verification costs, measured against its limits.

mod administration;
mod changes;
mod engine;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "hallpass-bench", about = "Measures what verification costs")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The engine by itself, in one process and on one thread.
    Engine(engine::Options),
    /// Changes of members and organizations, whole calls over SQLite.
    Administration(administration::Options),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().what {
        What::Engine(options) => engine::run(&options),
        What::Administration(options) => administration::run(&options),
    }
}
