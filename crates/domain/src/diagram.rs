//! The state diagram of the documentation, drawn from the transition table itself.

use std::sync::Arc;
use std::time::Duration;

use crate::run::{Completed, Errored, Idle, Initializing, Paused, Processing, RunFacts};
use crate::{
    Event, EventKind, MarketId, MarketPlan, Pass, PauseReason, Plan, RetryFilter, Run, RunFailure,
    RunFailureClass, RunId, RunStatus, Timestamp, transition,
};

/// One row of the table: a state, an event and what follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRow {
    /// The state before, with a note where the state comes in variants that differ.
    pub from: RunStatus,
    /// Which variant of the state this row is about; empty when there is one only.
    pub variant: &'static str,
    /// The event.
    pub event: EventKind,
    /// The state after; `None` when the event is refused.
    pub to: Option<RunStatus>,
}

/// The whole table, found by asking [`transition`] about every state and event.
pub fn table_rows() -> Vec<TableRow> {
    let Some(plan) = example_plan() else { return Vec::new() };
    let mut rows = Vec::new();
    for (variant, run) in example_runs(&plan) {
        for event in example_events(&plan) {
            let kind = event.kind();
            let to = transition(&run, event, Timestamp::from_millis(0)).ok().map(|to| to.status());
            rows.push(TableRow { from: run.status(), variant, event: kind, to });
        }
    }
    rows
}

/// The diagram in the language of Mermaid, one arrow for each pair of states.
pub fn mermaid() -> String {
    let mut arrows: Vec<(RunStatus, RunStatus, Vec<&'static str>)> = Vec::new();
    for row in table_rows() {
        let Some(to) = row.to else { continue };
        // Possible everywhere and without effect on the state: six arrows that say nothing.
        if row.event == EventKind::ClearLogs {
            continue;
        }
        let label = row.event.name();
        match arrows.iter_mut().find(|(from, target, _)| (*from, *target) == (row.from, to)) {
            Some((_, _, labels)) if labels.contains(&label) => {}
            Some((_, _, labels)) => labels.push(label),
            None => arrows.push((row.from, to, vec![label])),
        }
    }
    let mut diagram = String::from("stateDiagram-v2\n    [*] --> IDLE\n");
    for (from, to, labels) in arrows {
        diagram.push_str(&format!("    {from} --> {to}: {}\n", labels.join(", ")));
    }
    diagram
}

fn example_plan() -> Option<Arc<Plan>> {
    let market = MarketId::new("US").ok()?;
    Plan::new(vec![MarketPlan { market, list: 0, pages: 1, total: 1 }]).ok().map(Arc::new)
}

fn example_failure() -> RunFailure {
    RunFailure { class: RunFailureClass::Upstream, message: String::new(), retry_at: None }
}

/// Every state, and where the table looks at more than the state, every variant it tells apart.
pub(crate) fn example_runs(plan: &Arc<Plan>) -> Vec<(&'static str, Run)> {
    let at = Timestamp::from_millis(0);
    let facts = RunFacts {
        id: RunId::from_number(1),
        started_at: at,
        active_before: Duration::ZERO,
        pass: Pass::first(),
        logs_cleared_at: None,
    };
    let paused = |plan: Option<&Arc<Plan>>, reason| {
        Run::Paused(Paused { facts: facts.clone(), at, plan: plan.cloned(), reason })
    };
    let error = |plan: Option<&Arc<Plan>>| {
        Run::Error(Errored { facts: facts.clone(), at, plan: plan.cloned(), failure: example_failure() })
    };
    vec![
        ("", Run::Idle(Idle { last_run: None })),
        ("", Run::Initializing(Initializing { facts: facts.clone(), since: at })),
        ("", Run::Processing(Processing { facts: facts.clone(), since: at, plan: Arc::clone(plan) })),
        ("by a person", paused(Some(plan), PauseReason::Manual)),
        ("by a person, plan not complete", paused(None, PauseReason::Manual)),
        ("interrupted", paused(Some(plan), PauseReason::Interrupted)),
        ("interrupted, plan not complete", paused(None, PauseReason::Interrupted)),
        ("", Run::Completed(Completed { facts: facts.clone(), at, plan: Arc::clone(plan) })),
        ("", error(Some(plan))),
        ("plan not complete", error(None)),
    ]
}

/// Every kind of event once.
pub(crate) fn example_events(plan: &Arc<Plan>) -> Vec<Event> {
    vec![
        Event::Start { run: RunId::from_number(2) },
        Event::PlanComplete { plan: Arc::clone(plan) },
        Event::ProductDone,
        Event::MarketDone,
        Event::LastMarketDone,
        Event::Stop { reason: PauseReason::Manual },
        Event::Fail { failure: example_failure() },
        Event::RetryDue,
        Event::RetryFailed { filter: RetryFilter::default() },
        Event::Reset,
        Event::ClearLogs,
    ]
}
