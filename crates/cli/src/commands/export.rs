//! Files that the server writes: inventory and audit.

use super::desk::Desk;
use crate::{
    exit::{Exit, Failure, clean},
    output::rows,
};
use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, IsTerminal as _, Read, Write},
    path::Path,
};

/// Bytes that are copied in one go.
const CHUNK_BYTES: usize = 64 * 1024;

/// What a file consists of, for telling how much it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    /// One of them.
    what: &'static str,
    /// Lines of the file that are none: the heads of columns, the brackets of a list.
    besides: u64,
}

impl Counted {
    /// Of a file in this format.
    pub(super) fn of(format: &str, what: &'static str) -> Self {
        let besides = match format {
            "csv" => 1,
            "json" => 2,
            _ => 0,
        };
        Self { what, besides }
    }

    fn told(self, lines: u64) -> String {
        let number = lines.saturating_sub(self.besides);
        rows::count(number, self.what).replace("token or keys", "tokens and keys")
    }
}

/// Writes what is at `path` of the server to `file`, else to standard output.
pub(super) fn run(
    desk: &Desk,
    path: &str,
    file: Option<&Path>,
    counted: Counted,
) -> Result<Exit, Failure> {
    let mut from = desk.client.get_file(path)?;
    let Some(file) = file else {
        copy(
            &mut from,
            &mut io::stdout().lock(),
            &mut Progress::off(),
            "standard output",
        )?;
        return Ok(Exit::Done);
    };
    let shown = clean(&file.to_string_lossy());
    let trouble = |error: &io::Error| {
        Failure::new(Exit::Trouble, format!("{shown} cannot be written: {error}"))
    };
    // Half a file under its name would be taken for the whole.
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    let part = Path::new(&part);
    let mut progress = Progress::on(!desk.report.quiet);
    let copied = create(part)
        .map_err(|error| trouble(&error))
        .and_then(|to| copy(&mut from, &mut BufWriter::new(to), &mut progress, &shown));
    progress.clear();
    let lines = copied.inspect_err(|_| {
        std::fs::remove_file(part).ok();
    })?;
    std::fs::rename(part, file).map_err(|error| trouble(&error))?;
    rows::say(
        &format!("Wrote {shown}: {}.", counted.told(lines)),
        desk.report,
    );
    Ok(Exit::Done)
}

/// Who may read what their colleagues do is for them to say.
fn create(file: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(file)
}

/// Copies all; how many lines it was.
fn copy(
    from: &mut impl Read,
    to: &mut impl Write,
    progress: &mut Progress,
    shown: &str,
) -> Result<u64, Failure> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut lines = 0;
    loop {
        let read = from.read(&mut chunk).map_err(|error| {
            Failure::new(
                Exit::Unreachable,
                format!("the file broke off: {}", clean(&error.to_string())),
            )
            .next("What was written is not all. Try again.")
        })?;
        let Some(piece) = chunk.get(..read).filter(|piece| !piece.is_empty()) else {
            break;
        };
        match to.write_all(piece) {
            // Whoever read it has had enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(lines),
            written => written.map_err(|error| {
                Failure::new(Exit::Trouble, format!("{shown} cannot be written: {error}"))
            })?,
        }
        lines += piece.iter().filter(|byte| **byte == b'\n').count() as u64;
        progress.show(lines);
    }
    to.flush().map_err(|error| {
        Failure::new(Exit::Trouble, format!("{shown} cannot be written: {error}"))
    })?;
    Ok(lines)
}

/// A line that counts on a terminal, and is gone at the end.
struct Progress {
    wanted: bool,
}

impl Progress {
    const fn off() -> Self {
        Self { wanted: false }
    }

    fn on(wanted: bool) -> Self {
        Self {
            wanted: wanted && io::stderr().is_terminal(),
        }
    }

    fn show(&self, lines: u64) {
        if self.wanted {
            write!(io::stderr(), "\r{lines} lines…").ok();
        }
    }

    fn clear(&self) {
        if self.wanted {
            write!(io::stderr(), "\r\u{1b}[K").ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(bool);

    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(io::Error::other("cut"));
            }
            buffer[..2].copy_from_slice(b"a\n");
            Ok(2)
        }
    }

    #[test]
    fn what_is_told_is_what_is_in_the_file_and_not_its_lines() {
        let told = |format, what, lines| Counted::of(format, what).told(lines);
        assert_eq!(told("csv", "token or key", 9), "8 tokens and keys");
        assert_eq!(told("json", "token or key", 10), "8 tokens and keys");
        assert_eq!(told("csv", "token", 2), "1 token");
        assert_eq!(told("json", "key", 2), "0 keys");
        assert_eq!(told("jsonl", "line", 3), "3 lines");
    }

    #[test]
    fn lines_are_counted_and_a_file_that_breaks_off_is_a_failure() {
        let mut written = Vec::new();
        let text = "a\nb\nc".repeat(50_000);
        let lines = copy(
            &mut text.as_bytes(),
            &mut written,
            &mut Progress::off(),
            "x",
        );
        assert_eq!((lines, written.len()), (Ok(100_000), text.len()));
        let failure = copy(
            &mut Broken(false),
            &mut Vec::new(),
            &mut Progress::off(),
            "x",
        )
        .unwrap_err();
        assert_eq!(failure.exit, Exit::Unreachable);
        assert!(failure.to_string().contains("not all"), "{failure}");
    }
}
