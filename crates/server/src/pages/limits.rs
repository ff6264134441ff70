//! From when on a token or key works, and from where.

use super::{
    form::{Errors, Fields},
    view::Moment,
    words,
};
use askama::{Template, filters::HtmlSafe};
use hallpass_domain::{network::AddressRules, time::Timestamp};

/// What was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Limits {
    from: String,
    allowed: String,
    denied: String,
}

/// The networks of a field, one a line, or parted by commas.
pub(super) fn lines(text: &str) -> Vec<String> {
    text.split([',', '\n', ' '])
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

fn some(text: &str) -> Option<Vec<String>> {
    Some(lines(text)).filter(|lines| !lines.is_empty())
}

impl Limits {
    pub(super) fn read(fields: &Fields) -> Self {
        Self {
            from: fields.get("not_before").trim().to_owned(),
            allowed: fields.get("allowed").to_owned(),
            denied: fields.get("denied").to_owned(),
        }
    }

    /// The first moment at which it works.
    pub(super) fn not_before(&self) -> Option<String> {
        (!self.from.is_empty()).then(|| format!("{}T00:00:00Z", self.from))
    }

    /// From where alone.
    pub(super) fn allowed(&self) -> Option<Vec<String>> {
        some(&self.allowed)
    }

    /// From where never.
    pub(super) fn denied(&self) -> Option<Vec<String>> {
        some(&self.denied)
    }

    /// The fields, folded away unless something is in them.
    pub(super) fn view(&self, now: Timestamp, errors: &Errors) -> LimitsView {
        LimitsView {
            limits: self.clone(),
            open: *self != Self::default(),
            today: words::date_field(now),
            errors: errors.clone(),
        }
    }
}

/// The fields.
#[derive(Debug, Template)]
#[template(path = "part/limits.html")]
pub(super) struct LimitsView {
    limits: Limits,
    open: bool,
    today: String,
    errors: Errors,
}

impl HtmlSafe for LimitsView {}

/// The same of something that is there, as lines of its facts.
#[derive(Debug, Template)]
#[template(path = "part/limits_facts.html")]
pub(super) struct LimitsFacts {
    from: Option<Moment>,
    allowed: Vec<String>,
    denied: Vec<String>,
}

impl HtmlSafe for LimitsFacts {}

impl LimitsFacts {
    pub(super) fn of(from: Option<Timestamp>, rules: Option<&AddressRules>) -> Self {
        let texts = |of: fn(&AddressRules) -> &hallpass_domain::network::NetworkSet| {
            rules
                .into_iter()
                .flat_map(|rules| of(rules).iter().map(ToString::to_string))
                .collect()
        };
        Self {
            from: from.map(Moment::dated),
            allowed: texts(|rules| &rules.allow),
            denied: texts(|rules| &rules.deny),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_line_by_line_and_nothing_is_no_rule() {
        let limits = Limits::read(&Fields::parse(
            b"not_before=2027-01-31&allowed=192.0.2.0%2F24%0D%0A2001%3Adb8%3A%3A%2F32%2C+198.51.100.7&denied=+%0A",
        ));
        assert_eq!(limits.not_before().unwrap(), "2027-01-31T00:00:00Z");
        assert_eq!(
            limits.allowed().unwrap(),
            ["192.0.2.0/24", "2001:db8::/32", "198.51.100.7"]
        );
        assert_eq!(limits.denied(), None);
        assert_eq!(Limits::default().not_before(), None);
    }
}
