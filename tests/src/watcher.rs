//! Clients that read everything that a server shows while it runs, and what they saw: to be held against what the next server
//! shows after a kill.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use price_cache_selftest::{Api, StatusView};
use serde_json::Value;
use tokio::task::JoinSet;

/// Calls of the log that a client reads.
const LOG_READ: usize = 1_000;
/// Calls that a server keeps.
const LOG_KEPT: usize = 10_000;

/// What clients saw.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The newest entry of each pair, with the route that showed it.
    entries: BTreeMap<(String, String), (Value, &'static str)>,
    /// When the latest failure of a pair was, according to the list of failed products.
    failures: BTreeMap<(String, String), String>,
    /// The most that the list of markets said of each.
    markets: BTreeMap<String, MarketSeen>,
    /// The ids of the calls of the run of now, from the log and from the stream of events.
    calls: BTreeSet<String>,
    /// The run that the log was about.
    log_run: Option<String>,
    /// The status that was furthest in the run of now.
    status: Option<StatusView>,
    /// Answers and events that were read.
    answers: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct MarketSeen {
    products: u64,
    prices: u64,
}

/// A moment in a form in which the order of texts is that of time.
fn sortable(moment: &Value) -> String {
    let text = moment.as_str().unwrap_or_default().trim_end_matches('Z');
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{seconds}.{fraction:0<9}")
}

/// When the entry was written: its price or its failure, whichever is newer.
fn version(entry: &Value) -> String {
    sortable(&entry["fetched_at"]).max(sortable(&entry["last_error"]["at"]))
}

fn pair(entry: &Value, market: &str, product: &str) -> Option<(String, String)> {
    Some((entry[market].as_str()?.to_owned(), entry[product].as_str()?.to_owned()))
}

impl Seen {
    fn entry(&mut self, mut entry: Value, route: &'static str) {
        let Some(pair) = pair(&entry, "market_id", "product_id") else { return };
        entry["age_seconds"].take();
        let is_newer = self.entries.get(&pair).is_none_or(|(known, _)| version(known) <= version(&entry));
        if is_newer {
            self.entries.insert(pair, (entry, route));
        }
    }

    fn failure(&mut self, failure: &Value) {
        let Some(pair) = pair(failure, "market", "product") else { return };
        let known = self.failures.entry(pair).or_default();
        *known = sortable(&failure["at"]).max(std::mem::take(known));
    }

    fn market(&mut self, market: &Value) {
        let Some(id) = market["market_id"].as_str() else { return };
        let known = self.markets.entry(id.to_owned()).or_default();
        known.products = known.products.max(market["products"].as_u64().unwrap_or_default());
        known.prices = known.prices.max(market["prices"].as_u64().unwrap_or_default());
    }

    /// A log is that of one run; with the next run it starts over.
    fn log(&mut self, log: &Value) {
        let run = log["metadata"]["run_id"].as_str();
        if self.log_run.as_deref() != run {
            self.log_run = run.map(str::to_owned);
            self.calls.clear();
        }
        self.calls.extend(list(log, "logs").iter().filter_map(|call| Some(call["id"].as_str()?.to_owned())));
    }

    fn status(&mut self, status: StatusView) {
        let is_further = self.status.as_ref().is_none_or(|known| {
            known.run_id() != status.run_id()
                || known.state == "INITIALIZING"
                || known.completed() <= status.completed()
        });
        if is_further {
            self.status = Some(status);
        }
    }

    /// Returns how many answers and events were read.
    #[must_use]
    pub const fn answers(&self) -> u64 {
        self.answers
    }

    /// Returns how many pairs were seen with a price or a failure.
    #[must_use]
    pub fn pairs(&self) -> usize {
        self.entries.len()
    }

    /// Asks a server for everything that was seen, and returns a sentence for each thing that it does not show any more.
    ///
    /// # Errors
    /// A route does not answer.
    pub async fn taken_back(&self, api: &Api) -> anyhow::Result<Vec<String>> {
        let mut gone = Vec::new();
        let now = Self::now(api, self.markets.keys().chain(self.entries.keys().map(|(market, _)| market)))
            .await
            .context("the server after the kill")?;
        for (pair, (seen, route)) in &self.entries {
            let Some((now, _)) = now.entries.get(pair) else {
                gone.push(format!("{pair:?} was shown by {route} and is gone: {seen}"));
                continue;
            };
            let is_same = ["price", "fetched_at", "run_id"].iter().all(|field| now[*field] == seen[*field]);
            if version(now) < version(seen) || (version(now) == version(seen) && !is_same) {
                gone.push(format!("{pair:?} was shown by {route} as {seen} and is {now}"));
            }
        }
        for (pair, at) in &self.failures {
            if now.entries.get(pair).is_none_or(|(now, _)| version(now) < *at) {
                gone.push(format!("{pair:?} was among the failed products at {at} and has no such record"));
            }
        }
        for (id, seen) in &self.markets {
            let now = now.markets.get(id).copied().unwrap_or_default();
            if now.products < seen.products || now.prices < seen.prices {
                gone.push(format!("market {id:?} was listed with {seen:?} and has {now:?}"));
            }
        }
        let lost: Vec<_> = self.calls.difference(&now.calls).collect();
        if let (Some(first), true) = (lost.first(), self.log_run == now.log_run) {
            gone.push(format!("{} calls of the log are gone, {first:?} is the first", lost.len()));
        }
        // A plan that was not complete may be made again, and nothing is completed before it is.
        let seen = self.status.as_ref().filter(|seen| seen.completed() > 0);
        if let (Some(seen), Some(now)) = (seen, &now.status) {
            if now.run_id() != seen.run_id() {
                gone.push(format!("the run was {:?} and is {:?}", seen.run_id(), now.run_id()));
            } else if let Err(broken) = now.continues(seen) {
                gone.push(broken.to_string());
            }
        }
        Ok(gone)
    }

    /// Everything that a server shows.
    async fn now(api: &Api, markets: impl Iterator<Item = &String>) -> anyhow::Result<Self> {
        let mut now = Self::default();
        now.status(api.status().await?);
        now.log(&api.get(&format!("/api/cache/prices/logs?limit={LOG_KEPT}")).await?);
        api.failed_products().await?.iter().for_each(|failure| now.failure(failure));
        for market in list(&api.get("/api/prices").await?, "markets") {
            now.market(&market);
        }
        for market in markets.collect::<BTreeSet<_>>() {
            // A market of which nothing is there has no page.
            for entry in api.prices(market).await.unwrap_or_default() {
                now.entry(entry, "now");
            }
        }
        Ok(now)
    }
}

fn list(json: &Value, name: &str) -> Vec<Value> {
    json[name].as_array().cloned().unwrap_or_default()
}

/// Clients of every reading route and of the stream of events; they end when it is dropped.
#[derive(Debug)]
pub struct Watcher {
    seen: Arc<Mutex<Seen>>,
    _clients: JoinSet<()>,
}

impl Watcher {
    /// Begins to read; `pairs` are asked for one by one.
    #[must_use]
    pub fn of(api: Api, pairs: Vec<(String, String)>) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let mut clients = JoinSet::new();
        let markets: BTreeSet<String> = pairs.iter().map(|(market, _)| market.clone()).collect();
        // Two of those that read single prices and pages, which show the most.
        for _ in 0..2 {
            clients.spawn(single_prices(api, pairs.clone(), Arc::clone(&seen)));
            clients.spawn(pages(api, markets.clone(), Arc::clone(&seen)));
        }
        clients.spawn(overview(api, Arc::clone(&seen)));
        clients.spawn(events(api, Arc::clone(&seen)));
        Self { seen, _clients: clients }
    }

    /// Ends the clients, and returns what they saw.
    #[must_use]
    pub fn seen(self) -> Seen {
        locked(&self.seen).clone()
    }
}

