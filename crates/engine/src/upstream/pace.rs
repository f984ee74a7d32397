//! The adaptive pace: slows down when the upstream refuses requests, and probes for more when it does not.
//!
//! Without refusals there is no limit. The first refusals begin a slow start: from a pace that was served, doubling
//! until it is refused. After that the pace is cut a little with each refusal and grows slowly in between, as TCP does
//! (additive increase, multiplicative decrease; RFC 5681). Refusals that stay as frequent at less than half the pace do not
//! depend on it and are tolerated for a while.

mod experiment;
mod limit;
mod recent;

use std::time::{Duration, Instant};

use experiment::Finding;
use limit::{Limit, SETTLING};
use recent::{Recent, Served};

/// Refusals among the latest answers that begin the slow start: two may be chance.
const REFUSALS: (usize, u64) = (3, 256);
/// The same for status 503, for which an upstream may have reasons of its own.
const OVERLOADS: (usize, u64) = (13, 64);
/// More than this many in a row mean that the upstream is down: one that is too busy for some still serves others.
const OVERLOADS_IN_A_ROW_MAX: usize = 8;
/// For how long refusals that do not depend on the pace are tolerated: longer would miss a new quota, shorter would
/// repeat the experiment, which costs half a minute.
const TOLERATED: Duration = Duration::from_secs(600);
/// How long the pace from before a slow-down is remembered.
const REMEMBERED: Duration = Duration::from_secs(600);
/// The fastest limit: an interval below a tenth of a millisecond is none.
const PACE_MAX: f64 = 10_000.0;

/// What an answer says about the pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The upstream was willing to answer.
    Served,
    /// It asked for fewer requests.
    Refused,
    /// It has too much to do, perhaps because of us.
    Overloaded,
    /// Nothing.
    Silent,
}

/// The pace of all requests together.
#[derive(Debug)]
pub(super) struct Pace {
    limit: Option<Limit>,
    /// Answers to requests that were sent before say nothing about the present pace.
    since: Instant,
    served: Served,
    refusals: Recent,
    overloads: Recent,
    tolerated_until: Option<Instant>,
    /// The highest pace that was served for a while, and until when it is remembered.
    remembered: Option<(f64, Instant)>,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            limit: None,
            since: now,
            served: Served::new(now),
            refusals: Recent::new(REFUSALS.0, REFUSALS.1),
            overloads: Recent::new(OVERLOADS.0, OVERLOADS.1),
            tolerated_until: None,
            remembered: None,
        }
    }

    /// Returns the shortest time between two requests, if there is one.
    pub(super) fn interval(&mut self, now: Instant) -> Option<Duration> {
        let limit = self.limit.as_mut()?;
        limit.grow(now, self.served.recent(now));
        if limit.is_unused() || limit.pace() > PACE_MAX {
            self.limit = None;
            return None;
        }
        Some(limit.interval())
    }

    /// Tells whether the pace is still looked for, and grows fast.
    pub(super) fn is_starting(&self) -> bool {
        self.limit.as_ref().is_some_and(Limit::is_starting)
    }

    /// Counts an answer to a request that was sent at `sent`; returns how long to wait before the next request where
    /// the pace fell.
    pub(super) fn answered(&mut self, answer: Answer, sent: Instant, now: Instant) -> Option<Duration> {
        if sent < self.since {
            return None;
        }
        if answer == Answer::Served {
            self.served.add(now);
        }
        self.refusals.add(answer == Answer::Refused);
        self.overloads.add(answer == Answer::Overloaded);
        let is_overloaded = answer == Answer::Overloaded
            && self.overloads.is_frequent()
            && self.overloads.in_a_row() <= OVERLOADS_IN_A_ROW_MAX;
        let is_refused = answer == Answer::Refused || is_overloaded;
        let Some(limit) = &mut self.limit else {
            return if is_refused { self.begin(now) } else { None };
        };
        match limit.experiment(is_refused) {
            Finding::Independent => Some(self.tolerate(now)),
            Finding::None if is_refused && limit.since_cut(now) >= SETTLING => self.cut(now),
            Finding::None | Finding::Pending => None,
        }
    }

    /// Begins the slow start if refusals are frequent.
    fn begin(&mut self, now: Instant) -> Option<Duration> {
        let frequent = [&self.refusals, &self.overloads].into_iter().find(|recent| recent.is_frequent())?;
        let (refused, served) = (frequent.fraction(), self.served.pace(now));
        let is_tolerated = self.tolerated_until.is_some_and(|until| now < until);
        if served <= 0.0 || (is_tolerated && experiment::is_tolerable(refused)) {
            return None;
        }
        self.limit = Some(Limit::slow_start(served, refused, now));
        self.since = now;
        // Windows of a second that are full have to pass first.
        Some(SETTLING)
    }

    /// Cuts the pace after a refusal.
    fn cut(&mut self, now: Instant) -> Option<Duration> {
        let (served, refused) = (self.served.recent(now), self.refusals.fraction());
        let known = self.remembered(now);
        let limit = self.limit.as_mut()?;
        if served <= 0.0 {
            // Down, or a quota is used up: the pace is not the reason.
            return None;
        }
        if limit.was_served_for_a_while(now) && known.is_none_or(|known| limit.pace() > known) {
            self.remembered = Some((limit.pace(), now + REMEMBERED));
        }
        limit.cut(served, refused, known, now);
        self.since = now;
        Some(limit.interval())
    }

    /// Lets refusals be that do not depend on the pace.
    fn tolerate(&mut self, now: Instant) -> Duration {
        self.limit = None;
        self.tolerated_until = Some(now + TOLERATED);
        self.since = now;
        Duration::ZERO
    }

    fn remembered(&self, now: Instant) -> Option<f64> {
        self.remembered.filter(|(_, until)| now < *until).map(|(pace, _)| pace)
    }
}
