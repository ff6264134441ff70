//! The tests of all crates.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use hallpass_testkit::postgres;

use crate::check::Context;
use crate::run::{cargo, shown};

/// Runs them all, and keeps the line in which each test program says how many tests it ran.
///
/// # Errors
/// When a test fails, is ignored, or there is none.
pub(crate) fn run(context: &mut Context) -> Result<()> {
    let mut command = cargo();
    command
        .args(["test", "--workspace", "--locked", "--no-fail-fast"])
        .env(postgres::SERVER_VARIABLE, &context.postgres)
        .stdout(Stdio::piped());
    println!("$ {}", shown(&command));
    let mut tests = command.spawn().context("cargo does not start")?;
    let output = BufReader::new(tests.stdout.take().context("a pipe was asked for")?);
    let mut counted = Counted::default();
    for line in output.split(b'\n') {
        let line = String::from_utf8_lossy(&line.context("the output of the tests")?).into_owned();
        println!("{line}");
        if counted.add(&line) {
            context.closing_lines.push(line);
        }
    }
    let status = tests.wait().context("the tests")?;
    context.closing_lines.push(format!(
        "all crates: {} passed, {} failed",
        counted.passed, counted.failed
    ));
    if !status.success() || counted.failed > 0 {
        bail!("{} tests failed ({status})", counted.failed);
    }
    if counted.ignored > 0 {
        bail!(
            "{} tests are marked to be ignored; a test runs or it goes",
            counted.ignored
        );
    }
    if counted.passed == 0 {
        bail!("no test ran");
    }
    Ok(())
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Counted {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Counted {
    /// Adds up a line such as `test result: ok. 3 passed; 0 failed; 0 ignored; …`. Returns whether it is one that
    /// tells of any test.
    fn add(&mut self, line: &str) -> bool {
        let Some((_, counts)) = line
            .strip_prefix("test result: ")
            .and_then(|rest| rest.split_once(". "))
        else {
            return false;
        };
        let mut tells = false;
        for count in counts.split(';') {
            let Some((number, what)) = count.trim().split_once(' ') else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            let sum = match what {
                "passed" => &mut self.passed,
                "failed" => &mut self.failed,
                "ignored" => &mut self.ignored,
                _ => continue,
            };
            *sum += number;
            tells |= number > 0;
        }
        tells
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_add_up() {
        let mut counted = Counted::default();
        let result = |text: &str| {
            format!("test result: {text}; 9 measured; 9 filtered out; finished in 2.29s")
        };
        assert!(counted.add(&result("ok. 17 passed; 0 failed; 2 ignored")));
        assert!(counted.add(&result("FAILED. 1 passed; 3 failed; 0 ignored")));
        assert!(!counted.add(&result("ok. 0 passed; 0 failed; 0 ignored")));
        assert!(!counted.add("test result_is_kept ... ok"));
        assert!(!counted.add("running 4 tests"));
        assert_eq!(
            counted,
            Counted {
                passed: 18,
                failed: 3,
                ignored: 2
            }
        );
    }
}
