//! The commands, one file each.

mod audit;
mod completions;
mod config;
mod desk;
mod explain;
mod export;
mod init;
mod inventory;
mod key;
mod login;
mod logout;
mod member;
mod org;
mod pages;
mod permission;
mod policy;
mod revoke;
mod role;
mod serve;
mod token;
mod user;
mod verify;
mod whoami;

use crate::{
    arguments::{Command, Server},
    client::{Client, Proof},
    credentials::{self, Credentials, Place, SystemKeyring, TOKEN_VARIABLE},
    exit::{Exit, Failure},
    host::{self, Host},
};
use hallpass_domain::{
    time::{MICROS_PER_SECOND, Timestamp},
    token::Prefix,
};
use hallpass_server::clock::Clock;
use zeroize::Zeroizing;

/// Does what was asked.
///
/// # Errors
/// Why it was not done.
pub(crate) fn run(command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Init(arguments) => init::run(arguments),
        Command::Config(arguments) => config::run(&arguments),
        Command::Login(arguments) => login::run(&arguments),
        Command::Logout(arguments) => logout::run(&arguments),
        Command::Whoami(arguments) => whoami::run(&arguments),
        Command::Token(command) => token::run(&command),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Org(command) => org::run(command),
        Command::Member(command) => member::run(command),
        Command::Role(command) => role::run(command),
        Command::Permission(command) => permission::run(command),
        Command::User(command) => user::run(command),
        Command::Key(command) => key::run(command),
        Command::Policy(command) => policy::run(command),
        Command::Inventory(command) => inventory::run(command),
        Command::Revoke(arguments) => revoke::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Audit(command) => audit::run(command),
        Command::Completions { shell } => completions::run(shell),
    }
}

fn now() -> Timestamp {
    Clock::Wall.now()
}

/// The second that is running: what a new token's end is counted from, so that people can read it.
fn this_second() -> Timestamp {
    Timestamp::from_micros(now().seconds() * MICROS_PER_SECOND)
}

/// A variable of the environment; an empty one counts as none.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn stored_credentials() -> Result<Credentials<SystemKeyring>, Failure> {
    Credentials::load(&credentials::folder(variable)?, SystemKeyring)
}

/// The server to ask: the flag, else `HALLPASS_HOST`, else the one signed in to last, else this machine's.
fn server(server: &Server, credentials: &Credentials<SystemKeyring>) -> Result<Host, Failure> {
    match server.host.clone().or_else(|| variable("HALLPASS_HOST")) {
        Some(given) => Host::parse(&given),
        None => Host::parse(credentials.host().unwrap_or(host::DEFAULT)),
    }
}

/// A client with a credential.
#[derive(Debug)]
struct SignedIn {
    client: Client,
    prefix: Prefix,
    place: Place,
}

/// A client for `server` with the token of the environment, else the stored one.
fn sign_in(wanted: &Server) -> Result<SignedIn, Failure> {
    let credentials = stored_credentials()?;
    let host = server(wanted, &credentials)?;
    let (token, place, own) = match variable(TOKEN_VARIABLE).map(Zeroizing::new) {
        Some(text) => (
            credentials::parse(&text, &Place::Environment)?,
            Place::Environment,
            false,
        ),
        None => match credentials.find(&host)? {
            Some(stored) => (stored.token, stored.place, stored.own),
            None => {
                return Err(Failure::new(Exit::NotSignedIn, format!("nobody is signed in to {host}"))
                    .next(format!("Sign in with `hallpass login --host {host}`, or put a token into {TOKEN_VARIABLE}.")));
            }
        },
    };
    let prefix = token.prefix();
    Ok(SignedIn {
        client: Client::new(host, Proof::Token(token)).by_login(own),
        prefix,
        place,
    })
}
