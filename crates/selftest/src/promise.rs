//! What a price cache promises, and what it looks like when it does not keep it.

use std::fmt;

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// A server that was killed comes back and goes on with the run.
    GoesOn,
    /// A store that was healthy is never refused, neither by a server nor by the doctor.
    OpensAgain,
    /// The doctor changes no byte of a store unless it is told to repair.
    DoctorChangesNothing,
    /// What the status or the logs had shown is there after a kill.
    NothingTakenBack,
    /// `completed = successful + failed <= total` in every answer.
    NumbersAgree,
    /// The upstream sees at most one request of a market at any moment.
    OneRequestAtATime,
    /// At the end every pair has an outcome.
    NothingSkipped,
    /// No pair is counted more than once.
    NothingTwice,
    /// Every price is that of the upstream, digit for digit.
    ExactPrices,
    /// The counters are those of the records.
    CountersEqualRecords,
    /// A kill costs no more requests than may be on their way to the disk.
    BoundedRefetches,
}

impl Promise {
    /// The promise in words.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::GoesOn => "a server that was killed goes on with its run",
            Self::OpensAgain => "a store that was healthy can be opened again",
            Self::DoctorChangesNothing => "the doctor changes no byte of the store",
            Self::NothingTakenBack => "nothing that was shown is taken back",
            Self::NumbersAgree => "completed = successful + failed <= total in every answer",
            Self::OneRequestAtATime => "at most one request is in flight in a market",
            Self::NothingSkipped => "no product is skipped",
            Self::NothingTwice => "no product is counted twice",
            Self::ExactPrices => "every price is that of the upstream, digit for digit",
            Self::CountersEqualRecords => "every counter equals the records",
            Self::BoundedRefetches => "a kill costs no more requests than stated",
        }
    }

    /// Nothing where it was kept, or else what was seen.
    pub(crate) fn kept(self, is_kept: bool, seen: impl FnOnce() -> String) -> Result<(), Broken> {
        self.kept_for(u64::from(!is_kept), seen)
    }

    /// The same, given how many products or calls were found that contradict it.
    pub(crate) fn kept_for(self, contradicting: u64, seen: impl FnOnce() -> String) -> Result<(), Broken> {
        if contradicting == 0 {
            return Ok(());
        }
        Err(Broken { promise: self, count: contradicting, seen: seen() })
    }

    /// What was seen that contradicts it.
    pub(crate) fn broken(self, seen: String) -> Broken {
        Broken { promise: self, count: 1, seen }
    }
}

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which one.
    pub promise: Promise,
    /// How many products or calls show it, as far as they can be counted; at least 1.
    pub count: u64,
    /// Where, and what was seen there.
    pub seen: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "broken promise, {}: {}", self.promise.sentence(), self.seen)
    }
}

impl std::error::Error for Broken {}
