//! What is printed: tables for people, JSON for programs. Results go to standard output, all else to standard error.

mod administration;
mod keys;
mod lookout;
pub(crate) mod rows;
pub(crate) mod tokens;

use crate::exit::{Exit, Failure};
use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets};
use serde::Serialize;
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};

/// What standard output can show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    /// Characters in a line; `None` when nobody looks and nothing is to be wrapped.
    pub(crate) width: Option<u16>,
    /// Whether colours are wanted.
    pub(crate) colours: bool,
}

impl Screen {
    /// What the standard output of this process can show.
    pub(crate) fn of_process() -> Self {
        let stdout = io::stdout();
        if !stdout.is_terminal() {
            return Self {
                width: None,
                colours: false,
            };
        }
        let width = rustix::termios::tcgetwinsize(&stdout)
            .ok()
            .map(|size| size.ws_col)
            .filter(|width| *width > 0);
        Self {
            width: Some(width.unwrap_or(80)),
            colours: colours_wanted(),
        }
    }

    /// An empty table without borders, its columns headed `heads`.
    pub(crate) fn table(self, heads: &[&str]) -> Table {
        let mut table = self.bare_table();
        table.set_header(
            heads
                .iter()
                .map(|head| self.cell(head, Tone::Quiet))
                .collect::<Vec<_>>(),
        );
        table
    }

    /// An empty table without borders and heads.
    pub(crate) fn bare_table(self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        match self.width {
            Some(width) => table
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(width),
            None => table.set_content_arrangement(ContentArrangement::Disabled),
        };
        if self.colours {
            table.enforce_styling()
        } else {
            table.force_no_tty()
        };
        table
    }

    /// A cell of a table, in a tone if colours are wanted.
    pub(crate) fn cell(self, text: &str, tone: Tone) -> Cell {
        let cell = Cell::new(crate::exit::clean(text));
        match tone {
            _ if !self.colours => cell,
            Tone::Plain => cell,
            Tone::Quiet => cell.add_attribute(Attribute::Dim),
            Tone::Good => cell.fg(Color::Green),
            Tone::Warning => cell.fg(Color::Yellow),
            Tone::Bad => cell.fg(Color::Red),
        }
    }
}

/// What a text means to the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Quiet,
    Good,
    Warning,
    Bad,
}

/// <https://no-color.org>: set and not empty means no colours.
fn colours_wanted() -> bool {
    let set = |variable: &str| std::env::var_os(variable).filter(|value| !value.is_empty());
    set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb")
}

/// The lines of a table: two blanks between columns, none at the ends.
pub(crate) fn lines(mut table: Table) -> String {
    table
        .column_iter_mut()
        .for_each(|column| _ = column.set_padding((0, 2)));
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Prints `text` as it is to standard output. That the reader has gone away is not an error.
///
/// # Errors
/// Standard output that cannot be written, such as a full disk: a secret would be lost without a word.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::new(
            Exit::Trouble,
            format!("cannot write to standard output: {error}"),
        )),
        _ => Ok(()),
    }
}

/// Prints a value of the REST interface as JSON.
///
/// # Errors
/// As [`print()`].
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|_| Failure::new(Exit::Trouble, "the answer cannot be written as JSON"))?;
    let text = zeroize::Zeroizing::new(text);
    print(&text)?;
    print("\n")
}

/// Tells the person at the terminal something that is not the result.
pub(crate) fn tell(text: &str) {
    // Whoever closed standard error does not want to be told.
    writeln!(io::stderr(), "{text}").ok();
}

/// Tells why a command did not do as asked.
pub(crate) fn tell_failure(failure: &Failure) {
    if io::stderr().is_terminal() && colours_wanted() {
        tell(&format!("\u{1b}[1;31merror:\u{1b}[0m {failure}"));
    } else {
        tell(&format!("error: {failure}"));
    }
}
