//! How many durations were how long.

use std::time::Duration;

use super::text::Page;

/// Upper bounds of the buckets, in seconds: from a cache around the corner to an upstream that struggles.
const BOUNDS: [f64; 11] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Durations by bucket.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Histogram {
    /// Of each bucket alone; the last one has no upper bound.
    counts: [u64; BOUNDS.len() + 1],
    sum: Duration,
}

impl Histogram {
    pub(super) fn observe(&mut self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let bucket = BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(BOUNDS.len());
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
        self.sum = self.sum.saturating_add(duration);
    }

    /// Its samples, which count everything up to each bound.
    pub(super) fn write(&self, page: &mut Page, name: &str, market: &str) {
        let bucket = format!("{name}_bucket");
        let mut below = 0;
        for (index, count) in self.counts.iter().enumerate() {
            below += count;
            let bound = BOUNDS.get(index).map_or_else(|| "+Inf".to_owned(), ToString::to_string);
            page.sample(&bucket, &[("market", market), ("le", &bound)], below as f64);
        }
        page.sample(&format!("{name}_sum"), &[("market", market)], self.sum.as_secs_f64());
        page.sample(&format!("{name}_count"), &[("market", market)], below as f64);
    }
}
