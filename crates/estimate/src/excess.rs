//! The account of long waits: what durations have beyond the usual, kept apart from the level.

/// The number of latest durations whose median is the usual one.
const USUAL_WINDOW: usize = 21;

/// A duration up to this multiple of the usual one belongs to the level.
const USUAL_TIMES_MAX: f64 = 8.0;

/// A duration is judged for good when so many came after it, by what is usual around it: the first
/// durations of a slower stretch look like long waits until the median has followed.
const JUDGED_AFTER: usize = USUAL_WINDOW / 2;

/// Waits that differ by no more than this factor are of one kind, such as a fixed `Retry-After`.
const ALIKE_FACTOR: f64 = 1.1;

/// What long waits add to the time of each product.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Outlook {
    /// Seconds per product.
    pub(super) mean: f64,
    /// Mean square of the wait of a product, in seconds squared.
    pub(super) square: f64,
}

/// Sums over long waits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sums {
    seconds: f64,
    squares: f64,
    /// The longest three, longest first.
    longest: [f64; 3],
}

impl Sums {
    fn add(&mut self, wait: f64) {
        self.seconds += wait;
        self.squares += wait * wait;
        let mut shorter = wait;
        for longest in &mut self.longest {
            if shorter > *longest {
                std::mem::swap(longest, &mut shorter);
            }
        }
    }

    /// The longest two count as no more than the third, unless they are of one kind: an outage or two say little
    /// about what is to come.
    fn without_outages(mut self) -> Self {
        let [first, second, third] = self.longest;
        if first > second * ALIKE_FACTOR {
            for outage in [first, second] {
                self.seconds -= outage - third;
                self.squares -= outage * outage - third * third;
            }
        }
        self
    }
}

/// What durations are like around some time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Usual {
    /// In seconds.
    median: f64,
}

impl Usual {
    /// The part of a duration that belongs to the level, in seconds. Of one that is too long only the
    /// median does: it says no more about the level than that there was a product.
    pub(super) fn part_of(self, duration: f64) -> f64 {
        if duration > self.median * USUAL_TIMES_MAX { self.median } else { duration }
    }

    /// The part that is a long wait, if it has one.
    fn wait_in(self, duration: f64) -> Option<f64> {
        Some(duration - self.part_of(duration)).filter(|wait| *wait > 0.0)
    }
}

/// Splits durations into the usual and the excess.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Excess {
    count: u64,
    /// The last durations in a ring.
    recent: [f32; USUAL_WINDOW],
    judged: Sums,
}

impl Excess {
    /// What is usual now.
    fn usual(&self) -> Usual {
        let kept = self.kept();
        let mut sorted = self.recent;
        let Some(sorted) = sorted.get_mut(..kept).filter(|sorted| !sorted.is_empty()) else {
            return Usual { median: 0.0 };
        };
        // Of an even number the lower one: of two durations the longer may be the wait.
        let (_, median, _) = sorted.select_nth_unstable_by((kept - 1) / 2, f32::total_cmp);
        Usual { median: f64::from(*median) }
    }

    /// One more duration, in seconds; returns what is usual after it.
    pub(super) fn observe(&mut self, duration: f64) -> Usual {
        self.recent[(self.count % USUAL_WINDOW as u64) as usize] = duration as f32;
        self.count += 1;
        let usual = self.usual();
        if let Some(wait) = self.before(JUDGED_AFTER as u64).and_then(|duration| usual.wait_in(duration)) {
            self.judged.add(wait);
        }
        usual
    }

    /// What is to be expected of the next products.
    pub(super) fn outlook(&self) -> Outlook {
        let mut sums = self.judged;
        let usual = self.usual();
        for age in 0..JUDGED_AFTER as u64 {
            if let Some(wait) = self.before(age).and_then(|duration| usual.wait_in(duration)) {
                sums.add(wait);
            }
        }
        let Sums { seconds, squares, .. } = sums.without_outages();
        let products = self.count.max(1) as f64;
        Outlook { mean: seconds.max(0.0) / products, square: squares.max(0.0) / products }
    }

    /// The durations of which there are few enough to be all kept, oldest first.
    pub(super) fn all(&self) -> Option<&[f32]> {
        if self.count <= USUAL_WINDOW as u64 { self.recent.get(..self.kept()) } else { None }
    }

    fn kept(&self) -> usize {
        usize::try_from(self.count).unwrap_or(USUAL_WINDOW).min(USUAL_WINDOW)
    }

    /// The duration `age` products before the latest.
    fn before(&self, age: u64) -> Option<f64> {
        let index = self.count.checked_sub(age + 1)?;
        Some(f64::from(self.recent[(index % USUAL_WINDOW as u64) as usize]))
    }
}
