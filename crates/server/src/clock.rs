//! The one place that reads the wall clock. Everything else is handed a [`Timestamp`].

use hallpass_domain::time::{MICROS_PER_SECOND, Timestamp};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};

/// Where the time comes from. Clones show the same time.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system's.
    Wall,
    /// One that stands still until it is told otherwise, in microseconds since 1970: for tests.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that shows `at` and stands still.
    pub fn fixed(at: Timestamp) -> Self {
        Self::Fixed(Arc::new(AtomicI64::new(at.micros())))
    }

    /// The time it shows.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Wall => wall(),
            Self::Fixed(micros) => Timestamp::from_micros(micros.load(Ordering::SeqCst)),
        }
    }

    /// Moves a fixed clock forward (or back, when negative); the wall cannot be moved.
    pub fn advance_seconds(&self, seconds: i64) {
        if let Self::Fixed(micros) = self {
            micros.fetch_add(seconds.saturating_mul(MICROS_PER_SECOND), Ordering::SeqCst);
        }
    }

    /// Makes a fixed clock show `at`; the wall cannot be set.
    pub fn set(&self, at: Timestamp) {
        if let Self::Fixed(micros) = self {
            micros.store(at.micros(), Ordering::SeqCst);
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the wall"
)]
fn wall() -> Timestamp {
    let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => Timestamp::from_micros(micros(since)),
        // A machine without a battery can wake up before 1970.
        Err(before) => Timestamp::from_micros(-micros(before.duration())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_when_told_and_with_all_its_clones() {
        let start = Timestamp::parse("2026-11-22T10:15:00Z").unwrap();
        let clock = Clock::fixed(start);
        let other = clock.clone();
        assert_eq!(other.now(), start);
        clock.advance_seconds(90);
        assert_eq!(other.now().to_string(), "2026-11-22T10:16:30Z");
        other.advance_seconds(-90);
        assert_eq!(clock.now(), start);
        other.set(Timestamp::MAX);
        assert_eq!(clock.now(), Timestamp::MAX);
    }

    #[test]
    fn the_wall_shows_this_century_and_cannot_be_moved() {
        let before = Clock::Wall.now();
        assert!(before > Timestamp::parse("2026-01-01T00:00:00Z").unwrap());
        Clock::Wall.set(Timestamp::MIN);
        Clock::Wall.advance_seconds(1_000_000);
        let after = Clock::Wall.now();
        assert!(after >= before && after.seconds_since(before) < 1_000);
    }
}
