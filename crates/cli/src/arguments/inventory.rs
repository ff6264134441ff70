//! `hallpass inventory …`, `hallpass revoke` and `hallpass explain`.

use super::{
    Asking,
    within::{Consent, Within},
};
use crate::moment::{Moment, parse_moment};
use clap::{Args, Subcommand};
use std::path::PathBuf;

pub(crate) const INVENTORY_EXAMPLES: &str = "Examples:
  hallpass inventory list --unused-since 90d --state active
  hallpass inventory list --owner eve@acme.example
  hallpass inventory export --format csv --output tokens.csv";

#[derive(Debug, Subcommand)]
pub(crate) enum InventoryCommand {
    /// List every token and key of the organization, the latest first
    List(InventoryList),
    /// Write them to a file
    Export(InventoryExport),
}

/// Which tokens and keys; all that is said must hold.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Only personal access tokens, or only API keys
    #[arg(long, value_parser = ["token", "key"])]
    pub(crate) kind: Option<String>,
    /// Only those of this user: an id or an e-mail address
    #[arg(long, value_name = "USER")]
    pub(crate) owner: Option<String>,
    /// Only those in this state
    #[arg(long, value_parser = ["active", "expired", "revoked", "suspended"])]
    pub(crate) state: Option<String>,
    /// Only those that hold this permission now
    #[arg(long, value_name = "PERMISSION")]
    pub(crate) permission: Option<String>,
    /// Only those neither used nor made since: 90d, 2026-01-31
    #[arg(long, value_name = "WHEN", value_parser = parse_moment)]
    pub(crate) unused_since: Option<Moment>,
    /// Only those made before: 365d (ago), 2026-01-31
    #[arg(long, value_name = "WHEN", value_parser = parse_moment)]
    pub(crate) made_before: Option<Moment>,
    /// Only those that end before: 30d (from now), 2027-01-31
    #[arg(long, value_name = "WHEN", value_parser = parse_moment)]
    pub(crate) ends_before: Option<Moment>,
    /// Only those that never expire
    #[arg(long)]
    pub(crate) never_expires: bool,
    /// Only those with this in their name, prefix, owner's address or last address
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct InventoryList {
    #[command(flatten)]
    pub(crate) filter: Filter,
    #[command(flatten)]
    pub(crate) within: Within,
}

#[derive(Args, Debug)]
pub(crate) struct InventoryExport {
    /// As what; in CSV, what a spreadsheet would take for a formula has a ' before it
    #[arg(long, value_parser = ["csv", "json"], default_value = "csv")]
    pub(crate) format: String,
    /// The file; without it, standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) filter: Filter,
    #[command(flatten)]
    pub(crate) within: Within,
}

#[derive(Args, Debug)]
pub(crate) struct RevokeMany {
    /// Every token of this member: an id or an e-mail address
    #[arg(long, value_name = "USER", conflicts_with_all = [
        "everything", "kind", "owner", "state", "permission", "unused_since", "made_before", "ends_before",
        "never_expires", "search"])]
    pub(crate) user: Option<String>,
    /// Every token and key of the organization
    #[arg(long, conflicts_with_all = [
        "kind", "owner", "state", "permission", "unused_since", "made_before", "ends_before", "never_expires", "search"])]
    pub(crate) everything: bool,
    #[command(flatten)]
    pub(crate) filter: Filter,
    /// Only say how many it would be, and show the first of them
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) within: Within,
}

#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// Prefix or id of a token or key; of your own tokens and of keys, also the name
    #[arg(value_name = "PREFIX|ID|NAME")]
    pub(crate) token: String,
    /// What it is to be allowed to do; without it, only whether it works at all
    #[arg(long, value_name = "PERMISSION")]
    pub(crate) permission: Option<String>,
    /// From which address
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) address: Option<String>,
    #[command(flatten)]
    pub(crate) asking: Asking,
}
