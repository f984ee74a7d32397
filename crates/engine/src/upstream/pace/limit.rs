//! A limit of the pace: how it grows while it is not refused, and how far it falls when it is.

use std::time::{Duration, Instant};

use super::experiment::{Experiment, Finding, SLOWER};

/// The cut after one refusal, as a fraction: small, as a pace that is refused once is nearly right.
const CUT: f64 = 0.06;
/// Each further cut within this time is twice as large, up to half: the pace is far too high.
const CUT_AGAIN: Duration = Duration::from_secs(4);
const CUT_MAX: f64 = 0.5;
/// An upstream that serves less than this fraction of the pace tells its own pace by what it serves.
const FAR_BELOW: f64 = 1.0 / 3.0;
/// The shortest time between two cuts: upstreams count in windows of a second, which have to pass first.
pub(super) const SETTLING: Duration = Duration::from_secs(1);
/// The time in which the usual cut is grown back: short enough to follow the upstream, long enough for few refusals.
const RECOVERY: Duration = Duration::from_secs(14);
/// A pace that was not refused for this long was served.
const SERVED_TIME: Duration = Duration::from_secs(8);
/// The doubling time of the slow start, fast as what it begins with may be far too slow.
const SLOW_START: Duration = Duration::from_millis(500);
/// That of its second round, slow enough to see the first refusal near the upstream's limit.
const SECOND_ROUND: Duration = Duration::from_secs(4);
/// Requests that a doubling takes at least: fewer cannot be refused often enough to see it.
const DOUBLING_REQUESTS: f64 = 2.0;
/// The doubling time back to a pace that was served before the upstream slowed down.
const RETURN: Duration = Duration::from_millis(1_500);
/// The time after a cut when that return is tried.
const RETURN_AFTER: Duration = Duration::from_secs(5);
/// A pace this many times higher than the one that is refused is worth returning to.
const RETURN_TIMES: f64 = 1.25;
/// The part of that pace up to which the return is fast.
const RETURN_PART: f64 = 0.94;
/// A pace this many times higher than what is served does not grow: nobody knows whether it would be served.
const USED_TIMES: f64 = 2.0;
/// A limit that nobody comes near for this long limits nothing.
const UNUSED_SECONDS: f64 = 60.0;
/// The slowest pace, in requests per second.
const PACE_MIN: f64 = 0.05;
/// The slowest pace that the slow start begins with: what is served in a moment of refusals tells little.
const START_MIN: f64 = 5.0;

/// A limit in requests per second.
#[derive(Debug)]
pub(super) struct Limit {
    pace: f64,
    updated: Instant,
    growth: Growth,
    cut_at: Instant,
    cut: f64,
    experiment: Option<Experiment>,
    /// For how long requests were served without coming near the limit.
    unused_seconds: f64,
}

#[derive(Clone, Copy, Debug)]
enum Growth {
    SlowStart,
    SecondRound,
    /// Grows slowly from below the pace that was refused last.
    Linear {
        ceiling: f64,
        /// The pace from before a slow-down, to return to fast.
        returns_to: Option<f64>,
    },
}

impl Limit {
    /// Begins well below what was served when this fraction was refused.
    pub(super) fn slow_start(served: f64, refused: f64, now: Instant) -> Self {
        Self {
            pace: (served * SLOWER).max(START_MIN),
            updated: now,
            growth: Growth::SlowStart,
            cut_at: now,
            cut: CUT,
            experiment: Experiment::below(served, refused),
            unused_seconds: 0.0,
        }
    }

    pub(super) const fn pace(&self) -> f64 {
        self.pace
    }

    pub(super) fn interval(&self) -> Duration {
        Duration::from_secs_f64(1.0 / self.pace)
    }

