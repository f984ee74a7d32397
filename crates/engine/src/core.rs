//! The decisions: one synchronous step from an input to effects. Nothing here waits, reads a clock or
//! touches the store; `shell` does that.

mod reply;

use std::sync::Arc;
use std::time::Duration;

use price_cache_domain::{
    Actor, Decision, Event, EventKind, Machine, MarketId, Outcome, Pass, PauseReason, Plan, ProductId,
    RetryFilter, Run, RunFailure, RunFailureClass, RunId, RunStatus, RunTable, StoreError, Timestamp,
};
use tokio::sync::watch;

pub(crate) use self::reply::Reply;
use crate::error::CommandError;
use crate::handle::Accepted;
use crate::log_book::CallLog;
use crate::snapshot::{Activity, MarketSnapshot, Snapshot};

/// The first automatic retry of a run in ERROR comes after this; the wait doubles up to the maximum.
const AUTOMATIC_RETRY_START: Duration = Duration::from_secs(2);
/// The longest wait before an automatic retry.
const AUTOMATIC_RETRY_MAX: Duration = Duration::from_secs(300);

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
    pub(crate) outcome: Outcome,
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
    Cancelled,
    Failed(SessionFailure),
}

/// Everything that reaches the one task that owns the run.
#[derive(Debug)]
pub(crate) enum Input {
    Command { command: Command, actor: Actor, reply: Reply },
    MarketsListed(Vec<MarketId>),
    MarketPlanned { market: MarketSnapshot, index: usize },
    MarketActivity { market: usize, activity: Activity },
    ProductDone(Box<ProductDone>),
    MarketDone { market: usize },
    SessionEnded(SessionEnd),
    RetryDue,
    Saved { decision: Decision<RunTable>, result: Result<(), StoreError>, reply: Option<Reply> },
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
    /// Walk these markets of the plan, by their indexes.
    Walk { run: RunId, pass: Pass, plan: Arc<Plan>, markets: Vec<usize> },
    /// End the present session as soon as what it fetched is on disk.
    CancelSession,
    /// Send [`Input::RetryDue`] at this time, or never.
    SetRetry(Option<Timestamp>),
    /// Answer a command.
    Answer(Reply, Result<Accepted, CommandError>),
    /// The service ends.
    End,
}

#[derive(Debug)]
struct Stopping {
    reason: PauseReason,
    actor: Actor,
    replies: Vec<Reply>,
}

/// The run and everything that decides about it.
pub(crate) struct Core {
    machine: Machine<RunTable>,
    snapshot: watch::Sender<Snapshot>,
    log: Arc<CallLog>,
    session_running: bool,
    stopping: Option<Stopping>,
    closing: Option<Reply>,
    /// Automatic retries since a product was last done.
    automatic_retries: u32,
}

impl Core {
    pub(crate) fn new(
        machine: Machine<RunTable>,
        snapshot: watch::Sender<Snapshot>,
        log: Arc<CallLog>,
    ) -> Self {
        Self {
            machine,
            snapshot,
            log,
            session_running: false,
            stopping: None,
            closing: None,
            automatic_retries: 0,
        }
    }

    /// What to do at start-up: go on with an interrupted run if so configured, keep an ERROR's appointment.
    pub(crate) fn begin(&mut self, resume_interrupted: bool, now: Timestamp) -> Vec<Effect> {
        match self.machine.state() {
            Run::Paused(paused) if resume_interrupted && paused.reason().may_resume_by_itself() => {
                self.decide(Event::RetryDue, Actor::ENGINE, None, now)
            }
            Run::Error(error) => vec![self.set_retry(error.failure().retry_at)],
            Run::Idle(_) | Run::Initializing(_) | Run::Processing(_) | Run::Paused(_) | Run::Completed(_) => {
                Vec::new()
            }
        }
    }

