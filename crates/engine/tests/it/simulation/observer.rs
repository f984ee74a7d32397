//! Watches from outside, over all lives of the process: what was shown once must never be taken back.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use price_cache_domain::RunId;
use price_cache_engine::{Handle, Snapshot};
use price_cache_testkit::ScriptedSource;

use super::super::harness::{Setup, assert_sound};
use super::upstream::answered;

/// Everything that was visible of the present run.
#[derive(Default)]
pub(super) struct Observer {
    run: Option<RunId>,
    completed: BTreeMap<String, u64>,
    totals: BTreeMap<String, u64>,
    /// The request that each price on disk answered.
    prices: BTreeMap<(String, String), u32>,
    trace: DefaultHasher,
    /// Snapshots that were looked at.
    pub(super) states: u64,
}

impl Observer {
    /// Looks at a snapshot.
    pub(super) fn note(&mut self, handle: &Handle, snapshot: &Snapshot) {
        assert_sound(snapshot);
        self.states += 1;
        let id = snapshot.run.facts().map(|facts| facts.id());
        if id != self.run {
            self.run = id;
            self.completed.clear();
            self.totals.clear();
        }
        let is_planned = snapshot.run.plan().is_some();
        for slot in snapshot.markets.iter().filter(|_| is_planned) {
            let (market, progress) = (slot.market.to_string(), slot.progress);
            let before = self.completed.insert(market.clone(), progress.completed()).unwrap_or(0);
            assert!(progress.completed() >= before, "{market} showed {before} completed: {snapshot:?}");
            let total = *self.totals.entry(market.clone()).or_insert(progress.total());
            assert_eq!(progress.total(), total, "the plan of {market} is frozen: {snapshot:?}");
        }
        let state = (snapshot.run.status(), handle.now(), snapshot.analytics());
        format!("{state:?}").hash(&mut self.trace);
    }

    /// The prices may be gone from now on.
    pub(super) fn prices_may_go(&mut self) {
        self.prices.clear();
    }

    /// Looks at the disk and the upstream.
    pub(super) fn inspect(&mut self, setup: &Setup) {
        let entries = setup.entries();
        for (pair, entry) in &entries {
            let Some(price) = &entry.price else { continue };
            let request = answered(price.price.amount.as_str());
            let made = setup.source.requests(&pair.0, &pair.1);
            assert!((1..=made).contains(&request), "{pair:?}: a price of request {request} of {made}");
            let before = self.prices.insert(pair.clone(), request).unwrap_or(0);
            assert!(request >= before, "{pair:?}: the price of request {before} became one of {request}");
        }
        let kept: BTreeSet<_> =
            entries.iter().filter(|(_, entry)| entry.price.is_some()).map(|(pair, _)| pair).collect();
        for pair in self.prices.keys() {
            assert!(kept.contains(pair), "the price of {pair:?} is gone");
        }
        never_two_at_once(&setup.source, entries.keys().map(|(market, _)| market));
    }

    /// The trace of everything seen so far, as a number.
    pub(super) fn fingerprint(&self) -> u64 {
        self.trace.finish()
    }
}

fn never_two_at_once<'a>(source: &ScriptedSource, markets: impl Iterator<Item = &'a String>) {
    for market in markets {
        assert!(source.in_flight_max(market) <= 1, "two requests at once in {market}");
    }
}
