//! The command line. The flags of the server's settings are in [`settings`], made from the server's own table.

pub(crate) mod audit;
mod help;
pub(crate) mod inventory;
pub(crate) mod keys;
pub(crate) mod members;
pub(crate) mod organizations;
pub(crate) mod roles;
pub(crate) mod settings;
pub(crate) mod tokens;
pub(crate) mod users;
pub(crate) mod within;

pub(crate) use help::{command, parse};

use crate::exit::Exit;
use audit::AuditCommand;
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use inventory::{Explain, InventoryCommand, RevokeMany};
use keys::{KeyCommand, PolicyCommand};
use members::MemberCommand;
use organizations::Org;
use roles::{PermissionCommand, RoleCommand};
use settings::SettingFlags;
use tokens::Token;
use users::UserCommand;

/// Self-hosted authority for personal access tokens: the server, and its tokens from a terminal.
#[derive(Debug, Parser)]
#[command(name = "hallpass", version, after_help = Exit::help(), max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server
    Serve(Serve),
    /// Set up without a browser: make the organization and its first superuser
    Init(Init),
    /// Print the settings in force and where each came from, secrets masked
    Config(Config),
    /// Sign in, so that the commands below can ask the server
    Login(Login),
    /// Revoke the token that `login` stored, and forget it
    Logout(Logout),
    /// Say who is signed in, where, and what they may do
    Whoami(Asking),
    /// Make, list, show, suspend and revoke your personal access tokens
    #[command(subcommand)]
    Token(Token),
    /// Ask whether a token is good; the token comes from standard input
    Verify(Verify),
    /// Organizations: list, make, rename, suspend, switch
    #[command(subcommand, after_help = organizations::EXAMPLES)]
    Org(Org),
    /// Members of an organization: list, invite, change, suspend, remove
    #[command(subcommand, after_help = members::EXAMPLES)]
    Member(MemberCommand),
    /// Roles: list, make, change, delete
    #[command(subcommand, after_help = roles::ROLE_EXAMPLES)]
    Role(RoleCommand),
    /// The catalogue of permissions: list, set, delete, apply a file
    #[command(subcommand, after_help = roles::PERMISSION_EXAMPLES)]
    Permission(PermissionCommand),
    /// The users of the deployment: list, make, suspend, remove
    #[command(subcommand, after_help = users::EXAMPLES)]
    User(UserCommand),
    /// API keys of an organization: list, make, rotate, suspend, revoke
    #[command(subcommand, after_help = keys::KEY_EXAMPLES)]
    Key(KeyCommand),
    /// What the tokens and keys of an organization must keep to
    #[command(subcommand, after_help = keys::POLICY_EXAMPLES)]
    Policy(PolicyCommand),
    /// Every token and key of an organization: list, export
    #[command(subcommand, after_help = inventory::INVENTORY_EXAMPLES)]
    Inventory(InventoryCommand),
    /// Revoke many tokens and keys at once, after showing which
    Revoke(RevokeMany),
    /// Explain, check by check, what a token may do now and why
    Explain(Explain),
    /// Who did what: list, export, verify
    #[command(subcommand, after_help = audit::EXAMPLES)]
    Audit(AuditCommand),
    /// Print the completions of a shell
    Completions {
        /// The shell that is to complete
        shell: Shell,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) settings: SettingFlags,
    /// Fill an empty data folder with an example organization, and print how to sign in
    #[arg(long)]
    pub(crate) demo: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Init {
    /// Name of the organization
    #[arg(long, value_name = "NAME")]
    pub(crate) organization: String,
    /// E-mail address of its first superuser
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: String,
    /// Name of its first superuser [default: from the address]
    #[arg(long, value_name = "PERSON")]
    pub(crate) name: Option<String>,
    /// Read the password from standard input; without it, it is asked for
    #[arg(long)]
    pub(crate) password_stdin: bool,
    #[command(flatten)]
    pub(crate) settings: SettingFlags,
}

#[derive(Args, Debug)]
pub(crate) struct Config {
    #[command(flatten)]
    pub(crate) settings: SettingFlags,
    #[command(flatten)]
    pub(crate) form: Form,
}

/// How results are printed.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Form {
    /// Print JSON, as the REST interface has it
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which server is asked.
#[derive(Args, Clone, Debug)]
pub(crate) struct Server {
    /// Address of the server [default: HALLPASS_HOST, else the one signed in to, else http://127.0.0.1:4377]
    #[arg(long, value_name = "URL")]
    pub(crate) host: Option<String>,
}

/// A question to the server.
#[derive(Args, Clone, Debug)]
pub(crate) struct Asking {
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Args, Debug)]
pub(crate) struct Login {
    #[command(flatten)]
    pub(crate) server: Server,
    /// E-mail address of the account; without it, it is asked for
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: Option<String>,
    /// Read the password from standard input; without it, it is asked for
    #[arg(long)]
    pub(crate) password_stdin: bool,
    /// Read a token from standard input and store that, instead of making one
    #[arg(long, conflicts_with_all = ["email", "password_stdin"])]
    pub(crate) with_token: bool,
    /// Sign in to this one of your organizations: its name or id [default: the one you are in the longest]
    #[arg(long, value_name = "NAME|ID", conflicts_with = "with_token")]
    pub(crate) organization: Option<String>,
    /// Keep the token in a file that only you can read, even if there is a keyring
    #[arg(long)]
    pub(crate) insecure_storage: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Logout {
    #[command(flatten)]
    pub(crate) server: Server,
    /// Forget the token without revoking it
    #[arg(long)]
    pub(crate) keep: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// Standard input, which is where the token is read from in any case
    #[arg(value_name = "-", value_parser = ["-"])]
    pub(crate) input: Option<String>,
    /// What the token is to be allowed to do; without it, only whether it works at all
    #[arg(long, value_name = "PERMISSION")]
    pub(crate) permission: Option<String>,
    /// Method of the request it came with, kept as its last use
    #[arg(long, value_name = "METHOD")]
    pub(crate) method: Option<String>,
    /// Path of the request it came with, kept as its last use
    #[arg(long, value_name = "PATH")]
    pub(crate) path: Option<String>,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

#[cfg(test)]
mod tests;
