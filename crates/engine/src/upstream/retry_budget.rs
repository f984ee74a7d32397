//! The retry budget: a token bucket that successes fill and retries empty, so that an upstream in trouble is never
//! asked much more often than a healthy one.

use crate::RetryOptions;

/// The price of one retry, so that a success can pay for a hundredth of it.
const RETRY: u64 = 100;

/// Retries that can be saved up, unless the budget starts with more: the load that a long healthy time may add at the
/// beginning of an outage.
const RETRIES_SAVED_MAX: u64 = 100;

/// Holds the retries that a run can still pay for, all markets together.
#[derive(Debug)]
pub(super) struct RetryBudget {
    start: u64,
    max: u64,
    success_earns: u64,
    balance: u64,
}

impl RetryBudget {
    pub(super) fn new(options: &RetryOptions) -> Self {
        let start = u64::from(options.budget_start) * RETRY;
        Self {
            start,
            max: start.max(RETRIES_SAVED_MAX * RETRY),
            success_earns: u64::from(options.budget_percent),
            balance: start,
        }
    }

    /// Starts over for a new run.
    pub(super) const fn reset(&mut self) {
        self.balance = self.start;
    }

    /// Adds what one success earns.
    pub(super) fn earn(&mut self) {
        self.balance = (self.balance + self.success_earns).min(self.max);
    }

    /// Pays for one retry; false where the balance is too low.
    pub(super) fn spend(&mut self) -> bool {
        let rest = self.balance.checked_sub(RETRY);
        self.balance = rest.unwrap_or(self.balance);
        rest.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(budget_start: u32, budget_percent: u32) -> RetryBudget {
        RetryBudget::new(&RetryOptions { budget_start, budget_percent, ..RetryOptions::default() })
    }

    #[test]
    fn successes_pay_for_their_share_of_retries_and_a_new_run_starts_over() {
        let mut budget = budget(2, 10);
        assert_eq!([(); 3].map(|()| budget.spend()), [true, true, false]);
        (0..9).for_each(|_| budget.earn());
        assert!(!budget.spend());
        budget.earn();
        assert_eq!([(); 2].map(|()| budget.spend()), [true, false]);
        budget.reset();
        assert_eq!([(); 3].map(|()| budget.spend()), [true, true, false]);
    }

    #[test]
    fn saved_retries_are_bounded() {
        let mut budget = budget(0, 10);
        (0..1_000_000).for_each(|_| budget.earn());
        assert_eq!((0..10_000).filter(|_| budget.spend()).count(), 100);
    }
}
