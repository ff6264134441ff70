//! `hallpass token suspend` and `hallpass token resume`.

use super::within::Within;
use crate::moment::{Moment, parse_moment};
use clap::Args;

#[derive(Args, Debug)]
pub(crate) struct TokenSuspend {
    /// Its prefix or id; of your own tokens, also its name
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
    /// Its prefix or id; of your own tokens, also its name
    #[arg(value_name = "PREFIX|ID|NAME")]
    pub(crate) token: String,
    #[command(flatten)]
    pub(crate) within: Within,
}
