//! The six states of a run. Only [`transition`](crate::transition) and a stored, checked
//! [`RunRecord`](crate::RunRecord) make one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::{Pass, PauseReason, Plan, RunFailure, RunId, Timestamp};

/// The names of the states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunStatus {
    /// No run.
    Idle,
    /// The markets and products are being listed.
    Initializing,
    /// Prices are being fetched.
    Processing,
    /// Stopped; `start` goes on where it was.
    Paused,
    /// Every product has an outcome.
    Completed,
    /// The run cannot go on; the reason says why.
    Error,
}

impl RunStatus {
    /// Every status, in the order of the table.
    pub const ALL: [Self; 6] =
        [Self::Idle, Self::Initializing, Self::Processing, Self::Paused, Self::Completed, Self::Error];

    /// The name on the wire, in capitals.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "IDLE",
            Self::Initializing => "INITIALIZING",
            Self::Processing => "PROCESSING",
            Self::Paused => "PAUSED",
            Self::Completed => "COMPLETED",
            Self::Error => "ERROR",
        }
    }

    /// Whether a run is under way, so that `start` is refused.
    pub const fn is_locked(self) -> bool {
        match self {
            Self::Initializing | Self::Processing => true,
            Self::Idle | Self::Paused | Self::Completed | Self::Error => false,
        }
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What every state but IDLE knows of its run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFacts {
    pub(crate) id: RunId,
    pub(crate) started_at: Timestamp,
    pub(crate) active_before: Duration,
    pub(crate) pass: Pass,
    pub(crate) logs_cleared_at: Option<Timestamp>,
}

impl RunFacts {
    /// The run's id.
    pub const fn id(&self) -> RunId {
        self.id
    }

    /// When the run was first started.
    pub const fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// How long the run had been under way, pauses excluded, before its present state began.
    pub const fn active_before(&self) -> Duration {
        self.active_before
    }

    /// Which products the run wants.
    pub const fn pass(&self) -> &Pass {
        &self.pass
    }

    /// Calls that ended before this time were deleted from the logs.
    pub const fn logs_cleared_at(&self) -> Option<Timestamp> {
        self.logs_cleared_at
    }
}

/// IDLE: no run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idle {
    pub(crate) last_run: Option<RunId>,
}

impl Idle {
    /// The run before the reset, whose id must not be used again.
    pub const fn last_run(&self) -> Option<RunId> {
        self.last_run
    }
}

/// INITIALIZING: the plan is being made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Initializing {
    pub(crate) facts: RunFacts,
    pub(crate) since: Timestamp,
}

/// PROCESSING: the plan is walked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Processing {
    pub(crate) facts: RunFacts,
    pub(crate) since: Timestamp,
    pub(crate) plan: Arc<Plan>,
}

/// PAUSED: `start` goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paused {
    pub(crate) facts: RunFacts,
    pub(crate) at: Timestamp,
    pub(crate) plan: Option<Arc<Plan>>,
    pub(crate) reason: PauseReason,
}

/// COMPLETED: every product has an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completed {
    pub(crate) facts: RunFacts,
    pub(crate) at: Timestamp,
    pub(crate) plan: Arc<Plan>,
}

/// ERROR: the run cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errored {
    pub(crate) facts: RunFacts,
    pub(crate) at: Timestamp,
    pub(crate) plan: Option<Arc<Plan>>,
    pub(crate) failure: RunFailure,
}

impl Initializing {
    /// When this state began.
    pub const fn since(&self) -> Timestamp {
        self.since
    }
}

impl Processing {
    /// When this state began, or was taken up again.
    pub const fn since(&self) -> Timestamp {
        self.since
    }

    /// The plan that is walked.
    pub const fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }
}

impl Paused {
    /// When the run was paused.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// Why.
    pub const fn reason(&self) -> PauseReason {
        self.reason
    }
}

impl Completed {
    /// When the last product was done.
    pub const fn at(&self) -> Timestamp {
        self.at
    }
}

impl Errored {
    /// When the run stopped.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// Why.
    pub const fn failure(&self) -> &RunFailure {
        &self.failure
    }
}

/// One pass over all pairs, in one of six states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Run {
    /// No run.
    Idle(Idle),
    /// The plan is being made.
    Initializing(Initializing),
    /// The plan is walked.
    Processing(Processing),
    /// Stopped; `start` goes on.
    Paused(Paused),
    /// Done.
    Completed(Completed),
    /// Cannot go on.
    Error(Errored),
}

impl Default for Run {
    fn default() -> Self {
        Self::new()
    }
}

impl Run {
    /// The state of a new store: IDLE, and there never was a run.
    pub const fn new() -> Self {
        Self::Idle(Idle { last_run: None })
    }

    /// The name of the state.
    pub const fn status(&self) -> RunStatus {
        match self {
            Self::Idle(_) => RunStatus::Idle,
            Self::Initializing(_) => RunStatus::Initializing,
            Self::Processing(_) => RunStatus::Processing,
            Self::Paused(_) => RunStatus::Paused,
            Self::Completed(_) => RunStatus::Completed,
            Self::Error(_) => RunStatus::Error,
        }
    }

    /// What is known of the run; `None` in IDLE.
    pub const fn facts(&self) -> Option<&RunFacts> {
        match self {
            Self::Idle(_) => None,
            Self::Initializing(state) => Some(&state.facts),
            Self::Processing(state) => Some(&state.facts),
            Self::Paused(state) => Some(&state.facts),
            Self::Completed(state) => Some(&state.facts),
            Self::Error(state) => Some(&state.facts),
        }
    }

    /// The plan, once complete.
    pub const fn plan(&self) -> Option<&Arc<Plan>> {
        match self {
            Self::Idle(_) | Self::Initializing(_) => None,
            Self::Processing(state) => Some(&state.plan),
            Self::Paused(state) => state.plan.as_ref(),
            Self::Completed(state) => Some(&state.plan),
            Self::Error(state) => state.plan.as_ref(),
        }
    }

    /// The id of this run or, in IDLE, of the one before.
    pub const fn latest_id(&self) -> Option<RunId> {
        match (self, self.facts()) {
            (_, Some(facts)) => Some(facts.id),
            (Self::Idle(idle), None) => idle.last_run,
            (_, None) => None,
        }
    }

    /// How long the run has been under way at `now`, pauses excluded.
    pub fn active_for(&self, now: Timestamp) -> Duration {
        let present = match self {
            Self::Initializing(state) => now.since(state.since),
            Self::Processing(state) => now.since(state.since),
            Self::Idle(_) | Self::Paused(_) | Self::Completed(_) | Self::Error(_) => Duration::ZERO,
        };
        self.facts().map_or(Duration::ZERO, |facts| facts.active_before.saturating_add(present))
    }

    /// The same state with the logs up to `at` deleted; IDLE, which has no logs, as it is.
    pub(crate) fn with_logs_cleared(mut self, at: Timestamp) -> Self {
        let facts = match &mut self {
            Self::Idle(_) => None,
            Self::Initializing(state) => Some(&mut state.facts),
            Self::Processing(state) => Some(&mut state.facts),
            Self::Paused(state) => Some(&mut state.facts),
            Self::Completed(state) => Some(&mut state.facts),
            Self::Error(state) => Some(&mut state.facts),
        };
        if let Some(facts) = facts {
            facts.logs_cleared_at = Some(at);
        }
        self
    }
}
