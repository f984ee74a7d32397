//! Finds out whether refusals depend on the pace: they do unless they are as frequent at less than half of it.

/// Refusals that are expected before an experiment ends: fewer cannot be told from chance.
const EXPECTED_REFUSALS: f64 = 5.0;
/// Where none comes, this many expected ones are enough: by chance that happens once in 20 times.
const EXPECTED_NONE: f64 = 3.0;
/// When more than this fraction is refused, the pace is the reason until it is slow.
const TOLERABLE: f64 = 0.2;

/// The pace of the experiment as a fraction: below half, as a burst may have doubled what was served before.
pub(super) const SLOWER: f64 = 0.4;

/// Tells whether this fraction of refusals may have nothing to do with the pace.
pub(super) fn is_tolerable(refused: f64) -> bool {
    refused <= TOLERABLE
}

/// Counts answers at a slower pace.
#[derive(Clone, Copy, Debug)]
pub(super) struct Experiment {
    /// The pace before, in requests per second.
    pace: f64,
    /// The fraction of requests that was refused then.
    refused: f64,
    answers: u32,
    refusals: u32,
}

/// The result of an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// Refusals depend on the pace, or there is no experiment.
    None,
    /// It is not known yet.
    Pending,
    /// They do not.
    Independent,
}

impl Experiment {
    /// Begins where this fraction was refused at this pace.
    pub(super) fn below(pace: f64, refused: f64) -> Option<Self> {
        is_tolerable(refused).then_some(Self { pace, refused, answers: 0, refusals: 0 })
    }

    /// Tells whether a pace is slow enough for the experiment.
    pub(super) fn is_at(&self, pace: f64) -> bool {
        pace <= self.pace * SLOWER
    }

    /// Counts an answer. `None` in place of [`Finding::Pending`] ends the experiment.
    pub(super) fn count(&mut self, is_refused: bool) -> Finding {
        self.answers += 1;
        self.refusals += u32::from(is_refused);
        let expected = f64::from(self.answers) * self.refused;
        let is_clear = expected >= EXPECTED_REFUSALS || (self.refusals == 0 && expected >= EXPECTED_NONE);
        if !is_clear {
            return Finding::Pending;
        }
        let refused = f64::from(self.refusals) / f64::from(self.answers);
        let is_as_frequent = (self.refused / 2.0..=self.refused * 2.0).contains(&refused);
        if is_as_frequent { Finding::Independent } else { Finding::None }
    }
}
