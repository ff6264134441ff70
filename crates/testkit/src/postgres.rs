//! Throw-away PostgreSQL servers.

mod keeper;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use keeper::{Durability, Keeper};

use crate::{find, random_name};

/// The address of a server to use instead of starting one, as `postgres://USER:PASSWORD@HOST:PORT/DATABASE`. The
/// user must be allowed to create databases.
pub const SERVER_VARIABLE: &str = "HALLPASS_TEST_POSTGRES";

/// A server that makes databases for tests.
#[derive(Debug)]
pub struct Postgres {
    url: String,
    psql: PathBuf,
    /// Absent for a server that somebody else started.
    keeper: Option<Keeper>,
}

impl Postgres {
    /// The one server that all tests of a process share, started on first use. It does not survive the process,
    /// however that ends, and neither do its databases. The one exception is the server that
    /// [`SERVER_VARIABLE`] names.
    ///
    /// # Panics
    /// When PostgreSQL is missing or does not start.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| match std::env::var(SERVER_VARIABLE) {
            Ok(url) => Self {
                url,
                psql: programs().join("psql"),
                keeper: None,
            },
            Err(_) => Self::start_with(Durability::None),
        })
    }

    /// A server for one test, which may crash it and start it again: what it said was committed stays so.
    /// It ends with the value.
    ///
    /// # Panics
    /// When PostgreSQL is missing or does not start.
    pub fn start() -> Self {
        Self::start_with(Durability::Full)
    }

    /// A server for several processes, as fast and forgetful as the shared one. It ends with the value.
    ///
    /// # Panics
    /// When PostgreSQL is missing or does not start.
    pub fn start_forgetful() -> Self {
        Self::start_with(Durability::None)
    }

    fn start_with(durability: Durability) -> Self {
        let programs = programs();
        let password = random_name() + &random_name();
        let keeper = Keeper::start(&programs, durability, &password);
        let url = |user| {
            format!(
                "postgres://{user}:{password}@127.0.0.1:{}/postgres",
                keeper.port()
            )
        };
        let psql = programs.join("psql");
        // An ordinary user, so that nothing comes to need a superuser unnoticed.
        let role = format!("create role hallpass login createdb password '{password}'");
        Self {
            url: url("postgres"),
            psql: psql.clone(),
            keeper: None,
        }
        .run_in("postgres", &role);
        Self {
            url: url("hallpass"),
            psql,
            keeper: Some(keeper),
        }
    }

    /// The address of the server's own database; [`SERVER_VARIABLE`] takes it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes an empty database and returns its address, `postgres://…`, password included.
    ///
    /// # Panics
    /// When the server refuses.
    #[track_caller]
    pub fn database(&self) -> String {
        let name = format!("hallpass_{}", random_name());
        self.run(&self.url, &format!("create database {name}"));
        with_database(&self.url, &name)
    }

    /// Makes a copy of a database of this server to which nobody is connected, such as one with all migrations,
    /// and returns its address.
    ///
    /// # Panics
    /// When the server refuses.
    #[track_caller]
    pub fn copy_of(&self, url: &str) -> String {
        let name = format!("hallpass_{}", random_name());
        self.run(
            &self.url,
            &format!("create database {name} template {}", database_of(url)),
        );
        with_database(&self.url, &name)
    }

    /// Runs SQL in the database at `url` with psql and returns the rows: columns divided by `|`, one row a line.
    ///
    /// # Panics
    /// When a statement fails.
    #[track_caller]
    pub fn run(&self, url: &str, sql: &str) -> String {
        let mut psql = Command::new(&self.psql)
            .args([
                "--no-psqlrc",
                "--quiet",
                "--no-align",
                "--tuples-only",
                "--set=ON_ERROR_STOP=1",
                "--dbname",
            ])
            .arg(url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("psql, which comes with PostgreSQL");
        let mut input = psql.stdin.take().expect("a pipe was asked for");
        // It fails when psql could not connect; psql's own words below are the better ones.
        input.write_all(sql.as_bytes()).ok();
        drop(input);
        let output = psql.wait_with_output().expect("a child can be waited for");
        assert!(
            output.status.success(),
            "psql: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    #[track_caller]
    fn run_in(&self, database: &str, sql: &str) {
        self.run(&with_database(&self.url, database), sql);
    }

    /// Stops the server as a crash would: connections are cut, nothing is written out. Returns when it is gone.
    ///
    /// # Panics
    /// When this process did not start the server.
    pub fn stop_immediate(&self) {
        self.kept().stop();
    }

    /// Starts the server after [`Postgres::stop_immediate`], under the same address. Returns when it answers.
    ///
    /// # Panics
    /// When this process did not start the server, or it does not start.
    pub fn start_again(&self) {
        self.kept().start_again();
    }

    fn kept(&self) -> &Keeper {
        self.keeper
            .as_ref()
            .expect("only a server that this process started can be stopped by it")
    }
}

fn programs() -> PathBuf {
    find::postgres_programs()
        .expect("PostgreSQL is missing: run `cargo xtask setup`, or `apt-get install postgresql`")
}

/// Where the name of the database is in an address.
fn database_range(url: &str) -> std::ops::Range<usize> {
    let authority = url.find("://").map_or(0, |at| at + "://".len());
    let end = url[authority..]
        .find('?')
        .map_or(url.len(), |at| authority + at);
    let start = url[authority..end]
        .find('/')
        .map_or(end, |at| authority + at);
    start..end
}

fn with_database(url: &str, name: &str) -> String {
    let range = database_range(url);
    format!("{}/{name}{}", &url[..range.start], &url[range.end..])
}

fn database_of(url: &str) -> &str {
    url[database_range(url)].trim_start_matches('/')
}

#[cfg(test)]
mod tests;
