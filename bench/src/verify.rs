//! Verified requests per second through `/auth`, against the same server stack that answers 204 without looking.
//!
//! One process serves, another asks. All that is asked listens in the same way and has the same limits:
//!
//! - the gateway door, twice: the same server against itself is the null test, and what it shows as a difference is noise;
//! - an axum router with one route that answers 204, served as the product serves its other doors;
//! - the service that the gateway door is, which leaves the router out, answering 204 without looking;
//! - that service with the headers of an identity that is always the same.
//!
//! Both processes share the machine's cores, so the rates are low and the ratio is the figure; the processor time that
//! the server takes for a request is the steadier one.

mod client;
mod server;

use anyhow::{Context, ensure};
use client::Load;
use hallpass_bench::measure::{self, Median};
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
    /// Tokens that are asked about, drawn from those that are held.
    #[arg(long, default_value_t = 10_000)]
    asked: usize,
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
    let load = Load::new(options)?;
    // All run in before anything counts.
    for address in child.addresses {
        load.rate(address)?;
    }
    let mut rates: [Vec<f64>; NAMES.len()] = Default::default();
    let mut costs: [Vec<f64>; NAMES.len()] = Default::default();
    for pair in 0..options.pairs {
        // The order turns round each time, so that a machine that slows down favours none.
        let mut order: Vec<usize> = (0..NAMES.len()).collect();
        if pair % 2 == 1 {
            order.reverse();
        }
        for which in order {
            let before = child.processor_seconds()?;
            let start = measure::clock();
            let rate = load.rate(child.addresses[which])?;
            let asked = rate * start.elapsed().as_secs_f64();
            costs[which].push((child.processor_seconds()? - before) / asked * 1e6);
            rates[which].push(rate);
        }
    }
    report(options, &rates, &costs)
}

/// What is measured. The first is compared with each.
const NAMES: [&str; 5] = [
    "/auth, verifying",
    "204 by an axum router",
    "204 by the gateway's own service",
    "the same with constant headers",
    "/auth again (null test)",
];

fn report(
    options: &Options,
    rates: &[Vec<f64>; NAMES.len()],
    costs: &[Vec<f64>; NAMES.len()],
) -> anyhow::Result<()> {
    let mut text = format!(
        "{} rounds of {} ms each, {} connections, {} random tokens of {} held; median [95 % interval]\n\n\
         {:36}{:32}{:32}{:26}the server's µs a request\n",
        options.pairs,
        options.milliseconds,
        options.connections,
        options.asked,
        options.tokens,
        "",
        "requests/s",
        "/auth ÷ this, by rate",
        "by processor time",
    );
    for (which, name) in NAMES.into_iter().enumerate() {
        let by_rate = ratios(&rates[0], &rates[which]);
        let by_cost = ratios(&costs[which], &costs[0]);
        let [rate, by_rate, by_cost, cost] = [&rates[which], &by_rate, &by_cost, &costs[which]]
            .map(|all| Median::of(all).to_string());
        text.push_str(&format!(
            "{name:36}{rate:32}{by_rate:32}{by_cost:26}{cost}\n"
        ));
    }
    std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes())
        .context("nobody reads the figures")
}

fn ratios(of: &[f64], to: &[f64]) -> Vec<f64> {
    of.iter().zip(to).map(|(of, to)| of / to).collect()
}

pub(crate) fn serve(options: &ServeOptions) -> anyhow::Result<()> {
    server::serve(options.tokens)
}
