//! `hallpass-bench engine`: one verification in memory, by itself.

use anyhow::ensure;
use hallpass_bench::{
    measure::{Chance, Median, clock, nanoseconds},
    people::{Deployment, NOW, deployment},
};
use hallpass_domain::{
    permission::Permission,
    token::{Brand, Kind, Peppers, PlainToken},
    verdict::{Question, Verdict},
};
use hallpass_engine::{Answer, Engine, Fold, Outcome, UseNote, Uses};
use std::{
    hint::black_box,
    io::{Write, stdout},
};

/// What to measure with.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Tokens held in memory.
    #[arg(long, default_value_t = 1_000_000)]
    tokens: usize,
    /// Rounds; in each, everything is measured once, one thing after the other.
    #[arg(long, default_value_t = 31)]
    rounds: usize,
    /// Verifications of each sort in a round.
    #[arg(long, default_value_t = 100_000)]
    asked: usize,
}

/// An engine that is loaded, and what loading it cost.
struct Loaded {
    engine: Engine,
    tokens: Vec<PlainToken>,
    peppers: Peppers,
    seconds: f64,
    /// Bytes that the heap has grown by, tokens' texts aside.
    heap: i64,
}

/// What is measured in each round.
const SORTS: [&str; 6] = [
    "one HMAC-SHA-256",
    "random tokens",
    "one hot token",
    "unknown tokens",
    "parse, verify, note the use: random",
    "the same: one hot token",
];
const HMAC: usize = 0;
const RANDOM: usize = 1;

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    ensure!(
        options.tokens > 0 && options.rounds > 0 && options.asked > 0,
        "nothing to measure"
    );
    let loaded = load(options.tokens)?;
    let needed = Permission::parse("r0:read")?;
    let chance = Chance::new(3);
    let unknown: Vec<_> = strangers(&chance, options.asked);
    let uses = Uses::new(1);
    let mut rounds: [Vec<f64>; SORTS.len()] = Default::default();
    for _ in 0..options.rounds {
        // Copied in the order of asking: a token's text comes from the network, not from a table.
        let random: Vec<_> = (0..options.asked)
            .map(|_| loaded.tokens[chance.below(loaded.tokens.len())].clone())
            .collect();
        for (sort, times) in rounds.iter_mut().enumerate() {
            times.push(round(&loaded, &uses, sort, (&random, &unknown), &needed));
            uses.drain_into(&mut Fold::default());
        }
    }
    let allocations = allocation_counter::measure(|| {
        for token in loaded.tokens.iter().take(options.asked).chain(&unknown) {
            black_box(
                loaded
                    .engine
                    .verify(token, &loaded.peppers, &asked(Some(&needed))),
            );
        }
    });
    report(options, &loaded, &rounds, allocations.count_total)?;
    drop(loaded);
    crate::changes::run(options.rounds)
}

const fn asked(needed: Option<&Permission>) -> Question<'_> {
    Question {
        needed,
        address: None,
        now: NOW,
    }
}

fn strangers(chance: &Chance, count: usize) -> Vec<PlainToken> {
    (0..count)
        .map(|_| PlainToken::generate(Brand::DEFAULT, Kind::PersonalAccessToken, chance))
        .collect()
}

fn load(count: usize) -> anyhow::Result<Loaded> {
    let mut outcome = Err(anyhow::anyhow!("nothing was loaded"));
    let heap = allocation_counter::measure(|| {
        outcome = deployment(count).and_then(
            |Deployment {
                 peppers,
                 changes,
                 tokens,
             }| {
                let start = clock();
                let engine = Engine::with_capacity(count);
                engine.apply_all(changes)?;
                engine.set_answering(true);
                Ok(Loaded {
                    engine,
                    tokens,
                    peppers,
                    seconds: start.elapsed().as_secs_f64(),
                    heap: 0,
                })
            },
        );
    });
    let loaded = outcome?;
    for token in loaded.tokens.iter().step_by(997) {
        let answer = loaded.engine.verify(token, &loaded.peppers, &asked(None));
        ensure!(
            answer.verdict() == Some(Verdict::Allow),
            "a loaded token is refused"
        );
    }
    let texts = size_of::<PlainToken>() * loaded.tokens.capacity();
    Ok(Loaded {
        heap: heap.bytes_current - i64::try_from(texts)?,
        ..loaded
    })
}

