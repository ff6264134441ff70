//! Moments. One type, microseconds since 1970, UTC; parsed and printed as RFC 3339.

use jiff::{SignedDuration, civil::DateTime, fmt::temporal::DateTimePrinter};
use std::fmt;

/// Microseconds in a second.
pub const MICROS_PER_SECOND: i64 = 1_000_000;
/// Seconds in a day.
pub const SECONDS_PER_DAY: i64 = 86_400;
/// Seconds in an hour.
pub const SECONDS_PER_HOUR: i64 = 3_600;

/// A moment: microseconds since 1970-01-01T00:00:00Z, from the year 1 to the end of 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Not an RFC 3339 date-time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 date-time such as 2027-01-31T12:00:00Z")]
pub struct MalformedTimestamp;

impl Timestamp {
    /// 0001-01-01T00:00:00Z.
    pub const MIN: Self = Self(-62_135_596_800_000_000);
    /// 9999-12-31T23:59:59Z, the last second RFC 3339 can write.
    pub const MAX: Self = Self(253_402_300_799_000_000);

    /// The moment `micros` microseconds after 1970, held inside [`Self::MIN`] and [`Self::MAX`].
    pub const fn from_micros(micros: i64) -> Self {
        if micros < Self::MIN.0 {
            Self::MIN
        } else if micros > Self::MAX.0 {
            Self::MAX
        } else {
            Self(micros)
        }
    }

    /// Microseconds since 1970.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }

    /// Milliseconds since 1970, rounded down; what a version 7 UUID carries (RFC 9562 section 5.7).
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// The moment `seconds` later (or earlier, when negative).
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_micros(
            self.0
                .saturating_add(seconds.saturating_mul(MICROS_PER_SECOND)),
        )
    }

    /// The moment `days` days of 24 hours later (or earlier, when negative).
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        self.plus_seconds(days.saturating_mul(SECONDS_PER_DAY))
    }

    /// The next whole millisecond after this moment: ids tell moments no finer (RFC 9562 section 5.7).
    #[must_use]
    pub const fn next_millisecond(self) -> Self {
        Self::from_micros((self.millis() + 1).saturating_mul(1_000))
    }

    /// Seconds from `earlier` to here, rounded down; negative when `earlier` is later.
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        (self.0 - earlier.0).div_euclid(MICROS_PER_SECOND)
    }

    /// The first moment of the hour this one lies in.
    #[must_use]
    pub const fn start_of_hour(self) -> Self {
        let hour = SECONDS_PER_HOUR * MICROS_PER_SECOND;
        Self(self.0.div_euclid(hour) * hour)
    }

    /// Appends what [`Display`](fmt::Display) writes, for where that would be slow.
    pub fn append_to(self, text: &mut Vec<u8>) {
        let printed = EPOCH
            .checked_add(SignedDuration::from_micros(self.0))
            .and_then(|moment| PRINTER.print_datetime(&moment, &mut *text));
        // It does not fail: every moment of this type has a date.
        if printed.is_ok() {
            text.push(b'Z');
        }
    }

    /// Parses an RFC 3339 `date-time` (section 5.6): full date, `T`, full time, offset. Fractions beyond a
    /// microsecond are cut off.
    ///
    /// # Errors
    /// [`MalformedTimestamp`] for anything else, dates without a time or an offset among them.
    pub fn parse(text: &str) -> Result<Self, MalformedTimestamp> {
        if !has_date_time_shape(text.as_bytes()) {
            return Err(MalformedTimestamp);
        }
        let (local, offset) = split_offset(text).ok_or(MalformedTimestamp)?;
        let local: DateTime = local.parse().map_err(|_| MalformedTimestamp)?;
        let since = local.duration_since(EPOCH).as_micros();
        let micros =
            i64::try_from(since).map_err(|_| MalformedTimestamp)? - offset * MICROS_PER_SECOND;
        if !(Self::MIN.0..=Self::MAX.0).contains(&micros) {
            return Err(MalformedTimestamp);
        }
        Ok(Self(micros))
    }
}

