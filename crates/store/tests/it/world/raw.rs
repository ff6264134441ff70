//! SQL beside the store.

use hallpass_store::Database;
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions,
};

/// A connection for SQL that the store would not write.
pub(crate) enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

pub(crate) async fn raw(database: &Database) -> Result<Raw, sqlx::Error> {
    Ok(match database {
        Database::Sqlite(path) => {
            let options = SqliteConnectOptions::new()
                .filename(path)
                .foreign_keys(true)
                .collation("C", |one, other| one.cmp(other));
            Raw::Sqlite(SqliteConnection::connect_with(&options).await?)
        }
        Database::Postgres(address) => Raw::Postgres(PgConnection::connect(address).await?),
    })
}

impl Raw {
    pub(crate) async fn execute(&mut self, sql: &str) -> Result<u64, sqlx::Error> {
        let sql = AssertSqlSafe(sql.to_owned());
        Ok(match self {
            Self::Sqlite(on) => sqlx::raw_sql(sql).execute(on).await?.rows_affected(),
            Self::Postgres(on) => sqlx::raw_sql(sql).execute(on).await?.rows_affected(),
        })
    }

    pub(crate) async fn number(&mut self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(on) => sqlx::query_scalar(sql).fetch_one(on).await.unwrap(),
            Self::Postgres(on) => sqlx::query_scalar(sql).fetch_one(on).await.unwrap(),
        }
    }
}
