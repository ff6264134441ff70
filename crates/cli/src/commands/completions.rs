//! `hallpass completions`.

use crate::{
    arguments,
    exit::{Exit, Failure},
    output,
};
use clap_complete::Shell;

/// Prints what `shell` is to read to complete our arguments.
pub(super) fn run(shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut arguments::command(), "hallpass", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
