//! `hallpass user …`.

use super::within::{Consent, Deployment};
use clap::{Args, Subcommand};

pub(crate) const EXAMPLES: &str = "USER is an id or an e-mail address.

Examples:
  hallpass user create eve@acme.example --name Eve
  hallpass user suspend eve@acme.example";

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// List the users of the deployment
    List(UserList),
    /// Show one user
    Show(UserNamed),
    /// Make a user, who is a member of nothing yet; their id goes to standard output
    Create(UserCreate),
    /// Suspend a user: they cannot sign in, and none of their tokens works
    Suspend(UserStopped),
    /// Let a suspended user back
    Resume(UserNamed),
    /// Remove a user; their tokens are revoked everywhere
    Remove(UserStopped),
}

#[derive(Args, Debug)]
pub(crate) struct UserList {
    /// Only those with this in their name or address
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    #[command(flatten)]
    pub(crate) deployment: Deployment,
}

#[derive(Args, Debug)]
pub(crate) struct UserNamed {
    /// Id or e-mail address of the user
    #[arg(value_name = "USER")]
    pub(crate) user: String,
    #[command(flatten)]
    pub(crate) deployment: Deployment,
}

#[derive(Args, Debug)]
pub(crate) struct UserStopped {
    /// Id or e-mail address of the user
    #[arg(value_name = "USER")]
    pub(crate) user: String,
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) deployment: Deployment,
}

#[derive(Args, Debug)]
pub(crate) struct UserCreate {
    /// Their e-mail address
    #[arg(value_name = "ADDRESS")]
    pub(crate) email: String,
    /// Their name
    #[arg(long, value_name = "PERSON")]
    pub(crate) name: String,
    /// Read their password from standard input; without one they cannot sign in with a password
    #[arg(long)]
    pub(crate) password_stdin: bool,
    #[command(flatten)]
    pub(crate) deployment: Deployment,
}
