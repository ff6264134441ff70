//! Verified requests per second through `/auth`, against the same server stack that answers 204 without looking.
//!
//! One process serves, another asks. The first listens three times: the gateway door twice (the same server against
//! itself is the null test: what it shows as a difference is noise) and, on the same accept loop, a router that
//! answers 204. Both processes share the machine's cores, so the rates are low and the ratio is the figure.

mod client;
mod server;

use anyhow::{Context, ensure};
use client::Load;
use hallpass_bench::measure::Median;
use server::Child;

#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Options {
    /// Pairs of rounds, each round of the one followed by a round of the other.
    #[arg(long, default_value_t = 12)]
    pairs: usize,
    /// Milliseconds of a round.
    #[arg(long, default_value_t = 1_500)]
    milliseconds: u64,
    /// Connections that ask at once.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Tokens held in memory.
    #[arg(long, default_value_t = 100_000)]
    tokens: usize,
}

/// What the serving process is told.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct ServeOptions {
    #[arg(long)]
    tokens: usize,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    ensure!(options.pairs >= 10, "fewer than 10 pairs say nothing");
    let child = Child::start(options.tokens)?;
    let load = Load::new(options.tokens, options.connections, options.milliseconds)?;
    // Both run in before anything counts.
    load.rate(child.verifying)?;
    load.rate(child.answering)?;
    let (mut verifying, mut answering, mut again) = (Vec::new(), Vec::new(), Vec::new());
    let (mut ratios, mut nulls) = (Vec::new(), Vec::new());
    for pair in 0..options.pairs {
        // The order turns round each time, so that a machine that slows down favours neither.
        let order = if pair % 2 == 0 { [0, 1, 2] } else { [2, 1, 0] };
        let mut rates = [0.0; 3];
        for which in order {
            rates[which] =
                load.rate([child.verifying, child.answering, child.verifying_again][which])?;
        }
        ratios.push(rates[0] / rates[1]);
        nulls.push(rates[0] / rates[2]);
        verifying.push(rates[0]);
        answering.push(rates[1]);
        again.push(rates[2]);
    }
    report(options, &[verifying, answering, again], &ratios, &nulls)
}

fn report(
    options: &Options,
    rates: &[Vec<f64>; 3],
    ratios: &[f64],
    nulls: &[f64],
) -> anyhow::Result<()> {
    let lines = format!(
        "{} pairs of {} ms, {} connections, {} random tokens of {} held; median [95 % interval]\n\n\
         /auth, verifying              {} requests/s\n\
         204 without looking           {} requests/s\n\
         /auth again (null test)       {} requests/s\n\n\
         verifying ÷ without looking   {}   (goal: at least 0.85)\n\
         null test                     {}\n",
        options.pairs,
        options.milliseconds,
        options.connections,
        options.tokens.min(client::ASKED_MAX),
        options.tokens,
        Median::of(&rates[0]),
        Median::of(&rates[1]),
        Median::of(&rates[2]),
        Median::of(ratios),
        Median::of(nulls),
    );
    std::io::Write::write_all(&mut std::io::stdout(), lines.as_bytes())
        .context("nobody reads the figures")
}

pub(crate) fn serve(options: &ServeOptions) -> anyhow::Result<()> {
    server::serve(options.tokens)
}
