//! A rate limiter: hands out moments at a distance from each other, and takes unused ones back.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Moments at which a request may be sent. A slot that is used late moves the next one only if it is later than that,
/// so that coarse timers do not slow the rate; missed slots are never made up for, so that no burst is sent.
#[derive(Debug, Default)]
pub(super) struct Slots {
    next: Option<Instant>,
    /// Slots that were reserved and not used. At most one per market.
    returned: BTreeSet<Instant>,
}

impl Slots {
    /// Reserves the earliest free slot.
    pub(super) fn take(&mut self, now: Instant, interval: Duration) -> Instant {
        self.returned = self.returned.split_off(&now);
        if let Some(earliest) = self.returned.pop_first() {
            return earliest;
        }
        let at = self.next.map_or(now, |next| next.max(now));
        self.next = Some(at + interval);
        at
    }

    /// Takes back a slot that was not used.
    pub(super) fn give_back(&mut self, slot: Instant, now: Instant) {
        if slot > now {
            self.returned.insert(slot);
        }
    }

    /// Forgets what was reserved; the next slot is one interval from now.
    pub(super) fn restart(&mut self, now: Instant, interval: Duration) {
        *self = Self { next: Some(now + interval), returned: BTreeSet::new() };
    }

    /// Returns when the next slot is, if one was ever taken.
    pub(super) const fn next(&self) -> Option<Instant> {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(20);

    fn at(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn slots_are_one_interval_apart_and_nothing_is_made_up_for() {
        let start = Instant::now();
        let mut slots = Slots::default();
        let taken = [(); 4].map(|()| slots.take(start, INTERVAL));
        assert_eq!(taken, [0, 20, 40, 60].map(|ms| at(start, ms)));
        // A slot that is used 15 ms late leaves the next one where it was.
        assert_eq!(slots.take(at(start, 75), INTERVAL), at(start, 80));
        let late = [(); 2].map(|()| slots.take(at(start, 9_075), INTERVAL));
        assert_eq!(late, [9_075, 9_095].map(|ms| at(start, ms)));
    }

    #[test]
    fn returned_slots_are_given_to_the_next_and_leave_no_debt() {
        let start = Instant::now();
        let mut slots = Slots::default();
        slots.take(start, INTERVAL);
        for _ in 0..1_000 {
            let unused = [(); 16].map(|()| slots.take(start, INTERVAL));
            unused.into_iter().for_each(|slot| slots.give_back(slot, start));
        }
        assert_eq!(slots.take(start, INTERVAL), at(start, 20));
        assert_eq!(slots.take(at(start, 50), INTERVAL), at(start, 60), "what is past is not used again");
    }
}
