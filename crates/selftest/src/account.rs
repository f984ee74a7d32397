//! The account at the end of a run: every record against the upstream's catalogue and the counters.

use std::collections::HashSet;

use anyhow::Context;
use price_cache_simulator::{Catalogue, Market};
use serde_json::Value;

use crate::promise::Promise;
use crate::status::MarketView;
use crate::{Api, StatusView};

/// Checks that every pair has its outcome, once and with the upstream's digits, and that the counters are those of the records.
///
/// # Errors
/// It is not so.
pub async fn records(api: &Api, status: &StatusView, catalogue: &Catalogue) -> anyhow::Result<()> {
    for market in catalogue.markets() {
        let entries = api.prices(market.id()).await?;
        let view = status.markets.get(market.id()).copied().unwrap_or_default();
        records_of(market, &entries, view)?;
    }
    let requests = status.json["analytics"]["total_requests"].as_u64();
    let requests = requests.context("no requests in the status")?;
    Promise::NothingTwice.kept(requests == status.total(), || {
        format!(
            "one request was recorded per pair, of which there are {}; the status says {requests}",
            status.total()
        )
    })?;
    Ok(())
}

/// Checks that the markets hold an entry of every pair, as they do once a run is complete and ever after.
pub(crate) async fn every_pair_is_served(api: &Api, pairs: u32) -> anyhow::Result<()> {
    let json = api.get("/api/prices").await?;
    let markets = json["markets"].as_array().with_context(|| format!("no markets in {json}"))?;
    let served: u64 = markets.iter().filter_map(|market| market["products"].as_u64()).sum();
    Ok(Promise::NothingTakenBack.kept_for(u64::from(pairs).saturating_sub(served), || {
        format!("a run before was complete, and the markets hold {served} of its {pairs} pairs")
    })?)
}

fn records_of(market: &Market, entries: &[Value], view: MarketView) -> anyhow::Result<()> {
    let id = market.id();
    let mut products = HashSet::new();
    let mut successful = 0;
    for entry in entries {
        let product = entry["product_id"].as_str().context("an entry without a product")?;
        products.insert(product);
        let expected = market.price(product).map(|price| price.amount);
        match entry["price"]["amount"].as_str() {
            Some(amount) => {
                Promise::ExactPrices.kept(expected.as_deref() == Some(amount), || {
                    format!("{entry} in market {id:?}, where the upstream has {expected:?}")
                })?;
                successful += 1;
            }
            None => Promise::NothingSkipped.kept(entry["last_error"]["class"] == "not_found", || {
                format!("no price and no reason in market {id:?}: {entry}")
            })?,
        }
    }
    let distinct = products.len() as u64;
    Promise::NothingTwice.kept_for(entries.len() as u64 - distinct, || {
        format!("market {id:?} lists {} records of {distinct} products", entries.len())
    })?;
    let without: Vec<_> =
        market.ids(0, usize::MAX).filter(|product| !products.contains(product.as_ref())).collect();
    Promise::NothingSkipped.kept_for(without.len() as u64, || {
        format!("market {id:?} has no outcome of {}, and {} in all", without.join(", "), without.len())
    })?;
    Promise::NothingTwice.kept_for(view.completed.saturating_sub(distinct), || {
        format!("market {id:?} has {distinct} records and counts {view:?}")
    })?;
    let counted = (view.completed, view.successful);
    Promise::CountersEqualRecords.kept(counted == (distinct, successful), || {
        format!(
            "market {id:?} has {distinct} records, {successful} of them with a price, and counts {view:?}"
        )
    })?;
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Broken;

    const TEXT: &str = "market,product,currency,amount\nDE,a,EUR,1.50\nDE,b,EUR,2.00\nDE,c,EUR,3\n";

    fn priced(product: &str, amount: &str) -> Value {
        json!({"product_id": product, "price": {"amount": amount, "currency": "EUR"}})
    }

    fn failed(product: &str, class: &str) -> Value {
        json!({"product_id": product, "price": null, "last_error": {"class": class}})
    }

    fn check(entries: &[Value], completed: u64, successful: u64) -> Result<(), (Promise, u64)> {
        let catalogue = Catalogue::from_csv(TEXT).unwrap();
        let view = MarketView { completed, successful, failed: completed - successful, total: 3 };
        records_of(catalogue.market("DE").unwrap(), entries, view).map_err(|error| {
            let broken = error.downcast::<Broken>().unwrap();
            (broken.promise, broken.count)
        })
    }

    #[test]
    fn every_way_in_which_records_can_be_wrong_is_noticed() {
        let good = [priced("a", "1.50"), priced("b", "2.00"), failed("c", "not_found")];
        let [a, b, c] = good.clone();
        assert_eq!(check(&good, 3, 2), Ok(()));
        let cases: [(&[Value], u64, u64, Promise, u64); 8] = [
            (&[a.clone(), priced("b", "2.0"), c.clone()], 3, 2, Promise::ExactPrices, 1),
            (&[a.clone(), b.clone(), c.clone(), priced("x", "1")], 3, 2, Promise::ExactPrices, 1),
            (&[a.clone(), b.clone(), failed("c", "timeout")], 3, 2, Promise::NothingSkipped, 1),
            (std::slice::from_ref(&c), 3, 2, Promise::NothingSkipped, 2),
            (&[a.clone(), a.clone(), b.clone(), c.clone()], 3, 2, Promise::NothingTwice, 1),
            (&good, 5, 4, Promise::NothingTwice, 2),
            (&good, 2, 1, Promise::CountersEqualRecords, 1),
            (&good, 3, 3, Promise::CountersEqualRecords, 1),
        ];
        for (entries, completed, successful, promise, count) in cases {
            assert_eq!(check(entries, completed, successful), Err((promise, count)), "{entries:?}");
        }
    }
}
