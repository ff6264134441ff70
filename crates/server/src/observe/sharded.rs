//! Numbers that several threads add to without waiting for each other: each thread has its own part of the number,
//! and whoever reads adds the parts up.

use hallpass_engine::uses::thread_number;
use prometheus_client::metrics::counter::{Atomic, Counter};
use std::sync::atomic::{AtomicU64, Ordering};

/// Parts of a number. More threads share them.
const SHARDS: usize = 8;

/// A counter in parts.
pub(super) type Count = Counter<u64, Sharded>;

/// Something once for each part, two cache lines apart: processors fetch lines in pairs.
#[derive(Debug, Default)]
pub(super) struct Shards<T>([Apart<T>; SHARDS]);

#[derive(Debug, Default)]
#[repr(align(128))]
struct Apart<T>(T);

impl<T> Shards<T> {
    /// The part of this thread.
    pub(super) fn own(&self) -> &T {
        &self.0[thread_number() % SHARDS].0
    }

    /// All parts.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|Apart(part)| part)
    }
}

/// A number in parts.
#[derive(Debug, Default)]
pub(super) struct Sharded(Shards<AtomicU64>);

impl Atomic<u64> for Sharded {
    fn inc(&self) -> u64 {
        self.inc_by(1)
    }

    /// What it returns is the part's: nobody here asks.
    fn inc_by(&self, by: u64) -> u64 {
        self.0.own().fetch_add(by, Ordering::Relaxed)
    }

    fn get(&self) -> u64 {
        self.0.iter().map(|part| part.load(Ordering::Relaxed)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_threads_add_is_read_as_one_number() {
        let count = Count::default();
        std::thread::scope(|threads| {
            for _ in 0..2 * SHARDS {
                threads.spawn(|| {
                    for _ in 0..1_000 {
                        count.inc();
                    }
                });
            }
        });
        assert_eq!(count.get(), 2_000 * SHARDS as u64);
    }
}