    /// Decides what follows from one input.
    pub(crate) fn step(&mut self, input: Input, now: Timestamp) -> Vec<Effect> {
        match input {
            Input::Command { command, actor, reply } => self.command(command, actor, reply, now),
            Input::MarketsListed(markets) => self.markets_listed(&markets),
            Input::MarketPlanned { market, index } => self.update_market(index, |slot| *slot = market),
            Input::MarketActivity { market, activity } => {
                self.update_market(market, |slot| slot.activity = activity)
            }
            Input::ProductDone(done) => self.product_done(&done, now),
            Input::MarketDone { market } => self.market_done(market, now),
            Input::SessionEnded(end) => self.session_ended(end, now),
            Input::RetryDue => self.retry_due(now),
            Input::Saved { decision, result, reply } => self.saved(decision, result, reply, now),
        }
    }

    fn command(&mut self, command: Command, actor: Actor, reply: Reply, now: Timestamp) -> Vec<Effect> {
        let state = self.machine.state().status();
        match command {
            Command::Start => {
                let run = RunId::next(self.machine.state().latest_id(), now);
                self.decide(Event::Start { run }, actor, Some(reply), now)
            }
            Command::Stop => self.stop(PauseReason::Manual, actor, reply),
            Command::Shutdown => {
                if self.session_running {
                    let stop = self.stop(PauseReason::Shutdown, actor, Reply::nobody());
                    self.closing = Some(reply);
                    stop
                } else {
                    vec![answer(reply, state, false, "the service ends"), Effect::End]
                }
            }
            Command::Reset { keep_prices } => match self.machine.decide(Event::Reset, actor, now) {
                Ok(decision) => vec![Effect::Clear { decision, keep_prices, reply: Some(reply) }],
                Err(refused) => vec![Effect::Answer(reply, Err(CommandError::from_refused(refused, state)))],
            },
            Command::RetryFailed(filter) => {
                let snapshot = self.snapshot.borrow();
                let failed: u64 = snapshot.markets.iter().map(|market| retryable(market, &filter)).sum();
                drop(snapshot);
                // While a run is under way the table refuses with the better reason.
                if failed == 0 && !state.is_locked() {
                    let message = "no failed product of the last run matches, so there is nothing to retry";
                    let refused = CommandError::Refused { state, message: message.to_owned() };
                    return vec![Effect::Answer(reply, Err(refused))];
                }
                self.decide(Event::RetryFailed { filter }, actor, Some(reply), now)
            }
            Command::ClearLogs => self.decide(Event::ClearLogs, actor, Some(reply), now),
        }
    }

    fn stop(&mut self, reason: PauseReason, actor: Actor, reply: Reply) -> Vec<Effect> {
        let state = self.machine.state().status();
        if let Some(stopping) = &mut self.stopping {
            stopping.replies.push(reply);
            // A shutdown during a stop by a person leaves it a stop by a person.
            return Vec::new();
        }
        if !self.session_running {
            if self.snapshot.borrow().retry_at.is_some() {
                let message = "the automatic retry is called off; start goes on where the run was";
                return vec![self.set_retry(None), answer(reply, state, true, message)];
            }
            return vec![answer(reply, state, false, &format!("nothing is running; the run is {state}"))];
        }
        self.stopping = Some(Stopping { reason, actor, replies: vec![reply] });
        self.snapshot.send_modify(|snapshot| snapshot.stop_requested = true);
        vec![Effect::CancelSession]
    }

    fn markets_listed(&mut self, markets: &[MarketId]) -> Vec<Effect> {
        self.snapshot.send_modify(|snapshot| {
            snapshot.markets = markets.iter().cloned().map(MarketSnapshot::unplanned).collect();
        });
        Vec::new()
    }

    fn update_market(&mut self, index: usize, update: impl FnOnce(&mut MarketSnapshot)) -> Vec<Effect> {
        self.snapshot.send_modify(|snapshot| {
            if let Some(market) = snapshot.markets.get_mut(index) {
                update(market);
            }
        });
        Vec::new()
    }

