//! The figures of a self-test, for people and for programs.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::{Broken, Promise};

/// What was done and what came of it; so far, while it lasts.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Figures {
    /// The seed.
    pub seed: u64,
    /// Kills.
    pub kills: u32,
    /// Kills of a server that was starting and recovering, among them.
    pub kills_starting: u32,
    /// Stores that were made.
    pub stores: u32,
    /// Runs that were begun, several over one store among them.
    pub runs: u32,
    /// Markets that were walked at once.
    pub active_markets_max: u32,
    /// Pairs of all runs.
    pub pairs: u32,
    /// Pairs that had an outcome when a server was last looked at.
    pub completed: u64,
    /// Requests that the upstream saw in the runs that are over.
    pub requests: u32,
    /// Stores that were healthy and are refused.
    pub dead: u32,
    /// Shown products and calls that were taken back.
    pub lost: u64,
    /// Products that were counted more than once.
    pub twice: u64,
    /// Products that were left without an outcome.
    pub skipped: u64,
    /// The longest time from the start of a server to its readiness.
    #[serde(rename = "slowest_restart_seconds", serialize_with = "seconds")]
    pub slowest_restart: Duration,
    /// How long all of it took.
    #[serde(rename = "took_seconds", serialize_with = "seconds")]
    pub took: Duration,
}

impl Figures {
    /// Requests beyond one per pair.
    #[must_use]
    pub fn requests_again(&self) -> u32 {
        self.requests.saturating_sub(self.pairs)
    }

    /// The same for each kill of a server that had resumed the run, and each market that was walked then.
    #[must_use]
    pub fn requests_again_per_kill_and_market(&self) -> f64 {
        let kills_walking = (self.kills - self.kills_starting).max(1);
        f64::from(self.requests_again()) / f64::from(kills_walking * self.active_markets_max.max(1))
    }

    /// Counts what a broken promise shows.
    pub(crate) fn note(&mut self, broken: &Broken) {
        match broken.promise {
            Promise::OpensAgain => self.dead += 1,
            Promise::NothingTakenBack => self.lost += broken.count,
            Promise::NothingTwice => self.twice += broken.count,
            Promise::NothingSkipped => self.skipped += broken.count,
            Promise::GoesOn
            | Promise::DoctorChangesNothing
            | Promise::NumbersAgree
            | Promise::OneRequestAtATime
            | Promise::ExactPrices
            | Promise::CountersEqualRecords
            | Promise::BoundedRefetches => {}
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} kills, {} of them while starting, of {} stores in {} runs of {} pairs: {} requests, {} again, {:.2} per \
             kill and active market; dead {}, lost {}, twice {}, skipped {}; the slowest restart took {:.0?}; {:.1?}, seed {}",
            self.kills,
            self.kills_starting,
            self.stores,
            self.runs,
            self.pairs,
            self.requests,
            self.requests_again(),
            self.requests_again_per_kill_and_market(),
            self.dead,
            self.lost,
            self.twice,
            self.skipped,
            self.slowest_restart,
            self.took,
            self.seed,
        )
    }
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((duration.as_secs_f64() * 1_000.0).round() / 1_000.0)
}
