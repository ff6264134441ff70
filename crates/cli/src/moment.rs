//! Moments as people write and read them on a command line.

use hallpass_domain::time::{SECONDS_PER_DAY, SECONDS_PER_HOUR, Timestamp};

/// The longest span that can be written: a hundred years, in seconds. Whoever means longer means `never`.
const SPAN_SECONDS_MAX: i64 = 36_525 * SECONDS_PER_DAY;

/// A point in time as written: `30d`, `2027-01-31`, `2027-01-31T12:00:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// So many seconds from now, in the direction that the command means.
    Span(i64),
    /// Then.
    At(Timestamp),
}

impl Moment {
    /// The moment, with spans counted forward from `now`.
    pub(crate) fn after(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Span(seconds) => now.plus_seconds(seconds),
            Self::At(moment) => moment,
        }
    }

    /// The moment, with spans counted back from `now`.
    pub(crate) fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Span(seconds) => now.plus_seconds(-seconds),
            Self::At(moment) => moment,
        }
    }
}

/// When a new token ends, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expires {
    /// Then.
    On(Moment),
    /// Never.
    Never,
}

/// Parses `never` or a moment.
///
/// # Errors
/// What can be written instead.
pub(crate) fn parse_expires(text: &str) -> Result<Expires, String> {
    if text == "never" {
        Ok(Expires::Never)
    } else {
        parse_moment(text).map(Expires::On)
    }
}

/// Parses a span (`12h`, `30d`, `8w`), a date (its first moment in UTC) or a date-time with an offset.
///
/// # Errors
/// What can be written instead.
pub(crate) fn parse_moment(text: &str) -> Result<Moment, String> {
    if let Some(unit) = text
        .chars()
        .last()
        .filter(|last| last.is_ascii_alphabetic() && *last != 'Z' && *last != 'z')
    {
        return parse_span(&text[..text.len() - 1], unit);
    }
    let whole = if text.len() == "2027-01-31".len() {
        format!("{text}T00:00:00Z")
    } else {
        text.to_owned()
    };
    Timestamp::parse(&whole).map(Moment::At).map_err(|_| "write a span such as 30d, a date such as 2027-01-31, or a date-time such as 2027-01-31T12:00:00Z".to_owned())
}

fn parse_span(number: &str, unit: char) -> Result<Moment, String> {
    let unit = match unit {
        'h' => SECONDS_PER_HOUR,
        'd' => SECONDS_PER_DAY,
        'w' => 7 * SECONDS_PER_DAY,
        'm' | 'M' => {
            return Err(
                "m could be minutes or months: write hours (12h), days (30d) or weeks (8w)"
                    .to_owned(),
            );
        }
        _ => return Err("a span is counted in hours (12h), days (30d) or weeks (8w)".to_owned()),
    };
    let only_digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = number
        .parse::<i64>()
        .ok()
        .filter(|_| only_digits)
        .and_then(|number| number.checked_mul(unit));
    match seconds {
        Some(seconds) if (1..=SPAN_SECONDS_MAX).contains(&seconds) => Ok(Moment::Span(seconds)),
        Some(_) => Err("a span is longer than nothing and at most 36525d".to_owned()),
        None => Err("a span is a whole number and h, d or w, such as 30d".to_owned()),
    }
}

/// How long ago, or in how long, in the largest unit that fits: `3 minutes ago`, `in 2 days`, `just now`.
pub(crate) fn relative(moment: Timestamp, now: Timestamp) -> String {
    const MINUTE: i64 = 60;
    let seconds = now.seconds_since(moment);
    // What was made a moment ago to end in 30 days ends in 30 days, not in 29.
    let span = if seconds < -MINUTE {
        MINUTE - 1 - seconds
    } else {
        seconds.abs()
    };
    if span < MINUTE {
        return (if seconds >= 0 {
            "just now"
        } else {
            "in less than a minute"
        })
        .to_owned();
    }
    // To the nearest day, as the page says it.
    let nearest = if seconds < 0 { SECONDS_PER_DAY / 2 } else { 0 };
    let days = match span / SECONDS_PER_DAY {
        0 => 0,
        _ => (span + nearest) / SECONDS_PER_DAY,
    };
    let (count, unit) = match (span, days) {
        (span, 0) if span < SECONDS_PER_HOUR => (span / MINUTE, "minute"),
        (span, 0) => (span / SECONDS_PER_HOUR, "hour"),
        (_, days) if days < 100 => (days, "day"),
        (_, days) if days < 730 => (days / 30, "month"),
        (_, days) => (days / 365, "year"),
    };
    let s = if count == 1 { "" } else { "s" };
    if seconds >= 0 {
        format!("{count} {unit}{s} ago")
    } else {
        format!("in {count} {unit}{s}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn spans_dates_and_date_times_are_read() {
        assert_eq!(parse_moment("12h"), Ok(Moment::Span(12 * 3600)));
        assert_eq!(parse_moment("30d"), Ok(Moment::Span(30 * 86_400)));
        assert_eq!(parse_moment("8w"), Ok(Moment::Span(56 * 86_400)));
        assert_eq!(
            parse_moment("2027-01-31"),
            Ok(Moment::At(at("2027-01-31T00:00:00Z")))
        );
        assert_eq!(
            parse_moment("2027-01-31T12:00:00+01:00"),
            Ok(Moment::At(at("2027-01-31T11:00:00Z")))
        );
        assert_eq!(parse_expires("never"), Ok(Expires::Never));
        assert_eq!(
            parse_expires("30d"),
            Ok(Expires::On(Moment::Span(30 * 86_400)))
        );
        let now = at("2026-11-22T10:15:00Z");
        assert_eq!(Moment::Span(86_400).after(now), at("2026-11-23T10:15:00Z"));
        assert_eq!(Moment::Span(86_400).before(now), at("2026-11-21T10:15:00Z"));
    }

    #[test]
    fn what_could_mean_two_things_is_refused() {
        for bad in [
            "",
            "d",
            "30",
            "0d",
            "-3d",
            "+3d",
            "3.5d",
            "30 d",
            "30days",
            "1y",
            "36526d",
            "99999999999999999999d",
            "tomorrow",
            "2027-02-30",
            "2027-01-31T12:00:00",
            "é",
            "Never",
        ] {
            assert!(parse_moment(bad).is_err(), "{bad}");
            assert!(parse_expires(bad).is_err(), "{bad}");
        }
        assert!(
            parse_moment("3m")
                .unwrap_err()
                .contains("minutes or months")
        );
    }

    #[test]
    fn times_are_told_in_the_largest_unit_that_fits() {
        let now = at("2026-11-22T10:15:00Z");
        for (seconds, told) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (185, "3 minutes ago"),
            (3_600, "1 hour ago"),
            (86_399, "23 hours ago"),
            (86_400, "1 day ago"),
            (99 * 86_400, "99 days ago"),
            (100 * 86_400, "3 months ago"),
            (730 * 86_400, "2 years ago"),
            (-30, "in less than a minute"),
            (-61, "in 2 minutes"),
            (-86_400, "in 1 day"),
            (-30 * 86_400, "in 30 days"),
            (-(30 * 86_400 - 30), "in 30 days"),
            (-(30 * 86_400 - 60), "in 30 days"),
            (-(30 * 86_400 - 43_300), "in 29 days"),
            (-36 * 3_600, "in 2 days"),
            (-86_300, "in 23 hours"),
        ] {
            assert_eq!(relative(now.plus_seconds(-seconds), now), told);
        }
    }
}
