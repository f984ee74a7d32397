//! What reaches the decisions and what they ask for: a closed set of inputs and effects.

use price_cache_domain::{Actor, Decision, RetryFilter, RunId, RunTable, Timestamp};

use crate::error::CommandError;
use crate::run::accepted::Accepted;
use crate::run::core::reply::Reply;
use crate::walk::report::{ProductDone, Report, Walk};

/// What someone asks for.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    Start,
    Stop,
    Reset {
        keep_prices: bool,
    },
    RetryFailed(RetryFilter),
    ClearLogs,
    /// Pause what is under way, then end.
    Shutdown,
}

/// Everything that reaches the one task that owns the run.
#[derive(Debug)]
pub(crate) enum Input {
    Command {
        command: Command,
        actor: Actor,
        reply: Reply,
    },
    /// What a worker reports.
    Report(Report),
    RetryDue,
}

/// What the shell is to do.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Save the state the decision leads to, then tell with `Core::saved`.
    Save { decision: Decision<RunTable>, reply: Option<Reply> },
    /// The same for a reset, which deletes what the run left.
    Clear { decision: Decision<RunTable>, keep_prices: bool, reply: Option<Reply> },
    /// Make the plan of this run.
    Plan(RunId),
    /// Record what the store refused before, then walk these markets of the plan, by their indexes.
    Walk { walk: Walk, not_recorded: Vec<ProductDone> },
    /// End the present session as soon as what it fetched is on disk.
    CancelSession,
    /// Send [`Input::RetryDue`] at this time, or never.
    SetRetry(Option<Timestamp>),
    /// Answer a command.
    Answer(Reply, Result<Accepted, CommandError>),
    /// The service ends.
    End,
}
