//! Decides whether and when a failed request is sent again: bounded attempts by class, exponential backoff with full
//! jitter, `Retry-After` honoured up to a limit.

use std::time::{Duration, Instant};

use price_cache_domain::{FailureClass, Fault};

use crate::RetryOptions;
use crate::upstream::wait::WaitReason;

/// Counts the failed requests for one product or list page since it was first asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tries {
    /// Failed requests other than rate-limited ones.
    failed: u32,
    /// Rate-limited requests.
    limited: u32,
    /// When the first of these failed.
    limited_since: Option<Instant>,
}

impl Tries {
    /// Counts one more failed request.
    pub(super) fn add(&mut self, fault: &Fault, now: Instant) {
        if fault.failure.class() == FailureClass::RateLimited {
            self.limited = self.limited.saturating_add(1);
            self.limited_since.get_or_insert(now);
        } else {
            self.failed = self.failed.saturating_add(1);
        }
    }
}

/// Decides what follows a failed request.
#[derive(Clone, Debug)]
pub(super) struct RetryPolicy {
    options: RetryOptions,
}

impl RetryPolicy {
    pub(super) const fn new(options: RetryOptions) -> Self {
        Self { options }
    }

    /// Returns how long to wait before the next request after `tries`, the last of which failed at `now` with `fault`;
    /// `None` when there is to be none. `jitter` is a fraction from 0 to 1.
    ///
    /// Full jitter: the wait is uniform between zero and the exponential bound, which spreads clients
    /// best (Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015).
    pub(super) fn wait_after(
        &self,
        fault: &Fault,
        tries: Tries,
        now: Instant,
        jitter: f64,
    ) -> Option<(Duration, WaitReason)> {
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
        // A wait that would end too late is not begun.
        let limited_for =
            tries.limited_since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        let is_late = limited_for.saturating_add(wait) > self.options.rate_limited_max;
        (!is_limited || !is_late).then_some((wait, reason))
    }

    /// Returns the wait after `in_a_row` failures of one kind.
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
            let is_repeated =
                |failed| policy().wait_after(&fault, failures(failed), Instant::now(), 0.5).is_some();
            assert_eq!(is_repeated(1), class.may_pass());
            assert_eq!(is_repeated(3), class == FailureClass::RateLimited);
        }
    }

    #[test]
    fn being_asked_to_come_later_is_bounded_in_time_only() {
        let fault = Fault::new(FailureClass::RateLimited, "status 429");
        let since = Instant::now();
        let tries = Tries { failed: 2, limited: 1_000, limited_since: Some(since) };
        let wait = |seconds| {
            let now = since + Duration::from_secs(seconds);
            policy().wait_after(&fault, tries, now, 1.0).map(|(wait, _)| wait.as_secs())
        };
        assert_eq!([0, 270, 271, 300].map(wait), [Some(30), Some(30), None, None]);
    }

    #[test]
    fn the_bound_doubles_up_to_its_maximum() {
        let options = RetryOptions { attempts_max: std::num::NonZeroU32::MAX, ..RetryOptions::default() };
        let policy = RetryPolicy::new(options);
        let fault = Fault::new(FailureClass::Timeout, "no answer");
        let wait_ms = |attempts| {
            policy
                .wait_after(&fault, failures(attempts), Instant::now(), 1.0)
                .map(|(wait, _)| wait.as_millis())
        };
        assert_eq!(
            [1, 2, 3, 7, 8, 1_000].map(wait_ms),
            [500, 1_000, 2_000, 30_000, 30_000, 30_000].map(Some)
        );
        assert_eq!(
            policy.wait_after(&fault, failures(5), Instant::now(), 0.0).map(|(wait, _)| wait),
            Some(Duration::ZERO)
        );
    }

    #[test]
    fn retry_after_is_honoured_up_to_the_cap_and_zero_falls_through() {
        let with = |seconds| Fault {
            retry_after: Some(Duration::from_secs(seconds)),
            ..Fault::new(FailureClass::RateLimited, "status 429")
        };
        let wait = |seconds| policy().wait_after(&with(seconds), failures(1), Instant::now(), 1.0);
        assert_eq!(wait(7), Some((Duration::from_secs(7), WaitReason::RetryAfter)));
        assert_eq!(wait(1_000_000_000), Some((Duration::from_secs(60), WaitReason::RetryAfter)));
        assert_eq!(
            wait(0),
            Some((Duration::from_millis(500), WaitReason::Backoff(FailureClass::RateLimited)))
        );
    }
}
