//! Decisions about inputs that cross each other, which from outside come that way only by luck.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use price_cache_domain::{
    Actor, Machine, MarketId, MarketPlan, PauseReason, Plan, Run, RunFailureClass, RunStatus, StoreError,
    Timestamp,
};
use tokio::sync::{oneshot, watch};

use super::Core;
use super::messages::{Command, Effect, Input};
use super::reply::Reply;
use crate::error::CommandError;
use crate::run::accepted::Accepted;
use crate::view::snapshot::Snapshot;
use crate::walk::activity::Activity;
use crate::walk::report::{Report, SessionEnd, SessionFailure};

type Answer = oneshot::Receiver<Result<Accepted, CommandError>>;

/// A core with the part of the shell that stores and answers.
struct Bench {
    core: Core,
    snapshot: watch::Receiver<Snapshot>,
    now: Timestamp,
    store_fails: bool,
}

impl Bench {
    fn new() -> Self {
        let run = Run::new();
        let (publisher, snapshot) = watch::channel(Snapshot {
            run: run.clone(),
            markets: Vec::new(),
            stop_requested: false,
            retry_at: None,
            parallel_markets: 1,
            end_of_market_retry: true,
        });
        let core = Core::new(Machine::new(run), publisher, Arc::default(), Arc::default());
        Self { core, snapshot, now: Timestamp::from_millis(1_000), store_fails: false }
    }

    /// Carries out one input; returns the effects that reach beyond store and callers.
    fn step(&mut self, input: Input) -> Vec<&'static str> {
        self.now = self.now.plus(Duration::from_millis(1));
        let mut effects = VecDeque::from(self.core.step(input, self.now));
        let mut beyond = Vec::new();
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Save { decision, reply } | Effect::Clear { decision, reply, .. } => {
                    let full = StoreError::Full("no space".to_owned());
                    let result = if self.store_fails { Err(full) } else { Ok(()) };
                    effects.extend(self.core.saved(decision, result, reply, self.now));
                }
                Effect::Answer(reply, answer) => reply.send(answer),
                Effect::Plan(_) => beyond.push("plan"),
                Effect::Walk { .. } => beyond.push("walk"),
                Effect::CancelSession => beyond.push("cancel"),
                Effect::SetRetry(Some(_)) => beyond.push("retry later"),
                Effect::SetRetry(None) => {}
                Effect::End => beyond.push("end"),
            }
        }
        beyond
    }

    fn command(&mut self, command: Command) -> (Vec<&'static str>, Answer) {
        let (reply, answer) = Reply::channel();
        (self.step(Input::Command { command, actor: Actor::named("operator"), reply }), answer)
    }

    fn planned(&mut self) -> Vec<&'static str> {
        let market = MarketId::new("US").unwrap();
        let plan = Plan::new(vec![MarketPlan { market, list: 0, pages: 1, total: 3 }]).unwrap();
        self.step(Input::Report(Report::SessionEnded(SessionEnd::Planned(plan))))
    }

    fn failed(&mut self) -> Vec<&'static str> {
        let message = "broken".to_owned();
        let class = RunFailureClass::Internal;
        self.step(Input::Report(Report::SessionEnded(SessionEnd::Failed(SessionFailure {
            class,
            message,
            retryable: true,
        }))))
    }

    fn status(&self) -> RunStatus {
        self.snapshot.borrow().run.status()
    }
}

fn answered(mut answer: Answer) -> Accepted {
    answer.try_recv().unwrap().unwrap()
}

#[test]
fn a_stop_that_crosses_the_end_of_the_planning_pauses_the_run_and_keeps_the_plan() {
    let mut bench = Bench::new();
    assert_eq!(bench.command(Command::Start).0, ["plan"]);
    let (effects, answer) = bench.command(Command::Stop);
    assert_eq!(effects, ["cancel"]);
    assert!(bench.snapshot.borrow().stop_requested);
    assert!(bench.planned().is_empty());
    assert_eq!(answered(answer).state, RunStatus::Paused);
    assert!(bench.snapshot.borrow().run.plan().is_some());
    assert_eq!(bench.command(Command::Start).0, ["walk"]);
}

