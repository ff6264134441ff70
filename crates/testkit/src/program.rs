use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// A child process whose output is kept by line. Killed when dropped.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    output: Arc<Output>,
}

#[derive(Debug, Default)]
struct Output {
    so_far: Mutex<SoFar>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct SoFar {
    lines: Vec<String>,
    /// Of the two streams, how many have ended.
    ended: usize,
}

impl Output {
    fn lock(&self) -> MutexGuard<'_, SoFar> {
        self.so_far.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_from(self: &Arc<Self>, stream: impl Read + Send + 'static) {
        let output = Arc::clone(self);
        std::thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while matches!(stream.read_until(b'\n', &mut line), Ok(1..)) {
                let text = String::from_utf8_lossy(&line)
                    .trim_end_matches(['\r', '\n'])
                    .to_owned();
                line.clear();
                output.lock().lines.push(text);
                output.more.notify_all();
            }
            output.lock().ended += 1;
            output.more.notify_all();
        });
    }
}

impl Program {
    /// Starts `command` with its standard output and error captured. Standard input is what the command says,
    /// by default nothing at all.
    ///
    /// # Panics
    /// When the program cannot be started.
    #[track_caller]
    pub fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let spawned = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let output = Arc::new(Output::default());
        output.read_from(child.stdout.take().expect("a pipe was asked for"));
        output.read_from(child.stderr.take().expect("a pipe was asked for"));
        Self {
            name,
            child,
            output,
        }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything printed so far, standard output and error in the order of arrival.
    pub fn lines(&self) -> Vec<String> {
        self.output.lock().lines.clone()
    }

    /// The first line that satisfies `predicate`, among those already printed and those to come.
    ///
    /// # Panics
    /// When `timeout` passes or the program ends without such a line; shows what it printed instead.
    #[track_caller]
    pub fn wait_for_line(&self, predicate: impl Fn(&str) -> bool, timeout: Duration) -> String {
        let find = |so_far: &SoFar| so_far.lines.iter().find(|line| predicate(line)).cloned();
        let waiting = |so_far: &mut SoFar| so_far.ended < 2 && find(so_far).is_none();
        let waited = self
            .output
            .more
            .wait_timeout_while(self.output.lock(), timeout, waiting);
        let (so_far, _) = waited.unwrap_or_else(PoisonError::into_inner);
        find(&so_far).unwrap_or_else(|| {
            let why = if so_far.ended < 2 {
                format!("within {timeout:?}")
            } else {
                "before it ended".to_owned()
            };
            panic!(
                "{} did not print the awaited line {why}; it printed:\n{}",
                self.name,
                so_far.lines.join("\n")
            )
        })
    }

    /// Whether the process still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Kills the process with SIGKILL, so that it can do nothing more, and waits until it is gone.
    pub fn kill9(&mut self) {
        // Fails only for a process that has ended and been waited for, which is what is wanted.
        self.child.kill().ok();
        self.child.wait().expect("a child can be waited for");
    }

    /// Sends `signal` to the process if it still runs.
    pub fn signal(&mut self, signal: Signal) {
        if self.is_running() {
            let id = i32::try_from(self.id())
                .ok()
                .and_then(Pid::from_raw)
                .expect("a process id");
            kill_process(id, signal).expect("a child can be signalled");
        }
    }

    /// Asks the process to end (SIGTERM) and waits until it has.
    ///
    /// # Panics
    /// When it has not ended after `timeout`; shows what it printed.
    #[track_caller]
    pub fn terminate_and_wait(&mut self, timeout: Duration) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait(timeout)
    }

    /// Waits until the process ends by itself.
    ///
    /// # Panics
    /// When it has not ended after `timeout`; shows what it printed.
    #[track_caller]
    pub fn wait(&mut self, timeout: Duration) -> ExitStatus {
        let mut status = None;
        let what = format!(
            "{} to end; it printed:\n{}",
            self.name,
            self.lines().join("\n")
        );
        crate::wait_until(&what, timeout, || {
            status = self.child.try_wait().expect("a child can be waited for");
            status.is_some()
        });
        status.expect("set when the wait was over")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill9();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    fn shell(script: &str) -> Program {
        Program::start(Command::new("sh").args(["-c", script]))
    }

    #[test]
    fn finds_lines_of_both_streams_early_and_late() {
        let program = shell("echo early; echo wrong >&2; echo late");
        assert_eq!(program.wait_for_line(|line| line == "late", LONG), "late");
        assert_eq!(
            program.wait_for_line(|line| line.starts_with("wr"), LONG),
            "wrong"
        );
        assert_eq!(
            program.wait_for_line(|line| line.contains("arl"), LONG),
            "early"
        );
    }

    #[test]
    #[should_panic(expected = "before it ended; it printed:\nwhat it said")]
    fn a_program_that_ends_first_is_not_waited_for() {
        shell("echo what it said").wait_for_line(|line| line == "other", LONG);
    }

    #[test]
    #[should_panic(expected = "within 0ns")]
    fn a_silent_program_is_given_up() {
        shell("exec sleep 1000").wait_for_line(|_| true, Duration::ZERO);
    }

    #[test]
    fn terminates_politely() {
        let mut program =
            shell("trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.01; done");
        program.wait_for_line(|line| line == "ready", LONG);
        assert_eq!(program.terminate_and_wait(LONG).code(), Some(7));
        program.wait_for_line(|line| line == "bye", LONG);
        assert!(!program.is_running());
    }

    #[test]
    fn kill9_cannot_be_refused_and_drop_kills() {
        let mut program = shell("trap '' TERM; echo ready; while :; do sleep 0.01; done");
        program.wait_for_line(|line| line == "ready", LONG);
        program.signal(Signal::TERM);
        assert!(program.is_running());
        program.kill9();
        assert!(!program.is_running());

        let program = shell("echo ready; exec sleep 1000");
        program.wait_for_line(|line| line == "ready", LONG);
        let id = i32::try_from(program.id())
            .ok()
            .and_then(Pid::from_raw)
            .unwrap();
        drop(program);
        assert!(rustix::process::test_kill_process(id).is_err());
    }
}
