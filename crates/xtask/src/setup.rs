//! Installing what the checks need and the machine lacks.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use hallpass_testkit::find;

use crate::check::Step;
use crate::run::{command, run, succeeds};
use crate::{browser, deny};

/// The oldest that runs the tests: the one of Debian 12. The version of playwright-core is the newest that takes it.
const NODE_MAJOR_MIN: u32 = 18;

/// Something that a check cannot do without.
struct Need {
    name: &'static str,
    why: &'static str,
    steps: &'static [Step],
    is_here: fn() -> bool,
    source: Source,
}

enum Source {
    /// Packages of Debian.
    Apt(&'static [&'static str]),
    /// Anything else, after the packages of Debian are there.
    Own(fn() -> Result<()>),
}

const NEEDS: [Need; 9] = [
    Need {
        name: "rustfmt",
        why: "the sources have one format",
        steps: &[Step::Fmt],
        is_here: || has_cargo_command("fmt"),
        source: Source::Own(|| run(command("rustup").args(["component", "add", "rustfmt"]))),
    },
    Need {
        name: "clippy",
        why: "the lints",
        steps: &[Step::Clippy],
        is_here: || has_cargo_command("clippy"),
        source: Source::Own(|| run(command("rustup").args(["component", "add", "clippy"]))),
    },
    Need {
        name: "cargo-deny",
        why: "licences and sources of the dependencies",
        steps: &[Step::Deny],
        is_here: deny::is_here,
        source: Source::Own(deny::install),
    },
    Need {
        name: "PostgreSQL",
        why: "every statement runs on a real server",
        steps: &[Step::Test],
        is_here: || find::postgres_programs().is_some(),
        source: Source::Apt(&["postgresql"]),
    },
    Need {
        name: "nginx",
        why: "a real gateway asks Hallpass about requests",
        steps: &[Step::Test, Step::Readme],
        is_here: || find::in_path("nginx").is_some(),
        source: Source::Apt(&["nginx"]),
    },
    Need {
        name: "curl",
        why: "the README asks with it",
        steps: &[Step::Readme],
        is_here: || find::in_path("curl").is_some(),
        source: Source::Apt(&["curl"]),
    },
    Need {
        name: "Chromium",
        why: "the pages are walked through in a real browser",
        steps: &[Step::Browser, Step::Readme],
        is_here: || browser::chromium().is_some(),
        source: Source::Apt(&["chromium", "fonts-liberation"]),
    },
    Need {
        name: "Node.js",
        why: "the browser tests are written for it",
        steps: &[Step::Browser, Step::Readme],
        is_here: || find::in_path("node").is_some() && find::in_path("npm").is_some(),
        source: Source::Apt(&["nodejs", "npm"]),
    },
    Need {
        name: "playwright-core and axe-core",
        why: "the browser tests steer Chromium and judge accessibility with them",
        steps: &[Step::Browser, Step::Readme],
        is_here: browser_packages_are_here,
        source: Source::Own(install_browser_packages),
    },
];

/// Installs what `steps` need and is missing, after saying what and why.
///
/// # Errors
/// When something cannot be installed; says how to do it by hand.
pub(crate) fn run_for(steps: &[Step]) -> Result<()> {
    let needed = || {
        NEEDS
            .iter()
            .filter(|need| need.steps.iter().any(|step| steps.contains(step)))
    };
    let missing: Vec<&Need> = needed().filter(|need| !(need.is_here)()).collect();
    if missing.is_empty() {
        println!(
            "setup: all {} things that are needed are here",
            needed().count()
        );
    }
    for need in &missing {
        println!(
            "setup: {} is missing ({}: {})",
            need.name,
            step_names(need.steps),
            need.why
        );
    }
    let packages: Vec<&str> = missing
        .iter()
        .flat_map(|need| need.packages())
        .copied()
        .collect();
    if !packages.is_empty() {
        install_packages(&packages)?;
    }
    for need in &missing {
        if let Source::Own(install) = need.source {
            install().with_context(|| format!("{} cannot be installed", need.name))?;
        }
    }
    if let Some(need) = missing.into_iter().find(|need| !(need.is_here)()) {
        bail!("{} was installed and is still not found", need.name);
    }
    if steps.contains(&Step::Browser) || steps.contains(&Step::Readme) {
        check_node_version()
    } else {
        Ok(())
    }
}

impl Need {
    fn packages(&self) -> &'static [&'static str] {
        match self.source {
            Source::Apt(packages) => packages,
            Source::Own(_) => &[],
        }
    }
}

fn step_names(steps: &[Step]) -> String {
    let names: Vec<_> = steps
        .iter()
        .map(|step| format!("{step:?}").to_lowercase())
        .collect();
    names.join(", ")
}

fn has_cargo_command(name: &str) -> bool {
    succeeds(crate::run::cargo().args([name, "--version"]))
}

fn install_packages(packages: &[&str]) -> Result<()> {
    let by_hand = format!("install by hand what Debian calls: {}", packages.join(" "));
    if find::in_path("apt-get").is_none() {
        bail!("apt-get is missing too; {by_hand}");
    }
    let apt_get = || -> Result<Command> {
        let is_root = command("id")
            .arg("-u")
            .output()
            .is_ok_and(|output| output.stdout == b"0\n");
        if is_root {
            let mut apt_get = command("apt-get");
            apt_get.env("DEBIAN_FRONTEND", "noninteractive");
            return Ok(apt_get);
        }
        if find::in_path("sudo").is_none() {
            bail!("only root installs packages, and there is no sudo; {by_hand}");
        }
        let mut sudo = command("sudo");
        sudo.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        Ok(sudo)
    };
    run(apt_get()?.arg("update"))?;
    run(apt_get()?
        .args(["install", "--yes", "--no-install-recommends"])
        .args(packages))
    .context(by_hand)
}

/// A copy of the lock file, kept beside what was installed from it.
fn installed_lock() -> PathBuf {
    browser::folder().join("node_modules/.installed-lock.json")
}

fn browser_packages_are_here() -> bool {
    let wanted = std::fs::read(browser::folder().join("package-lock.json"));
    let installed = std::fs::read(installed_lock());
    matches!((wanted, installed), (Ok(wanted), Ok(installed)) if wanted == installed)
}

fn install_browser_packages() -> Result<()> {
    let mut npm = command("npm");
    run(npm.current_dir(browser::folder()).args([
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
    ]))?;
    std::fs::copy(
        browser::folder().join("package-lock.json"),
        installed_lock(),
    )
    .context("the mark of what is installed")?;
    Ok(())
}

fn check_node_version() -> Result<()> {
    let output = command("node")
        .arg("--version")
        .output()
        .context("`node --version`")?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match major(&version) {
        Some(major) if major >= NODE_MAJOR_MIN => Ok(()),
        _ => bail!("node is {version}; the browser tests need {NODE_MAJOR_MIN} or newer"),
    }
}

/// The 20 of `v20.1.0`.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert_eq!(major("v18.20.4"), Some(18));
        assert_eq!(major("18.20.4"), None);
        assert_eq!(major(""), None);
    }

    #[test]
    fn every_step_that_starts_foreign_programs_says_what_it_needs() {
        for step in Step::ALL {
            let named = NEEDS.iter().any(|need| need.steps.contains(&step));
            assert_eq!(
                named,
                step != Step::Docs,
                "{step:?}: rustdoc alone comes with every Rust"
            );
        }
    }
}
