//! How moments, spans and numbers are said. The exact moment is always at hand; these are for reading along.

use hallpass_domain::time::{SECONDS_PER_DAY, SECONDS_PER_HOUR, Timestamp};

const MINUTE: i64 = 60;
const HOUR: i64 = SECONDS_PER_HOUR;
const DAY: i64 = SECONDS_PER_DAY;
/// From two years on, days say less than years.
const YEARS_FROM_DAYS: i64 = 730;
const DAYS_PER_YEAR: i64 = 365;
/// Clocks differ a little; less than this is now.
const NOW_SECONDS: i64 = 5;

/// `3 minutes ago`. Parts of a unit are dropped: 119 minutes are 1 hour.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.seconds_since(at);
    let (number, unit) = match seconds {
        ..NOW_SECONDS => return "just now".to_owned(),
        NOW_SECONDS..MINUTE => (seconds, "second"),
        MINUTE..HOUR => (seconds / MINUTE, "minute"),
        HOUR..DAY => (seconds / HOUR, "hour"),
        DAY.. => days(seconds / DAY),
    };
    format!("{} ago", counted(number, unit))
}

/// `in 30 days`, to the nearest unit, so that a token made for 30 days says so.
pub(super) fn until(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.seconds_since(now);
    let nearest = |unit: i64| (seconds + unit / 2) / unit;
    let (number, unit) = match seconds {
        ..MINUTE => return "in less than a minute".to_owned(),
        _ if nearest(MINUTE) < 60 => (nearest(MINUTE), "minute"),
        _ if nearest(HOUR) < 48 => (nearest(HOUR), "hour"),
        _ => days(nearest(DAY)),
    };
    format!("in {}", counted(number, unit))
}

const fn days(days: i64) -> (i64, &'static str) {
    if days < YEARS_FROM_DAYS {
        (days, "day")
    } else {
        (days / DAYS_PER_YEAR, "year")
    }
}

fn counted(number: i64, unit: &str) -> String {
    count(number.unsigned_abs(), unit)
}

/// `1 token`, `4,310 tokens`.
pub(super) fn count(number: u64, unit: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {unit}{plural}", grouped(number))
}

/// How long to wait: `40 seconds`, `2 minutes`, never less than it is.
pub(super) fn span(seconds: i64) -> String {
    if seconds < 2 * MINUTE {
        counted(seconds.max(1), "second")
    } else {
        counted((seconds + MINUTE - 1) / MINUTE, "minute")
    }
}

/// A span as it was chosen: `3 days`, `12 hours`, `90 minutes`.
pub(super) fn lasting(seconds: i64) -> String {
    if seconds >= DAY && seconds % DAY == 0 {
        counted(seconds / DAY, "day")
    } else if seconds >= HOUR && seconds % HOUR == 0 {
        counted(seconds / HOUR, "hour")
    } else {
        span(seconds)
    }
}

/// `once`, `twice`, `4,310 times`.
pub(super) fn times(number: u64) -> String {
    match number {
        0 => "not at all".to_owned(),
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        many => format!("{} times", grouped(many)),
    }
}

/// `4310` as `4,310`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `22 Nov 2026, 10:15 UTC`.
pub(super) fn exact(at: Timestamp) -> String {
    written(at, "%-d %b %Y, %H:%M UTC")
}

/// `22 Nov 2026`, in UTC.
pub(super) fn day(at: Timestamp) -> String {
    written(at, "%-d %b %Y")
}

/// `2026-11-22`, in UTC, as a date field has it.
pub(super) fn date_field(at: Timestamp) -> String {
    written(at, "%Y-%m-%d")
}

fn written(at: Timestamp, format: &str) -> String {
    jiff::Timestamp::from_microsecond(at.micros())
        .map_or_else(|_| at.to_string(), |at| at.strftime(format).to_string())
}

/// Up to two letters that stand for a name.
pub(super) fn initials(name: &str) -> String {
    let mut words = name
        .split_whitespace()
        .filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let first = words.next();
    let last = words.next_back();
    first
        .into_iter()
        .chain(last)
        .flat_map(char::to_uppercase)
        .collect()
}

