//! The executable `hallpass`: the server, its set-up, and tokens from a terminal.
//!
//! A command is parsed in `arguments`, done in the file of its name under `commands`, and ends with one of the codes
//! of `exit`. The server itself is in `hallpass_server`; the other commands are clients of its REST interface and know
//! nothing else of it.

mod arguments;
mod client;
mod commands;
mod credentials;
mod exit;
mod guard;
mod host;
mod limits;
mod moment;
mod output;
mod prompt;

use exit::{Exit, Failure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::process::ExitCode;

/// Answers are made on one thread and freed on another; the usual allocator makes the two wait for each other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let ended =
        prepare()
            .and_then(|()| guard::check(given()))
            .and_then(|()| match arguments::parse() {
                Ok(arguments) => commands::run(arguments.command),
                Err(shown) => Ok(show(&shown)),
            });
    let exit = ended.unwrap_or_else(|failure| {
        output::tell_failure(&failure);
        failure.exit
    });
    ExitCode::from(exit.code())
}

fn given() -> impl Iterator<Item = String> {
    std::env::args_os()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned())
}

/// What clap has to show: a help text, the version, or what it did not understand.
fn show(shown: &clap::Error) -> Exit {
    shown.print().ok();
    if shown.exit_code() == 0 {
        Exit::Done
    } else {
        Exit::Usage
    }
}

/// A memory image would hold secrets; and TLS needs to know whose cryptography it uses.
fn prepare() -> Result<(), Failure> {
    let trouble = |what: &str| Failure::new(Exit::Trouble, what);
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    // Every connection is a file, and the usual soft limit of 1024 is for programs that use select().
    let files = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: files.maximum,
        ..files
    };
    setrlimit(Resource::Nofile, most).map_err(|error| {
        trouble(&format!(
            "the limit on open files cannot be raised: {error}"
        ))
    })?;
    setrlimit(Resource::Core, none)
        .map_err(|error| trouble(&format!("core dumps cannot be switched off: {error}")))?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
        .map_err(|error| trouble(&format!("core dumps cannot be switched off: {error}")))?;
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_| trouble("cryptography was chosen twice"))
}
