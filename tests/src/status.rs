//! The status as a client reads it, with the promises that hold at every moment checked on the way.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use serde_json::Value;

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
    pub(crate) fn read(json: Value) -> anyhow::Result<Self> {
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
            ensure!(
                view.completed == view.successful + view.failed && view.completed <= view.total,
                "the numbers of market {id:?} contradict each other: {view:?}"
            );
            ensure!(number(analytics, "completed")? == view.completed, "two counts of market {id:?}: {json}");
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

    /// Checks that nothing that `earlier` had shown is taken back. A plan that was not complete may be made anew.
    ///
    /// # Errors
    /// Something is.
    pub fn continues(&self, earlier: &Self) -> anyhow::Result<()> {
        if earlier.state == "INITIALIZING" {
            return Ok(());
        }
        for (id, before) in &earlier.markets {
            let now = self.markets.get(id).with_context(|| format!("market {id:?} has vanished"))?;
            ensure!(
                now.total == before.total
                    && now.successful >= before.successful
                    && now.failed >= before.failed,
                "market {id:?} went back from {before:?} to {now:?}"
            );
        }
        Ok(())
    }
}
