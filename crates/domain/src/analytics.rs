//! Totals over the markets of a run: a sum of [`Progress`].

use std::iter::Sum;
use std::time::Duration;

use crate::Progress;
use crate::progress::{mean_ms, percent};

/// Totals over markets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Analytics {
    /// Products in the plan.
    pub total: u64,
    /// Products with a price from this run.
    pub successful: u64,
    /// Products recorded as failed.
    pub failed: u64,
    /// Requests made, retries included; at least `successful + failed`.
    pub requests: u64,
    /// The duration of all requests together.
    pub busy: Duration,
}

impl Analytics {
    /// Products with an outcome, `successful + failed`.
    pub const fn completed(&self) -> u64 {
        self.successful + self.failed
    }

    /// Successful of completed products in percent, 0 to 100; 0 when none is completed.
    pub fn success_rate(&self) -> f64 {
        percent(self.successful, self.completed())
    }

    /// Completed of all products in percent, 0 to 100; 0 when there are no products.
    pub fn completed_percent(&self) -> f64 {
        percent(self.completed(), self.total)
    }

    /// The mean duration of a request in milliseconds; 0 before the first.
    pub fn avg_time_per_request_ms(&self) -> f64 {
        mean_ms(self.busy, self.requests)
    }

    /// The totals with one more market.
    #[must_use]
    pub fn plus(self, market: &Progress) -> Self {
        Self {
            total: self.total + market.total(),
            successful: self.successful + market.successful(),
            failed: self.failed + market.failed(),
            requests: self.requests + market.requests(),
            busy: self.busy.saturating_add(market.busy()),
        }
    }
}

impl<'a> Sum<&'a Progress> for Analytics {
    fn sum<I: Iterator<Item = &'a Progress>>(markets: I) -> Self {
        markets.fold(Self::default(), Self::plus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_the_sum_of_the_markets() {
        let markets = [Progress::new(3), Progress::new(0), Progress::new(5)];
        let analytics: Analytics = markets.iter().sum();
        assert_eq!((analytics.total, analytics.completed(), analytics.success_rate()), (8, 0, 0.0));
    }
}
