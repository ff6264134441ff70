//! Opening a database, and what it must be like to be trusted.

use crate::{StoreError, on, sql};
use sqlx::{
    Connection as _, PgPool, Row, SqlitePool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{fmt, fs, path::PathBuf, str::FromStr, time::Duration};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Connections that read from SQLite at once. Readers do not wait for the writer in WAL mode.
const SQLITE_READERS: u32 = 4;
/// Connections to PostgreSQL.
const POSTGRES_WRITERS: u32 = 20;
/// Apart from those that write: whoever holds a row reads beside their transaction, and must not wait for those who wait for
/// the row.
const POSTGRES_READERS: u32 = 8;
/// A request waits this long for a connection or for the one writer before it is told to come back.
const ACQUIRE_SECONDS: Duration = Duration::from_secs(5);
/// The first SQLite whose write-ahead log cannot lose committed pages (3.7.0 to 3.51.2 could).
const SQLITE_VERSION_MIN: (u32, u32, u32) = (3, 51, 3);

/// Where the data is.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// A file of this process.
    Sqlite(PathBuf),
    /// A server's, at this `postgres://` address.
    Postgres(String),
}

impl Database {
    /// Parses `sqlite:PATH` or `postgres://…`.
    ///
    /// # Errors
    /// [`StoreError::Address`], which does not repeat the address: it may hold a password.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path == ":memory:" || path.contains('?') {
                return Err(StoreError::Address(
                    "sqlite: needs the path of a file, as in sqlite:hallpass-data/hallpass.db"
                        .to_owned(),
                ));
            }
            return Ok(Self::Sqlite(path.into()));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            PgConnectOptions::from_str(text).map_err(|_| {
                StoreError::Address(
                    "not a PostgreSQL address such as postgres://user:password@host/database"
                        .to_owned(),
                )
            })?;
            return Ok(Self::Postgres(text.to_owned()));
        }
        Err(StoreError::Address(
            "a database address begins with sqlite: or postgres://".to_owned(),
        ))
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(_) => f.write_str("postgres://…"),
        }
    }
}

/// One of the two engines' things.
pub(crate) enum Either<S, P> {
    Sqlite(S),
    Postgres(P),
}

/// An open database.
pub struct Store {
    pub(crate) read: Either<SqlitePool, PgPool>,
    pub(crate) write: Either<SqlitePool, PgPool>,
    sole: Sole,
}

/// What keeps a second process out for as long as it lives.
enum Sole {
    File(fs::File),
    Session(tokio::sync::Mutex<Option<sqlx::pool::PoolConnection<sqlx::Postgres>>>),
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self.read, Either::Sqlite(_)) {
            "Store(SQLite)"
        } else {
            "Store(PostgreSQL)"
        })
    }
}

impl Store {
    /// Opens `database`, makes it when it is a file that does not exist yet, brings its tables up to date, and
    /// keeps other processes out until it is closed.
    ///
    /// # Errors
    /// [`StoreError`]: [`StoreError::InUse`] when another process has it.
    pub async fn open(database: &Database) -> Result<Self, StoreError> {
        let store = match database {
            Database::Sqlite(path) => Self::open_sqlite(path.clone()).await?,
            Database::Postgres(address) => Self::open_postgres(address).await?,
        };
        store.fold_names().await?;
        Ok(store)
    }

