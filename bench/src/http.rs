//! What verification costs over HTTP. A program of its own: it runs with the allocator of the product, and the other
//! one with an allocator that counts.

mod verify;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Debug, Parser)]
#[command(
    name = "hallpass-bench-http",
    about = "Measures what verification costs over HTTP"
)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Verified requests per second over HTTP, against the same stack without the work.
    Verify(verify::Options),
    /// The serving half of `verify`.
    #[command(hide = true)]
    VerifyServe(verify::ServeOptions),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().what {
        What::Verify(options) => verify::run(&options),
        What::VerifyServe(options) => verify::serve(&options),
    }
}
