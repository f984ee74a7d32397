//! The account at the end of a kill test: records against counters, requests against kills.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, bail, ensure};
use price_cache_simulator::{Catalogue, LedgerSnapshot};

use super::{KillReport, UNDURABLE_RECORDS_MAX};
use crate::{Api, StatusView};

/// Checks that every pair has its outcome, and that the counters are those of the records.
///
/// # Errors
/// It is not so.
pub(crate) async fn records(api: &Api, status: &StatusView, catalogue: &Catalogue) -> anyhow::Result<()> {
    for market in catalogue.markets() {
        let entries = api.prices(market.id()).await?;
        let mut products = HashSet::new();
        let mut successful = 0;
        for entry in &entries {
            let product = entry["product_id"].as_str().context("an entry without a product")?;
            ensure!(products.insert(product), "{product:?} is there twice");
            let expected = market.price(product).with_context(|| format!("{product:?} is not sold"))?;
            match entry["price"]["amount"].as_str() {
                Some(amount) => {
                    ensure!(amount == expected.amount, "{entry} instead of {expected:?}");
                    successful += 1;
                }
                None => ensure!(entry["last_error"]["class"] == "not_found", "no outcome: {entry}"),
            }
        }
        let view = status.markets.get(market.id()).context("a market is missing")?;
        let counted = (entries.len() as u64, successful);
        ensure!(market.len() == entries.len(), "{} of {} products", entries.len(), market.len());
        ensure!(counted == (view.completed, view.successful), "{counted:?} records, the status: {view:?}");
    }
    let requests = status.json["analytics"]["total_requests"].as_u64();
    ensure!(
        requests == Some(status.total()),
        "one request was recorded per pair, the status says {requests:?}"
    );
    Ok(())
}

/// What the kills cost each market, read off between them.
#[derive(Debug, Default)]
pub(super) struct Costs {
    /// Requests beyond the records, by market, at the last reading.
    extra: HashMap<String, u32>,
    /// Kills until the last reading.
    kills: u32,
}

impl Costs {
    /// Takes a reading: the doctor's table of a store that nobody uses, and the upstream's counts.
    ///
    /// # Errors
    /// A market lost more than the records that may be on their way to the disk at each kill.
    pub(super) fn add(&mut self, table: &str, ledger: &LedgerSnapshot, kills: u32) -> anyhow::Result<()> {
        let most = UNDURABLE_RECORDS_MAX * (kills - self.kills);
        for line in table.lines().skip(1) {
            let cells: Vec<&str> = line.split_whitespace().collect();
            let [market, _, completed, ..] = cells[..] else { bail!("no row of a market: {line:?}") };
            let completed: u32 = completed.replace(',', "").parse().with_context(|| line.to_owned())?;
            let requests = ledger.market_requests(market);
            let extra = requests.checked_sub(completed).context("more records than requests")?;
            let before = self.extra.insert(market.to_owned(), extra).unwrap_or_default();
            ensure!(
                extra.saturating_sub(before) <= most,
                "market {market} lost {} records in {} kills",
                extra.saturating_sub(before),
                kills - self.kills
            );
        }
        self.kills = kills;
        Ok(())
    }
}

/// Checks that the kills explain every request beyond one per pair.
///
/// # Errors
/// It is not so.
pub(super) fn requests(report: &KillReport, ledger: &LedgerSnapshot) -> anyhow::Result<()> {
    ensure!(ledger.max_in_flight_of_any_market() <= 1, "two requests of a market at once");
    ensure!(
        ledger.pairs_requested() == report.pairs as usize,
        "{} of {} pairs were asked for",
        ledger.pairs_requested(),
        report.pairs
    );
    let chances = report.kills * report.active_markets_max;
    // With an upstream slower than the disk it is the request that was under way, and the record of the one before.
    let most = if report.latency.is_zero() { UNDURABLE_RECORDS_MAX } else { 2 };
    ensure!(
        report.requests_extra() <= chances * most,
        "the kills do not explain all extra requests: {report}"
    );
    Ok(())
}
