//! `hallpass token …`.

use super::{
    Server,
    within::{Report, Within},
};
use crate::moment::{Expires, Moment, parse_expires, parse_moment};
use clap::{ArgAction, Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Make a token; its secret is all that goes to standard output
    Create(Create),
    /// List your tokens
    List(List),
    /// Show one token
    Show(Show),
    /// Revoke a token: from then on it is refused everywhere
    Revoke(Revoke),
    /// Suspend a token or key: refused for a while, but not destroyed
    Suspend(TokenSuspend),
    /// Let a suspended token or key work again
    Resume(TokenResume),
}

#[derive(Args, Debug)]
pub(crate) struct Create {
    /// Name of the token, for you to know it by
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// When it ends: 12h, 30d, 8w, 2027-01-31 (its first moment in UTC), 2027-01-31T12:00:00Z, or never [default: 30d]
    #[arg(long, value_name = "WHEN", value_parser = parse_expires)]
    pub(crate) expires: Option<Expires>,
    /// What it may do, such as repo:read or repo:*; may be given several times. This or --all-permissions is needed
    #[arg(long = "permission", value_name = "PERMISSION", action = ArgAction::Append)]
    pub(crate) permissions: Vec<String>,
    /// It may do all that this command line may do, except making tokens
    #[arg(long, conflicts_with = "permissions")]
    pub(crate) all_permissions: bool,
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) report: Report,
}

#[derive(Args, Debug)]
pub(crate) struct List {
    /// Only those in this state
    #[arg(long, value_parser = ["active", "expired", "revoked", "suspended"])]
    pub(crate) state: Option<String>,
    /// Only those with this in their name, prefix or last address
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// By what they are sorted; with - in front, the other way round
    #[arg(long, value_name = "FIELD", allow_hyphen_values = true,
        value_parser = ["created", "-created", "name", "-name", "expirationDate", "-expirationDate", "lastUsed", "-lastUsed"])]
    pub(crate) sort: Option<String>,
    /// Only those neither used nor made since: 90d, 2026-01-31
    #[arg(long, value_name = "WHEN", value_parser = parse_moment)]
    pub(crate) unused_since: Option<Moment>,
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) report: Report,
}

#[derive(Args, Debug)]
pub(crate) struct Show {
    /// Name, prefix or id of the token
    #[arg(value_name = "NAME|PREFIX|ID")]
    pub(crate) token: String,
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) report: Report,
}

#[derive(Args, Debug)]
pub(crate) struct Revoke {
    /// Name, prefix or id of the token
    #[arg(value_name = "NAME|PREFIX|ID", required_unless_present = "own")]
    pub(crate) token: Option<String>,
    /// The token that this command line works with
    #[arg(long = "self", conflicts_with = "token")]
    pub(crate) own: bool,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Say nothing of what was done
    #[arg(long, short)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) server: Server,
}

#[derive(Args, Debug)]
pub(crate) struct TokenSuspend {
    /// Prefix or id of a token or key; of your own tokens, also the name
    #[arg(value_name = "PREFIX|ID|NAME")]
    pub(crate) token: String,
    /// Why, in one line; its owner reads it
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// When it works again by itself [default: when somebody resumes it]: 12h, 7d, 2027-01-31
    #[arg(long, value_name = "WHEN", value_parser = parse_moment)]
    pub(crate) until: Option<Moment>,
    #[command(flatten)]
    pub(crate) within: Within,
}

#[derive(Args, Debug)]
pub(crate) struct TokenResume {
    /// Prefix or id of a token or key; of your own tokens, also the name
    #[arg(value_name = "PREFIX|ID|NAME")]
    pub(crate) token: String,
    #[command(flatten)]
    pub(crate) within: Within,
}
