//! The store, on SQLite and on PostgreSQL. Each case gets a database of its own.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test reports by panicking"
)]

mod api_keys;
mod at_rest;
mod audit;
mod bulk;
mod constraints;
mod directory;
mod faults;
mod feed;
mod idempotency;
mod inventory;
mod invitations;
mod listing;
mod members;
mod migrated;
mod names;
mod opening;
mod organizations;
mod policies;
mod roles;
mod sessions;
mod statements;
mod states;
mod suspensions;
mod tokens_changed;
mod tokens_in_a_day;
mod tokens_made;
mod tokens_raced;
mod uses;
mod world;

/// Makes two tests of each case, which is an `async fn(World)`.
macro_rules! both_engines {
    ($($case:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test]
            fn $case() {
                crate::world::run(crate::world::Engine::Sqlite, super::$case);
            })+
        }
        mod postgres {
            $(#[test]
            fn $case() {
                crate::world::run(crate::world::Engine::Postgres, super::$case);
            })+
        }
    };
}
pub(crate) use both_engines;
