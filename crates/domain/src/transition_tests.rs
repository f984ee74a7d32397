//! The whole table, written down a second time in another form, and what the states carry over.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::HashSet;

use super::*;
use crate::diagram::{example_events, example_runs, mermaid, table_rows};
use crate::{MarketId, MarketPlan, RetryFilter, RunFailureClass, RunRecord};

/// One line a state (and variant), one column an event in the order of `EventKind::ALL`:
/// start, plan complete, product done, market done, last market done, stop, fail, automatic retry,
/// retry failed products, reset, clear logs. The letter is the state that follows, a dot a refusal.
const EXPECTED: [(&str, &str, &str); 10] = [
    ("IDLE", "", "I........--"),
    ("INITIALIZING", "", ".P...AE...I"),
    ("PROCESSING", "", "..PPCAE...P"),
    ("PAUSED", "by a person", "P.......P-A"),
    ("PAUSED", "by a person, plan not complete", "I........-A"),
    ("PAUSED", "interrupted", "P....A.PP-A"),
    ("PAUSED", "interrupted, plan not complete", "I....A.I.-A"),
    ("COMPLETED", "", "I.......P-C"),
    ("ERROR", "", "P....E.PP-E"),
    ("ERROR", "plan not complete", "I....E.I.-E"),
];

fn letter(status: Option<RunStatus>) -> char {
    match status {
        None => '.',
        Some(RunStatus::Idle) => '-',
        Some(RunStatus::Initializing) => 'I',
        Some(RunStatus::Processing) => 'P',
        Some(RunStatus::Paused) => 'A',
        Some(RunStatus::Completed) => 'C',
        Some(RunStatus::Error) => 'E',
    }
}

#[test]
fn every_state_and_event_does_what_the_table_says() {
    let rows = table_rows();
    assert_eq!(rows.len(), EXPECTED.len() * EventKind::ALL.len());
    for (expected, actual) in EXPECTED.iter().zip(rows.chunks(EventKind::ALL.len())) {
        assert_eq!((actual[0].from.name(), actual[0].variant), (expected.0, expected.1));
        let kinds: Vec<_> = actual.iter().map(|row| row.event).collect();
        assert_eq!(kinds, EventKind::ALL, "the columns are in order");
        let letters: String = actual.iter().map(|row| letter(row.to)).collect();
        assert_eq!(letters, expected.2, "{} {}", expected.0, expected.1);
    }
    let states: HashSet<_> = rows.iter().map(|row| row.from).collect();
    assert_eq!(states.len(), RunStatus::ALL.len());
}

