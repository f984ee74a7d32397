//! What kills cost in requests: read off between them, and once more at the end.

use std::collections::HashMap;

use anyhow::Context;
use price_cache_simulator::LedgerSnapshot;
use serde_json::Value;

use crate::promise::{Broken, Promise};

/// What the kills cost each market, read off between them.
#[derive(Debug, Default)]
pub(crate) struct Costs {
    /// Requests beyond the records, by market, at the last reading.
    extra: HashMap<String, u32>,
    /// Kills until the last reading.
    kills: u32,
}

impl Costs {
    /// Takes a reading: what the doctor found in a store that nobody uses, and the upstream's counts.
    ///
    /// # Errors
    /// A market lost more than `kill_cost_max` records at each kill.
    pub(crate) fn add(
        &mut self,
        found: &Value,
        ledger: &LedgerSnapshot,
        kills: u32,
        kill_cost_max: u32,
    ) -> anyhow::Result<()> {
        let kills_since = kills - self.kills;
        for market in found["markets"].as_array().context("the doctor named no markets")? {
            let id = market["market_id"].as_str().context("a market without an id")?;
            let completed = market["completed"].as_u64().and_then(|count| u32::try_from(count).ok());
            let completed = completed.with_context(|| format!("no count in {market}"))?;
            let requests = ledger.market_requests(id);
            Promise::NothingTwice.kept_for(u64::from(completed.saturating_sub(requests)), || {
                format!("market {id:?} has {completed} records and the upstream saw {requests} requests")
            })?;
            let extra = requests - completed;
            let before = self.extra.insert(id.to_owned(), extra).unwrap_or_default();
            let lost = extra.saturating_sub(before);
            Promise::BoundedRefetches.kept(lost <= kill_cost_max * kills_since, || {
                format!(
                    "{kills_since} kills cost market {id:?} {lost} requests, more than {kill_cost_max} each"
                )
            })?;
        }
        self.kills = kills;
        Ok(())
    }
}

/// Checks that the kills explain every request beyond one per pair, that no pair was left out, and that no market was
/// asked twice at once.
pub(crate) fn explain(ledger: &LedgerSnapshot, pairs: u32, requests_again_max: u32) -> Result<(), Broken> {
    for (id, market) in &ledger.markets {
        Promise::OneRequestAtATime.kept(market.max_in_flight <= 1, || {
            format!("the upstream saw {} requests of market {id:?} at once", market.max_in_flight)
        })?;
    }
    let asked_for = ledger.pairs_requested() as u64;
    Promise::NothingSkipped.kept_for(u64::from(pairs).saturating_sub(asked_for), || {
        format!("{asked_for} of {pairs} pairs were asked for")
    })?;
    let again = ledger.total_requests().saturating_sub(pairs);
    Promise::BoundedRefetches.kept(again <= requests_again_max, || {
        format!("{again} requests beyond one per pair, and the kills explain {requests_again_max} at most")
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use price_cache_simulator::{MarketCounts, PairCounts};
    use serde_json::json;

    use super::*;

    /// A ledger of a market whose products were asked for so often each.
    fn ledger(requests: &[u32]) -> LedgerSnapshot {
        let count = |requests| {
            let mut counts = PairCounts::default();
            counts.requests = requests;
            counts
        };
        let pairs = requests.iter().enumerate();
        let market = MarketCounts {
            totals: count(requests.iter().sum()),
            max_in_flight: 1,
            pairs: pairs.map(|(index, requests)| (format!("p{index}").into(), count(*requests))).collect(),
            ..MarketCounts::default()
        };
        LedgerSnapshot {
            totals: market.totals.clone(),
            markets: [("DE".into(), market)].into(),
            ..LedgerSnapshot::default()
        }
    }

    fn found(completed: u32) -> Value {
        json!({"markets": [{"market_id": "DE", "completed": completed}]})
    }

    fn promise<T: std::fmt::Debug>(result: anyhow::Result<T>) -> Promise {
        result.unwrap_err().downcast::<Broken>().unwrap().promise
    }

    #[test]
    fn a_kill_that_costs_more_than_stated_is_noticed() {
        let mut costs = Costs::default();
        costs.add(&found(10), &ledger(&[1; 14]), 1, 4).unwrap();
        costs.add(&found(20), &ledger(&[1; 32]), 3, 4).unwrap();
        assert_eq!(promise(costs.add(&found(20), &ledger(&[1; 37]), 4, 4)), Promise::BoundedRefetches);
    }

    #[test]
    fn a_record_that_nobody_asked_for_is_noticed() {
        assert_eq!(promise(Costs::default().add(&found(3), &ledger(&[1; 2]), 1, 4)), Promise::NothingTwice);
    }

    #[test]
    fn requests_that_nothing_explains_are_noticed() {
        explain(&ledger(&[1, 1, 2]), 3, 1).unwrap();
        let broken = |ledger, pairs| explain(&ledger, pairs, 1).unwrap_err();
        assert_eq!(broken(ledger(&[2, 1, 2]), 3).promise, Promise::BoundedRefetches);
        let skipped = broken(ledger(&[1, 1]), 4);
        assert_eq!((skipped.promise, skipped.count), (Promise::NothingSkipped, 2));
        let mut at_once = ledger(&[1, 1]);
        at_once.markets.values_mut().for_each(|market| market.max_in_flight = 2);
        assert_eq!(broken(at_once, 2).promise, Promise::OneRequestAtATime);
    }
}
