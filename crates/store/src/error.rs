//! What can go wrong with a database.

/// Why the database did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, is busy beyond its time, or its disk is full: try again.
    #[error("the database is not available: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// It holds something this program would not have written.
    #[error("the database holds a malformed {0}")]
    Malformed(&'static str),
    /// It was made by a newer program, or changed by hand.
    #[error("the database's tables do not fit this program: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The address is none.
    #[error("{0}")]
    Address(String),
    /// Another process has the database.
    #[error("{0}")]
    InUse(String),
    /// Anything else.
    #[error("the database refused: {0}")]
    Database(#[source] sqlx::Error),
}

impl StoreError {
    /// Whether the same call may succeed later.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let passing = match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Tls(_) => true,
            sqlx::Error::Database(error) => error.code().is_some_and(|code| is_passing_code(&code)),
            _ => false,
        };
        if passing {
            Self::Unavailable(error)
        } else {
            Self::Database(error)
        }
    }
}

/// SQLite result codes (busy 5, locked 6, I/O 10, full 13, read-only 8, cannot open 14; the low byte of extended
/// ones) and PostgreSQL SQLSTATE classes (08 connection, 53 resources, 55P03 lock timeout, 57 operator
/// intervention, 40 serialization, 25006 read-only, 25P03 idle too long in a transaction). Only the latter have five
/// characters.
fn is_passing_code(code: &str) -> bool {
    if code.len() == 5 {
        return ["08", "53", "57", "40"]
            .iter()
            .any(|class| code.starts_with(class))
            || ["55P03", "25006", "25P03"].contains(&code);
    }
    code.parse::<i32>()
        .is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14))
}
