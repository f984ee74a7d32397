//! Whether and when a failed request is repeated: bounded attempts by class, exponential backoff with
//! full jitter, `Retry-After` honoured up to a cap.

use std::time::Duration;

use price_cache_domain::{FailureClass, Fault};

use crate::RetryOptions;
use crate::snapshot::WaitReason;

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

    /// Whether another try can help against failures of this class.
    pub const fn is_retryable(class: FailureClass) -> bool {
        match class {
            FailureClass::Transport
            | FailureClass::Timeout
            | FailureClass::ServerError
            | FailureClass::RateLimited
            | FailureClass::InvalidAnswer => true,
            FailureClass::NotFound
            | FailureClass::Rejected
            | FailureClass::Credentials
            | FailureClass::Cancelled => false,
        }
    }

    /// How long to wait before the next request after `attempts_made` of them failed, the last with
    /// `fault`; `None` when there is to be none. `jitter` is a fraction from 0 to 1.
    ///
    /// Full jitter: the wait is uniform between zero and the exponential bound, which spreads clients
    /// best (Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015).
    pub fn wait_after(
        &self,
        fault: &Fault,
        attempts_made: u32,
        jitter: f64,
    ) -> Option<(Duration, WaitReason)> {
        if attempts_made >= self.options.attempts_max.get() || !Self::is_retryable(fault.failure.class()) {
            return None;
        }
        if let Some(asked) = fault.retry_after.filter(|asked| !asked.is_zero()) {
            return Some((asked.min(self.options.retry_after_max), WaitReason::RetryAfter));
        }
        let doublings = attempts_made.saturating_sub(1).min(31);
        let bound = self.options.backoff_start.saturating_mul(1 << doublings).min(self.options.backoff_max);
        Some((bound.mul_f64(jitter.clamp(0.0, 1.0)), WaitReason::Backoff(fault.failure.class())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> RetryPolicy {
        RetryPolicy::new(RetryOptions::default())
    }

    #[test]
    fn attempts_are_bounded_and_some_classes_are_not_repeated() {
        for class in FailureClass::ALL {
            let fault = Fault::new(class, "failed");
            assert_eq!(policy().wait_after(&fault, 1, 0.5).is_some(), RetryPolicy::is_retryable(class));
            assert_eq!(policy().wait_after(&fault, 3, 0.5), None);
        }
    }

    #[test]
    fn the_bound_doubles_up_to_its_maximum() {
        let options = RetryOptions { attempts_max: std::num::NonZeroU32::MAX, ..RetryOptions::default() };
        let policy = RetryPolicy::new(options);
        let fault = Fault::new(FailureClass::Timeout, "no answer");
        let wait_ms = |attempts| policy.wait_after(&fault, attempts, 1.0).map(|(wait, _)| wait.as_millis());
        assert_eq!(
            [1, 2, 3, 7, 8, 1_000].map(wait_ms),
            [500, 1_000, 2_000, 30_000, 30_000, 30_000].map(Some)
        );
        assert_eq!(policy.wait_after(&fault, 5, 0.0).map(|(wait, _)| wait), Some(Duration::ZERO));
    }

    #[test]
    fn retry_after_is_honoured_up_to_the_cap_and_zero_falls_through() {
        let with = |seconds| Fault {
            retry_after: Some(Duration::from_secs(seconds)),
            ..Fault::new(FailureClass::RateLimited, "status 429")
        };
        let wait = |seconds| policy().wait_after(&with(seconds), 1, 1.0);
        assert_eq!(wait(7), Some((Duration::from_secs(7), WaitReason::RetryAfter)));
        assert_eq!(wait(1_000_000_000), Some((Duration::from_secs(60), WaitReason::RetryAfter)));
        assert_eq!(
            wait(0),
            Some((Duration::from_millis(500), WaitReason::Backoff(FailureClass::RateLimited)))
        );
    }
}
