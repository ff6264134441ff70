//! `hallpass role …` and `hallpass permission …`.

use super::within::{Consent, Deployment, MayHaveTokens, Within};
use clap::{ArgAction, Args, Subcommand};
use std::path::PathBuf;

pub(crate) const ROLE_EXAMPLES: &str = "ROLE is a name or an id.

Examples:
  hallpass role create Deployer --permission deploy:* --permission repo:read
  hallpass role change Deployer --remove deploy:* --add deploy:staging
  hallpass role delete Deployer --move-members-to Member";

pub(crate) const PERMISSION_EXAMPLES: &str = "Examples:
  hallpass permission set deploy:production --description \"Deploy to production\" --risk high
  hallpass permission apply permissions.toml";

#[derive(Debug, Subcommand)]
pub(crate) enum RoleCommand {
    /// List the roles, with how many have them
    List(Within),
    /// Show one role and all that it holds
    Show(RoleShow),
    /// Make a role; its id goes to standard output
    Create(RoleCreate),
    /// Change a role; it acts at once on everybody who has it and on their tokens
    Change(RoleChange),
    /// Delete a role; API keys that have it are revoked
    Delete(RoleDelete),
}

#[derive(Args, Debug)]
pub(crate) struct RoleShow {
    /// Name or id of the role
    #[arg(value_name = "ROLE")]
    pub(crate) role: String,
    #[command(flatten)]
    pub(crate) within: Within,
}

#[derive(Args, Debug)]
pub(crate) struct RoleCreate {
    /// Its name
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What it holds, such as repo:read or repo:*; may be given several times
    #[arg(long = "permission", value_name = "PERMISSION", required = true, action = ArgAction::Append)]
    pub(crate) permissions: Vec<String>,
    /// What it is for, in one sentence
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) description: String,
    #[command(flatten)]
    pub(crate) tokens: MayHaveTokens,
    #[command(flatten)]
    pub(crate) within: Within,
}

#[derive(Args, Debug)]
pub(crate) struct RoleChange {
    /// Name or id of the role
    #[arg(value_name = "ROLE")]
    pub(crate) role: String,
    /// What it is to hold from now on; may be given several times
    #[arg(long, value_name = "PERMISSION", action = ArgAction::Append)]
    pub(crate) add: Vec<String>,
    /// What it is to hold no longer, written as `role show` does; may be given several times
    #[arg(long, value_name = "PERMISSION", action = ArgAction::Append)]
    pub(crate) remove: Vec<String>,
    /// Its new name
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// What it is for, in one sentence
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    #[command(flatten)]
    pub(crate) tokens: MayHaveTokens,
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) within: Within,
}

#[derive(Args, Debug)]
pub(crate) struct RoleDelete {
    /// Name or id of the role
    #[arg(value_name = "ROLE")]
    pub(crate) role: String,
    /// Name or id of the role that its members get
    #[arg(long, value_name = "ROLE")]
    pub(crate) move_members_to: Option<String>,
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) within: Within,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PermissionCommand {
    /// List the permissions there are
    List(Deployment),
    /// Add a permission, or change what is said of it
    Set(PermissionSet),
    /// Take a permission out of the catalogue: from then on nobody holds it
    Delete(PermissionDelete),
    /// Make the catalogue what a file says, after showing the difference
    Apply(PermissionApply),
}

#[derive(Args, Debug)]
pub(crate) struct PermissionSet {
    /// Name of the permission: resource:action
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What it allows, in one sentence [default: what is said of it now]
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// How much harm it can do [default: what is said of it now, else low]
    #[arg(long, value_parser = ["low", "medium", "high"])]
    pub(crate) risk: Option<String>,
    #[command(flatten)]
    pub(crate) deployment: Deployment,
}

#[derive(Args, Debug)]
pub(crate) struct PermissionDelete {
    /// Name of the permission: resource:action
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) deployment: Deployment,
}

#[derive(Args, Debug)]
pub(crate) struct PermissionApply {
    /// A file with `[[permission]]` tables, as hallpass.toml has them; - is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Delete what the file does not list and was added by command, API or page
    #[arg(long)]
    pub(crate) prune: bool,
    /// Only show the difference; ends with 1 if there is one. The file is checked as without it
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) deployment: Deployment,
}
