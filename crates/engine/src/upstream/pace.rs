//! Finds out how fast the upstream serves: slows down when it refuses, and earns the speed back.
//!
//! Without refusals there is no limit. When they come, half the pace is tried for a while. Where as much is
//! refused as before, the pace is not the reason and is let alone. Otherwise it falls a little below what was
//! served and returns along a cubic curve, as that of TCP CUBIC (RFC 9438): soon at first, slowly near the
//! pace that was refused, then ever faster.

mod recent;

use std::time::{Duration, Instant};

use recent::{Recent, Served};

/// What a refusal leaves of a pace that was nearly right.
const SLOWER: f64 = 0.85;
/// What is left of the pace on trial.
const TRIAL_PACE: f64 = 0.5;
/// A trial takes so many times the answers that brought it about, but not more than are looked back on.
const TRIAL_ANSWERS_TIMES: u64 = 5;
const ANSWERS: u64 = 256;
/// The longest trial.
const TRIAL_TIME_MAX: Duration = Duration::from_secs(60);
/// With at most so many refusals it is passed: they depend on the pace.
const TRIAL_REFUSALS_PASSED: usize = 1;
/// With at least this part of the refusals of before they do not.
const AS_FREQUENT: f64 = 0.5;
/// Refused so many times in a row before the pace has recovered, it is put on trial again; very early counts
/// twice.
const DOUBTS: u32 = 4;
/// Very early: before this part of the recovery.
const VERY_EARLY: f64 = 0.4;
/// Windows of the upstream's own that are full when the pace falls have to pass first.
const SETTLING: Duration = Duration::from_secs(1);
/// When more than this fraction is refused, even half the pace is still much too fast.
const MOSTLY_REFUSED: f64 = 0.3;
/// So many refusals are enough to see that.
const REFUSALS_CLEAR: usize = 8;
/// Fewer served per second than this may be a bad moment; whether the pace is slower, more refusals tell.
const SERVED_MIN: f64 = 1.0;
/// An upstream that is too busy for some still serves at least so many.
const OVERLOADED_SERVED_MIN: u32 = 10;
/// For so long fewer refusals are not held against a pace that was not the reason.
const ACQUITTED: Duration = Duration::from_secs(600);
/// A limit so many times what is served limits nothing.
const UNUSED_TIMES: f64 = 4.0;
/// The slowest pace, in requests per second.
const PACE_MIN: f64 = 0.05;
/// The fastest limit worth keeping: an interval below a tenth of a millisecond is none.
const PACE_MAX: f64 = 10_000.0;

/// When the pace is back where it was refused.
const RECOVERY: Recovery = Recovery { time: Duration::from_secs(20), requests: 100.0 };
/// The same while it is not known yet which pace is served: the first limit may be far below it.
const LEARNING: Recovery = Recovery { time: Duration::from_secs(5), requests: 5.0 };

/// What an answer says about the upstream's speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It was willing to answer.
    Served,
    /// It asked for fewer requests.
    Refused,
    /// It has too much to do, perhaps because of us.
    Overloaded,
    /// Nothing.
    Silent,
}

/// What is known of the upstream's speed.
#[derive(Debug)]
pub(super) struct Throttle {
    stage: Stage,
    /// Answers to requests that were sent before say nothing about the present pace.
    since: Instant,
    served: Served,
    refusals: Recent,
    overloads: Recent,
    acquitted_until: Option<Instant>,
}

#[derive(Debug)]
enum Stage {
    /// Nothing is known against any pace.
    Free,
    Trial(Trial),
    Limited(Limit),
}

/// Half the pace, to see whether refusals depend on it.
#[derive(Clone, Debug)]
struct Trial {
    pace: f64,
    /// How many answers are enough to tell.
    answers: u64,
    /// The pace that is taken for the upstream's if they do.
    top: f64,
    /// The fraction of the answers before that were refusals.
    refused: f64,
}

/// How fast requests may follow each other since the last refusal.
#[derive(Debug)]
struct Limit {
    /// The pace that was refused, in requests per second.
    top: f64,
    since: Instant,
    recovery: Recovery,
    /// How often in a row it was refused again before it had recovered.
    doubts: u32,
}

/// How long it takes until the pace is back where it was refused: the longer of a time and so many requests.
#[derive(Clone, Copy, Debug)]
struct Recovery {
    time: Duration,
    requests: f64,
}

