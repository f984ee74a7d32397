//! The circuit breaker of one market: closed while it is walked, open while it is parked, half-open while a canary
//! request finds out whether it can be walked again.

use std::fmt;
use std::time::{Duration, Instant};

use price_cache_domain::{FailureClass, Timestamp};

use crate::ParkingOptions;
use crate::upstream::now::Now;

/// Why a market is parked: failures in a row, and the last of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParkReason {
    /// Failures in a row, of this market or of all together, canary requests not counted.
    pub failures: u32,
    /// The class of the last one.
    pub class: FailureClass,
    /// Its HTTP status, where an answer with one came.
    pub status_code: Option<u16>,
}

/// Writes a few words, such as `10 x 503`.
impl fmt::Display for ParkReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status_code {
            Some(code) => write!(formatter, "{} x {code}", self.failures),
            None => write!(formatter, "{} x {}", self.failures, self.class),
        }
    }
}

/// Holds the reason with the message of the last failure, for where there is room for a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) reason: ParkReason,
    pub(crate) last: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, the last: {}", self.reason, self.last)
    }
}

/// An open circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenCircuit {
    pub(crate) trouble: Trouble,
    /// When it opened.
    pub(crate) since: Timestamp,
    /// When the next canary request is due.
    pub(crate) until: Instant,
    /// Canary requests that failed.
    pub(crate) canaries_failed: u32,
}

impl OpenCircuit {
    /// Opens a circuit, or keeps it open after a canary request that failed. The delay doubles with each of them; its
    /// upper half is random, so that markets do not send their canary requests together. `jitter` is a fraction from 0
    /// to 1. No canary request is sent before `earliest`.
    pub(super) fn after(
        before: Option<Self>,
        trouble: Trouble,
        earliest: Option<Instant>,
        options: &ParkingOptions,
        now: Now,
        jitter: f64,
    ) -> Self {
        let canaries_failed = before.as_ref().map_or(0, |open| open.canaries_failed.saturating_add(1));
        let bound = options.probe_delay_start.saturating_mul(1 << canaries_failed.min(31));
        let bound: Duration = bound.min(options.probe_delay_max);
        let until = now.instant + bound.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0);
        let until = earliest.map_or(until, |earliest| until.max(earliest));
        let (failures, since) = before
            .map_or((trouble.reason.failures, now.wall), |open| (open.trouble.reason.failures, open.since));
        let reason = ParkReason { failures, ..trouble.reason };
        Self { trouble: Trouble { reason, ..trouble }, since, until, canaries_failed }
    }
}
