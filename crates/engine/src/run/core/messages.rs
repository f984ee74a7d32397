//! What reaches the decisions and what they ask for: a closed set of inputs and effects.

use std::sync::Arc;
use std::time::Duration;

use price_cache_domain::{
    Actor, Decision, Entry, MarketId, Outcome, Pass, Plan, ProductId, RetryFilter, RunFailureClass, RunId,
    RunTable, StoreError, Timestamp,
};

use super::Reply;
use crate::error::CommandError;
use crate::run::handle::Accepted;
use crate::view::snapshot::{Activity, MarketSnapshot};

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

/// A product whose record is durable.
#[derive(Debug)]
pub(crate) struct ProductDone {
    pub(crate) market: usize,
    pub(crate) product: ProductId,
    /// Its earlier outcome in the same run, when it was retried.
    pub(crate) replaced: Option<Outcome>,
    pub(crate) entry: Entry,
    /// Since the completion before in this market.
    pub(crate) took: Duration,
}

/// Why a session cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionFailure {
    pub(crate) class: RunFailureClass,
    pub(crate) message: String,
    /// Whether trying again later can help.
    pub(crate) retryable: bool,
}

impl From<StoreError> for SessionFailure {
    fn from(error: StoreError) -> Self {
        let retryable = match &error {
            StoreError::Full(_) | StoreError::Io(_) => true,
            StoreError::Damaged(_) | StoreError::NewerFormat { .. } | StoreError::Closed => false,
        };
        Self { class: RunFailureClass::Storage, message: error.to_string(), retryable }
    }
}

/// How the work of a session ended.
#[derive(Debug)]
pub(crate) enum SessionEnd {
    Planned(Plan),
    Walked,
    /// Every unfinished market is parked, the first of them until then.
    Parked {
        message: String,
        until: Timestamp,
    },
    Cancelled,
    Failed(SessionFailure),
}

/// Everything that reaches the one task that owns the run.
#[derive(Debug)]
pub(crate) enum Input {
    Command {
        command: Command,
        actor: Actor,
        reply: Reply,
    },
    MarketsListed(Vec<MarketId>),
    MarketPlanned {
        market: MarketSnapshot,
        index: usize,
    },
    MarketActivity {
        market: usize,
        activity: Activity,
    },
    ProductDone(Box<ProductDone>),
    /// A failed request was not repeated because the run's retry budget is used up.
    RetryDenied {
        market: usize,
    },
    /// A product that was fetched and whose record the store refused, so that it may be there or not.
    NotRecorded(Box<ProductDone>),
    MarketDone {
        market: usize,
    },
    SessionEnded(SessionEnd),
    RetryDue,
    Saved {
        decision: Decision<RunTable>,
        result: Result<(), StoreError>,
        reply: Option<Reply>,
    },
}

/// What the shell is to do.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Save the state the decision leads to, then tell with [`Input::Saved`].
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

/// Which markets to walk, by their indexes in the plan.
#[derive(Debug)]
pub(crate) struct Walk {
    pub(crate) run: RunId,
    pub(crate) pass: Pass,
    pub(crate) plan: Arc<Plan>,
    pub(crate) markets: Vec<usize>,
    /// Whether a person asked for it, so that parked markets are probed at once.
    pub(crate) probe_at_once: bool,
    /// Whether the upstream gave a price to the run before, and so took our credentials.
    pub(crate) were_accepted: bool,
}
