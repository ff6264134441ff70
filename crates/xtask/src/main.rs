//! What developers run: `cargo xtask setup | test | deny | bench | openapi`.
//!
//! Each check is a [`check::Step`]; `cargo xtask test` runs them all, and continuous integration runs nothing else.
#![expect(
    clippy::print_stdout,
    reason = "these commands talk to the person who started them"
)]

mod browser;
mod cargo_tests;
mod check;
mod deny;
mod run;
mod setup;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use check::Step;
use run::{cargo, run};

#[derive(Parser)]
#[command(about = "What developers run", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what the checks need and this machine lacks
    Setup,
    /// Install what is missing, then run every check
    Test {
        /// Run these checks alone (repeat, or separate with commas)
        #[arg(long, value_delimiter = ',')]
        only: Vec<Step>,
        /// Also look the dependencies up among published security advisories, which needs the network
        #[arg(long)]
        online: bool,
    },
    /// Check licences, sources and bans of the dependencies
    Deny {
        /// Also look them up among published security advisories, which needs the network
        #[arg(long)]
        online: bool,
    },
    /// Measure, in release mode: `engine`, `verify` or `administration`, and how; `--help` after either says more
    Bench {
        /// What to measure, and how
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Write the golden file of the API's description anew, to be read and committed
    Openapi,
}

fn main() -> ExitCode {
    match Arguments::parse().command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Command {
    fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Setup => setup::run_for(&Step::ALL),
            Self::Test { only, online } => check::run_steps(&only, online),
            Self::Deny { online } => {
                setup::run_for(&[Step::Deny])?;
                deny::check(online)
            }
            Self::Bench { arguments } => {
                // The one counts allocations, the other runs with the product's allocator.
                let over_http = arguments.first().is_some_and(|what| what == "verify");
                let program = if over_http {
                    "hallpass-bench-http"
                } else {
                    "hallpass-bench"
                };
                let cargo_run = [
                    "run",
                    "--release",
                    "--locked",
                    "-p",
                    "hallpass-bench",
                    "--bin",
                ];
                run(cargo()
                    .args(cargo_run)
                    .arg(program)
                    .arg("--")
                    .args(arguments))
            }
            Self::Openapi => {
                let test = ["test", "--locked", "-p", "hallpass-server", "openapi"];
                run(cargo().args(test).env("HALLPASS_WRITE_OPENAPI", "1"))
            }
        }
    }
}
