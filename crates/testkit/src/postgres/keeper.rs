use std::fs::{File, Permissions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::free_port;

/// How often a new server tries another port because somebody took the one it was given.
const PORTS_TRIED_MAX: usize = 5;

/// A shell that outlives this process by a moment: it starts and stops the server on command, and when its
/// standard input ends, which happens however this process ends, it stops the server and removes the folder.
/// Arguments: the folder of PostgreSQL's programs, the folder of the server.
const SCRIPT: &str = r#"
programs=$1 folder=$2 server=
stop() {
    if [ -n "$server" ]; then kill -QUIT "$server"; wait "$server"; server=; fi
}
while read -r command port; do
    case $command in
    start)
        rm -f "$folder/data/postmaster.pid"
        "$programs/postgres" -D "$folder/data" -p "$port" </dev/null >>"$folder/log" 2>&1 &
        server=$! looks=0
        until grep -qs '^ready' "$folder/data/postmaster.pid"; do
            looks=$((looks + 1))
            if [ $looks -gt 3000 ] || ! kill -0 "$server" 2>/dev/null; then break; fi
            sleep 0.02
        done
        if grep -qs '^ready' "$folder/data/postmaster.pid"; then echo ready; else stop 2>/dev/null; echo failed; fi ;;
    stop) stop; echo stopped ;;
    esac
done
stop
rm -rf "$folder"
"#;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// A crash of the machine may lose everything.
    None,
    /// As in production.
    Full,
}

impl Durability {
    fn settings(self) -> &'static str {
        match self {
            Self::None => {
                "fsync = off\nfull_page_writes = off\nsynchronous_commit = off\nwal_level = minimal\nmax_wal_senders = 0\n"
            }
            Self::Full => "",
        }
    }
}

/// The owner of one server: its folder, its process, and the pipe that both live by.
#[derive(Debug)]
pub(super) struct Keeper {
    folder: PathBuf,
    port: u16,
    shell: Mutex<Shell>,
}

#[derive(Debug)]
struct Shell {
    process: Child,
    /// Taken when the server shall go away for good.
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Keeper {
    pub(super) fn start(programs: &Path, durability: Durability, password: &str) -> Self {
        let user = User::of_the_server();
        let folder = new_folder(user, password);
        initialize(programs, &folder, user);
        configure(&folder, durability);
        let mut process = user
            .command("sh")
            .args(["-c", SCRIPT, "hallpass-test-postgres"])
            .arg(programs)
            .arg(&folder)
            .process_group(0) // Ctrl-C ends the tests; the shell then tidies up.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let commands = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().expect("a pipe was asked for"));
        let mut shell = Shell {
            process,
            commands,
            answers,
        };
        for _ in 0..PORTS_TRIED_MAX {
            let port = free_port();
            if shell.ask(&format!("start {port}")) == "ready" {
                return Self {
                    folder,
                    port,
                    shell: Mutex::new(shell),
                };
            }
        }
        panic!("PostgreSQL does not start:\n{}", read_log(&folder));
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn stop(&self) {
        assert_eq!(self.ask("stop"), "stopped");
    }

    pub(super) fn start_again(&self) {
        let answer = self.ask(&format!("start {}", self.port));
        assert_eq!(
            answer,
            "ready",
            "PostgreSQL does not start again:\n{}",
            read_log(&self.folder)
        );
    }

    fn ask(&self, command: &str) -> String {
        self.shell
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .ask(command)
    }

    #[cfg(test)]
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Shell {
    fn ask(&mut self, command: &str) -> String {
        let commands = self.commands.as_mut().expect("taken only when dropped");
        writeln!(commands, "{command}").expect("a shell that reads");
        let mut answer = String::new();
        self.answers
            .read_line(&mut answer)
            .expect("a shell that answers");
        answer.trim_end().to_owned()
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.commands = None;
        self.process.wait().ok();
    }
}

/// Who runs the server. PostgreSQL refuses to run as root, so then it is the user of Debian's package.
#[derive(Debug, Clone, Copy)]
enum User {
    Same,
    Other { uid: u32, gid: u32 },
}

impl User {
    fn of_the_server() -> Self {
        if !rustix::process::geteuid().is_root() {
            return Self::Same;
        }
        let users = std::fs::read_to_string("/etc/passwd").expect("the list of users");
        let ids = users
            .lines()
            .find_map(|line| line.strip_prefix("postgres:"))
            .and_then(|line| {
                let mut fields = line.split(':').skip(1);
                Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
            });
        let (uid, gid) = ids.expect(
            "PostgreSQL does not run as root, and there is no user `postgres` to run it as",
        );
        Self::Other { uid, gid }
    }

    /// A command as this user, with nothing in its environment that could point it at another server.
    fn command(self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir("/")
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LC_ALL", "C");
        if let Self::Other { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
        command
    }

    fn own(self, path: &Path) {
        if let Self::Other { uid, gid } = self {
            chown(path, Some(uid), Some(gid)).expect("root may give files away");
        }
    }
}

/// The folder, readable by the server's user alone, with the superuser's password in it.
fn new_folder(user: User, password: &str) -> PathBuf {
    // Not the folder of TMPDIR, which may be closed to the other user.
    let folder = tempfile::Builder::new()
        .prefix("hallpass-postgres-")
        .tempdir_in("/tmp")
        .expect("a folder in /tmp");
    let file = folder.path().join("password");
    std::fs::write(&file, password).expect("a file in a new folder");
    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("a file of our own");
    user.own(&file);
    user.own(folder.path());
    folder.keep()
}

fn initialize(programs: &Path, folder: &Path, user: User) {
    let initdb = programs.join("initdb");
    let help = user
        .command(&initdb)
        .arg("--help")
        .output()
        .expect("initdb runs");
    let mut command = user.command(&initdb);
    command.args([
        "--username=postgres",
        "--encoding=UTF8",
        "--auth=scram-sha-256",
        "--locale=C",
        "--no-sync",
    ]);
    // Texts sort by a language's rules, as on most servers out there; byte order would hide a missing collation.
    if String::from_utf8_lossy(&help.stdout).contains("--icu-locale") {
        command.args(["--locale-provider=icu", "--icu-locale=en"]);
    }
    command
        .arg("--pgdata")
        .arg(folder.join("data"))
        .arg("--pwfile")
        .arg(folder.join("password"));
    let output = command.output().expect("initdb runs");
    if !output.status.success() {
        std::fs::remove_dir_all(folder).ok();
        panic!("initdb: {}", String::from_utf8_lossy(&output.stderr));
    }
}

fn configure(folder: &Path, durability: Durability) {
    let settings = format!(
        "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nmax_connections = 200\n\
         shared_buffers = 32MB\nmax_wal_size = 256MB\njit = off\n{}",
        durability.settings()
    );
    File::options()
        .append(true)
        .open(folder.join("data/postgresql.conf"))
        .and_then(|mut file| file.write_all(settings.as_bytes()))
        .expect("the configuration that initdb wrote");
}

fn read_log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap_or_else(|error| format!("no log: {error}"))
}