    async fn open_sqlite(path: PathBuf) -> Result<Self, StoreError> {
        make_file(&path)?;
        // By its own name, so that no link leads a second process past the lock.
        let path = fs::canonicalize(&path)
            .map_err(|error| StoreError::InUse(format!("{}: {error}", path.display())))?;
        let lock = lock_file(&path)?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .collation("C", |one, other| one.cmp(other))
            .busy_timeout(ACQUIRE_SECONDS)
            .optimize_on_close(true, 400);
        let pool = |connections: u32, options: SqliteConnectOptions| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(ACQUIRE_SECONDS)
                .idle_timeout(None)
                .max_lifetime(None)
                // SQLite ends a transaction by itself when the disk is full, and sqlx then takes the connection
                // for one inside a transaction, for ever. Such a connection is replaced.
                .before_acquire(|connection, _| {
                    Box::pin(async move { Ok(!connection.is_in_transaction()) })
                })
                .connect_with(options)
        };
        let write = pool(1, options.clone()).await?;
        let version: String = sqlx::query(sql::SQLITE_VERSION)
            .fetch_one(&write)
            .await?
            .try_get(0)?;
        if parse_version(&version) < Some(SQLITE_VERSION_MIN) {
            return Err(StoreError::Address(format!(
                "SQLite {version} can lose committed data; 3.51.3 or later is needed"
            )));
        }
        MIGRATIONS.run(&write).await?;
        restrict(&path);
        let read = pool(SQLITE_READERS, options.read_only(true)).await?;
        Ok(Self {
            read: Either::Sqlite(read),
            write: Either::Sqlite(write),
            sole: Sole::File(lock),
        })
    }

    async fn open_postgres(address: &str) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(address)?
            .application_name("hallpass")
            .options([
                ("lock_timeout", "2s"),
                ("statement_timeout", "20s"),
                ("idle_in_transaction_session_timeout", "30s"),
            ]);
        let pool = |connections| {
            PgPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(ACQUIRE_SECONDS)
        };
        let read = pool(POSTGRES_READERS).connect_lazy_with(options.clone());
        let pool = pool(POSTGRES_WRITERS).connect_with(options).await?;
        let Some(session) = lock_session(&pool).await? else {
            return Err(StoreError::InUse(
                "another hallpass runs on this PostgreSQL database; stop it first".to_owned(),
            ));
        };
        MIGRATIONS.run(&pool).await?;
        Ok(Self {
            read: Either::Postgres(read),
            write: Either::Postgres(pool),
            sole: Sole::Session(tokio::sync::Mutex::new(Some(session))),
        })
    }

    /// Whether this process still keeps all others out. On PostgreSQL that is a lock of one session: once the
    /// session is lost, another process may have changed what this one holds in memory.
    ///
    /// # Errors
    /// The database does not answer on that session, or the lock is gone.
    pub async fn is_still_sole(&self) -> Result<(), StoreError> {
        let Sole::Session(session) = &self.sole else {
            return Ok(());
        };
        let mut session = session.lock().await;
        let Some(session) = session.as_mut() else {
            return Err(lock_gone());
        };
        let held: bool = sqlx::query(sql::POSTGRES_STILL_SOLE)
            .fetch_one(&mut **session)
            .await?
            .try_get(0)?;
        if held { Ok(()) } else { Err(lock_gone()) }
    }

    /// Takes the lock again after [`Store::is_still_sole`] failed. What other processes changed in between stands
    /// in the feed.
    ///
    /// # Errors
    /// The database does not answer, or another process has the lock.
    pub async fn become_sole(&self) -> Result<(), StoreError> {
        let (Sole::Session(session), Either::Postgres(pool)) = (&self.sole, &self.write) else {
            return Ok(());
        };
        // What is held is not given up: another process could come in between.
        if self.is_still_sole().await.is_ok() {
            return Ok(());
        }
        let mut session = session.lock().await;
        // Closing it ends the server's half too, and with it a lock that only seemed lost. The server takes a
        // moment for that, so the next try may be the one that succeeds.
        if let Some(old) = session.take() {
            old.close().await.ok();
        }
        *session = lock_session(pool).await?;
        if session.is_some() {
            Ok(())
        } else {
            Err(lock_gone())
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.head().await.map(|_| ())
    }

    /// Closes every connection, which also lets others in.
    pub async fn close(&self) {
        if let Sole::Session(session) = &self.sole
            && let Some(session) = session.lock().await.take()
        {
            session.close().await.ok();
        }
        on!(&self.read, pool => pool.close().await);
        on!(&self.write, pool => pool.close().await);
        if let Sole::File(lock) = &self.sole {
            lock.unlock().ok();
        }
    }
}

/// A connection that holds the lock, unless another has it.
async fn lock_session(
    pool: &PgPool,
) -> Result<Option<sqlx::pool::PoolConnection<sqlx::Postgres>>, StoreError> {
    let mut session = pool.acquire().await?;
    let alone: bool = sqlx::query(sql::POSTGRES_SOLE)
        .fetch_one(&mut *session)
        .await?
        .try_get(0)?;
    Ok(alone.then_some(session))
}

fn lock_gone() -> StoreError {
    StoreError::InUse("the lock on the database is gone".to_owned())
}

/// Locks `PATH.lock` for this process. The file stays: removing it would let two processes lock two files.
fn lock_file(path: &std::path::Path) -> Result<fs::File, StoreError> {
    let lock = path.with_extension("lock");
    let refuse = |why: String| StoreError::InUse(format!("{}: {why}", lock.display()));
    let file = open_as_owner(&lock).map_err(|error| refuse(error.to_string()))?;
    file.try_lock().map_err(|error| match error {
        fs::TryLockError::WouldBlock => refuse(
            "another hallpass uses this data; stop it first, or give this one its own with --data"
                .to_owned(),
        ),
        fs::TryLockError::Error(error) => refuse(error.to_string()),
    })?;
    Ok(file)
}

