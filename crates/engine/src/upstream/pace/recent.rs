//! What happened lately: how often answers were of some kind, and how many came in a second.

use std::collections::VecDeque;

use std::time::Instant;

/// How often answers were of some kind, among the latest.
#[derive(Debug)]
pub(super) struct Recent {
    enough: usize,
    among: u64,
    answers: u64,
    /// The numbers of the answers that were of that kind.
    of_kind: VecDeque<u64>,
}

impl Recent {
    /// So many among so many answers are often.
    pub(super) const fn new(enough: usize, among: u64) -> Self {
        Self { enough, among, answers: 0, of_kind: VecDeque::new() }
    }

    pub(super) fn add(&mut self, is_of_kind: bool) {
        self.answers += 1;
        if is_of_kind {
            self.of_kind.push_back(self.answers);
        }
        while self.of_kind.front().is_some_and(|first| self.answers - first >= self.among) {
            self.of_kind.pop_front();
        }
    }

    /// Which fraction of the latest answers were of that kind, if that is often.
    pub(super) fn often(&self) -> Option<f64> {
        let count = self.of_kind.len();
        (count >= self.enough).then(|| count as f64 / self.answers.min(self.among) as f64)
    }

    /// How many of the latest were of that kind.
    pub(super) fn count(&self) -> usize {
        self.of_kind.len()
    }

    /// How many answers there were.
    pub(super) const fn answers(&self) -> u64 {
        self.answers
    }

    pub(super) fn clear(&mut self) {
        self.answers = 0;
        self.of_kind.clear();
    }
}

/// How many requests were served since some moment, and in each of the last seconds.
#[derive(Debug)]
pub(super) struct Served {
    since: Instant,
    total: u64,
    /// The numbers of the last seconds, counted from then, and what was served in each.
    seconds: VecDeque<(u64, u32)>,
}

impl Served {
    /// So many seconds are looked back on.
    const SECONDS: u64 = 60;
    /// A second with fewer tells little by itself.
    const TELLING: f64 = 10.0;

    pub(super) const fn new(since: Instant) -> Self {
        Self { since, total: 0, seconds: VecDeque::new() }
    }

    pub(super) fn add(&mut self, now: Instant) {
        self.total += 1;
        let second = self.second(now);
        match self.seconds.back_mut() {
            Some((latest, count)) if *latest == second => *count += 1,
            _ => self.seconds.push_back((second, 1)),
        }
        while self.seconds.front().is_some_and(|(first, _)| first + Self::SECONDS <= second) {
            self.seconds.pop_front();
        }
    }

    /// How many were served in the last seconds.
    pub(super) fn lately(&self, now: Instant) -> u32 {
        self.counts(now).sum()
    }

    /// How many are served in a second: the most in one, or the mean where those are too few to tell.
    pub(super) fn pace(&self, now: Instant) -> f64 {
        let most = self.most(now);
        if most >= Self::TELLING {
            return most;
        }
        f64::from(self.lately(now)) / self.seconds_since(now).min(Self::SECONDS as f64 - 0.5)
    }

    /// The most in one second.
    pub(super) fn most(&self, now: Instant) -> f64 {
        f64::from(self.counts(now).max().unwrap_or(0))
    }

    /// How many in a second, in the mean of all the time.
    pub(super) fn mean(&self, now: Instant) -> f64 {
        self.total as f64 / self.seconds_since(now)
    }

    fn counts(&self, now: Instant) -> impl Iterator<Item = u32> {
        let second = self.second(now);
        let is_late = move |number: u64| number + Self::SECONDS > second;
        self.seconds.iter().filter(move |(number, _)| is_late(*number)).map(|(_, count)| *count)
    }

    /// At least one.
    fn seconds_since(&self, now: Instant) -> f64 {
        now.duration_since(self.since).as_secs_f64().max(1.0)
    }

    fn second(&self, now: Instant) -> u64 {
        now.duration_since(self.since).as_secs()
    }
}
