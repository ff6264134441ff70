//! `hallpass key …` and `hallpass policy …`.

use super::within::{Consent, Within};
use crate::moment::{Expires, Moment, parse_expires, parse_moment};
use clap::{ArgAction, Args, Subcommand};

pub(crate) const KEY_EXAMPLES: &str = "KEY is a name, a prefix or an id.

Examples:
  hallpass key create deploy --role Deployer --expires 60d > deploy.key
  hallpass key rotate deploy --until-quiet 7d > deploy.key
  hallpass key rotate deploy --leaked > deploy.key
  hallpass key revoke deploy";

pub(crate) const POLICY_EXAMPLES: &str =
    "What is not said stays as it is. What the change would do is shown before it is made.

Examples:
  hallpass policy set --max-days 90 --no-never --from 2027-01-01
  hallpass policy set --forbid deploy:* --unused-days 60
  hallpass policy set --allow-address 192.0.2.0/24 --dry-run
  hallpass policy withdraw";

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// List the API keys of the organization
    List(KeyList),
    /// Show one key and its secrets: since when, until when, last used
    Show(KeyNamed),
    /// Make a key; its secret is all that goes to standard output
    Create(KeyCreate),
    /// Give a key a new secret, which is all that goes to standard output
    Rotate(KeyRotate),
    /// Suspend a key: refused for a while, but not destroyed
    Suspend(KeySuspend),
    /// Let a suspended key work again
    Resume(KeyNamed),
    /// Revoke a key: all its secrets are refused from then on
    Revoke(KeyRevoke),
}

#[derive(Args, Debug)]
pub(crate) struct KeyList {
    /// Only those in this state
    #[arg(long, value_parser = ["active", "expired", "revoked", "suspended"])]
    pub(crate) state: Option<String>,
    /// Only those with this in their name or prefix
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    #[command(flatten)]
    pub(crate) within: Within,
}

#[derive(Args, Debug)]
pub(crate) struct KeyNamed {
    /// Name, prefix or id of the key
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
    #[command(flatten)]
    pub(crate) within: Within,
}

#[derive(Args, Debug)]
pub(crate) struct KeyCreate {
    /// Its name, unique in the organization
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Name or id of its role; it never gets another
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: String,
    /// When it ends: 60d, 2027-01-31, 2027-01-31T12:00:00Z, or never
    #[arg(long, value_name = "WHEN", value_parser = parse_expires, required_unless_present = "never_expires",
        conflicts_with = "never_expires")]
    pub(crate) expires: Option<Expires>,
    /// It never ends
    #[arg(long)]
    pub(crate) never_expires: bool,
    /// What it is narrowed to, such as repo:read or repo:* [default: all that its role holds now]; may be given several times
    #[arg(long = "permission", value_name = "PERMISSION", action = ArgAction::Append)]
    pub(crate) permissions: Vec<String>,
    /// From where alone it may be used, such as 192.0.2.0/24; may be given several times
    #[arg(long = "allow-address", value_name = "NETWORK", action = ArgAction::Append)]
    pub(crate) allow: Vec<String>,
    #[command(flatten)]
    pub(crate) within: Within,
}

#[derive(Args, Debug)]
pub(crate) struct KeyRotate {
    /// Name, prefix or id of the key
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
    #[command(flatten)]
    pub(crate) overlap: Overlap,
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) within: Within,
}

/// What becomes of the old secret: it has to be said.
#[derive(Args, Clone, Copy, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct Overlap {
    /// The old secret works until then, at most 30 days: 7d, 2027-01-31
    #[arg(long, value_name = "WHEN", value_parser = parse_moment)]
    pub(crate) overlap_until: Option<Moment>,
    /// The old secret works until nothing used it for so long, at most 30 days in all: 24h, 7d
    #[arg(long, value_name = "SPAN", value_parser = parse_moment)]
    pub(crate) until_quiet: Option<Moment>,
    /// The old secret ends at once
    #[arg(long)]
    pub(crate) leaked: bool,
}

