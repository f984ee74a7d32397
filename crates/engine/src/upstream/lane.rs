//! What is known of one market at the upstream: its waits, its circuit, and the product that is being fetched.

use std::time::Instant;

use crate::upstream::attribution::{InARow, Suspect};
use crate::upstream::circuit::OpenCircuit;
use crate::upstream::latency::Latency;
use crate::upstream::retry::Tries;
use crate::upstream::slots::Slots;
use crate::upstream::wait::{NotBefore, WaitReason};

/// A reserved moment at which one request may be sent.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) at: Instant,
    /// Why it is not earlier.
    pub(super) reason: WaitReason,
    pub(super) generation: u64,
}

/// The state of one market. It has one request in flight at most.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// The rate limiter of the market.
    pub(super) slots: Slots,
    pub(super) latency: Latency,
    /// No request before this, since the last answer.
    pub(super) not_before: Option<NotBefore>,
    /// No retry of the present request before this.
    pub(super) backoff: Option<NotBefore>,
    /// The place in the order of all markets that its next request has.
    pub(super) slot: Option<Slot>,
    /// What the present product or list page has cost.
    pub(super) tries: Tries,
    /// Suspect failures since the last healthy answer.
    pub(super) in_a_row: InARow,
    /// What the last failed product says that is held back.
    pub(super) held: Option<Suspect>,
    /// Whether the market was deferred in this walk, which happens once.
    pub(super) was_deferred: bool,
    /// The circuit, where it is not closed.
    pub(super) open: Option<OpenCircuit>,
}

impl Lane {
    /// Starts a walk of the market: nothing is held back, no request is under way.
    pub(super) fn enter(&mut self) {
        (self.in_a_row, self.held) = (InARow::default(), None);
        self.settle();
    }

    /// Closes the circuit.
    pub(super) fn close(&mut self) {
        (self.in_a_row, self.held, self.open) = (InARow::default(), None, None);
    }

    /// Ends the present request with its retries.
    pub(super) fn settle(&mut self) {
        (self.tries, self.backoff) = (Tries::default(), None);
    }

    /// Returns what the market has to wait for by itself, if anything.
    pub(super) fn wait(&self, now: Instant) -> Option<NotBefore> {
        let waits = [self.not_before, self.backoff].into_iter().flatten();
        waits.max_by_key(|(until, _)| *until).filter(|(until, _)| *until > now)
    }
}
