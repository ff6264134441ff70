//! The only crate that speaks SQL.
//!
//! One portable text per statement serves SQLite and PostgreSQL; every statement is named in [`sql`] and a test
//! prepares each of them on both. A use case is one [`Tx`]: what it changes, its line in the audit and its rows
//! in the feed commit together. Reads that decide nothing go through [`Store`].
#![warn(missing_docs)]

mod access_tokens;
mod api_keys;
mod at_rest;
mod audit;
mod concerned;
mod connect;
mod directory;
mod error;
mod feed;
mod inventory;
mod invitations;
mod load;
mod losses;
mod members;
mod names;
mod organizations;
mod policies;
mod roles;
mod rows;
mod sessions;
pub mod sql;
mod suspensions;
mod token_list;
mod tx;
mod uses;

pub use access_tokens::{Inserted, NewToken, Stored, TokenChange};
pub use api_keys::{KeyInserted, KeyQuery, KeyWithUse, NewKey, NewSecret, Rotated};
pub use at_rest::AtRest;
pub use audit::{AuditPage, AuditQuery};
pub use connect::{Database, Store};
pub use directory::{NewAccount, SignInRecord};
pub use error::StoreError;
pub use feed::{FeedEntry, FeedKey};
pub use inventory::{InventoryFilter, InventoryOwner, InventoryRow};
pub use invitations::{Invitation, NewInvitation};
pub use load::{LoadedMembership, LoadedOrganization, LoadedToken};
pub use losses::Carried;
pub use members::{MemberQuery, MemberRow};
pub use names::{Named, NamedKind};
pub use organizations::OrganizationRow;
pub use policies::{PolicyChange, PolicyEffect};
pub use roles::{RoleUse, RoleWritten};
pub use sessions::{NewSession, SessionRecord, SessionView};
pub use suspensions::TokenStanding;
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
