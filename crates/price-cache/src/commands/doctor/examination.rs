//! One look at the whole store: each record, and each counter against the records.

use price_cache_domain::{Problem, RecordKey, StoreError, StoreMaintenance, Verification};
use price_cache_engine::{Audit, AuditProblem, Remedy, audit};
use serde::Serialize;

/// What was found.
pub(super) struct Examination {
    pub(super) records: Verification,
    /// The counters; an error where records that they need cannot be read.
    pub(super) audit: Result<Audit, StoreError>,
}

/// Something that is wrong, in a sentence, and the way out in another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) problem: String,
    pub(super) market_id: Option<String>,
    pub(super) product_id: Option<String>,
    /// What a repair does about it; `null` where nothing can be done here.
    pub(super) repair: Option<&'static str>,
    /// What a person has to do where a repair does not.
    pub(super) way_out: Option<&'static str>,
}

impl Examination {
    /// Looks at every record.
    ///
    /// # Errors
    /// The store cannot be read to its end.
    pub(super) async fn of(store: &dyn StoreMaintenance) -> Result<Self, StoreError> {
        let records = store.verify().await?;
        Ok(Self { records, audit: audit(store).await })
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.problems_total() == 0
    }

    /// As many as there are, also where not each is among the [`findings`](Self::findings).
    pub(super) fn problems_total(&self) -> u64 {
        let counted = match &self.audit {
            Ok(audit) => audit.problems.len() as u64,
            // Whatever cannot be read is a problem already.
            Err(_) => u64::from(self.records.problems_total == 0),
        };
        self.records.problems_total + counted + u64::from(self.records.loss.is_some())
    }

    pub(super) fn findings(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.records.problems.iter().map(of_record).collect();
        findings.extend(self.records.loss.as_deref().map(of_loss));
        match &self.audit {
            Ok(audit) => findings.extend(audit.problems.iter().map(of_audit)),
            Err(error) if findings.is_empty() => findings.push(Finding {
                problem: format!("the counters cannot be recomputed: {error}"),
                market_id: None,
                product_id: None,
                repair: None,
                way_out: Some("restore a backup, or move the folder away to start again"),
            }),
            Err(_) => {}
        }
        findings
    }
}

fn of_record(problem: &Problem) -> Finding {
    let pair = problem.pair.as_ref();
    let (repair, way_out) = match &problem.key {
        _ if problem.is_newer => {
            (None, Some("upgrade the program: a newer version wrote it and can read it"))
        }
        RecordKey::Run => (
            Some(
                "sets it aside: the state becomes IDLE, every price stays, and the next start begins a new run",
            ),
            None,
        ),
        RecordKey::Entry(_) if pair.is_none() => (Some("sets it aside"), None),
        RecordKey::Entry(_) => {
            (Some("sets it aside: a product of the run or of the next one is fetched again"), None)
        }
        RecordKey::PlanPage(_) => (Some("sets it aside: a run that needs it begins anew"), None),
    };
    Finding {
        problem: problem.to_string(),
        market_id: pair.map(|(market, _)| market.clone()),
        product_id: pair.map(|(_, product)| product.clone()),
        repair,
        way_out,
    }
}

fn of_loss(loss: &str) -> Finding {
    Finding {
        problem: loss.to_owned(),
        market_id: None,
        product_id: None,
        repair: Some(
            "brings back what the copy beside the store has, and takes the rest as lost: it is fetched again",
        ),
        way_out: None,
    }
}

fn of_audit(problem: &AuditProblem) -> Finding {
    let (market_id, product_id) = match problem {
        AuditProblem::DuplicateProduct(market, product)
        | AuditProblem::NotInPlan(market, product)
        | AuditProblem::SuccessWithoutPrice(market, product) => (Some(market), Some(product)),
        AuditProblem::WrongTotal { market, .. }
        | AuditProblem::CountersDiffer { market, .. }
        | AuditProblem::CompletedTooEarly(market, _) => (Some(market), None),
        AuditProblem::MissingPage(_) => (None, None),
    };
    let repair = match problem.remedy() {
        Remedy::TakeOut(..) => "sets the record aside: a product of the run is fetched again",
        Remedy::ForgetRun => {
            "sets the run aside: the state becomes IDLE, every price stays, and the next start begins a new run"
        }
        Remedy::ReopenRun => "makes the run PAUSED: it goes on with what is missing",
        Remedy::WithTheOthers => "mends it with the other problems, or sets the run aside",
    };
    Finding {
        problem: problem.to_string(),
        market_id: market_id.map(ToString::to_string),
        product_id: product_id.map(ToString::to_string),
        repair: Some(repair),
        way_out: None,
    }
}
