//! Time, chance and statistics.

use hallpass_domain::Entropy;
use std::{cell::Cell, fmt, time::Instant};

/// Resamples for an interval.
const RESAMPLES: usize = 2_000;

/// Nanoseconds that `work` takes for each of `count` things.
pub fn nanoseconds(count: usize, work: impl FnOnce()) -> f64 {
    let start = clock();
    work();
    start.elapsed().as_nanos() as f64 / count as f64
}

#[expect(
    clippy::disallowed_methods,
    reason = "measuring time is what a benchmark is for"
)]
pub fn clock() -> Instant {
    Instant::now()
}

/// Numbers that look random and are the same in every run (SplitMix64).
#[derive(Debug)]
pub struct Chance(Cell<u64>);

impl Chance {
    pub const fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    pub fn next(&self) -> u64 {
        self.0.set(self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
        let number = self.0.get();
        let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    pub fn below(&self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }
}

impl Entropy for Chance {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}

/// A median with its bootstrapped 95 % interval.
#[derive(Clone, Copy, Debug)]
pub struct Median {
    pub value: f64,
    low: f64,
    high: f64,
}

impl Median {
    /// The median of at least one number.
    pub fn of(numbers: &[f64]) -> Self {
        let chance = Chance::new(1);
        let mut medians: Vec<f64> = (0..RESAMPLES)
            .map(|_| {
                median(
                    numbers
                        .iter()
                        .map(|_| numbers[chance.below(numbers.len())])
                        .collect(),
                )
            })
            .collect();
        medians.sort_unstable_by(f64::total_cmp);
        Self {
            value: median(numbers.to_vec()),
            low: medians[RESAMPLES / 40],
            high: medians[RESAMPLES - 1 - RESAMPLES / 40],
        }
    }
}

impl fmt::Display for Median {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = if self.value < 20.0 { 2 } else { 0 };
        write!(
            f,
            "{:.places$} [{:.places$}–{:.places$}]",
            self.value, self.low, self.high
        )
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    let half = numbers.len() / 2;
    if numbers.len() % 2 == 1 {
        numbers[half]
    } else {
        f64::midpoint(numbers[half - 1], numbers[half])
    }
}
