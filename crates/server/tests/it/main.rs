//! The server from outside: over its routers in memory, and over real sockets where the wire matters.
#![expect(
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test reports by panicking, and tells one story from its beginning to its end"
)]

mod address_rules;
mod api_keys;
mod audit;
mod bad_input;
mod canary;
mod changes;
mod expiration;
mod explain;
mod forms;
mod gateway;
mod given_later;
mod headers;
mod inventory;
mod invitations;
mod kept_inside;
mod key_makers;
mod kit;
mod last_use;
mod late;
mod lifecycle;
mod listing;
mod matrix;
mod members;
mod nginx;
mod openapi;
mod operations;
mod own_tokens;
mod pages_deployment;
mod pages_keys;
mod pages_organization;
mod pages_tokens;
mod pages_told;
mod patches_refused;
mod patching;
mod policy;
mod policy_kept;
mod policy_losses;
mod revocations;
mod roles;
mod rotation;
mod schemes;
mod sessions;
mod set_up;
mod sign_in;
mod suspension;
mod switched;
mod transitions;
mod verifying;

/// Makes two tests of each case, which is an `async fn(Server)`: one on SQLite, one on PostgreSQL.
macro_rules! both_engines {
    ($($case:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(crate::kit::Server::new(crate::kit::Engine::Sqlite).await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(crate::kit::Server::new(crate::kit::Engine::Postgres).await).await;
            })+
        }
    };
}
pub(crate) use both_engines;
