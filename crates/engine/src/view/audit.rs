//! Checks a store: counts every record twice, once by walking the plan and once by the fold that
//! recovery uses, and reports where plan, records and counters disagree.

use std::collections::HashSet;
use std::fmt;

use price_cache_domain::{
    MarketId, MarketPlan, PlanPageKey, ProductId, Progress, Run, RunStatus, Store, StoreError,
};

use crate::view::entries::Entries;

/// Something that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditProblem {
    /// A page of the plan is gone.
    MissingPage(PlanPageKey),
    /// A product list has another length than the plan says.
    WrongTotal {
        /// The market.
        market: MarketId,
        /// As in the plan.
        planned: u64,
        /// As counted.
        found: u64,
    },
    /// A product is in a list more than once.
    DuplicateProduct(MarketId, ProductId),
    /// A record of this run is about a product that is not in the plan.
    NotInPlan(MarketId, ProductId),
    /// A record says success and holds no price of this run.
    SuccessWithoutPrice(MarketId, ProductId),
    /// The fold and the walk over the plan count differently.
    CountersDiffer {
        /// The market.
        market: MarketId,
        /// By the fold: total, successful, failed.
        folded: (u64, u64, u64),
        /// By the walk: total, successful, failed.
        walked: (u64, u64, u64),
    },
    /// The run is COMPLETED and some products have no outcome.
    CompletedTooEarly(MarketId, u64),
}

impl fmt::Display for AuditProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingPage(PlanPageKey { run, list, page }) => {
                write!(formatter, "page {page} of product list {list} of {run} is missing")
            }
            Self::WrongTotal { market, planned, found } => {
                write!(
                    formatter,
                    "market {market:?} has {found} products in its pages, {planned} in the plan"
                )
            }
            Self::DuplicateProduct(market, product) => {
                write!(formatter, "product {product:?} is in the plan of market {market:?} more than once")
            }
            Self::NotInPlan(market, product) => {
                write!(
                    formatter,
                    "product {product:?} of market {market:?} has an outcome but is not in the plan"
                )
            }
            Self::SuccessWithoutPrice(market, product) => {
                write!(
                    formatter,
                    "product {product:?} of market {market:?} succeeded but has no price of this run"
                )
            }
            Self::CountersDiffer { market, folded, walked } => write!(
                formatter,
                "market {market:?}: (total, successful, failed) is {folded:?} by records and {walked:?} by plan"
            ),
            Self::CompletedTooEarly(market, left) => {
                write!(
                    formatter,
                    "the run is COMPLETED but {left} products of market {market:?} have no outcome"
                )
            }
        }
    }
}

/// One market as found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditedMarket {
    /// The market.
    pub market: MarketId,
    /// Its counters by the fold over its records.
    pub progress: Progress,
    /// Records of it in the store, of whatever run.
    pub records: u64,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// The state as stored.
    pub status: RunStatus,
    /// Each market of the plan.
    pub markets: Vec<AuditedMarket>,
    /// Everything that does not fit; empty when all is well.
    pub problems: Vec<AuditProblem>,
}

/// Reads the whole store. Holds the product ids of one market in memory at a time.
pub async fn audit(store: &dyn Store) -> Result<Audit, StoreError> {
    let run = store.load_run().await?;
    let mut audit = Audit { status: run.status(), markets: Vec::new(), problems: Vec::new() };
    let planned = run.plan().map_or(&[][..], |plan| plan.markets());
    for market in planned {
        audit_market(store, &run, market, &mut audit).await?;
    }
    Ok(audit)
}

async fn audit_market(
    store: &dyn Store,
    run: &Run,
    plan: &MarketPlan,
    audit: &mut Audit,
) -> Result<(), StoreError> {
    let Some(facts) = run.facts() else { return Ok(()) };
    let market = &plan.market;
    let mut listed = HashSet::new();
    let (mut successful, mut failed) = (0, 0);
    for page in 0..plan.pages {
        let key = PlanPageKey { run: facts.id(), list: plan.list, page };
        let Some(products) = store.plan_page(key).await? else {
            audit.problems.push(AuditProblem::MissingPage(key));
            continue;
        };
        for entry in store.entries_of(market, &products).await?.into_iter().flatten() {
            match entry.outcome_in(facts.id()).map(|outcome| outcome.is_success()) {
                Some(true) => successful += 1,
                Some(false) => failed += 1,
                None => {}
            }
        }
        for product in products {
            if !listed.insert(product.clone()) {
                audit.problems.push(AuditProblem::DuplicateProduct(market.clone(), product));
            }
        }
    }
    let found = listed.len() as u64;
    if found != plan.total {
        let market = market.clone();
        audit.problems.push(AuditProblem::WrongTotal { market, planned: plan.total, found });
    }

    let mut progress = Progress::new(plan.total);
    let mut records = 0;
    let mut entries = Entries::of(store, market);
    while let Some(page) = entries.next_page().await? {
        for (product, entry) in page {
            records += 1;
            let Some(outcome) = entry.outcome_in(facts.id()) else { continue };
            if !listed.contains(&product) || progress.count(None, outcome).is_err() {
                audit.problems.push(AuditProblem::NotInPlan(market.clone(), product));
            } else if outcome.is_success() && entry.price.is_none_or(|price| price.run != facts.id()) {
                audit.problems.push(AuditProblem::SuccessWithoutPrice(market.clone(), product));
            }
        }
    }
    let folded = (progress.total(), progress.successful(), progress.failed());
    let walked = (found, successful, failed);
    if folded != walked {
        audit.problems.push(AuditProblem::CountersDiffer { market: market.clone(), folded, walked });
    }
    if run.status() == RunStatus::Completed && progress.remaining() > 0 {
        audit.problems.push(AuditProblem::CompletedTooEarly(market.clone(), progress.remaining()));
    }
    audit.markets.push(AuditedMarket { market: market.clone(), progress, records });
    Ok(())
}