    fn product_done(&mut self, done: &ProductDone, now: Timestamp) -> Vec<Effect> {
        let cleared_at = self.machine.state().facts().and_then(|facts| facts.logs_cleared_at());
        let log = Arc::clone(&self.log);
        self.update_market(done.market, |market| {
            if let Err(overcounted) = market.progress.count(done.replaced.as_ref(), &done.outcome) {
                tracing::error!(market = %market.market, product = %done.product, %overcounted, "defect");
                return;
            }
            market.pace.observe(done.took);
            market.retries_left -= u64::from(done.replaced.is_some()).min(market.retries_left);
            log.add(&market.market, &done.product, done.replaced.as_ref(), &done.outcome, cleared_at);
            let progress = &market.progress;
            if progress.low_success_rate() && !market.low_success_rate_told {
                market.low_success_rate_told = true;
                tracing::warn!(
                    market = %market.market,
                    success_rate_percent = progress.success_rate(),
                    completed = progress.completed(),
                    "the success rate of this market is low"
                );
            }
        });
        self.automatic_retries = 0;
        self.apply(Event::ProductDone, now)
    }

    fn market_done(&mut self, index: usize, now: Timestamp) -> Vec<Effect> {
        self.update_market(index, |market| market.activity = Activity::Done);
        self.apply(Event::MarketDone, now)
    }

    /// A transition that changes nothing worth storing.
    fn apply(&mut self, event: Event, now: Timestamp) -> Vec<Effect> {
        if let Err(refused) = self.machine.apply(event, Actor::ENGINE, now) {
            tracing::debug!(%refused, "a late report was passed over");
        }
        Vec::new()
    }

    fn session_ended(&mut self, end: SessionEnd, now: Timestamp) -> Vec<Effect> {
        self.session_running = false;
        self.snapshot.send_modify(|snapshot| {
            let unfinished = snapshot.markets.iter_mut().filter(|market| market.activity != Activity::Done);
            unfinished.for_each(|market| market.activity = Activity::Pending);
        });
        let stopping = self.stopping.as_ref();
        let actor = stopping.map_or(Actor::ENGINE, |stopping| stopping.actor.clone());
        match end {
            SessionEnd::Planned(plan) => {
                self.decide(Event::PlanComplete { plan: Arc::new(plan) }, Actor::ENGINE, None, now)
            }
            SessionEnd::Walked => self.walked(now),
            SessionEnd::Cancelled => {
                let reason = stopping.map_or(PauseReason::Interrupted, |stopping| stopping.reason);
                self.decide(Event::Stop { reason }, actor, None, now)
            }
            SessionEnd::Failed(failure) => self.fail(failure, now),
        }
    }

    /// Every market was walked: the run is complete, or was to retry failed products only.
    fn walked(&mut self, now: Timestamp) -> Vec<Effect> {
        let remaining: u64 =
            self.snapshot.borrow().markets.iter().map(|market| market.progress.remaining()).sum();
        let unfinished = self.machine.state().facts().is_some_and(|facts| facts.pass().unfinished);
        if remaining == 0 {
            self.decide(Event::LastMarketDone, Actor::ENGINE, None, now)
        } else if unfinished {
            let message = format!(
                "{remaining} products of the plan were not reached, which should not happen; \
                 stop the server and look with the doctor command"
            );
            self.fail(SessionFailure { class: RunFailureClass::Internal, message, retryable: false }, now)
        } else {
            self.decide(Event::Stop { reason: PauseReason::RetryFinished }, Actor::ENGINE, None, now)
        }
    }

    fn fail(&mut self, failure: SessionFailure, now: Timestamp) -> Vec<Effect> {
        let retry_at = failure.retryable.then(|| self.next_automatic_retry(now));
        let failure = RunFailure { class: failure.class, message: failure.message, retry_at };
        self.decide(Event::Fail { failure }, Actor::ENGINE, None, now)
    }