/// Civil, since jiff's own moments end a day before RFC 3339's do, and `9999-12-31T23:59:59Z` is what many write
/// for "never".
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

const PRINTER: DateTimePrinter = DateTimePrinter::new();

/// The time before the offset, and the offset in seconds east of UTC. The text has the right shape.
fn split_offset(text: &str) -> Option<(&str, i64)> {
    if let Some(local) = text.strip_suffix(['Z', 'z']) {
        return Some((local, 0));
    }
    let (local, offset) = text.split_at_checked(text.len().checked_sub("+00:00".len())?)?;
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    (hours < 24 && minutes < 60)
        .then_some((local, sign * (hours * SECONDS_PER_HOUR + minutes * 60)))
}

/// The grammar of RFC 3339 section 5.6, without the ranges of its numbers: jiff knows those, but also
/// takes forms that RFC 3339 does not have.
fn has_date_time_shape(text: &[u8]) -> bool {
    const HEAD: &[u8] = b"0000-00-00T00:00:00";
    let fits = |shape: &[u8], bytes: &[u8]| {
        shape.len() == bytes.len()
            && shape.iter().zip(bytes).all(|(shape, byte)| match shape {
                b'0' => byte.is_ascii_digit(),
                b'T' => matches!(byte, b'T' | b't'),
                other => other == byte,
            })
    };
    let Some((head, mut rest)) = text.split_at_checked(HEAD.len()) else {
        return false;
    };
    if let [b'.', fraction @ ..] = rest {
        let digits = fraction
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if digits == 0 || digits > 9 {
            return false;
        }
        rest = &fraction[digits..];
    }
    let offset = match rest {
        b"Z" | b"z" => true,
        [b'+' | b'-', offset @ ..] => fits(b"00:00", offset),
        _ => false,
    };
    fits(HEAD, head) && offset
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with as many digits of a fraction as there are: `2026-11-22T10:15:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match EPOCH.checked_add(SignedDuration::from_micros(self.0)) {
            Ok(moment) => write!(f, "{moment}Z"),
            Err(_) => write!(f, "{} µs since 1970", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_rfc_3339_is_read() {
        for good in [
            "2027-01-31T12:00:00Z",
            "2027-01-31t12:00:00z",
            "2027-01-31T12:00:00.123456Z",
            "2027-01-31T12:00:00+01:00",
            "1985-04-12T23:20:50.52Z",
            "1990-12-31T23:59:60Z",
        ] {
            assert!(Timestamp::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "tomorrow",
            "2027-01-31",
            "2027-01-31T12:00:00",
            "2027-01-31 12:00:00Z",
            "2027-01-31T12:00Z",
            "2027-02-30T12:00:00Z",
            "2027-13-01T12:00:00Z",
            "2027-01-31T25:00:00Z",
            "2027-01-31T12:00:00.Z",
            "2027-01-31T12:00:00+0100",
            "2027-01-31T12:00:00Z[UTC]",
            "+002027-01-31T12:00:00Z",
            "-000001-01-31T12:00:00Z",
            "1893456000",
            "2027-01-31T12:00:00Ｚ",
            "2027-01-31T12:00:00+24:00",
            "2027-01-31T12:00:00-01:60",
            "9999-12-31T23:59:59-00:01",
            "0001-01-01T00:00:00+00:01",
        ] {
            assert_eq!(Timestamp::parse(bad), Err(MalformedTimestamp), "{bad}");
        }
    }

    #[test]
    fn an_offset_is_taken_off() {
        for (text, printed) in [
            ("2027-01-31T13:30:00.25+01:30", "2027-01-31T12:00:00.25Z"),
            ("2027-01-31T23:00:00-02:00", "2027-02-01T01:00:00Z"),
            ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            (
                "2027-01-31T12:00:00.123456789Z",
                "2027-01-31T12:00:00.123456Z",
            ),
        ] {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), printed);
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(micros in Timestamp::MIN.0..Timestamp::MAX.0) {
            let moment = Timestamp::from_micros(micros);
            prop_assert_eq!(Timestamp::parse(&moment.to_string()), Ok(moment));
        }
    }
}
