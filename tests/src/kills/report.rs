//! The figures of a kill test, for people and for the account.

use std::fmt;
use std::time::Duration;

/// What came out.
#[derive(Clone, Debug)]
pub struct KillReport {
    /// The seed.
    pub seed: u64,
    /// Kills.
    pub kills: u32,
    /// Kills of a server that was starting, among them.
    pub kills_starting: u32,
    /// Markets that were walked at once.
    pub active_markets_max: u32,
    /// Pairs of the run.
    pub pairs: u32,
    /// Requests that the upstream saw.
    pub requests: u32,
    /// How long the upstream took for an answer.
    pub latency: Duration,
    /// How long all of it took.
    pub took: Duration,
}

impl KillReport {
    /// Requests beyond one per pair.
    pub fn requests_extra(&self) -> u32 {
        self.requests.saturating_sub(self.pairs)
    }
}

impl KillReport {
    /// Kills of a server that had resumed the run.
    fn kills_walking(&self) -> u32 {
        (self.kills - self.kills_starting).max(1)
    }
}

impl fmt::Display for KillReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} kills, {} of them while starting, in a run of {} pairs with an upstream of {:?}: {} requests, {} \
             extra, {:.2} per kill and active market; {:.1?}, seed {}",
            self.kills,
            self.kills_starting,
            self.pairs,
            self.latency,
            self.requests,
            self.requests_extra(),
            f64::from(self.requests_extra()) / f64::from(self.kills_walking() * self.active_markets_max),
            self.took,
            self.seed,
        )
    }
}
