//! One price request from its head to its end, however it ends.

use std::sync::Arc;

use super::Ledger;
use crate::FaultKind;

/// What the client got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// The price of the catalogue.
    Price,
    /// 304.
    NotModified,
    /// There is no such pair.
    Unknown,
    /// A fault.
    Spoiled,
}

/// Counts the end of a request when it is dropped: with the last byte of the answer, or with the connection.
#[derive(Debug)]
pub(crate) struct Ticket {
    ledger: Arc<Ledger>,
    number: u64,
    market: Arc<str>,
    product: Box<str>,
    attempt: u32,
    fault: Option<FaultKind>,
    intended: Delivery,
    complete: bool,
}

impl Ticket {
    pub(super) fn new(
        ledger: Arc<Ledger>,
        number: u64,
        market: Arc<str>,
        product: &str,
        attempt: u32,
    ) -> Self {
        let product = product.into();
        Self {
            ledger,
            number,
            market,
            product,
            attempt,
            fault: None,
            intended: Delivery::Spoiled,
            complete: false,
        }
    }

    /// Which attempt of its pair this is, from 1.
    pub(crate) fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The fault this request meets.
    pub(crate) fn meets(&mut self, kind: FaultKind) {
        self.fault = Some(kind);
    }

    /// What the client has when it has read the whole answer.
    pub(crate) fn intends(&mut self, delivery: Delivery) {
        self.intended = delivery;
    }

    /// The answer has been handed over to its last byte, or to the byte where it is meant to break.
    pub(crate) fn completes(&mut self) {
        self.complete = true;
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn market(&self) -> &str {
        &self.market
    }

    pub(super) fn product(&self) -> &str {
        &self.product
    }

    pub(super) fn fault(&self) -> Option<FaultKind> {
        self.fault
    }

    /// What the client got; `None` when it did not wait for the end.
    pub(super) fn delivery(&self) -> Option<Delivery> {
        self.complete.then_some(self.intended)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let ledger = Arc::clone(&self.ledger);
        ledger.end(self);
    }
}