    fn next_automatic_retry(&mut self, now: Timestamp) -> Timestamp {
        let doublings = self.automatic_retries.min(16);
        self.automatic_retries += 1;
        now.plus(AUTOMATIC_RETRY_START.saturating_mul(1 << doublings).min(AUTOMATIC_RETRY_MAX))
    }

    fn retry_due(&mut self, now: Timestamp) -> Vec<Effect> {
        match self.machine.state().status() {
            RunStatus::Error => self.decide(Event::RetryDue, Actor::ENGINE, None, now),
            RunStatus::Idle
            | RunStatus::Initializing
            | RunStatus::Processing
            | RunStatus::Paused
            | RunStatus::Completed => Vec::new(),
        }
    }

    fn set_retry(&self, at: Option<Timestamp>) -> Effect {
        self.snapshot.send_modify(|snapshot| snapshot.retry_at = at);
        Effect::SetRetry(at)
    }

    /// Asks the table, and has the new state saved before it holds.
    fn decide(&mut self, event: Event, actor: Actor, reply: Option<Reply>, now: Timestamp) -> Vec<Effect> {
        let state = self.machine.state().status();
        match (self.machine.decide(event, actor, now), reply) {
            (Ok(decision), reply) => vec![Effect::Save { decision, reply }],
            (Err(refused), Some(reply)) => {
                vec![Effect::Answer(reply, Err(CommandError::from_refused(refused, state)))]
            }
            (Err(refused), None) => {
                tracing::error!(%refused, "the engine asked for a transition it may not make");
                Vec::new()
            }
        }
    }

    fn saved(
        &mut self,
        decision: Decision<RunTable>,
        result: Result<(), StoreError>,
        reply: Option<Reply>,
        now: Timestamp,
    ) -> Vec<Effect> {
        let kind = decision.event().kind();
        if let Err(error) = result {
            // A run that stops must stop even where that cannot be stored: found unfinished at the next
            // start-up, it is paused then.
            let must_hold = matches!(kind, EventKind::Stop | EventKind::Fail);
            tracing::error!(%error, event = %kind, "the new state of the run could not be stored");
            if !must_hold {
                return self.not_saved(kind, error, reply, now);
            }
        }
        let before = self.machine.state().latest_id();
        let filter = match decision.event() {
            Event::RetryFailed { filter } => Some(filter.clone()),
            _ => None,
        };
        if let Err(stale) = self.machine.commit(decision) {
            tracing::error!(%stale, "defect");
            return Vec::new();
        }
        let run = self.machine.state().clone();
        let new_run = run.latest_id() != before || run.facts().is_none();
        self.snapshot.send_modify(|snapshot| {
            snapshot.run = run.clone();
            if new_run {
                snapshot.markets.clear();
            }
            if let Some(filter) = filter {
                snapshot
                    .markets
                    .iter_mut()
                    .for_each(|market| market.retries_left = retryable(market, &filter));
            }
        });
        if new_run || kind == EventKind::ClearLogs {
            self.log.clear();
        }
        let mut effects = self.after(kind, &run, now);
        effects.extend(reply.map(|reply| accept(reply, kind, run.status())));
        effects
    }

    /// What follows a transition that holds now.
    fn after(&mut self, kind: EventKind, run: &Run, now: Timestamp) -> Vec<Effect> {
        match kind {
            EventKind::Start | EventKind::RetryDue | EventKind::RetryFailed => {
                let mut effects = vec![self.set_retry(None)];
                effects.extend(self.launch(run, now));
                effects
            }
            EventKind::PlanComplete => {
                self.adopt_plan(run);
                match &self.stopping {
                    Some(stopping) => {
                        let (reason, actor) = (stopping.reason, stopping.actor.clone());
                        self.decide(Event::Stop { reason }, actor, None, now)
                    }
                    None => self.launch(run, now),
                }
            }
            EventKind::Fail => {
                let retry_at = if let Run::Error(error) = run { error.failure().retry_at } else { None };
                let mut effects = vec![self.set_retry(retry_at)];
                effects.extend(self.rested(run));
                effects
            }
            EventKind::Stop | EventKind::LastMarketDone => self.rested(run),
            EventKind::Reset => vec![self.set_retry(None)],
            EventKind::ProductDone | EventKind::MarketDone | EventKind::ClearLogs => Vec::new(),
        }
    }