impl Throttle {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            stage: Stage::Free,
            since: now,
            served: Served::new(now),
            // Two may be chance.
            refusals: Recent::new(3, ANSWERS),
            // An upstream that says 503 may be ill for reasons of its own.
            overloads: Recent::new(13, 64),
            acquitted_until: None,
        }
    }

    /// The shortest time between two requests, if there is one.
    pub(super) fn interval(&mut self, now: Instant) -> Option<Duration> {
        let pace = match &self.stage {
            Stage::Free => return None,
            Stage::Trial(trial) => trial.pace,
            Stage::Limited(limit) => {
                let (pace, served) = (limit.pace(now), &self.served);
                let is_used = served.lately(now) == 0 || pace <= served.most(now) * UNUSED_TIMES;
                if (limit.is_recovered(now) && !is_used) || pace > PACE_MAX {
                    self.stage = Stage::Free;
                    return None;
                }
                pace
            }
        };
        Some(Duration::from_secs_f64(1.0 / pace.max(PACE_MIN)))
    }

    /// Takes note of an answer to a request that was sent at `begun`; tells whether the pace changed at once.
    pub(super) fn answered(&mut self, answer: Answer, begun: Instant, now: Instant) -> bool {
        if begun < self.since {
            return false;
        }
        if answer == Answer::Served {
            self.served.add(now);
        }
        self.refusals.add(answer == Answer::Refused);
        self.overloads.add(answer == Answer::Overloaded);
        let next = match &self.stage {
            Stage::Trial(trial) => self.verdict(trial, now),
            Stage::Free | Stage::Limited(_) => self.refused(now),
        };
        let is_changed = next.is_some();
        if let Some(stage) = next {
            self.enter(stage, now);
        }
        is_changed
    }

    /// What follows if the latest answers were refusals too often.
    fn refused(&self, now: Instant) -> Option<Stage> {
        // An upstream that says 503 and serves next to nobody is down, which has nothing to do with the pace.
        let overloaded = self.overloads.often().filter(|_| self.served.lately(now) >= OVERLOADED_SERVED_MIN);
        let refused = self.refusals.often().or(overloaded)?;
        let is_acquitted = self.acquitted_until.is_some_and(|until| now < until) && refused <= MOSTLY_REFUSED;
        if is_acquitted || self.served.lately(now) == 0 {
            return None;
        }
        Some(match &self.stage {
            Stage::Limited(limit) => limit.refused_again(refused, &self.served, self.refusals.answers(), now),
            Stage::Trial(_) | Stage::Free => {
                let served = self.served.pace(now).max(SERVED_MIN);
                Stage::Trial(Trial::of_half(served, self.refusals.answers(), refused))
            }
        })
    }

    /// What follows a trial, once it is over.
    fn verdict(&self, trial: &Trial, now: Instant) -> Option<Stage> {
        let (answers, refused) = (self.refusals.answers(), self.refusals.count() + self.overloads.count());
        let fraction = refused as f64 / answers.max(1) as f64;
        let is_clear = refused >= REFUSALS_CLEAR && fraction > MOSTLY_REFUSED;
        let is_over = answers >= trial.answers || now.duration_since(self.since) >= TRIAL_TIME_MAX;
        if !is_clear && (!is_over || answers == 0) {
            return None;
        }
        Some(if refused <= TRIAL_REFUSALS_PASSED {
            Stage::Limited(Limit { top: trial.top, since: now, recovery: LEARNING, doubts: 0 })
        } else if self.served.lately(now) == 0 {
            // Down, or a quota is used up: the pace is told when requests are served again.
            Stage::Trial(trial.clone())
        } else if fraction > MOSTLY_REFUSED || fraction < trial.refused * AS_FREQUENT {
            // Still much too fast.
            Stage::Trial(Trial::of_half(trial.pace, answers, fraction))
        } else {
            tracing::info!("the upstream refuses some requests at any pace; the pace is let alone");
            Stage::Free
        })
    }

    fn enter(&mut self, stage: Stage, now: Instant) {
        if matches!(stage, Stage::Free) {
            self.acquitted_until = Some(now + ACQUITTED);
        }
        tracing::debug!(?stage, "the pace changes");
        self.stage = stage;
        self.since = now + SETTLING;
        self.refusals.clear();
        self.overloads.clear();
        self.served = Served::new(self.since);
    }
}

impl Trial {
    /// Of half of what was served, after so many answers of which a fraction were refusals.
    fn of_half(served: f64, answers: u64, refused: f64) -> Self {
        let answers = answers.saturating_mul(TRIAL_ANSWERS_TIMES).min(ANSWERS);
        Self { pace: (served * TRIAL_PACE).max(PACE_MIN), answers, top: served, refused }
    }
}

impl Limit {
    /// What follows when this fraction of the requests are refused again, after so many answers.
    fn refused_again(&self, refused: f64, served: &Served, answers: u64, now: Instant) -> Stage {
        let pace = self.pace(now);
        if self.is_recovered(now) {
            // The upstream's own limit is near; it does not fall because it was met again.
            let top = self.top.max(pace.min(served.pace(now)));
            return Stage::Limited(Self { top, since: now, recovery: RECOVERY, doubts: 0 });
        }
        let is_very_early = self.recovered(now) < VERY_EARLY;
        let doubts = self.doubts + if is_very_early { 2 } else { 1 };
        if doubts >= DOUBTS || refused > MOSTLY_REFUSED {
            return Stage::Trial(Trial::of_half(pace, answers, refused));
        }
        // Between two refusals an upstream that saves up what is not used serves its own pace in the mean.
        let top = if is_very_early { pace } else { pace.min(served.mean(now)) };
        Stage::Limited(Self { top, since: now, recovery: self.recovery, doubts })
    }

    /// In requests per second.
    fn pace(&self, now: Instant) -> f64 {
        let from_top = self.recovered(now) - 1.0;
        (self.top * (1.0 - SLOWER).mul_add(from_top.powi(3), 1.0)).max(PACE_MIN)
    }

    fn is_recovered(&self, now: Instant) -> bool {
        self.recovered(now) >= 1.0
    }

    /// The time since the refusal as a part of the recovery.
    fn recovered(&self, now: Instant) -> f64 {
        let Recovery { time, requests } = self.recovery;
        now.duration_since(self.since).as_secs_f64()
            / time.as_secs_f64().max(requests / self.top.max(PACE_MIN))
    }
}
