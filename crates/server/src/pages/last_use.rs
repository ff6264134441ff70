//! How a token was last used, ready to be written down.

use super::view::Moment;
use askama::filters::HtmlSafe;
use hallpass_domain::{access_token::LastUse, time::Timestamp};
use std::fmt;

/// A path or an address, which a browser may break after its slashes and colons and, if it can, nowhere else.
#[derive(Clone, Debug)]
pub(super) struct Breaking(String);

impl HtmlSafe for Breaking {}

impl Breaking {
    /// As it was written.
    pub(super) fn whole(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Breaking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.split_inclusive(['/', ':']) {
            write!(
                f,
                "{}",
                askama::filters::escape(part, askama::filters::Html).map_err(|_| fmt::Error)?
            )?;
            if part.ends_with(['/', ':']) {
                f.write_str("<wbr>")?;
            }
        }
        Ok(())
    }
}

/// How a token was last used.
#[derive(Clone, Debug)]
pub(super) struct LastUseView {
    pub(super) when: Moment,
    pub(super) request: Option<Breaking>,
    pub(super) address: Option<Breaking>,
    pub(super) agent: Option<String>,
}

impl LastUseView {
    pub(super) fn of(last: &LastUse, now: Timestamp) -> Self {
        let request = match (&last.method, &last.path) {
            (Some(method), Some(path)) => Some(format!("{method} {path}")),
            (one, other) => one.clone().or_else(|| other.clone()),
        };
        Self {
            when: Moment::past(last.at, now),
            request: request.map(Breaking),
            address: last.address.clone().map(Breaking),
            agent: last.agent.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_sent_is_escaped() {
        let now = Timestamp::parse("2026-11-22T10:15:00Z").unwrap();
        let last = LastUse {
            at: now,
            method: Some("GET".to_owned()),
            path: Some("/a/<b>".to_owned()),
            address: None,
            agent: None,
        };
        let view = LastUseView::of(&last, now);
        assert_eq!(
            view.request.unwrap().to_string(),
            "GET /<wbr>a/<wbr>&#60;b&#62;"
        );
    }
}