/// Nanoseconds for each of one sort.
fn round(
    loaded: &Loaded,
    uses: &Uses,
    sort: usize,
    (random, unknown): (&[PlainToken], &[PlainToken]),
    needed: &Permission,
) -> f64 {
    let Loaded {
        engine, peppers, ..
    } = loaded;
    let hot = vec![random[0].clone(); random.len()];
    let verify = |tokens: &[PlainToken]| {
        nanoseconds(tokens.len(), || {
            for token in tokens {
                black_box(engine.verify(black_box(token), peppers, &asked(Some(needed))));
            }
        })
    };
    match sort {
        HMAC => nanoseconds(random.len(), || {
            for token in random {
                black_box(peppers.current().digest(black_box(token)));
            }
        }),
        RANDOM => verify(random),
        2 => verify(&hot),
        3 => verify(unknown),
        4 => whole(loaded, uses, random, needed),
        _ => whole(loaded, uses, &hot, needed),
    }
}

/// A door's whole way: from the text to the note of use.
fn whole(loaded: &Loaded, uses: &Uses, tokens: &[PlainToken], needed: &Permission) -> f64 {
    nanoseconds(tokens.len(), || {
        for token in tokens {
            let Ok(token) = PlainToken::parse(black_box(token.expose().as_bytes())) else {
                continue;
            };
            if let Answer::Known { token, .. } =
                loaded
                    .engine
                    .verify(&token, &loaded.peppers, &asked(Some(needed)))
            {
                uses.note(
                    &UseNote::new(token.id(), NOW, Outcome::Allowed)
                        .method("GET")
                        .path("/repositories/main/commits")
                        .agent("curl/8.14.1"),
                );
            }
        }
    })
}

fn report(
    options: &Options,
    loaded: &Loaded,
    rounds: &[Vec<f64>],
    allocations: u64,
) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    let sizes = loaded.engine.sizes();
    writeln!(
        out,
        "{} tokens of {} users in {} organizations; {} rounds, {} of each sort in a round; median [95 % interval]\n",
        sizes.tokens, sizes.users, sizes.organizations, options.rounds, options.asked
    )?;
    writeln!(out, "{:<40} {:>22} {:>22}", "", "ns", "÷ one HMAC")?;
    for (name, times) in SORTS.iter().zip(rounds) {
        let ratios: Vec<f64> = times
            .iter()
            .zip(&rounds[HMAC])
            .map(|(time, hmac)| time / hmac)
            .collect();
        writeln!(
            out,
            "{name:<40} {:>22} {:>22}",
            Median::of(times).to_string(),
            Median::of(&ratios).to_string()
        )?;
    }
    writeln!(out)?;
    report_goals(&mut out, loaded, &rounds[RANDOM], allocations)
}

fn report_goals(
    out: &mut impl Write,
    loaded: &Loaded,
    random: &[f64],
    allocations: u64,
) -> anyhow::Result<()> {
    let sizes = loaded.engine.sizes();
    let random = Median::of(random).value;
    let seconds = loaded.seconds;
    let heap = loaded.heap as f64 / sizes.tokens as f64;
    let estimate = sizes.bytes as f64 / sizes.tokens as f64;
    for (name, found, goal) in [
        (
            "verify, random tokens",
            format!("{random:.0} ns"),
            "goal: < 400 ns",
        ),
        (
            "allocations in all verifications",
            allocations.to_string(),
            "goal: 0",
        ),
        (
            "bytes a token, by the heap's growth",
            format!("{heap:.1}"),
            "goal: ≤ 128",
        ),
        (
            "bytes a token, as the engine estimates",
            format!("{estimate:.1}"),
            "",
        ),
        ("seconds to load", format!("{seconds:.2}"), "goal: ≤ 2"),
    ] {
        writeln!(out, "{name:<40} {found:>22} {goal:>22}")?;
    }
    Ok(())
}
