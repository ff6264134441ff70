//! `hallpass audit …`.

use super::within::Within;
use crate::{
    limits::AUDIT_LINES_MAX,
    moment::{Moment, parse_moment},
};
use clap::{ArgAction, Args, Subcommand};
use std::path::PathBuf;

pub(crate) const EXAMPLES: &str = "Examples:
  hallpass audit list --action token.revoked --since 7d
  hallpass audit list --actor eve@acme.example --limit 200
  hallpass audit export --format jsonl --since 2026-01-01 --output audit.jsonl
  hallpass audit verify";

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// List who did what, the newest first
    List(AuditList),
    /// Write the lines to a file
    Export(AuditExport),
    /// See that no line was edited, removed, put in or moved; ends with 1 and names the first bad line
    Verify(AuditVerify),
}

/// Which lines; all that is said must hold.
#[derive(Args, Clone, Debug)]
pub(crate) struct AuditFilter {
    /// Only what this person did: an id, or a member's e-mail address
    #[arg(long, value_name = "USER")]
    pub(crate) actor: Option<String>,
    /// Only what was done with this token or key: its id or prefix
    #[arg(long = "with", value_name = "PREFIX|ID")]
    pub(crate) with: Option<String>,
    /// Only this, such as token.created; may be given several times
    #[arg(long = "action", value_name = "ACTION", action = ArgAction::Append)]
    pub(crate) actions: Vec<String>,
    /// Only what was done to this: mostly an id; a member's e-mail address means the member
    #[arg(long, value_name = "TARGET")]
    pub(crate) target: Option<String>,
    /// Only what came from this address
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) address: Option<String>,
    /// Not before: 7d (ago), 2026-01-31
    #[arg(long, value_name = "WHEN", value_parser = parse_moment)]
    pub(crate) since: Option<Moment>,
    /// Before: 7d (ago), 2026-01-31
    #[arg(long, value_name = "WHEN", value_parser = parse_moment)]
    pub(crate) until: Option<Moment>,
    /// The lines of all organizations, for those who manage the deployment
    #[arg(long, conflicts_with = "organization")]
    pub(crate) deployment: bool,
}

#[derive(Args, Debug)]
pub(crate) struct AuditList {
    #[command(flatten)]
    pub(crate) filter: AuditFilter,
    /// How many at most: 1 to 20000
    #[arg(long, value_name = "NUMBER", default_value_t = 50,
        value_parser = clap::value_parser!(u32).range(1..=AUDIT_LINES_MAX))]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) within: Within,
}

#[derive(Args, Debug)]
pub(crate) struct AuditExport {
    /// As what; in CSV, what a spreadsheet would take for a formula has a ' before it
    #[arg(long, value_parser = ["csv", "jsonl"], default_value = "csv")]
    pub(crate) format: String,
    /// The file; without it, standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) filter: AuditFilter,
    #[command(flatten)]
    pub(crate) within: Within,
}

#[derive(Args, Debug)]
pub(crate) struct AuditVerify {
    /// The end that an earlier verification printed: an end that was cut off or written anew is then found too
    #[arg(long, value_name = "NUMBER:CODE", num_args = 1..=2)]
    pub(crate) expected: Vec<String>,
    #[command(flatten)]
    pub(crate) within: Within,
}
