//! `hallpass org …`.

use super::{
    Server,
    within::{Consent, Deployment, Within},
};
use clap::{Args, Subcommand};

pub(crate) const EXAMPLES: &str = "Examples:
  hallpass org list
  hallpass org create Initech
  hallpass org suspend --organization 019abc00-0000-7000-8000-000000000001
  hallpass org switch Initech";

#[derive(Debug, Subcommand)]
pub(crate) enum Org {
    /// List the organizations you are in
    List(OrgList),
    /// Show the organization you are signed in to
    Show(Within),
    /// Make an organization; its id goes to standard output
    Create(OrgCreate),
    /// Give it another name
    Rename(OrgRename),
    /// Suspend it: nothing in it works and nobody in it can sign in
    Suspend(OrgSuspend),
    /// Let it work again
    Resume(Within),
    /// Sign in to another of your organizations; asks for your password
    Switch(OrgSwitch),
}

#[derive(Args, Debug)]
pub(crate) struct OrgList {
    /// All of the deployment
    #[arg(long)]
    pub(crate) all: bool,
    /// Only those with this in their name
    #[arg(long, value_name = "TEXT", requires = "all")]
    pub(crate) search: Option<String>,
    #[command(flatten)]
    pub(crate) deployment: Deployment,
}

#[derive(Args, Debug)]
pub(crate) struct OrgCreate {
    /// Its name
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) deployment: Deployment,
}

#[derive(Args, Debug)]
pub(crate) struct OrgRename {
    /// Its new name
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) within: Within,
}

#[derive(Args, Debug)]
pub(crate) struct OrgSuspend {
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) within: Within,
}

#[derive(Args, Debug)]
pub(crate) struct OrgSwitch {
    /// Its name or id
    #[arg(value_name = "NAME|ID")]
    pub(crate) organization: String,
    /// E-mail address of the account [default: that of whoever is signed in]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: Option<String>,
    /// Read the password from standard input; without it, it is asked for
    #[arg(long)]
    pub(crate) password_stdin: bool,
    #[command(flatten)]
    pub(crate) server: Server,
}
