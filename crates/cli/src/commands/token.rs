//! `hallpass token …`.

mod create;
pub(super) mod find;
mod list;
mod revoke;
mod show;
pub(super) mod suspend;

use crate::{
    arguments::tokens::Token,
    exit::{Exit, Failure},
};

/// Where the REST interface has them.
const PATH: &str = "/v1/personal-access-tokens";

/// Does what was asked.
pub(super) fn run(command: &Token) -> Result<Exit, Failure> {
    match command {
        Token::Create(arguments) => create::run(arguments),
        Token::List(arguments) => list::run(arguments),
        Token::Show(arguments) => show::run(arguments),
        Token::Revoke(arguments) => revoke::run(arguments),
        Token::Suspend(arguments) => suspend::suspend(arguments),
        Token::Resume(arguments) => suspend::resume(arguments),
    }
}