/// Makes the file before SQLite would, so that nobody else can open it even for a moment.
fn make_file(path: &std::path::Path) -> Result<(), StoreError> {
    open_as_owner(path)
        .map(drop)
        .map_err(|error| StoreError::Unavailable(sqlx::Error::Io(error)))
}

fn open_as_owner(path: &std::path::Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The database is its owner's alone. Digests tell a thief nothing, but names and addresses are people's.
fn restrict(path: &std::path::Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let beside = ["", "-wal", "-shm"].map(|suffix| {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        });
        for name in beside.into_iter().chain([path.with_extension("lock")]) {
            if let Err(error) = fs::set_permissions(&name, fs::Permissions::from_mode(0o600))
                && error.kind() != std::io::ErrorKind::NotFound
            {
                tracing::warn!(%error, "cannot restrict the database file to its owner");
            }
        }
    }
}

fn parse_version(text: &str) -> Option<(u32, u32, u32)> {
    let mut numbers = text.split('.').map(str::parse);
    Some((
        numbers.next()?.ok()?,
        numbers.next()?.ok()?,
        numbers.next()?.ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A full disk ends a transaction behind the library's back; the writer must come back when there is room.
    #[tokio::test]
    async fn the_writer_survives_a_full_disk() {
        let folder = hallpass_testkit::temp_dir();
        let database = Database::Sqlite(folder.path().join("a.db"));
        let store = Store::open(&database).await.unwrap();
        let Either::Sqlite(write) = &store.write else {
            panic!("SQLite was asked for")
        };
        let full = async || -> Result<(), sqlx::Error> {
            let mut tx = write.begin_with("BEGIN IMMEDIATE").await?;
            sqlx::query("pragma max_page_count = 1")
                .execute(&mut *tx)
                .await?;
            sqlx::query("create table filler (text TEXT)")
                .execute(&mut *tx)
                .await?;
            sqlx::query("insert into filler (text) values (hex(randomblob(1000000)))")
                .execute(&mut *tx)
                .await?;
            tx.commit().await
        };
        for _ in 0..3 {
            assert!(full().await.is_err());
        }
        let mut connection = write.acquire().await.unwrap();
        sqlx::query("pragma max_page_count = 1000000")
            .execute(&mut *connection)
            .await
            .unwrap();
        drop(connection);
        store.begin().await.unwrap().commit(&[]).await.unwrap();
        store.write_uses(&[], &[]).await.unwrap();
    }

    /// Only in here can every connection be had.
    #[tokio::test]
    async fn every_connection_to_sqlite_is_safe() {
        let folder = hallpass_testkit::temp_dir();
        let database = Database::Sqlite(folder.path().join("a.db"));
        let store = Store::open(&database).await.unwrap();
        let (Either::Sqlite(read), Either::Sqlite(write)) = (&store.read, &store.write) else {
            panic!("SQLite was asked for")
        };
        let mut connections = vec![write.acquire().await.unwrap()];
        for _ in 0..SQLITE_READERS {
            connections.push(read.acquire().await.unwrap());
        }
        assert!(read.try_acquire().is_none() && write.try_acquire().is_none());
        for (at, connection) in connections.iter_mut().enumerate() {
            for (pragma, expected) in [
                ("pragma synchronous", "2"),
                ("pragma journal_mode", "wal"),
                ("pragma foreign_keys", "1"),
                ("pragma busy_timeout", "5000"),
            ] {
                let row = sqlx::query(pragma).fetch_one(&mut **connection).await;
                let row = row.unwrap();
                let value = row
                    .try_get::<String, _>(0)
                    .or_else(|_| row.try_get::<i64, _>(0).map(|number| number.to_string()));
                assert_eq!(value.unwrap(), expected, "{pragma} of {at}");
            }
            let written = sqlx::query("delete from feed")
                .execute(&mut **connection)
                .await;
            assert_eq!(written.is_ok(), at == 0, "readers only read");
        }
        let version: String = sqlx::query_scalar(sql::SQLITE_VERSION)
            .fetch_one(&mut *connections[0])
            .await
            .unwrap();
        assert!(
            parse_version(&version) >= Some(SQLITE_VERSION_MIN),
            "{version}"
        );
        drop(connections);
        store.close().await;
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        for (text, enough) in [
            ("3.51.3", true),
            ("3.60.0", true),
            ("4.0.0", true),
            ("3.51.2", false),
            ("3.9.10", false),
            ("3.51", false),
            ("", false),
        ] {
            assert_eq!(
                parse_version(text) >= Some(SQLITE_VERSION_MIN),
                enough,
                "{text}"
            );
        }
    }
}
