//! A run as flat data, for stores and the wire to read and write without being able to build an
//! illegal state.

use std::sync::Arc;
use std::time::Duration;

use crate::run::{Completed, Errored, Idle, Initializing, Paused, Processing, RunFacts};
use crate::{Pass, PauseReason, Plan, Run, RunFailure, RunId, RunStatus, Timestamp};

/// Everything a [`Run`] knows. `Run::from(record)` checks that the parts fit the status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRecord {
    /// The state's name.
    pub status: RunStatus,
    /// The run, or in IDLE the one before.
    pub run: Option<RunId>,
    /// When the run was first started.
    pub started_at: Option<Timestamp>,
    /// When the present state began.
    pub since: Option<Timestamp>,
    /// Time under way before the present state.
    pub active_before: Duration,
    /// Which products are wanted.
    pub pass: Pass,
    /// Calls before this time are deleted from the logs.
    pub logs_cleared_at: Option<Timestamp>,
    /// The plan, once complete.
    pub plan: Option<Arc<Plan>>,
    /// Why it is paused; in PAUSED only.
    pub pause_reason: Option<PauseReason>,
    /// Why it failed; in ERROR only.
    pub failure: Option<RunFailure>,
}

/// A record whose parts do not make a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record of a run that is {status} has no {missing}")]
pub struct InvalidRunRecord {
    /// The state it claims.
    pub status: RunStatus,
    /// What that state needs.
    pub missing: &'static str,
}

impl From<&Run> for RunRecord {
    fn from(run: &Run) -> Self {
        let facts = run.facts();
        let since = match run {
            Run::Idle(_) => None,
            Run::Initializing(state) => Some(state.since),
            Run::Processing(state) => Some(state.since),
            Run::Paused(state) => Some(state.at),
            Run::Completed(state) => Some(state.at),
            Run::Error(state) => Some(state.at),
        };
        Self {
            status: run.status(),
            run: run.latest_id(),
            started_at: facts.map(RunFacts::started_at),
            since,
            active_before: facts.map_or(Duration::ZERO, RunFacts::active_before),
            pass: facts.map_or_else(Pass::first, |facts| facts.pass.clone()),
            logs_cleared_at: facts.and_then(RunFacts::logs_cleared_at),
            plan: run.plan().cloned(),
            pause_reason: if let Run::Paused(state) = run { Some(state.reason) } else { None },
            failure: if let Run::Error(state) = run { Some(state.failure.clone()) } else { None },
        }
    }
}

impl TryFrom<RunRecord> for Run {
    type Error = InvalidRunRecord;

    fn try_from(record: RunRecord) -> Result<Self, InvalidRunRecord> {
        let status = record.status;
        let missing = |missing: &'static str| InvalidRunRecord { status, missing };
        let facts = || {
            Ok(RunFacts {
                id: record.run.ok_or(missing("run id"))?,
                started_at: record.started_at.ok_or(missing("start time"))?,
                active_before: record.active_before,
                pass: record.pass.clone(),
                logs_cleared_at: record.logs_cleared_at,
            })
        };
        let since = record.since.ok_or(missing("time of the state"));
        let plan = record.plan.clone();
        Ok(match status {
            RunStatus::Idle => Self::Idle(Idle { last_run: record.run }),
            RunStatus::Initializing => Self::Initializing(Initializing { facts: facts()?, since: since? }),
            RunStatus::Processing => Self::Processing(Processing {
                facts: facts()?,
                since: since?,
                plan: plan.ok_or(missing("plan"))?,
            }),
            RunStatus::Paused => Self::Paused(Paused {
                facts: facts()?,
                at: since?,
                plan,
                reason: record.pause_reason.ok_or(missing("pause reason"))?,
            }),
            RunStatus::Completed => {
                Self::Completed(Completed { facts: facts()?, at: since?, plan: plan.ok_or(missing("plan"))? })
            }
            RunStatus::Error => Self::Error(Errored {
                facts: facts()?,
                at: since?,
                plan,
                failure: record.failure.ok_or(missing("failure"))?,
            }),
        })
    }
}
