//! `hallpass member …`.

use super::within::{Consent, MayHaveTokens, Within};
use clap::{Args, Subcommand};

pub(crate) const EXAMPLES: &str = "USER is an id or an e-mail address, ROLE a name or an id.

Examples:
  hallpass member list --role Admin
  hallpass member invite eve@acme.example --role Member > invitation.link
  hallpass member role eve@acme.example Viewer
  hallpass member forbid-tokens eve@acme.example
  hallpass member remove eve@acme.example --yes";

#[derive(Debug, Subcommand)]
pub(crate) enum MemberCommand {
    /// List the members
    List(MemberList),
    /// Show one member
    Show(MemberNamed),
    /// Invite somebody; the link, which works once, is all that goes to standard output
    Invite(MemberInvite),
    /// List the open invitations
    Invitations(Within),
    /// Withdraw an invitation
    Withdraw(MemberWithdraw),
    /// Make a user of the deployment a member, without an invitation
    Add(MemberAdd),
    /// Give a member another role; it acts at once on all their tokens
    Role(MemberRole),
    /// Let a member have personal access tokens; those they had work again
    AllowTokens(MemberNamed),
    /// Take that away: their tokens stop working at once, and stay
    ForbidTokens(MemberStopped),
    /// Suspend a member: they cannot be here, and their tokens rest
    Suspend(MemberStopped),
    /// Let a suspended member back
    Resume(MemberNamed),
    /// Remove a member; their tokens here are revoked
    Remove(MemberStopped),
}

#[derive(Args, Debug)]
pub(crate) struct MemberList {
    /// Only those with this in their name or address
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// Only those with this role: its name or id
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<String>,
    /// Only those whose membership is suspended
    #[arg(long)]
    pub(crate) suspended: bool,
    #[command(flatten)]
    pub(crate) within: Within,
}

#[derive(Args, Debug)]
pub(crate) struct MemberNamed {
    /// Id or e-mail address of the member
    #[arg(value_name = "USER")]
    pub(crate) user: String,
    #[command(flatten)]
    pub(crate) within: Within,
}

#[derive(Args, Debug)]
pub(crate) struct MemberStopped {
    /// Id or e-mail address of the member
    #[arg(value_name = "USER")]
    pub(crate) user: String,
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) within: Within,
}

#[derive(Args, Debug)]
pub(crate) struct MemberInvite {
    /// Their e-mail address
    #[arg(value_name = "ADDRESS")]
    pub(crate) email: String,
    /// Name or id of the role they get
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: String,
    #[command(flatten)]
    pub(crate) tokens: MayHaveTokens,
    #[command(flatten)]
    pub(crate) within: Within,
}

#[derive(Args, Debug)]
pub(crate) struct MemberWithdraw {
    /// Its id, or the address it invites
    #[arg(value_name = "ID|ADDRESS")]
    pub(crate) invitation: String,
    #[command(flatten)]
    pub(crate) within: Within,
}

#[derive(Args, Debug)]
pub(crate) struct MemberAdd {
    /// Id or e-mail address of the user
    #[arg(value_name = "USER")]
    pub(crate) user: String,
    /// Name or id of the role they get
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: String,
    #[command(flatten)]
    pub(crate) tokens: MayHaveTokens,
    #[command(flatten)]
    pub(crate) within: Within,
}

#[derive(Args, Debug)]
pub(crate) struct MemberRole {
    /// Id or e-mail address of the member
    #[arg(value_name = "USER")]
    pub(crate) user: String,
    /// Name or id of the role they get
    #[arg(value_name = "ROLE")]
    pub(crate) role: String,
    #[command(flatten)]
    pub(crate) within: Within,
}
