//! The one task that owns the run: takes an input, lets `core` decide, carries the effects out.

use std::collections::VecDeque;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::Options;
use crate::run::core::Core;
use crate::run::core::messages::{Effect, Input};
use crate::walk::report::Report;
use crate::walk::session::Sessions;

pub(crate) struct Shell {
    core: Core,
    sessions: Sessions,
    options: Options,
    cancel: CancellationToken,
    retry: Option<Instant>,
}

impl Shell {
    pub(crate) fn new(core: Core, sessions: Sessions, options: Options) -> Self {
        Self { core, sessions, options, cancel: CancellationToken::new(), retry: None }
    }

    /// Serves inputs until the service is told to end or every handle is gone.
    pub(crate) async fn run(
        mut self,
        mut inputs: mpsc::Receiver<Input>,
        mut reports: mpsc::Receiver<Report>,
    ) {
        let effects = self.core.begin(&self.options, self.sessions.clock.now());
        let mut goes_on = self.carry_out(effects).await;
        while goes_on {
            let retry = self.retry;
            let retry_due = async {
                match retry {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            // In this order, so that the same inputs always lead to the same steps.
            let input = tokio::select! {
                biased;
                input = inputs.recv() => input,
                Some(report) = reports.recv() => Some(Input::Report(report)),
                () = retry_due => {
                    self.retry = None;
                    Some(Input::RetryDue)
                }
            };
            let Some(input) = input else { break };
            let effects = self.core.step(input, self.sessions.clock.now());
            goes_on = self.carry_out(effects).await;
        }
        self.cancel.cancel();
    }

    /// Carries out effects and what follows from them; false when the service ends.
    async fn carry_out(&mut self, effects: Vec<Effect>) -> bool {
        let mut effects = VecDeque::from(effects);
        while let Some(effect) = effects.pop_front() {
            let store = &self.sessions.store;
            let saved = match effect {
                Effect::Save { decision, reply } => {
                    let result = store.save_run(decision.to().clone()).await;
                    Some((decision, result, reply))
                }
                Effect::Clear { decision, keep_prices, reply } => {
                    let result = store.clear(decision.to().clone(), keep_prices).await;
                    Some((decision, result, reply))
                }
                Effect::Plan(run) => {
                    self.cancel = CancellationToken::new();
                    self.sessions.plan(run, self.cancel.clone());
                    None
                }
                Effect::Walk { walk, not_recorded } => {
                    self.cancel = CancellationToken::new();
                    self.sessions.walk(walk, not_recorded, self.cancel.clone());
                    None
                }
                Effect::CancelSession => {
                    self.cancel.cancel();
                    None
                }
                Effect::SetRetry(at) => {
                    self.retry = at.map(|at| Instant::now() + at.since(self.sessions.clock.now()));
                    None
                }
                Effect::Answer(reply, answer) => {
                    reply.send(answer);
                    None
                }
                Effect::End => return false,
            };
            if let Some((decision, result, reply)) = saved {
                let now = self.sessions.clock.now();
                effects.extend(self.core.saved(decision, result, reply, now));
            }
        }
        true
    }
}
