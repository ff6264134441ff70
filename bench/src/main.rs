//! What verification costs, measured against its limits.

mod engine;
mod measure;
mod people;
mod verify;

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
    /// Verified requests per second over HTTP, against the same stack without the work.
    Verify(verify::Options),
    /// The serving half of `verify`.
    #[command(hide = true)]
    VerifyServe(verify::ServeOptions),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().what {
        What::Engine(options) => engine::run(&options),
        What::Verify(options) => verify::run(&options),
        What::VerifyServe(options) => verify::serve(&options),
    }
}
