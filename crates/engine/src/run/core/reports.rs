//! What the workers of a session report, and how a session ends.

use std::sync::Arc;

use price_cache_domain::{Actor, Event, MarketId, PauseReason, RunFailure, RunFailureClass, Timestamp};

use super::Core;
use super::messages::Effect;
use crate::view::event_log::Settled;
use crate::view::snapshot::MarketSnapshot;
use crate::walk::activity::Activity;
use crate::walk::report::{ProductDone, Report, SessionEnd, SessionFailure};

impl Core {
    /// Decides what follows from a report.
    pub(super) fn report(&mut self, report: Report, now: Timestamp) -> Vec<Effect> {
        match report {
            Report::MarketsListed(markets) => self.markets_listed(&markets),
            Report::MarketPlanned { plan, index } => {
                self.update_market(index, |slot| *slot = MarketSnapshot::new(&plan))
            }
            Report::MarketActivity { market, activity } => self.update_market(market, |slot| {
                if slot.activity.begins_with(activity) {
                    slot.last_step_at = Some(now);
                }
                slot.activity = activity;
            }),
            Report::ProductDone(done) => self.product_done(&done, now),
            Report::RetryDenied { market } => self.update_market(market, |slot| slot.retries_denied += 1),
            Report::NotRecorded(done) => {
                self.not_recorded.push(*done);
                Vec::new()
            }
            Report::MarketDone { market } => self.market_done(market, now),
            Report::SessionEnded(end) => self.session_ended(end, now),
        }
    }

    pub(super) fn markets_listed(&mut self, markets: &[MarketId]) -> Vec<Effect> {
        self.snapshot.send_modify(|snapshot| {
            snapshot.markets = markets.iter().cloned().map(MarketSnapshot::unplanned).collect();
        });
        Vec::new()
    }

    pub(super) fn update_market(
        &mut self,
        index: usize,
        update: impl FnOnce(&mut MarketSnapshot),
    ) -> Vec<Effect> {
        self.snapshot.send_modify(|snapshot| {
            if let Some(market) = snapshot.markets.get_mut(index) {
                update(market);
            }
        });
        Vec::new()
    }

    pub(super) fn product_done(&mut self, done: &ProductDone, now: Timestamp) -> Vec<Effect> {
        let Self { machine, snapshot, requests, events, .. } = self;
        let Some(facts) = machine.state().facts() else { return Vec::new() };
        let (replaced, outcome) = (done.replaced.as_ref(), &done.entry.outcome);
        snapshot.send_modify(|snapshot| {
            let Some(market) = snapshot.markets.get_mut(done.market) else { return };
            if let Err(overcounted) = market.count(facts, replaced, outcome) {
                tracing::error!(market = %market.market, product = %done.product, %overcounted, "defect");
                return;
            }
            market.pace.observe(done.took);
            market.last_step_at = Some(now);
            let market_id = &market.market;
            let new = requests.add(market_id, &done.product, replaced, outcome, facts.logs_cleared_at());
            events.settled(Settled { market: market_id, replaced, outcome }, new);
            warn_of_low_success(market);
        });
        self.automatic_retries = 0;
        self.apply(Event::ProductDone, now)
    }

    pub(super) fn market_done(&mut self, index: usize, now: Timestamp) -> Vec<Effect> {
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

    pub(super) fn session_ended(&mut self, end: SessionEnd, now: Timestamp) -> Vec<Effect> {
        self.session_running = false;
        self.snapshot.send_modify(|snapshot| {
            let rest = snapshot.markets.iter_mut().filter(|market| match market.activity {
                Activity::Done => false,
                Activity::Parked { .. } => !matches!(end, SessionEnd::Parked { .. }),
                Activity::Pending | Activity::Active | Activity::Waiting { .. } => true,
            });
            rest.for_each(|market| market.activity = Activity::Pending);
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
            SessionEnd::Parked { message, until } => {
                let class = RunFailureClass::Upstream;
                self.fail_until(RunFailure { class, message, retry_at: Some(until) }, now)
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
}

/// Tells the log once per market.
fn warn_of_low_success(market: &mut MarketSnapshot) {
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
}