fn locked(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn noted(seen: &Mutex<Seen>, note: impl FnOnce(&mut Seen)) {
    let mut seen = locked(seen);
    seen.answers += 1;
    note(&mut seen);
}

async fn single_prices(api: Api, pairs: Vec<(String, String)>, seen: Arc<Mutex<Seen>>) {
    while let Some((market, product)) = fastrand::choice(&pairs) {
        let Ok(answer) = api.price(market, product).await else { return };
        if let (200, Ok(entry)) = (answer.status, answer.json()) {
            noted(&seen, |seen| seen.entry(entry, "the route of one price"));
        }
    }
}

async fn pages(api: Api, markets: BTreeSet<String>, seen: Arc<Mutex<Seen>>) {
    loop {
        for market in &markets {
            // Nothing was fetched yet, or the server is gone; then the others say so.
            let Ok(entries) = api.prices(market).await else {
                tokio::task::yield_now().await;
                continue;
            };
            noted(&seen, |seen| {
                entries.into_iter().for_each(|entry| seen.entry(entry, "the page of a market"));
            });
        }
    }
}

async fn overview(api: Api, seen: Arc<Mutex<Seen>>) {
    loop {
        let Ok(json) = api.get("/api/prices").await else { return };
        noted(&seen, |seen| list(&json, "markets").iter().for_each(|market| seen.market(market)));
        let Ok(status) = api.status().await else { return };
        noted(&seen, |seen| seen.status(status));
        let Ok(log) = api.get(&format!("/api/cache/prices/logs?limit={LOG_READ}")).await else { return };
        noted(&seen, |seen| seen.log(&log));
        let Ok(failures) = api.failed_products().await else { return };
        noted(&seen, |seen| failures.iter().for_each(|failure| seen.failure(failure)));
    }
}

async fn events(api: Api, seen: Arc<Mutex<Seen>>) {
    let Ok(mut events) = api.events().await else { return };
    while let Ok(Some((name, data))) = events.next().await {
        match (name.as_str(), data["id"].as_str()) {
            ("log", Some(id)) => {
                let id = id.to_owned();
                noted(&seen, |seen| seen.calls.extend([id]));
            }
            ("status", _) => {
                if let Ok(status) = StatusView::read(data) {
                    noted(&seen, |seen| seen.status(status));
                }
            }
            _ => {}
        }
    }
}
