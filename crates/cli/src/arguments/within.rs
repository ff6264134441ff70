//! What all the commands that administer have in common.

use super::Server;
use clap::Args;

/// How a command that administers prints.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Report {
    /// Print JSON, as the REST interface has it
    #[arg(long)]
    pub(crate) json: bool,
    /// Print ids alone, one a line
    #[arg(long, short, conflicts_with = "json")]
    pub(crate) quiet: bool,
}

/// A question about the whole deployment, for those who manage it.
#[derive(Args, Clone, Debug)]
pub(crate) struct Deployment {
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) report: Report,
}

/// A question about an organization.
#[derive(Args, Clone, Debug)]
pub(crate) struct Within {
    /// Another organization than the one you are signed in to, by id or name, for those who manage the deployment
    #[arg(long, value_name = "ID|NAME")]
    pub(crate) organization: Option<String>,
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) report: Report,
}

/// Whether a question is asked before something ends.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Consent {
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// Whether somebody may have tokens, said or left to their role.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct MayHaveTokens {
    /// They may create and manage personal access tokens [default: as the role says]
    #[arg(long)]
    pub(crate) tokens: bool,
    /// They may not
    #[arg(long, conflicts_with = "tokens")]
    pub(crate) no_tokens: bool,
}

impl MayHaveTokens {
    /// What was said.
    pub(crate) const fn said(self) -> Option<bool> {
        match (self.tokens, self.no_tokens) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }
}
