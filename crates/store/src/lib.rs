//! The only crate that speaks SQL.
//!
//! One portable text per statement serves SQLite and PostgreSQL; every statement is named in [`sql`] and a test
//! prepares each of them on both. A use case is one [`Tx`]: what it changes, its line in the audit and its rows
//! in the feed commit together. Reads that decide nothing go through [`Store`].
#![warn(missing_docs)]

mod access_tokens;
mod audit;
mod connect;
mod directory;
mod error;
mod feed;
mod load;
mod rows;
mod sessions;
pub mod sql;
mod token_list;
mod tx;
mod uses;

pub use access_tokens::{Inserted, NewToken, Stored, TokenChange};
pub use audit::{AuditPage, AuditQuery};
pub use connect::{Database, Store};
pub use directory::{NewAccount, SignInRecord};
pub use error::StoreError;
pub use feed::{FeedEntry, FeedKey};
pub use load::{LoadedMembership, LoadedToken};
pub use sessions::{NewSession, SessionRecord, SessionView};
pub use token_list::{TokenPage, TokenQuery, TokenSort, TokenWithUse};
pub use tx::{AuditEntry, Tx};
pub use uses::{HourCount, LastUseRow};

/// Runs the same code on whichever engine there is: `$db` is the pool or the connection.
macro_rules! on {
    ($on:expr, $db:ident => $body:expr) => {
        match $on {
            $crate::connect::Either::Sqlite($db) => $body,
            $crate::connect::Either::Postgres($db) => $body,
        }
    };
}
pub(crate) use on;