fn plan() -> Arc<Plan> {
    let market = MarketId::new("US").unwrap();
    Arc::new(Plan::new(vec![MarketPlan { market, list: 0, pages: 1, total: 3 }]).unwrap())
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn start(run: u64) -> Event {
    Event::Start { run: RunId::from_number(run) }
}

const STOP: Event = Event::Stop { reason: PauseReason::Manual };

#[test]
fn a_refused_event_names_state_and_event() {
    let plan = plan();
    for (_, run) in example_runs(&plan) {
        for event in example_events(&plan) {
            let kind = event.kind();
            if let Err(refused) = transition(&run, event, at(0)) {
                assert_eq!(refused, IllegalTransition { from: run.status(), event: kind });
            }
        }
    }
}

#[test]
fn pauses_do_not_count_as_time_under_way() {
    let run = transition(&Run::new(), start(1), at(0)).unwrap();
    let run = transition(&run, Event::PlanComplete { plan: plan() }, at(1_000)).unwrap();
    assert_eq!(run.active_for(at(1_500)), Duration::from_millis(1_500), "listing counts");
    let run = transition(&run, STOP, at(3_000)).unwrap();
    assert_eq!(run.active_for(at(900_000)), Duration::from_secs(3));
    let run = transition(&run, start(2), at(1_000_000)).unwrap();
    assert_eq!(run.active_for(at(1_002_000)), Duration::from_secs(5));
    assert_eq!(run.facts().unwrap().started_at(), at(0));
    assert_eq!(run.active_for(at(0)), Duration::from_secs(3), "a clock set back takes nothing away");
}

#[test]
fn a_resumed_run_keeps_its_id_and_plan_and_a_new_one_does_not() {
    let first = transition(&Run::new(), start(1), at(0)).unwrap();
    let first = transition(&first, Event::PlanComplete { plan: plan() }, at(1)).unwrap();
    let paused = transition(&first, STOP, at(2)).unwrap();
    let resumed = transition(&paused, start(9), at(3)).unwrap();
    assert_eq!(resumed.latest_id(), Some(RunId::from_number(1)));
    assert_eq!(resumed.plan(), Some(&plan()));
    let done = transition(&resumed, Event::LastMarketDone, at(4)).unwrap();
    let second = transition(&done, start(9), at(5)).unwrap();
    assert_eq!((second.latest_id(), second.plan()), (Some(RunId::from_number(9)), None));
    let idle = transition(&done, Event::Reset, at(6)).unwrap();
    assert_eq!(idle.latest_id(), Some(RunId::from_number(1)), "ids are not used again after a reset");
}

#[test]
fn a_retry_of_failed_products_wants_them_alone_until_someone_starts() {
    let run = transition(&Run::new(), start(1), at(0)).unwrap();
    let run = transition(&run, Event::PlanComplete { plan: plan() }, at(1)).unwrap();
    let paused = transition(&run, STOP, at(2)).unwrap();
    let retrying = transition(&paused, Event::RetryFailed { filter: RetryFilter::default() }, at(3)).unwrap();
    let pass = retrying.facts().unwrap().pass().clone();
    assert_eq!((pass.number, pass.unfinished, pass.retry.is_some()), (2, false, true));
    let stopped = transition(&retrying, STOP, at(4)).unwrap();
    let resumed = transition(&stopped, start(2), at(5)).unwrap();
    let pass = resumed.facts().unwrap().pass().clone();
    assert_eq!((pass.number, pass.unfinished, pass.retry.is_some()), (2, true, true));
}

#[test]
fn every_state_survives_its_record() {
    for (_, run) in example_runs(&plan()) {
        let record = RunRecord::from(&run);
        assert_eq!(Run::try_from(record).unwrap(), run);
        let cleared = transition(&run, Event::ClearLogs, at(77)).unwrap();
        assert_eq!(cleared.status(), run.status());
        assert_eq!(Run::try_from(RunRecord::from(&cleared)).unwrap(), cleared);
    }
}

#[test]
fn a_record_that_lacks_what_its_state_needs_is_refused() {
    let failure = RunFailure { class: RunFailureClass::Storage, message: "full".to_owned(), retry_at: None };
    for (_, run) in example_runs(&plan()) {
        let whole = RunRecord { failure: Some(failure.clone()), ..RunRecord::from(&run) };
        let without = [
            RunRecord { run: None, ..whole.clone() },
            RunRecord { started_at: None, ..whole.clone() },
            RunRecord { since: None, ..whole.clone() },
        ];
        for record in without {
            let refused = Run::try_from(record).is_err();
            assert_eq!(refused, run.status() != RunStatus::Idle, "{run:?}");
        }
        let bare = RunRecord { plan: None, pause_reason: None, failure: None, ..whole };
        let needs_more = !matches!(run.status(), RunStatus::Idle | RunStatus::Initializing);
        assert_eq!(Run::try_from(bare).is_err(), needs_more, "{run:?}");
    }
}

#[test]
fn the_diagram_has_an_arrow_for_each_allowed_change() {
    let diagram = mermaid();
    for row in table_rows() {
        let Some(to) = row.to.filter(|_| row.event != EventKind::ClearLogs) else { continue };
        let arrow = format!("{} --> {to}: ", row.from);
        let Some(line) = diagram.lines().find(|line| line.contains(&arrow)) else {
            panic!("no arrow {arrow} in\n{diagram}");
        };
        assert!(line.contains(row.event.name()), "{line} lacks {}", row.event);
    }
}
