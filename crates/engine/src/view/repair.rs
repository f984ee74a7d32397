//! What can be done about what the audit finds. Prices are never given up for the sake of a run: where the plan cannot
//! be trusted, the run is forgotten and the prices stay.

use price_cache_domain::{
    InvalidRunRecord, MarketId, Pass, PauseReason, ProductId, Run, RunId, RunRecord, RunStatus,
};

use crate::view::audit::AuditProblem;

/// What mends a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The record of the product is taken out, and the product is fetched again.
    TakeOut(MarketId, ProductId),
    /// The run is [forgotten].
    ForgetRun,
    /// The run is [reopened].
    ReopenRun,
    /// It goes with the others; where it is the only one left, the run is forgotten.
    WithTheOthers,
}

impl AuditProblem {
    /// What mends it.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::MissingPage(_) | Self::WrongTotal { .. } | Self::DuplicateProduct(..) => Remedy::ForgetRun,
            Self::NotInPlan(market, product) | Self::SuccessWithoutPrice(market, product) => {
                Remedy::TakeOut(market.clone(), product.clone())
            }
            Self::CountersDiffer { .. } => Remedy::WithTheOthers,
            Self::CompletedTooEarly(..) => Remedy::ReopenRun,
        }
    }
}

/// IDLE, so that the next start makes a new plan under an id that was not used before.
///
/// # Errors
/// Never, as IDLE needs nothing.
pub fn forgotten(latest: Option<RunId>) -> Result<Run, InvalidRunRecord> {
    Run::try_from(RunRecord {
        status: RunStatus::Idle,
        run: latest,
        started_at: None,
        since: None,
        active_before: std::time::Duration::ZERO,
        pass: Pass::first(),
        logs_cleared_at: None,
        plan: None,
        pause_reason: None,
        failure: None,
    })
}

/// PAUSED, as if it had been interrupted, so that it goes on with what has no outcome.
///
/// # Errors
/// There is no run.
pub fn reopened(run: &Run) -> Result<Run, InvalidRunRecord> {
    let record = RunRecord::from(run);
    Run::try_from(RunRecord {
        status: RunStatus::Paused,
        pass: record.pass.with_unfinished(),
        pause_reason: Some(PauseReason::Interrupted),
        failure: None,
        ..record
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::Arc;

    use price_cache_domain::{MarketPlan, Plan, RetryFilter, Timestamp};

    use super::*;

    fn completed() -> Run {
        let market = MarketId::new("DE").unwrap();
        Run::try_from(RunRecord {
            status: RunStatus::Completed,
            run: Some(RunId::from_number(7)),
            started_at: Some(Timestamp::from_millis(1)),
            since: Some(Timestamp::from_millis(2)),
            active_before: std::time::Duration::from_millis(1),
            pass: Pass::first().retrying(RetryFilter::default()),
            logs_cleared_at: None,
            plan: Some(Arc::new(
                Plan::new(vec![MarketPlan { market, list: 0, pages: 1, total: 3 }]).unwrap(),
            )),
            pause_reason: None,
            failure: None,
        })
        .unwrap()
    }

    #[test]
    fn a_reopened_run_keeps_its_plan_and_wants_what_has_no_outcome() {
        let run = completed();
        let reopened = reopened(&run).unwrap();
        assert_eq!(reopened.status(), RunStatus::Paused);
        assert_eq!((reopened.latest_id(), reopened.plan()), (run.latest_id(), run.plan()));
        assert!(reopened.facts().unwrap().pass().wants(
            RunId::from_number(7),
            &MarketId::new("DE").unwrap(),
            None
        ));
        assert!(super::reopened(&Run::new()).is_err());
    }

    #[test]
    fn the_id_of_a_forgotten_run_is_not_used_again() {
        let forgotten = forgotten(completed().latest_id()).unwrap();
        assert_eq!(
            (forgotten.status(), forgotten.latest_id()),
            (RunStatus::Idle, Some(RunId::from_number(7)))
        );
    }
}
