//! Whether and when a failed request is repeated: bounded attempts by class, exponential backoff with
//! full jitter, `Retry-After` honoured up to a cap.

use std::time::Duration;

use price_cache_domain::{FailureClass, Fault};
use tokio::time::Instant;

use crate::RetryOptions;
use crate::upstream::wait::WaitReason;

/// What one product has cost in its present visit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tries {
    /// Requests that failed, but for those the upstream asked to come later with.
    pub failed: u32,
    /// Requests that the upstream answered with "later".
    pub limited: u32,
    /// Since the first of these.
    pub limited_for: Duration,
}

impl Tries {
    /// With one more failed request. `limited_since` is set by the first that asks to come later.
    pub(crate) fn with(self, fault: &Fault, limited_since: &mut Option<Instant>) -> Self {
        if fault.failure.class() != FailureClass::RateLimited {
            return Self { failed: self.failed.saturating_add(1), ..self };
        }
        let limited_for = limited_since.get_or_insert_with(Instant::now).elapsed();
        Self { limited: self.limited.saturating_add(1), limited_for, ..self }
    }
}

/// Decides what follows a failed request.
#[derive(Clone, Debug)]
pub struct RetryPolicy {
    options: RetryOptions,
}

impl RetryPolicy {
    /// A policy with these settings.
    pub const fn new(options: RetryOptions) -> Self {
        Self { options }
    }

    /// How long to wait before the next request after `tries` failed, the last with `fault`; `None` when
    /// there is to be none. `jitter` is a fraction from 0 to 1.
    ///
    /// Full jitter: the wait is uniform between zero and the exponential bound, which spreads clients
    /// best (Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015).
    pub fn wait_after(&self, fault: &Fault, tries: Tries, jitter: f64) -> Option<(Duration, WaitReason)> {
        let class = fault.failure.class();
        if !class.may_pass() {
            return None;
        }
        let is_limited = class == FailureClass::RateLimited;
        if !is_limited && tries.failed >= self.options.attempts_max.get() {
            return None;
        }
        let in_a_row = if is_limited { tries.limited } else { tries.failed };
        let (wait, reason) = self.wait(fault, in_a_row, jitter);
        // Not begun when it could not be ended in time.
        let is_late = tries.limited_for.saturating_add(wait) > self.options.rate_limited_max;
        (!is_limited || !is_late).then_some((wait, reason))
    }

    /// The wait after `in_a_row` failures of one kind.
    fn wait(&self, fault: &Fault, in_a_row: u32, jitter: f64) -> (Duration, WaitReason) {
        if let Some(asked) = fault.retry_after.filter(|asked| !asked.is_zero()) {
            return (asked.min(self.options.retry_after_max), WaitReason::RetryAfter);
        }
        let doublings = in_a_row.saturating_sub(1).min(31);
        let bound = self.options.backoff_start.saturating_mul(1 << doublings).min(self.options.backoff_max);
        (bound.mul_f64(jitter.clamp(0.0, 1.0)), WaitReason::Backoff(fault.failure.class()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(failed: u32) -> Tries {
        Tries { failed, ..Tries::default() }
    }

    fn policy() -> RetryPolicy {
        RetryPolicy::new(RetryOptions::default())
    }

    #[test]
    fn attempts_are_bounded_and_some_classes_are_not_repeated() {
        for class in FailureClass::ALL {
            let fault = Fault::new(class, "failed");
            let is_repeated = |failed| policy().wait_after(&fault, failures(failed), 0.5).is_some();
            assert_eq!(is_repeated(1), class.may_pass());
            assert_eq!(is_repeated(3), class == FailureClass::RateLimited);
        }
    }

    #[test]
    fn being_asked_to_come_later_is_bounded_in_time_only() {
        let fault = Fault::new(FailureClass::RateLimited, "status 429");
        let tries = |seconds| Tries { failed: 2, limited: 1_000, limited_for: Duration::from_secs(seconds) };
        let wait = |seconds| policy().wait_after(&fault, tries(seconds), 1.0).map(|(wait, _)| wait.as_secs());
        assert_eq!([0, 270, 271, 300].map(wait), [Some(30), Some(30), None, None]);
    }

    #[test]
    fn the_bound_doubles_up_to_its_maximum() {
        let options = RetryOptions { attempts_max: std::num::NonZeroU32::MAX, ..RetryOptions::default() };
        let policy = RetryPolicy::new(options);
        let fault = Fault::new(FailureClass::Timeout, "no answer");
        let wait_ms =
            |attempts| policy.wait_after(&fault, failures(attempts), 1.0).map(|(wait, _)| wait.as_millis());
        assert_eq!(
            [1, 2, 3, 7, 8, 1_000].map(wait_ms),
            [500, 1_000, 2_000, 30_000, 30_000, 30_000].map(Some)
        );
        assert_eq!(policy.wait_after(&fault, failures(5), 0.0).map(|(wait, _)| wait), Some(Duration::ZERO));
    }

    #[test]
    fn retry_after_is_honoured_up_to_the_cap_and_zero_falls_through() {
        let with = |seconds| Fault {
            retry_after: Some(Duration::from_secs(seconds)),
            ..Fault::new(FailureClass::RateLimited, "status 429")
        };
        let wait = |seconds| policy().wait_after(&with(seconds), failures(1), 1.0);
        assert_eq!(wait(7), Some((Duration::from_secs(7), WaitReason::RetryAfter)));
        assert_eq!(wait(1_000_000_000), Some((Duration::from_secs(60), WaitReason::RetryAfter)));
        assert_eq!(
            wait(0),
            Some((Duration::from_millis(500), WaitReason::Backoff(FailureClass::RateLimited)))
        );
    }
}