#[test]
fn a_plan_that_cannot_be_stored_does_not_undo_a_stop() {
    let mut bench = Bench::new();
    bench.command(Command::Start);
    let (_, answer) = bench.command(Command::Stop);
    bench.store_fails = true;
    assert!(bench.planned().is_empty(), "nothing tries again by itself");
    assert_eq!(answered(answer).state, RunStatus::Paused);
    let Run::Paused(paused) = bench.snapshot.borrow().run.clone() else { panic!("not paused") };
    assert_eq!(paused.reason(), PauseReason::Manual);
}

#[test]
fn a_stop_that_crosses_the_end_of_the_run_says_that_it_came_too_late() {
    let mut bench = Bench::new();
    bench.command(Command::Start);
    let market = MarketId::new("US").unwrap();
    let plan = Plan::new(vec![MarketPlan { market, list: 0, pages: 0, total: 0 }]).unwrap();
    let (_, answer) = bench.command(Command::Stop);
    bench.step(Input::Report(Report::SessionEnded(SessionEnd::Planned(plan))));
    assert_eq!(answered(answer).state, RunStatus::Paused);
    let (_, start) = bench.command(Command::Start);
    assert!(answered(start).changed);
    assert_eq!(bench.status(), RunStatus::Completed, "there was nothing to walk");
    let (_, late) = bench.command(Command::Stop);
    assert!(!answered(late).changed);
}

#[test]
fn a_failure_during_a_shutdown_still_ends_the_service_paused() {
    let mut bench = Bench::new();
    bench.command(Command::Start);
    bench.planned();
    let (effects, first) = bench.command(Command::Shutdown);
    assert_eq!(effects, ["cancel"]);
    let (effects, second) = bench.command(Command::Shutdown);
    assert!(effects.is_empty());
    assert_eq!(bench.failed(), ["end"]);
    for answer in [first, second] {
        assert_eq!(answered(answer).state, RunStatus::Paused);
    }
}

#[test]
fn a_person_who_starts_the_run_again_starts_its_automatic_retries_anew() {
    let mut bench = Bench::new();
    bench.command(Command::Start);
    bench.planned();
    let delay = |bench: &Bench| bench.snapshot.borrow().retry_at.unwrap().since(bench.now).as_secs();
    assert_eq!((bench.failed(), delay(&bench)), (vec!["retry later"], 2));
    assert_eq!(bench.step(Input::RetryDue), ["walk"]);
    assert_eq!((bench.failed(), delay(&bench)), (vec!["retry later"], 4));
    assert_eq!(bench.command(Command::Start).0, ["walk"]);
    assert_eq!((bench.failed(), delay(&bench)), (vec!["retry later"], 2));
}

#[test]
fn an_automatic_retry_that_cannot_be_stored_leaves_the_error_and_comes_again() {
    let mut bench = Bench::new();
    bench.command(Command::Start);
    bench.planned();
    bench.failed();
    bench.store_fails = true;
    assert_eq!((bench.step(Input::RetryDue), bench.status()), (vec!["retry later"], RunStatus::Error));
    bench.store_fails = false;
    assert_eq!((bench.step(Input::RetryDue), bench.status()), (vec!["walk"], RunStatus::Processing));
}

#[test]
fn a_retry_that_falls_due_after_the_run_went_on_changes_nothing() {
    let mut bench = Bench::new();
    assert!(bench.step(Input::RetryDue).is_empty(), "in IDLE");
    bench.command(Command::Start);
    assert!(bench.step(Input::RetryDue).is_empty(), "in INITIALIZING");
    bench.planned();
    assert!(bench.step(Input::RetryDue).is_empty(), "in PROCESSING");
    bench.command(Command::Stop);
    bench.step(Input::Report(Report::SessionEnded(SessionEnd::Cancelled)));
    assert!(bench.step(Input::RetryDue).is_empty(), "after a stop by a person");
    assert_eq!(bench.status(), RunStatus::Paused);
}

#[test]
fn a_report_about_a_market_that_is_not_there_is_passed_over() {
    let mut bench = Bench::new();
    bench.command(Command::Start);
    bench.planned();
    bench.step(Input::Report(Report::MarketActivity { market: 7, activity: Activity::Active }));
    bench.step(Input::Report(Report::MarketDone { market: 7 }));
    assert_eq!(bench.snapshot.borrow().markets[0].activity, Activity::Pending);
}