#[derive(Args, Debug)]
pub(crate) struct KeySuspend {
    /// Name, prefix or id of the key
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
    /// Why, in one line
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// When it works again by itself [default: when somebody resumes it]: 12h, 7d, 2027-01-31
    #[arg(long, value_name = "WHEN", value_parser = parse_moment)]
    pub(crate) until: Option<Moment>,
    #[command(flatten)]
    pub(crate) within: Within,
}

#[derive(Args, Debug)]
pub(crate) struct KeyRevoke {
    /// Name, prefix or id of the key
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) within: Within,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Show the policy, and what is to come
    Show(Within),
    /// Change the policy, after showing what would be shortened and revoked
    Set(PolicySet),
    /// Withdraw what is to come: the policy stays as it is now
    Withdraw(Within),
}

#[derive(Args, Debug)]
pub(crate) struct PolicySet {
    #[command(flatten)]
    pub(crate) wanted: Wanted,
    /// When it comes into force [default: at once]: 14d, 2027-01-01
    #[arg(long, value_name = "WHEN", value_parser = parse_moment)]
    pub(crate) from: Option<Moment>,
    /// Change what is planned, and keep its date if --from is not given
    #[arg(long)]
    pub(crate) amend: bool,
    /// Change what is in force, and forget what is planned
    #[arg(long, conflicts_with = "amend")]
    pub(crate) replace: bool,
    /// Only show what it would do
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) within: Within,
}

/// What is to be otherwise.
#[derive(Args, Clone, Debug, Default)]
#[group(required = true, multiple = true)]
pub(crate) struct Wanted {
    /// Days that personal access tokens may live at most, or none
    #[arg(long, value_name = "DAYS|none", value_parser = parse_days)]
    pub(crate) max_days: Option<Days>,
    /// Personal access tokens may have no end
    #[arg(long, conflicts_with = "no_never")]
    pub(crate) never: bool,
    /// Personal access tokens must have an end
    #[arg(long)]
    pub(crate) no_never: bool,
    /// Days that API keys may live at most, or none
    #[arg(long, value_name = "DAYS|none", value_parser = parse_days)]
    pub(crate) key_max_days: Option<Days>,
    /// API keys may have no end
    #[arg(long, conflicts_with = "no_key_never")]
    pub(crate) key_never: bool,
    /// API keys must have an end
    #[arg(long)]
    pub(crate) no_key_never: bool,
    /// What personal access tokens may not carry, such as deploy:*; may be given several times
    #[arg(long, value_name = "PERMISSION", action = ArgAction::Append)]
    pub(crate) forbid: Vec<String>,
    /// What they may carry again; may be given several times
    #[arg(long, value_name = "PERMISSION", action = ArgAction::Append)]
    pub(crate) permit: Vec<String>,
    /// Days without a use after which a token or key is revoked, or none
    #[arg(long, value_name = "DAYS|none", value_parser = parse_days)]
    pub(crate) unused_days: Option<Days>,
    /// From where alone tokens and keys may be used: replaces the list; may be given several times
    #[arg(long = "allow-address", value_name = "NETWORK", action = ArgAction::Append)]
    pub(crate) allow: Vec<String>,
    /// From anywhere
    #[arg(long, conflicts_with = "allow")]
    pub(crate) any_address: bool,
    /// Whether owners may lift a suspension that somebody else began
    #[arg(long, value_name = "true|false")]
    pub(crate) owners_may_lift: Option<bool>,
}

/// A number of days, or no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Days(pub(crate) Option<i64>);

fn parse_days(text: &str) -> Result<Days, String> {
    if text == "none" {
        return Ok(Days(None));
    }
    let days = text.strip_suffix('d').unwrap_or(text).parse().ok();
    days.filter(|days| *days > 0)
        .map(|days| Days(Some(days)))
        .ok_or_else(|| "write a number of days such as 90, or none".to_owned())
}
