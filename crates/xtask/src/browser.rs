//! The pages in a real Chromium, `tests/browser`, and the README's walk through them, `tests/readme`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use hallpass_testkit::{find, postgres, temp_dir};

use crate::check::Context;
use crate::run::{cargo, command, executables, root, run};

/// The folder of the tests.
pub(crate) fn folder() -> PathBuf {
    root().join("tests/browser")
}

/// The Chromium of this machine.
pub(crate) fn chromium() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome-stable"]
        .into_iter()
        .find_map(find::in_path)
}

/// Builds the server and lets every `*.test.mjs` walk through it. They find the server in `HALLPASS_BIN` and the
/// browser in `HALLPASS_CHROMIUM`.
///
/// # Errors
/// When a test fails or is left out, or there is none.
pub(crate) fn run_tests(context: &mut Context) -> Result<()> {
    // The same features as for the tests, or everything would be built a second time.
    run(cargo().args(["build", "--workspace", "--bins", "--tests", "--locked"]))?;
    let files = test_files(&folder())?;
    if files.is_empty() {
        bail!("there is no test in {}", folder().display());
    }
    run_files(context, "browser", files)
}

/// The walk of the README, in release mode as it says: `tests/readme`.
///
/// # Errors
/// When the text, the program and the pages do not fit together.
pub(crate) fn run_readme(context: &mut Context) -> Result<()> {
    run_files(
        context,
        "readme",
        vec![root().join("tests/readme/walk.mjs")],
    )
}

/// Runs tests written for Node.js and counts them, for the closing line `name`.
fn run_files(context: &mut Context, name: &str, files: Vec<PathBuf>) -> Result<()> {
    let reports = temp_dir();
    let report = reports.path().join("report.tap");
    let mut node = command("node");
    node.current_dir(folder())
        .args([
            "--test",
            "--test-reporter=spec",
            "--test-reporter-destination=stdout",
            "--test-reporter=tap",
        ])
        .arg(format!("--test-reporter-destination={}", report.display()))
        .args(files)
        .env("HALLPASS_BIN", executables()?.join("hallpass"))
        .env(
            "HALLPASS_CHROMIUM",
            chromium().context("Chromium is missing: run `cargo xtask setup`")?,
        )
        .env(postgres::SERVER_VARIABLE, &context.postgres);
    run(&mut node)?;
    let report =
        std::fs::read_to_string(&report).with_context(|| format!("the report of {name}"))?;
    let count =
        |what| total(&report, what).with_context(|| format!("the report has no line `# {what}`"));
    let passed = count("pass")?;
    let left_out = count("skipped")? + count("todo")? + count("cancelled")?;
    if passed == 0 {
        bail!("no test of {name} ran");
    }
    if left_out > 0 {
        bail!("{left_out} tests of {name} were left out; a test runs or it goes");
    }
    context
        .closing_lines
        .push(format!("{name}: {passed} passed"));
    Ok(())
}

fn test_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in
        std::fs::read_dir(folder).with_context(|| format!("the folder {}", folder.display()))?
    {
        let path = entry?.path();
        if path
            .to_str()
            .is_some_and(|path| path.ends_with(".test.mjs"))
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The number in a report's closing line such as `# pass 12`.
fn total(report: &str, what: &str) -> Option<u64> {
    report.lines().rev().find_map(|line| {
        line.strip_prefix("# ")?
            .strip_prefix(what)?
            .trim()
            .parse()
            .ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_is_read_from_its_end() {
        let report = "# pass 7 of them\n# Subtest: pass 3\nok 1\n# tests 5\n# pass 4\n# fail 0\n# skipped 1\n";
        assert_eq!(total(report, "pass"), Some(4));
        assert_eq!(total(report, "skipped"), Some(1));
        assert_eq!(total(report, "todo"), None);
    }

    #[test]
    fn test_files_are_those_named_so() {
        let folder = temp_dir();
        for name in ["b.test.mjs", "a.test.mjs", "server.mjs", "package.json"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let names = test_files(folder.path()).unwrap();
        assert_eq!(
            names,
            ["a.test.mjs", "b.test.mjs"].map(|name| folder.path().join(name))
        );
    }
}
