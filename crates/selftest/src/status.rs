//! The status as a client reads it, with the promises that hold at every moment checked on the way.

use std::collections::BTreeMap;

use anyhow::Context;
use serde_json::Value;

use crate::promise::{Broken, Promise};

/// What a status says.
#[derive(Clone, Debug, Default)]
pub struct StatusView {
    /// The state of the run.
    pub state: String,
    /// Why it is paused, if it is.
    pub paused_reason: Option<String>,
    /// Why it failed, if it did.
    pub error_message: Option<String>,
    /// The progress of each market.
    pub markets: BTreeMap<String, MarketView>,
    /// The whole document.
    pub json: Value,
}

/// The progress of a market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarketView {
    /// Products with an outcome.
    pub completed: u64,
    /// Those of them with a price.
    pub successful: u64,
    /// Those of them without.
    pub failed: u64,
    /// All products.
    pub total: u64,
}

impl StatusView {
    /// Reads a status.
    ///
    /// # Errors
    /// A field is missing, or `completed = successful + failed <= total` does not hold.
    pub fn read(json: Value) -> anyhow::Result<Self> {
        let state = &json["current_state"];
        let text = |field: &str| state[field].as_str().map(str::to_owned);
        let mut markets = BTreeMap::new();
        for (id, market) in json["markets"].as_object().context("no markets in the status")? {
            let number = |value: &Value, field: &str| {
                value[field].as_u64().with_context(|| format!("no {field} of market {id:?} in {value}"))
            };
            let analytics = &json["analytics"]["markets"][id.as_str()];
            let view = MarketView {
                completed: number(market, "completed")?,
                successful: number(analytics, "successful")?,
                failed: number(market, "failed")?,
                total: number(market, "total")?,
            };
            let agrees = view.completed == view.successful + view.failed && view.completed <= view.total;
            Promise::NumbersAgree.kept(agrees, || format!("market {id:?}: {view:?}"))?;
            let is_one_count = number(analytics, "completed")? == view.completed;
            Promise::NumbersAgree.kept(is_one_count, || format!("two counts of market {id:?}: {json}"))?;
            markets.insert(id.clone(), view);
        }
        Ok(Self {
            state: text("status").context("no state in the status")?,
            paused_reason: text("paused_reason"),
            error_message: text("error_message"),
            markets,
            json,
        })
    }

    /// The run; `None` where there is none.
    pub fn run_id(&self) -> Option<Value> {
        let id = &self.json["current_state"]["run_id"];
        (!id.is_null()).then(|| id.clone())
    }

    /// Products with an outcome in all markets.
    pub fn completed(&self) -> u64 {
        self.markets.values().map(|market| market.completed).sum()
    }

    /// Products without a price in all markets.
    pub fn failed(&self) -> u64 {
        self.markets.values().map(|market| market.failed).sum()
    }

    /// Products of all markets.
    pub fn total(&self) -> u64 {
        self.markets.values().map(|market| market.total).sum()
    }

    /// Checks that nothing that `earlier` had shown is taken back. A plan that was not complete may be made again.
    ///
    /// # Errors
    /// Something is.
    pub fn continues(&self, earlier: &Self) -> Result<(), Broken> {
        if earlier.state == "INITIALIZING" {
            return Ok(());
        }
        for (id, before) in &earlier.markets {
            let now = self.markets.get(id).copied().unwrap_or_default();
            let missing = before
                .successful
                .saturating_sub(now.successful)
                .max(before.failed.saturating_sub(now.failed));
            let contradicting = missing.max(u64::from(now.total != before.total));
            Promise::NothingTakenBack
                .kept_for(contradicting, || format!("market {id:?} went back from {before:?} to {now:?}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    /// A status of one market: completed, successful, failed, total.
    fn document([completed, successful, failed, total]: [u64; 4]) -> Value {
        json!({
            "current_state": {"status": "PROCESSING"},
            "markets": {"DE": {"completed": completed, "failed": failed, "total": total}},
            "analytics": {"markets": {"DE": {"completed": completed, "successful": successful}}},
        })
    }

    fn view(numbers: [u64; 4]) -> StatusView {
        StatusView::read(document(numbers)).unwrap()
    }

    #[test]
    fn numbers_that_contradict_each_other_are_noticed() {
        assert_eq!(view([5, 4, 1, 9]).completed(), 5);
        let mut two_counts = document([5, 4, 1, 9]);
        two_counts["analytics"]["markets"]["DE"]["completed"] = json!(4);
        for tampered in [document([5, 5, 1, 9]), document([10, 9, 1, 9]), two_counts] {
            let error = StatusView::read(tampered).unwrap_err();
            assert_eq!(error.downcast_ref::<Broken>().unwrap().promise, Promise::NumbersAgree, "{error}");
        }
    }

    #[test]
    fn what_is_taken_back_is_noticed_and_counted() {
        let before = view([5, 4, 1, 9]);
        assert_eq!(view([5, 4, 1, 9]).continues(&before), Ok(()));
        assert_eq!(view([7, 5, 2, 9]).continues(&before), Ok(()));
        for (now, lost) in [([3, 2, 1, 9], 2), ([5, 5, 0, 9], 1), ([5, 4, 1, 8], 1)] {
            let broken = view(now).continues(&before).unwrap_err();
            assert_eq!((broken.promise, broken.count), (Promise::NothingTakenBack, lost), "{broken}");
        }
        let vanished = StatusView::default().continues(&before).unwrap_err();
        assert_eq!(vanished.count, 4);
        let initializing = StatusView { state: "INITIALIZING".to_owned(), ..before };
        assert_eq!(view([0, 0, 0, 8]).continues(&initializing), Ok(()));
    }
}
