//! Settings of the walk.

/// Settings of the walk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WalkOptions {
    pub(crate) parallel_markets: usize,
    /// Writes per market that may be unsynced while the next request runs.
    pub(crate) max_unsynced_writes: usize,
    /// Whether failed products are retried once at the end of their market.
    pub(crate) end_of_market_retry: bool,
}
