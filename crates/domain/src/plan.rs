//! The plan of a run: its markets and the frozen, ordered product list of each, kept in pages.

use std::collections::HashSet;

use crate::{MarketId, RunId};

/// Products on one stored page of a plan at most: what a market worker holds in memory.
pub const PLAN_PAGE_PRODUCTS_MAX: usize = 500;

/// Names one stored page of product ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanPageKey {
    /// The run the plan belongs to.
    pub run: RunId,
    /// The product list; markets that share one list name the same number.
    pub list: u32,
    /// The page, from 0.
    pub page: u32,
}

/// One market of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketPlan {
    /// The market.
    pub market: MarketId,
    /// The number of its product list.
    pub list: u32,
    /// How many pages the list has.
    pub pages: u32,
    /// How many different products the list has.
    pub total: u64,
}

/// Why markets do not make a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPlan {
    /// There is nothing to do.
    #[error("a plan needs at least one market")]
    NoMarket,
    /// A market is in the list twice.
    #[error("market {0:?} is in the plan twice")]
    DuplicateMarket(MarketId),
}

/// The markets of a run in the order in which they are walked; at least one, none twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    markets: Vec<MarketPlan>,
}

impl Plan {
    /// Checks the markets and freezes them.
    pub fn new(markets: Vec<MarketPlan>) -> Result<Self, InvalidPlan> {
        let mut seen = HashSet::new();
        if let Some(twice) = markets.iter().find(|market| !seen.insert(&market.market)) {
            return Err(InvalidPlan::DuplicateMarket(twice.market.clone()));
        }
        if markets.is_empty() { Err(InvalidPlan::NoMarket) } else { Ok(Self { markets }) }
    }

    /// The markets in order, at least one.
    pub fn markets(&self) -> &[MarketPlan] {
        &self.markets
    }

    /// Products of all markets together.
    pub fn total(&self) -> u64 {
        self.markets.iter().map(|market| market.total).sum()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_plan_has_markets_and_none_twice() {
        let market =
            |id: &str| MarketPlan { market: MarketId::new(id).unwrap(), list: 0, pages: 1, total: 3 };
        assert_eq!(Plan::new(vec![]), Err(InvalidPlan::NoMarket));
        let twice = Plan::new(vec![market("US"), market("DE"), market("US")]);
        assert_eq!(twice, Err(InvalidPlan::DuplicateMarket(MarketId::new("US").unwrap())));
        assert_eq!(Plan::new(vec![market("US"), market("DE")]).unwrap().total(), 6);
    }
}
