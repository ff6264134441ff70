//! Every check there is, in order.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::ValueEnum;
use hallpass_testkit::{Postgres, postgres};

use crate::run::{cargo, run, timed};
use crate::{browser, cargo_tests, deny, setup};

/// One check. To add one: a variant here, its place in [`Step::ALL`], its work in [`Step::run`], and what it needs
/// installed in [`setup`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Step {
    /// The sources are formatted
    Fmt,
    /// The dependencies' licences, sources and bans
    Deny,
    /// The lints
    Clippy,
    /// The documentation builds and its links lead somewhere
    Docs,
    /// The tests of all crates, with a real PostgreSQL and a real nginx
    Test,
    /// The pages in a real Chromium
    Browser,
    /// The README's five minutes, word for word
    Readme,
}

/// What a step may use.
pub(crate) struct Context {
    /// Whether the network may be asked for security advisories.
    online: bool,
    /// The address of a PostgreSQL server for tests, in the form of [`postgres::SERVER_VARIABLE`].
    pub(crate) postgres: String,
    /// What is to be said again at the very end.
    pub(crate) closing_lines: Vec<String>,
}

impl Step {
    /// All of them, the quick ones first.
    pub(crate) const ALL: [Self; 7] = [
        Self::Fmt,
        Self::Deny,
        Self::Clippy,
        Self::Docs,
        Self::Test,
        Self::Browser,
        Self::Readme,
    ];

    fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }

    fn needs_postgres(self) -> bool {
        matches!(self, Self::Test | Self::Browser)
    }

    fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Self::Fmt => run(cargo().args(["fmt", "--all", "--check"])),
            Self::Deny => deny::check(context.online),
            Self::Clippy => {
                let what = [
                    "clippy",
                    "--workspace",
                    "--all-targets",
                    "--locked",
                    "--",
                    "-D",
                    "warnings",
                ];
                run(cargo().args(what))
            }
            Self::Docs => {
                let what = [
                    "doc",
                    "--workspace",
                    "--no-deps",
                    "--document-private-items",
                    "--locked",
                ];
                run(cargo().args(what).env("RUSTDOCFLAGS", "-D warnings"))
            }
            Self::Test => cargo_tests::run(context),
            Self::Browser => browser::run_tests(context),
            Self::Readme => browser::run_readme(context),
        }
    }
}

/// How far a step came.
enum Outcome {
    Held(Duration),
    Failed(Duration),
    NotReached,
    NotAskedFor,
}

/// Installs what is missing, runs the steps of `only`, or all when it is empty, and sums up.
///
/// # Errors
/// The first failure; the steps after it do not run.
pub(crate) fn run_steps(only: &[Step], online: bool) -> Result<()> {
    let wanted: Vec<Step> = Step::ALL
        .into_iter()
        .filter(|step| only.is_empty() || only.contains(step))
        .collect();
    setup::run_for(&wanted)?;
    let (server, url) = server_for(&wanted);
    let mut context = Context {
        online,
        postgres: url,
        closing_lines: Vec::new(),
    };
    let mut failure = None;
    let mut outcomes = Vec::new();
    for step in Step::ALL {
        let outcome = if !wanted.contains(&step) {
            Outcome::NotAskedFor
        } else if failure.is_some() {
            Outcome::NotReached
        } else {
            println!("\n── {} ──", step.name());
            let (result, time) = timed(|| step.run(&mut context));
            println!("── {}: {} ──", step.name(), seconds(time));
            match result {
                Ok(()) => Outcome::Held(time),
                Err(error) => {
                    failure = Some(format!("{}: {error:#}", step.name()));
                    Outcome::Failed(time)
                }
            }
        };
        outcomes.push((step, outcome));
    }
    drop(server);
    sum_up(&outcomes, &context.closing_lines);
    match failure {
        Some(failure) => bail!("{failure}"),
        None => Ok(()),
    }
}

/// One server for all test programs, unless somebody offers one or nothing needs it.
fn server_for(steps: &[Step]) -> (Option<Postgres>, String) {
    if let Ok(url) = std::env::var(postgres::SERVER_VARIABLE) {
        println!(
            "PostgreSQL: the server that {} names",
            postgres::SERVER_VARIABLE
        );
        return (None, url);
    }
    if !steps.iter().any(|step| step.needs_postgres()) {
        return (None, String::new());
    }
    let server = Postgres::start_forgetful();
    let url = server.url().to_owned();
    println!("PostgreSQL: a server of our own, for this run");
    (Some(server), url)
}

fn sum_up(outcomes: &[(Step, Outcome)], closing_lines: &[String]) {
    println!("\n{:<10}{:>10}  result", "step", "time");
    for (step, outcome) in outcomes {
        let (time, result) = match outcome {
            Outcome::Held(time) => (seconds(*time), "ok"),
            Outcome::Failed(time) => (seconds(*time), "FAILED"),
            Outcome::NotReached => (String::new(), "not run: a step before it failed"),
            Outcome::NotAskedFor => (String::new(), "not run: not asked for"),
        };
        println!("{:<10}{time:>10}  {result}", step.name());
    }
    for line in closing_lines {
        println!("{line}");
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
