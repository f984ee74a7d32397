//! What workers are told to do and what they report to the task that owns the run.

use std::sync::Arc;
use std::time::Duration;

use price_cache_domain::{
    Entry, MarketId, MarketPlan, Outcome, Pass, Plan, ProductId, RunFailureClass, RunId, StoreError,
    Timestamp,
};

use crate::walk::activity::Activity;

/// Which markets to walk, by their indexes in the plan.
#[derive(Debug)]
pub(crate) struct Walk {
    pub(crate) run: RunId,
    pub(crate) pass: Pass,
    pub(crate) plan: Arc<Plan>,
    pub(crate) markets: Vec<usize>,
    /// Whether a person asked for it, so that parked markets are probed at once.
    pub(crate) probe_at_once: bool,
    /// Whether the upstream gave a price to the run before, and so took our credentials.
    pub(crate) were_accepted: bool,
}

/// A product whose record is durable.
#[derive(Debug)]
pub(crate) struct ProductDone {
    pub(crate) market: usize,
    pub(crate) product: ProductId,
    /// Its earlier outcome in the same run, when it was retried.
    pub(crate) replaced: Option<Outcome>,
    pub(crate) entry: Entry,
    /// Since the completion before in this market.
    pub(crate) took: Duration,
}

/// Why a session cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionFailure {
    pub(crate) class: RunFailureClass,
    pub(crate) message: String,
    /// Whether trying again later can help.
    pub(crate) retryable: bool,
}

impl SessionFailure {
    /// Returns the failure after a panic.
    pub(crate) fn panicked() -> Self {
        let message = "internal error: a worker panicked (see the log); start resumes the run".to_owned();
        Self { class: RunFailureClass::Internal, message, retryable: true }
    }
}

impl From<StoreError> for SessionFailure {
    fn from(error: StoreError) -> Self {
        let retryable = match &error {
            StoreError::Full(_) | StoreError::Io(_) => true,
            StoreError::Damaged(_) | StoreError::NewerFormat { .. } | StoreError::Closed => false,
        };
        Self { class: RunFailureClass::Storage, message: error.to_string(), retryable }
    }
}

/// How the work of a session ended.
#[derive(Debug)]
pub(crate) enum SessionEnd {
    Planned(Plan),
    Walked,
    /// Every unfinished market is parked, the first of them until then.
    Parked {
        message: String,
        until: Timestamp,
    },
    Cancelled,
    Failed(SessionFailure),
}

/// Everything that a worker reports.
#[derive(Debug)]
pub(crate) enum Report {
    MarketsListed(Vec<MarketId>),
    MarketPlanned {
        plan: MarketPlan,
        index: usize,
    },
    MarketActivity {
        market: usize,
        activity: Activity,
    },
    ProductDone(Box<ProductDone>),
    /// A failed request was not repeated because the run's retry budget is used up.
    RetryDenied {
        market: usize,
    },
    /// A product that was fetched and whose record the store refused, so that it may be there or not.
    NotRecorded(Box<ProductDone>),
    MarketDone {
        market: usize,
    },
    SessionEnded(SessionEnd),
}