    /// A run under way came to rest: whoever asked for a stop hears of it.
    fn rested(&mut self, run: &Run) -> Vec<Effect> {
        self.snapshot.send_modify(|snapshot| snapshot.stop_requested = false);
        let status = run.status();
        let message = match status {
            RunStatus::Paused => "the run is paused".to_owned(),
            other => format!("the run ended before it could be paused; it is {other}"),
        };
        let replies = self.stopping.take().map(|stopping| stopping.replies).unwrap_or_default();
        let mut effects: Vec<_> =
            replies.into_iter().map(|reply| answer(reply, status, true, &message)).collect();
        if let Some(reply) = self.closing.take() {
            effects.push(answer(reply, status, true, &message));
            effects.push(Effect::End);
        }
        effects
    }

    fn adopt_plan(&mut self, run: &Run) {
        let Some(plan) = run.plan() else { return };
        self.snapshot.send_modify(|snapshot| {
            snapshot.markets = plan.markets().iter().map(MarketSnapshot::new).collect();
        });
    }

    /// Starts the session that the state calls for.
    fn launch(&mut self, run: &Run, now: Timestamp) -> Vec<Effect> {
        let Some(facts) = run.facts() else { return Vec::new() };
        self.session_running = true;
        let Some(plan) = run.plan() else { return vec![Effect::Plan(facts.id())] };
        let mut markets = Vec::new();
        self.snapshot.send_modify(|snapshot| {
            for (index, market) in snapshot.markets.iter_mut().enumerate() {
                let to_do = market.to_do(facts.pass()) > 0;
                market.activity = if to_do { Activity::Pending } else { Activity::Done };
                markets.extend(to_do.then_some(index));
            }
        });
        if markets.is_empty() {
            return self.session_ended(SessionEnd::Walked, now);
        }
        vec![Effect::Walk { run: facts.id(), pass: facts.pass().clone(), plan: Arc::clone(plan), markets }]
    }

    fn not_saved(
        &mut self,
        kind: EventKind,
        error: StoreError,
        reply: Option<Reply>,
        now: Timestamp,
    ) -> Vec<Effect> {
        match (kind, reply) {
            (_, Some(reply)) => vec![Effect::Answer(reply, Err(CommandError::Store(error)))],
            // The run stays in ERROR and tries again later.
            (EventKind::RetryDue, None) => {
                let at = self.next_automatic_retry(now);
                vec![self.set_retry(Some(at))]
            }
            (_, None) => self.fail(error.into(), now),
        }
    }
}

/// How many failed products of a market a filter lets through.
fn retryable(market: &MarketSnapshot, filter: &RetryFilter) -> u64 {
    match (&filter.market, filter.class) {
        (Some(wanted), _) if *wanted != market.market => 0,
        (_, Some(class)) => market.progress.failed_with(class),
        (_, None) => market.progress.failed(),
    }
}

fn answer(reply: Reply, state: RunStatus, changed: bool, message: &str) -> Effect {
    Effect::Answer(reply, Ok(Accepted { message: message.to_owned(), state, changed }))
}

fn accept(reply: Reply, kind: EventKind, state: RunStatus) -> Effect {
    let message = match kind {
        EventKind::Start => "the run is under way",
        EventKind::RetryFailed => "the failed products are being tried again",
        EventKind::Reset => "the run and everything it left is deleted",
        EventKind::ClearLogs => "the logs are deleted",
        EventKind::PlanComplete
        | EventKind::ProductDone
        | EventKind::MarketDone
        | EventKind::LastMarketDone
        | EventKind::Stop
        | EventKind::Fail
        | EventKind::RetryDue => "done",
    };
    answer(reply, state, true, message)
}
