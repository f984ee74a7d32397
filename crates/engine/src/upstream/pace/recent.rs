//! What happened lately: how often answers were of some kind, and how many came in a second.

use std::collections::VecDeque;
use std::time::Instant;

/// Counts how often answers were of some kind, among the latest.
#[derive(Debug)]
pub(super) struct Recent {
    enough: usize,
    among: u64,
    answers: u64,
    /// The numbers of the answers that were of that kind.
    of_kind: VecDeque<u64>,
    in_a_row: usize,
}

impl Recent {
    /// This many among this many answers are frequent.
    pub(super) const fn new(enough: usize, among: u64) -> Self {
        Self { enough, among, answers: 0, of_kind: VecDeque::new(), in_a_row: 0 }
    }

    pub(super) fn add(&mut self, is_of_kind: bool) {
        self.answers += 1;
        self.in_a_row = if is_of_kind { self.in_a_row + 1 } else { 0 };
        if is_of_kind {
            self.of_kind.push_back(self.answers);
        }
        while self.of_kind.front().is_some_and(|first| self.answers - first >= self.among) {
            self.of_kind.pop_front();
        }
    }

    pub(super) fn is_frequent(&self) -> bool {
        self.of_kind.len() >= self.enough
    }

    /// Returns how many of the latest answers were all of that kind.
    pub(super) const fn in_a_row(&self) -> usize {
        self.in_a_row
    }

    /// Returns the fraction of the latest answers that were of that kind.
    pub(super) fn fraction(&self) -> f64 {
        self.of_kind.len() as f64 / self.answers.clamp(1, self.among) as f64
    }
}

/// Counts the requests that were served in the last minute.
#[derive(Debug)]
pub(super) struct Served {
    since: Instant,
    /// The last seconds by their numbers, and what was served in each.
    seconds: VecDeque<(u64, u32)>,
    /// The same for the tenths of the last two seconds.
    tenths: VecDeque<(u64, u32)>,
}

/// Seconds that are looked back on.
const SECONDS: u64 = 60;
/// A second with fewer tells little by itself.
const TELLING: f64 = 10.0;

impl Served {
    pub(super) const fn new(since: Instant) -> Self {
        Self { since, seconds: VecDeque::new(), tenths: VecDeque::new() }
    }

    pub(super) fn add(&mut self, now: Instant) {
        let tenth = self.tenth(now);
        count(&mut self.tenths, tenth, 20);
        count(&mut self.seconds, tenth / 10, SECONDS);
    }

    /// Returns how many were served in the last minute.
    pub(super) fn lately(&self, now: Instant) -> u32 {
        sum(&self.seconds, self.tenth(now) / 10, SECONDS)
    }

    /// Returns how many are served per second at the most: in the best second or, where that tells little, in the mean.
    pub(super) fn pace(&self, now: Instant) -> f64 {
        let most = f64::from(self.seconds.iter().map(|(_, count)| *count).max().unwrap_or(0));
        if most >= TELLING { most } else { f64::from(self.lately(now)) / self.seconds_until(now, SECONDS) }
    }

    /// Returns how many are served per second now: in the better one of the last two, as a wait that the upstream asked
    /// for may leave one empty, or where that tells little in the mean of ten.
    pub(super) fn recent(&self, now: Instant) -> f64 {
        let tenth = self.tenth(now);
        let last = sum(&self.tenths, tenth, 10);
        let last = f64::from(last.max(sum(&self.tenths, tenth, 20) - last));
        let mean = f64::from(sum(&self.seconds, tenth / 10, 10)) / self.seconds_until(now, 10);
        if last >= TELLING { last } else { last.max(mean) }
    }

    /// Returns the length of the last `max` seconds, of which the present one is half over in the mean; at least one.
    fn seconds_until(&self, now: Instant, max: u64) -> f64 {
        now.saturating_duration_since(self.since).as_secs_f64().clamp(1.0, max as f64 - 0.5)
    }

    fn tenth(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.since).as_millis() / 100).unwrap_or(u64::MAX)
    }
}

/// Adds one to the count of a moment, and forgets those that are `kept` moments old.
fn count(counts: &mut VecDeque<(u64, u32)>, number: u64, kept: u64) {
    match counts.back_mut() {
        Some((latest, count)) if *latest == number => *count += 1,
        _ => counts.push_back((number, 1)),
    }
    while counts.front().is_some_and(|(first, _)| first + kept <= number) {
        counts.pop_front();
    }
}

/// Returns the sum over the last moments.
fn sum(counts: &VecDeque<(u64, u32)>, number: u64, moments: u64) -> u32 {
    counts.iter().filter(|(counted, _)| counted + moments > number).map(|(_, count)| *count).sum()
}
