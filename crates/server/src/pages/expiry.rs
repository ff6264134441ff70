//! When a token ends, as people choose it.

use super::{
    form::{Errors, Fields},
    words,
};
use crate::error::{InvalidField, ServiceError};
use askama::{Template, filters::HtmlSafe};
use hallpass_domain::time::{SECONDS_PER_DAY, Timestamp};

/// The spans that are offered, in days.
const SPANS_DAYS: [i64; 4] = [7, 30, 60, 90];
/// What is chosen at first.
const SPAN_DEFAULT: &str = "30";

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expiry {
    /// `7`, `30`, `60`, `90`, `date`, `never`, or `keep` where there is something to keep.
    chosen: String,
    /// The last day, `2027-01-31`.
    on: String,
    /// That it is known that it never expires.
    acknowledged: bool,
    /// When the form was made: spans count from there, so that sending a form twice asks for the same.
    from: Timestamp,
}

/// What is asked for: the two fields of the REST interface, or neither to keep what is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// As it is.
    Keep,
    /// On this date-time.
    On(String),
    /// Never, and that is known.
    Never,
}

impl Expiry {
    /// Nothing chosen yet.
    pub(super) fn new(chosen: &str, now: Timestamp) -> Self {
        Self {
            chosen: chosen.to_owned(),
            on: String::new(),
            acknowledged: false,
            from: now,
        }
    }

    /// What is chosen in a new form.
    pub(super) fn default_at(now: Timestamp) -> Self {
        Self::new(SPAN_DEFAULT, now)
    }

    /// Reads what was chosen. A form that is more than a day old counts from now.
    pub(super) fn read(fields: &Fields, now: Timestamp) -> Self {
        let from = Timestamp::parse(fields.get("from"))
            .ok()
            .filter(|from| (0..SECONDS_PER_DAY).contains(&now.seconds_since(*from)));
        Self {
            chosen: fields.get("expires").to_owned(),
            on: fields.get("expires_on").trim().to_owned(),
            acknowledged: fields.get("never") == "known",
            from: from.unwrap_or(now),
        }
    }

    /// When the form was made.
    pub(super) const fn from(&self) -> Timestamp {
        self.from
    }

    /// What is asked for.
    ///
    /// # Errors
    /// What is missing, in the words of a form.
    pub(super) fn asked(&self) -> Result<Asked, ServiceError> {
        let wrong = |words: &str| {
            Err(ServiceError::from(InvalidField::new(
                "expires", "expires", words,
            )))
        };
        match self.chosen.as_str() {
            "keep" => Ok(Asked::Keep),
            "never" if self.acknowledged => Ok(Asked::Never),
            "never" => wrong("Tick that you know that it never expires, or choose when it does."),
            "date" if self.on.is_empty() => wrong("Choose its last day."),
            "date" => Ok(Asked::On(format!("{}T23:59:59Z", self.on))),
            span => match SPANS_DAYS.into_iter().find(|days| days.to_string() == span) {
                Some(days) => Ok(Asked::On(self.from.plus_days(days).to_string())),
                None => wrong("Choose when it expires."),
            },
        }
    }

    /// The fields, with what is wrong with them. `keep` says what stays if nothing is chosen.
    pub(super) fn view(&self, keep: Option<String>, errors: &Errors) -> ExpiryView {
        let span = |days: i64| Choice {
            value: days.to_string(),
            label: format!("{days} days"),
            hint: Some(format!(
                "Until {}.",
                words::exact(self.from.plus_days(days))
            )),
        };
        let option = |value: &str, label: &str| Choice {
            value: value.to_owned(),
            label: label.to_owned(),
            hint: None,
        };
        let kept = keep.map(|label| Choice {
            value: "keep".to_owned(),
            label,
            hint: None,
        });
        let options = kept
            .into_iter()
            .chain(SPANS_DAYS.map(span))
            .chain([option("date", "On a date"), option("never", "Never")])
            .collect();
        ExpiryView {
            options,
            chosen: self.chosen.clone(),
            on: self.on.clone(),
            today: words::date_field(self.from),
            acknowledged: self.acknowledged,
            errors: errors.clone(),
        }
    }
}

#[derive(Debug)]
struct Choice {
    value: String,
    label: String,
    hint: Option<String>,
}

/// The fields.
#[derive(Debug, Template)]
#[template(path = "part/expiry.html")]
pub(super) struct ExpiryView {
    options: Vec<Choice>,
    chosen: String,
    on: String,
    today: String,
    acknowledged: bool,
    errors: Errors,
}

impl HtmlSafe for ExpiryView {}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-22T10:15:00Z").unwrap()
    }

    fn asked(form: &str) -> Result<Asked, ServiceError> {
        Expiry::read(&Fields::parse(form.as_bytes()), now()).asked()
    }

    fn on(text: &str) -> Asked {
        Asked::On(text.to_owned())
    }

    #[test]
    fn every_choice() {
        assert_eq!(asked("expires=7").unwrap(), on("2026-11-29T10:15:00Z"));
        assert_eq!(asked("expires=90").unwrap(), on("2027-02-20T10:15:00Z"));
        assert_eq!(
            asked("expires=date&expires_on=2027-01-31").unwrap(),
            on("2027-01-31T23:59:59Z")
        );
        assert_eq!(asked("expires=never&never=known").unwrap(), Asked::Never);
        assert_eq!(asked("expires=keep").unwrap(), Asked::Keep);
        for wrong in [
            "",
            "expires=8",
            "expires=-7",
            "expires=never",
            "expires=date",
            "never=known",
            "expires_on=2027-01-31",
        ] {
            assert!(
                matches!(asked(wrong), Err(ServiceError::Invalid(fields)) if fields[0].field == "expires"),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_form_sent_twice_asks_for_the_same() {
        let form = "expires=7&from=2026-11-22T10%3A00%3A00Z";
        assert_eq!(asked(form).unwrap(), on("2026-11-29T10:00:00Z"));
        for strange in [
            "2026-11-21T10:00:00Z",
            "2026-11-22T10:15:01Z",
            "yesterday",
            "",
        ] {
            assert_eq!(
                asked(&format!("expires=7&from={strange}")).unwrap(),
                on("2026-11-29T10:15:00Z"),
                "{strange}"
            );
        }
    }

    #[test]
    fn what_was_typed_stays() {
        let expiry = Expiry::read(
            &Fields::parse(b"expires=date&expires_on=2020-01-01&never=known"),
            now(),
        );
        let text = expiry
            .view(
                None,
                &Errors::one("expires", "Choose a day that is not over yet."),
            )
            .to_string();
        assert!(
            text.contains(r#"value="date" checked"#)
                && text.contains(r#"value="2020-01-01""#)
                && text.contains(r#"value="known" checked"#),
            "{text}"
        );
        assert!(text.contains(r#"id="expires-wrong""#) && text.contains(r#"min="2026-11-22""#));
    }
}