/// What a `User-Agent` says in words: `Firefox on Linux`. Programs are named as they name themselves.
pub(super) fn device(agent: &str) -> String {
    let named = |table: &[(&str, &'static str)]| {
        table
            .iter()
            .find(|(mark, _)| agent.contains(mark))
            .map(|(_, name)| *name)
    };
    let browser = named(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("CriOS/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = named(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) => agent
            .split_whitespace()
            .next()
            .unwrap_or("an unnamed program")
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-22T10:15:00Z").unwrap()
    }

    #[test]
    fn what_is_past() {
        let cases = [
            (-100, "just now"),
            (0, "just now"),
            (4, "just now"),
            (5, "5 seconds ago"),
            (59, "59 seconds ago"),
            (60, "1 minute ago"),
            (119, "1 minute ago"),
            (3_599, "59 minutes ago"),
            (3_600, "1 hour ago"),
            (86_399, "23 hours ago"),
            (86_400, "1 day ago"),
            (94 * 86_400, "94 days ago"),
            (729 * 86_400, "729 days ago"),
            (730 * 86_400, "2 years ago"),
        ];
        for (seconds, said) in cases {
            assert_eq!(ago(now().plus_seconds(-seconds), now()), said, "{seconds}");
        }
        assert_eq!(ago(Timestamp::MIN, now()), "2,027 years ago");
    }

    #[test]
    fn what_is_to_come() {
        let cases = [
            (0, "in less than a minute"),
            (59, "in less than a minute"),
            (60, "in 1 minute"),
            (3_569, "in 59 minutes"),
            (3_570, "in 1 hour"),
            (5 * 3_600 + 60, "in 5 hours"),
            (47 * 3_600, "in 47 hours"),
            (48 * 3_600, "in 2 days"),
            (30 * 86_400 - 1, "in 30 days"),
            (30 * 86_400, "in 30 days"),
            (90 * 86_400 - 7_200, "in 90 days"),
            (4 * 86_400 + 43_199, "in 4 days"),
            (10 * 365 * 86_400, "in 10 years"),
        ];
        for (seconds, said) in cases {
            assert_eq!(until(now().plus_seconds(seconds), now()), said, "{seconds}");
        }
    }

    #[test]
    fn exact_moments_are_in_utc_and_say_so() {
        assert_eq!(exact(now()), "22 Nov 2026, 10:15 UTC");
        assert_eq!(
            day(Timestamp::parse("2026-01-02T00:30:00+01:00").unwrap()),
            "1 Jan 2026"
        );
        assert_eq!(
            date_field(Timestamp::parse("0031-02-03T00:00:00Z").unwrap()),
            "0031-02-03"
        );
        assert_eq!(
            exact(Timestamp::MAX),
            "9999-12-31T23:59:59Z",
            "the calendar ends a day before; what comes after is still said"
        );
    }

    #[test]
    fn numbers() {
        assert_eq!(
            [0, 7, 999, 1_000, 4_310, 1_234_567].map(grouped),
            ["0", "7", "999", "1,000", "4,310", "1,234,567"]
        );
        assert_eq!(
            [0, 1, 2, 4_310].map(times),
            ["not at all", "once", "twice", "4,310 times"]
        );
    }

    #[test]
    fn waits_are_never_said_too_short() {
        assert_eq!(
            [0, 1, 119, 120, 121, 901].map(span),
            [
                "1 second",
                "1 second",
                "119 seconds",
                "2 minutes",
                "3 minutes",
                "16 minutes"
            ]
        );
    }

    #[test]
    fn spans_are_said_as_they_were_chosen() {
        assert_eq!(
            [86_400, 3 * 86_400, 12 * 3_600, 5_400].map(lasting),
            ["1 day", "3 days", "12 hours", "90 minutes"]
        );
    }

    #[test]
    fn names_and_programs() {
        assert_eq!(
            [
                "Ada Lovelace",
                "ada",
                "Ada King Lovelace",
                "  ",
                "(x) y",
                "日本 太郎"
            ]
            .map(initials),
            ["AL", "A", "AL", "", "XY", "日太"]
        );
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0";
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";
        assert_eq!(
            [firefox, edge, phone, "curl/8.9", ""].map(device),
            [
                "Firefox on Linux",
                "Edge on Windows",
                "Safari on iPhone",
                "curl/8.9",
                "an unnamed program"
            ]
        );
    }
}