    pub(super) fn since_cut(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.cut_at)
    }

    pub(super) const fn is_starting(&self) -> bool {
        matches!(self.growth, Growth::SlowStart | Growth::SecondRound)
    }

    /// Tells whether requests were served for a while without coming near the limit.
    pub(super) fn is_unused(&self) -> bool {
        self.unused_seconds > UNUSED_SECONDS
    }

    pub(super) fn was_served_for_a_while(&self, now: Instant) -> bool {
        matches!(self.growth, Growth::Linear { .. }) && self.since_cut(now) >= SERVED_TIME
    }

    /// Counts an answer for the experiment, if there is one at the present pace.
    pub(super) fn experiment(&mut self, is_refused: bool) -> Finding {
        let Some(experiment) = self.experiment.as_mut().filter(|experiment| experiment.is_at(self.pace))
        else {
            return Finding::None;
        };
        let finding = experiment.count(is_refused);
        if finding != Finding::Pending {
            self.experiment = None;
        }
        finding
    }

    /// Lets the pace grow up to now, as far as it is used; `served` is per second.
    pub(super) fn grow(&mut self, now: Instant, served: f64) {
        let idle_max = (DOUBLING_REQUESTS / self.pace).max(1.0);
        let seconds = now.saturating_duration_since(self.updated).as_secs_f64().min(idle_max);
        self.updated = now;
        let used_max = served * USED_TIMES + DOUBLING_REQUESTS;
        let is_used = self.pace <= used_max;
        if is_used {
            self.unused_seconds = 0.0;
        } else if served > 0.0 {
            self.unused_seconds += seconds;
        }
        let is_tried = self.experiment.is_some_and(|experiment| experiment.is_at(self.pace));
        if is_tried || !is_used {
            return;
        }
        let doubling = match self.growth {
            Growth::SlowStart => Some(SLOW_START),
            Growth::SecondRound => Some(SECOND_ROUND),
            Growth::Linear { returns_to, .. } => {
                let is_due = self.since_cut(now) > RETURN_AFTER;
                returns_to.filter(|pace| is_due && self.pace < *pace * RETURN_PART).map(|_| RETURN)
            }
        };
        match (doubling, self.growth) {
            (Some(doubling), _) => {
                let doubling = doubling.as_secs_f64().max(DOUBLING_REQUESTS / self.pace);
                self.pace *= (seconds / doubling).exp2();
            }
            (None, Growth::Linear { ceiling, .. }) => {
                self.pace += ceiling * CUT / RECOVERY.as_secs_f64() * seconds
            }
            (None, Growth::SlowStart | Growth::SecondRound) => {}
        }
        self.pace = self.pace.min(used_max);
    }

    /// Lowers the pace after a refusal; `served` is per second, `refused_fraction` of all answers. A pace that is
    /// `remembered` and much higher is returned to.
    pub(super) fn cut(&mut self, served: f64, refused_fraction: f64, remembered: Option<f64>, now: Instant) {
        let since = self.since_cut(now);
        let refused = self.pace;
        (self.pace, self.growth) = match self.growth {
            // Still too fast, for an upstream that allowed a burst at first.
            Growth::SecondRound if since < SETTLING * 3 / 2 => (refused / 2.0, Growth::SecondRound),
            Growth::SecondRound => {
                (refused * (1.0 - CUT), Growth::Linear { ceiling: refused, returns_to: None })
            }
            Growth::SlowStart => (refused / 2.0, Growth::SecondRound),
            Growth::Linear { ceiling, .. } => {
                let (pace, ceiling) = self.cut_linear(ceiling, served, refused_fraction, since);
                let returns_to = remembered.filter(|remembered| ceiling * RETURN_TIMES < *remembered);
                (pace, Growth::Linear { ceiling, returns_to })
            }
        };
        self.pace = self.pace.max(PACE_MIN);
        self.cut_at = now;
        self.unused_seconds = 0.0;
    }

    /// Returns the pace after a cut, and the one that it grows back to.
    fn cut_linear(
        &mut self,
        ceiling: f64,
        served: f64,
        refused_fraction: f64,
        since: Duration,
    ) -> (f64, f64) {
        let refused = self.pace;
        let is_again = since < CUT_AGAIN;
        self.cut = if is_again { (self.cut * 2.0).min(CUT_MAX) } else { CUT };
        self.experiment = match self.experiment.take() {
            _ if !is_again => None,
            None => Experiment::below(refused, refused_fraction),
            experiment => experiment,
        };
        if is_again && served < refused * FAR_BELOW {
            return (served * (1.0 - CUT), served);
        }
        if refused > ceiling * RETURN_TIMES {
            // The return was too early.
            return (ceiling * (1.0 - CUT), ceiling);
        }
        // What is served in a second is allowed, however often it was refused before.
        let cut = refused * (1.0 - self.cut);
        let pace = cut.max(served.min(refused) * (1.0 - CUT));
        (pace, refused.min(served.max(cut)))
    }
}
