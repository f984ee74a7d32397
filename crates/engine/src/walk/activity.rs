//! What a market is doing.

use price_cache_domain::Timestamp;

use crate::upstream::circuit::ParkReason;
use crate::upstream::wait::WaitReason;

/// What a market is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Its turn has not come, or the run is not under way.
    Pending,
    /// A request is in flight or about to be.
    Active,
    /// The next request comes at `until`.
    Waiting {
        /// Why.
        reason: WaitReason,
        /// When it ends.
        until: Timestamp,
    },
    /// The circuit is open; a canary request is sent as soon as there is room
    /// after `until`.
    Parked {
        /// Why.
        reason: ParkReason,
        /// Since the market was first parked without having been taken up again.
        since: Timestamp,
        /// When the probe is due.
        until: Timestamp,
    },
    /// No product is wanted any more.
    Done,
}

impl Activity {
    /// Tells whether a walk of the market begins with `next`. A canary request of a parked market is no beginning: until
    /// it succeeds the market is held up for as long as it was.
    pub(crate) const fn begins_with(self, next: Self) -> bool {
        let is_walked = matches!(next, Self::Active | Self::Waiting { .. });
        is_walked && matches!(self, Self::Pending | Self::Done)
    }
}
