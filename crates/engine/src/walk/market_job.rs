//! A market to walk, and how its walk ends.

use price_cache_domain::{MarketPlan, Pass, RunId, StoreError};

use crate::walk::report::SessionFailure;

/// A market to walk.
#[derive(Clone)]
pub(crate) struct MarketJob {
    pub(crate) index: usize,
    pub(crate) plan: MarketPlan,
    pub(crate) run: RunId,
    pub(crate) pass: Pass,
}

/// How a walk ended. Everything that it fetched is on disk, except records that the store refused.
#[derive(Debug)]
pub(crate) enum WalkEnd {
    Done,
    Cancelled,
    /// All that was fetched was refused for the credentials; the other markets will show whose failure it is.
    Deferred,
    /// The circuit is open.
    Parked,
    Failed(SessionFailure),
}

impl From<StoreError> for WalkEnd {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}
