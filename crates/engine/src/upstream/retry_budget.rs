//! What retries may cost a run as a whole: a token bucket that successes fill and retries empty, so that
//! an upstream in trouble is never asked much more often than a healthy one.

use std::sync::{Mutex, PoisonError};

use crate::RetryOptions;

/// One retry, in the bucket's unit.
const RETRY: u64 = 100;

/// Unused retries are kept up to so many, or up to the start balance where that is larger: what a long
/// healthy time may cost an upstream at the beginning of its trouble.
const RETRIES_SAVED_MAX: u64 = 100;

/// The retries that a run can still pay for. Shared by all its markets.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    start: u64,
    max: u64,
    success_earns: u64,
    balance: Mutex<u64>,
}

impl RetryBudget {
    pub(crate) fn new(options: &RetryOptions) -> Self {
        let start = u64::from(options.budget_start) * RETRY;
        Self {
            start,
            max: start.max(RETRIES_SAVED_MAX * RETRY),
            success_earns: u64::from(options.budget_percent),
            balance: Mutex::new(start),
        }
    }

    /// A new run begins.
    pub(crate) fn reset(&self) {
        self.change(|balance| *balance = self.start);
    }

    /// A product came.
    pub(crate) fn earn(&self) {
        self.change(|balance| *balance = (*balance + self.success_earns).min(self.max));
    }

    /// Whether one more retry can be paid for; if so, it is.
    pub(crate) fn spend(&self) -> bool {
        self.change(|balance| match balance.checked_sub(RETRY) {
            Some(rest) => {
                *balance = rest;
                true
            }
            None => false,
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut u64) -> T) -> T {
        change(&mut self.balance.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(budget_start: u32, budget_percent: u32) -> RetryBudget {
        RetryBudget::new(&RetryOptions { budget_start, budget_percent, ..RetryOptions::default() })
    }

    #[test]
    fn successes_pay_for_their_share_of_retries_and_a_new_run_begins_anew() {
        let budget = budget(2, 10);
        assert_eq!([(); 3].map(|()| budget.spend()), [true, true, false]);
        (0..9).for_each(|_| budget.earn());
        assert!(!budget.spend());
        budget.earn();
        assert_eq!([(); 2].map(|()| budget.spend()), [true, false]);
        budget.reset();
        assert_eq!([(); 3].map(|()| budget.spend()), [true, true, false]);
    }

    #[test]
    fn what_is_saved_is_bounded() {
        let budget = budget(0, 10);
        (0..1_000_000).for_each(|_| budget.earn());
        assert_eq!((0..10_000).filter(|_| budget.spend()).count(), 100);
    }
}
