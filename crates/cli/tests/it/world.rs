//! A server that is set up, and a person's machine with nothing on it.

use hallpass_testkit::{Program, TempDir, free_port, temp_dir};
use std::{
    io::Write as _,
    path::PathBuf,
    process::{Command, Output, Stdio},
    time::Duration,
};

pub(crate) const EMAIL: &str = "ada@acme.example";
pub(crate) const PASSWORD: &str = "seven quiet otters row home";
const LONG: Duration = Duration::from_secs(60);

/// The executable in an environment of its own: no settings, no credentials and no keyring of whoever runs the tests.
pub(crate) fn hallpass(home: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
    command
        .env_clear()
        .env("HOME", home.path())
        .env("XDG_CONFIG_HOME", home.path().join("config"))
        .env("XDG_RUNTIME_DIR", home.path())
        .env(
            "DBUS_SESSION_BUS_ADDRESS",
            format!("unix:path={}/no-bus", home.path().display()),
        )
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .current_dir(home.path());
    command
}

/// Runs `command` with `input` as its standard input.
pub(crate) fn run(command: &mut Command, input: &str) -> Ended {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input may have ended before it is written.
    child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
    Ended(child.wait_with_output().unwrap())
}

/// How a command ended.
pub(crate) struct Ended(Output);

impl Ended {
    pub(crate) fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub(crate) fn err(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    pub(crate) fn code(&self) -> i32 {
        self.0.status.code().expect("it was not killed")
    }

    /// The command ended with `code`.
    #[track_caller]
    pub(crate) fn with(self, code: i32) -> Self {
        assert_eq!(
            self.code(),
            code,
            "standard output:\n{}\nstandard error:\n{}",
            self.out(),
            self.err()
        );
        self
    }

    /// What it said on standard error has `text` in it.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.err().contains(text), "{text}\n{}", self.err());
        self
    }

    /// Its result has `text` in it.
    #[track_caller]
    pub(crate) fn tells(self, text: &str) -> Self {
        assert!(self.out().contains(text), "{text}\n{}", self.out());
        self
    }

    /// Standard output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.0.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", self.out()))
    }
}

/// The things of a list.
pub(crate) fn items(ended: &Ended) -> Vec<serde_json::Value> {
    ended.json()["items"].as_array().unwrap().clone()
}

/// A server with one organization, its superuser, and their machine.
pub(crate) struct World {
    pub(crate) home: TempDir,
    pub(crate) host: String,
    server: Program,
}

impl World {
    /// Sets a server up with `init` and starts it.
    pub(crate) fn start() -> Self {
        let home = temp_dir();
        std::fs::write(
            home.path().join("hallpass.toml"),
            "[[permission]]\nname = \"repo:read\"\n[[permission]]\nname = \"repo:write\"\n",
        )
        .unwrap();
        run(
            hallpass(&home).args([
                "init",
                "--organization",
                "Acme",
                "--email",
                EMAIL,
                "--name",
                "Ada",
                "--password-stdin",
            ]),
            PASSWORD,
        )
        .with(0);
        let [people, gateway, operations] =
            std::array::from_fn(|_| format!("127.0.0.1:{}", free_port()));
        let listen = [
            "--listen",
            &people,
            "--gateway-listen",
            &gateway,
            "--ops-listen",
            &operations,
        ];
        let server = Program::start(hallpass(&home).arg("serve").args(listen));
        server.wait_for_line(|line| line.contains(&people), LONG);
        Self {
            home,
            host: format!("http://{people}"),
            server,
        }
    }

    /// One with somebody signed in.
    pub(crate) fn signed_in() -> Self {
        let world = Self::start();
        world.login().with(0);
        world
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = hallpass(&self.home);
        command.args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, "")
    }

    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Ended {
        run(&mut self.command(arguments), input)
    }

    pub(crate) fn login(&self) -> Ended {
        self.run_with(
            &[
                "login",
                "--host",
                &self.host,
                "--email",
                EMAIL,
                "--password-stdin",
            ],
            PASSWORD,
        )
    }

    /// Makes a token and gives its secret.
    pub(crate) fn create(&self, arguments: &[&str]) -> String {
        let made = self
            .run(&[&["token", "create"], arguments].concat())
            .with(0);
        let secret = made.out().trim_end().to_owned();
        assert_eq!(
            secret.len(),
            48,
            "the secret alone is on standard output: {secret}"
        );
        assert!(!made.err().contains(&secret), "{}", made.err());
        secret
    }

    pub(crate) fn credentials_file(&self) -> PathBuf {
        self.home.path().join("config/hallpass/credentials.toml")
    }

    /// Stops the server, and gives all that it printed.
    pub(crate) fn stop(&mut self) -> String {
        assert!(self.server.terminate_and_wait(LONG).success());
        self.server.lines().join("\n")
    }
}
