//! Verified requests per second through `/auth`, against the same server stack that answers 204 without looking.
//!
//! One process serves, another asks. The first listens four times: the gateway door twice (the same server against
//! itself is the null test: what it shows as a difference is noise) and, on the same accept loop, what answers a bare
//! 204, and what answers a 204 with the headers of an identity that is always the same. Both processes share the
//! machine's cores, so the rates are low and the ratio is the figure.

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
    let mut rates: [Vec<f64>; 4] = Default::default();
    let addresses = [
        child.verifying,
        child.answering,
        child.repeating,
        child.verifying_again,
    ];
    for pair in 0..options.pairs {
        // The order turns round each time, so that a machine that slows down favours none.
        let mut order = [0, 1, 2, 3];
        if pair % 2 == 1 {
            order.reverse();
        }
        for which in order {
            rates[which].push(load.rate(addresses[which])?);
        }
    }
    report(options, &rates)
}

fn report(options: &Options, rates: &[Vec<f64>; 4]) -> anyhow::Result<()> {
    let [verifying, answering, repeating, again] = rates;
    let ratio = |to: &[f64]| {
        let ratios: Vec<f64> = verifying.iter().zip(to).map(|(a, b)| a / b).collect();
        Median::of(&ratios)
    };
    let lines = format!(
        "{} rounds of {} ms each, {} connections, {} random tokens of {} held; median [95 % interval]\n\n\
         /auth, verifying                      {} requests/s\n\
         bare 204 without looking              {} requests/s\n\
         204 with constant identity headers    {} requests/s\n\
         /auth again (null test)               {} requests/s\n\n\
         verifying ÷ bare 204                  {}\n\
         verifying ÷ 204 with constant headers {}\n\
         null test                             {}\n",
        options.pairs,
        options.milliseconds,
        options.connections,
        options.tokens.min(client::ASKED_MAX),
        options.tokens,
        Median::of(verifying),
        Median::of(answering),
        Median::of(repeating),
        Median::of(again),
        ratio(answering),
        ratio(repeating),
        ratio(again),
    );
    std::io::Write::write_all(&mut std::io::stdout(), lines.as_bytes())
        .context("nobody reads the figures")
}

pub(crate) fn serve(options: &ServeOptions) -> anyhow::Result<()> {
    server::serve(options.tokens)
}
