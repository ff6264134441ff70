//! A histogram that is counted without a lock: one addition for the bucket and one for the sum.

use super::sharded::Shards;
use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::MetricType,
};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Upper bounds of the buckets, in microseconds: from a verification in memory to the longest request.
const BOUNDS_MICROS: [u64; 14] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 250_000, 1_000_000, 5_000_000,
    30_000_000,
];
const MICROS_PER_SECOND: f64 = 1_000_000.0;

/// Durations, counted by buckets.
#[derive(Clone, Debug, Default)]
pub(super) struct Histogram(Arc<Shards<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    /// One for each bound, and one for what is longer.
    buckets: [AtomicU64; BOUNDS_MICROS.len() + 1],
    sum_micros: AtomicU64,
}

impl Histogram {
    pub(super) fn observe(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_MICROS.partition_point(|bound| *bound < micros);
        let counts = self.0.own();
        counts.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        counts.sum_micros.fetch_add(micros, Ordering::Relaxed);
    }
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / MICROS_PER_SECOND
}

impl EncodeMetric for Histogram {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let bounds = BOUNDS_MICROS
            .into_iter()
            .map(seconds)
            .chain([f64::INFINITY]);
        let sum = |number: &dyn Fn(&Counts) -> &AtomicU64| -> u64 {
            let parts = self.0.iter().map(number);
            parts.map(|part| part.load(Ordering::Relaxed)).sum()
        };
        let counts = (0..=BOUNDS_MICROS.len()).map(|bucket| sum(&|counts| &counts.buckets[bucket]));
        let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let micros = sum(&|counts| &counts.sum_micros);
        encoder.encode_histogram::<NoLabelSet>(seconds(micros), count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

impl prometheus_client::metrics::TypedMetric for Histogram {
    const TYPE: MetricType = MetricType::Histogram;
}
