//! What can happen to a run.

use std::fmt;
use std::sync::Arc;

use crate::{Plan, RetryFilter, RunId, Timestamp};

/// Why a run is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PauseReason {
    /// A person asked for it. Only a person's start ends it.
    Manual,
    /// The program was told to end, and stored the run first.
    Shutdown,
    /// The run was found unfinished at start-up: the program was killed or the machine died.
    Interrupted,
    /// The failed products were retried as asked, and others are still without an outcome.
    RetryFinished,
}

impl PauseReason {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::Manual, Self::Shutdown, Self::Interrupted, Self::RetryFinished];

    /// The name used on the wire and in stores.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Shutdown => "shutdown",
            Self::Interrupted => "interrupted",
            Self::RetryFinished => "retry_finished",
        }
    }

    /// Whether the run may go on without a person asking for it.
    pub const fn may_resume_by_itself(self) -> bool {
        match self {
            Self::Shutdown | Self::Interrupted => true,
            Self::Manual | Self::RetryFinished => false,
        }
    }
}

impl fmt::Display for PauseReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What kind of trouble a run cannot go on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RunFailureClass {
    /// The markets or products could not be listed, or make no plan.
    Listing,
    /// Every unfinished market is parked.
    Upstream,
    /// The upstream refuses our credentials.
    Credentials,
    /// The store cannot write or read.
    Storage,
    /// A defect in this program.
    Internal,
}

impl RunFailureClass {
    /// Every class.
    pub const ALL: [Self; 5] =
        [Self::Listing, Self::Upstream, Self::Credentials, Self::Storage, Self::Internal];

    /// The name used on the wire and in stores.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Listing => "listing",
            Self::Upstream => "upstream",
            Self::Credentials => "credentials",
            Self::Storage => "storage",
            Self::Internal => "internal",
        }
    }
}

/// Why a run stopped in ERROR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFailure {
    /// The kind of trouble.
    pub class: RunFailureClass,
    /// A sentence that says what to do.
    pub message: String,
    /// When the run tries again by itself; `None` when only a person can go on.
    pub retry_at: Option<Timestamp>,
}

/// What can happen to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Someone asks to start, resume or retry, by state. `run` is the id that a new run gets; a resumed
    /// run keeps its own.
    Start {
        /// The id for a new run.
        run: RunId,
    },
    /// Every market is listed and every page of the plan is stored.
    PlanComplete {
        /// The plan.
        plan: Arc<Plan>,
    },
    /// The record of a product is durable.
    ProductDone,
    /// No product of a market is wanted any more; other markets go on.
    MarketDone,
    /// The same for the last market: the run is complete.
    LastMarketDone,
    /// The run is to pause.
    Stop {
        /// Why.
        reason: PauseReason,
    },
    /// The run cannot go on.
    Fail {
        /// Why.
        failure: RunFailure,
    },
    /// The time of the automatic retry has come, or start-up resumes an interrupted run.
    RetryDue,
    /// Someone asks to attempt failed products again.
    RetryFailed {
        /// Which ones.
        filter: RetryFilter,
    },
    /// Someone asks to forget the run.
    Reset,
    /// Someone asks to delete the logs; the state stays.
    ClearLogs,
}

impl Event {
    /// Its kind, without the details.
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::Start { .. } => EventKind::Start,
            Self::PlanComplete { .. } => EventKind::PlanComplete,
            Self::ProductDone => EventKind::ProductDone,
            Self::MarketDone => EventKind::MarketDone,
            Self::LastMarketDone => EventKind::LastMarketDone,
            Self::Stop { .. } => EventKind::Stop,
            Self::Fail { .. } => EventKind::Fail,
            Self::RetryDue => EventKind::RetryDue,
            Self::RetryFailed { .. } => EventKind::RetryFailed,
            Self::Reset => EventKind::Reset,
            Self::ClearLogs => EventKind::ClearLogs,
        }
    }
}

/// The kinds of [`Event`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is named and documented in Event")]
pub enum EventKind {
    Start,
    PlanComplete,
    ProductDone,
    MarketDone,
    LastMarketDone,
    Stop,
    Fail,
    RetryDue,
    RetryFailed,
    Reset,
    ClearLogs,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Start,
        Self::PlanComplete,
        Self::ProductDone,
        Self::MarketDone,
        Self::LastMarketDone,
        Self::Stop,
        Self::Fail,
        Self::RetryDue,
        Self::RetryFailed,
        Self::Reset,
        Self::ClearLogs,
    ];

    /// In words, as used in sentences and diagrams.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::PlanComplete => "plan complete",
            Self::ProductDone => "product done",
            Self::MarketDone => "market done",
            Self::LastMarketDone => "last market done",
            Self::Stop => "stop",
            Self::Fail => "fail",
            Self::RetryDue => "automatic retry",
            Self::RetryFailed => "retry failed products",
            Self::Reset => "reset",
            Self::ClearLogs => "clear logs",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
