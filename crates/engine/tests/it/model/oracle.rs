//! What should happen, told without a state machine, storage or time: where the run stands, what a restart
//! would find, and the latest outcome of each pair.

use std::collections::{BTreeMap, BTreeSet};

use price_cache_domain::{ATTEMPTS_KEPT_MAX, FailureClass, PauseReason};

pub(crate) type Pair = (String, String);
/// What the upstream says for a pair: an amount or a failure.
pub(crate) type Answer = Result<String, FailureClass>;

/// Where the run stands between two steps; listing takes no time, so it never rests in INITIALIZING.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stand {
    Idle,
    Walking,
    Paused(PauseReason),
    Completed,
    /// In ERROR; `retries` when it tries again by itself.
    Broken {
        retries: bool,
    },
}

/// The latest outcome of a pair in the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) answer: Answer,
    pub(crate) requests: u32,
    pub(crate) was_looked_at_twice: bool,
}

/// A fetched product whose record was refused.
struct Refused {
    pair: Pair,
    answer: Answer,
    is_retry_at_end: bool,
    logs_cleared_since: bool,
}

/// The whole expectation.
pub(crate) struct Oracle {
    pub(crate) stand: Stand,
    pub(crate) on_disk: Stand,
    pub(crate) markets: Vec<String>,
    pub(crate) lists: BTreeMap<String, Vec<String>>,
    pub(crate) upstream: BTreeMap<Pair, Answer>,
    pub(crate) plan: Option<Vec<(String, Vec<String>)>>,
    pub(crate) told: BTreeMap<Pair, Told>,
    pub(crate) prices: BTreeMap<Pair, String>,
    pub(crate) logged: BTreeSet<String>,
    pub(crate) retry_armed: bool,
    pub(crate) store_fails: bool,
    pub(crate) refusals: u32,
    pub(crate) listing_faults: u32,
    resumes_by_itself: bool,
    wants_unfinished: bool,
    to_retry: BTreeSet<Pair>,
    refused: Option<Refused>,
    retry_time_passed: bool,
}

/// What a command should be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Done,
    NothingToDo,
    Conflict,
    StoreFailure,
}

impl Oracle {
    pub(crate) fn new(resumes_by_itself: bool) -> Self {
        Self {
            stand: Stand::Idle,
            on_disk: Stand::Idle,
            markets: Vec::new(),
            lists: BTreeMap::new(),
            upstream: BTreeMap::new(),
            plan: None,
            told: BTreeMap::new(),
            prices: BTreeMap::new(),
            logged: BTreeSet::new(),
            retry_armed: false,
            store_fails: false,
            refusals: 0,
            listing_faults: 0,
            resumes_by_itself,
            wants_unfinished: true,
            to_retry: BTreeSet::new(),
            refused: None,
            retry_time_passed: false,
        }
    }

    pub(crate) fn start(&mut self) -> Expected {
        if self.stand == Stand::Walking {
            return Expected::Conflict;
        }
        if self.store_fails {
            return Expected::StoreFailure;
        }
        if matches!(self.stand, Stand::Idle | Stand::Completed) {
            self.forget_run();
        }
        self.wants_unfinished = true;
        self.go_on();
        Expected::Done
    }

    pub(crate) fn stop(&mut self) -> Expected {
        if self.stand == Stand::Walking {
            self.rest(Stand::Paused(PauseReason::Manual));
            return Expected::Done;
        }
        if !self.retry_armed {
            return Expected::NothingToDo;
        }
        self.rest(Stand::Broken { retries: false });
        self.retry_armed = false;
        Expected::Done
    }

    pub(crate) fn reset(&mut self, keep_prices: bool) -> Expected {
        if self.stand == Stand::Walking {
            return Expected::Conflict;
        }
        if self.store_fails {
            return Expected::StoreFailure;
        }
        self.forget_run();
        if !keep_prices {
            self.prices.clear();
        }
        self.rest(Stand::Idle);
        Expected::Done
    }

    pub(crate) fn retry_failed(&mut self, market: Option<&str>, class: Option<FailureClass>) -> Expected {
        let matches = |pair: &Pair, answer: &Answer| {
            answer.as_ref().err().is_some_and(|failed| class.is_none_or(|class| class == *failed))
                && market.is_none_or(|market| market == pair.0)
        };
        let found = self.told.iter().any(|(pair, told)| matches(pair, &told.answer));
        if self.stand == Stand::Walking || !found {
            return Expected::Conflict;
        }
        if self.store_fails {
            return Expected::StoreFailure;
        }
        self.wants_unfinished = false;
        let late = self.refused.iter().map(|refused| (&refused.pair, &refused.answer));
        let failed = self.told.iter().map(|(pair, told)| (pair, &told.answer)).chain(late);
        let late_pair = self.refused.as_ref().map(|refused| refused.pair.clone());
        self.to_retry = failed
            .filter(|(pair, answer)| matches(pair, answer))
            .map(|(pair, _)| pair.clone())
            .filter(|pair| {
                // What was refused replaces what was told before.
                late_pair.as_ref() != Some(pair)
                    || self.refused.as_ref().is_some_and(|refused| matches(pair, &refused.answer))
            })
            .collect();
        self.go_on();
        Expected::Done
    }

    pub(crate) fn clear_logs(&mut self) -> Expected {
        if self.store_fails {
            return Expected::StoreFailure;
        }
        self.logged.clear();
        if let Some(refused) = &mut self.refused {
            refused.logs_cleared_since = true;
        }
        self.rest(self.stand);
        Expected::Done
    }

    /// The upstream answers so many requests.
    pub(crate) fn answer(&mut self, requests: u32) {
        for _ in 0..requests {
            if self.stand != Stand::Walking {
                return;
            }
            let Some(pair) = self.wanted() else { return };
            let answer = self.upstream.get(&pair).cloned().unwrap_or_else(|| Ok("1.00".to_owned()));
            let is_retry_at_end = self.told.contains_key(&pair) && !self.to_retry.remove(&pair);
            if self.store_fails || self.refusals > 0 {
                self.refusals = self.refusals.saturating_sub(1);
                self.refused = Some(Refused { pair, answer, is_retry_at_end, logs_cleared_since: false });
                self.breaks();
            } else {
                self.record(pair, answer, is_retry_at_end, true);
                self.ends_if_done();
            }
        }
    }

    /// More time passes than any automatic retry waits, however often the next one fails.
    pub(crate) fn wait(&mut self) {
        self.retry_time_passed = true;
        while self.retry_armed && !self.store_fails {
            self.go_on();
        }
    }

    /// The program ends in good order, as far as the store lets it.
    pub(crate) fn shut_down(&mut self) {
        if self.stand == Stand::Walking {
            self.rest(Stand::Paused(PauseReason::Shutdown));
        }
    }

    /// A new process takes over what is on disk.
    pub(crate) fn reopen(&mut self) {
        (self.store_fails, self.refusals, self.refused) = (false, 0, None);
        let found = match self.on_disk {
            Stand::Walking => Stand::Paused(PauseReason::Interrupted),
            other => other,
        };
        self.on_disk = found;
        self.stand = found;
        self.retry_armed = found == Stand::Broken { retries: true };
        let kept = |told: &BTreeMap<Pair, Told>, id: &String| {
            told.iter().any(|((market, product), told)| {
                let oldest = told.requests.saturating_sub(ATTEMPTS_KEPT_MAX as u32) + 1;
                (oldest..=told.requests).any(|number| format!("{market}/{product}/{number}") == *id)
            })
        };
        self.logged.retain(|id| kept(&self.told, id));
        let interrupted =
            [PauseReason::Interrupted, PauseReason::Shutdown].map(Stand::Paused).contains(&self.stand);
        let due = self.retry_armed && self.retry_time_passed;
        if (interrupted && self.resumes_by_itself) || due {
            self.go_on();
        }
    }

    /// Products with an outcome in a market: successful, failed.
    pub(crate) fn counts(&self, market: &str) -> (u64, u64) {
        let of_market = self.told.iter().filter(|((of, _), _)| of == market);
        of_market.fold((0, 0), |(good, bad), (_, told)| match told.answer {
            Ok(_) => (good + 1, bad),
            Err(_) => (good, bad + 1),
        })
    }

    /// A state that is stored unless the store fails.
    fn rest(&mut self, stand: Stand) {
        self.stand = stand;
        self.retry_armed &= matches!(stand, Stand::Broken { .. });
        if !self.store_fails {
            self.on_disk = stand;
        }
    }

    fn breaks(&mut self) {
        if !self.store_fails {
            self.retry_time_passed = false;
        }
        self.rest(Stand::Broken { retries: true });
        self.retry_armed = true;
    }

    fn forget_run(&mut self) {
        self.plan = None;
        self.told.clear();
        self.to_retry.clear();
        self.logged.clear();
        self.refused = None;
    }

    fn go_on(&mut self) {
        self.retry_armed = false;
        self.rest(Stand::Walking);
        if self.plan.is_none() {
            if self.listing_faults > 0 {
                self.listing_faults -= 1;
                self.rest(Stand::Broken { retries: false });
                return;
            }
            let mut planned: Vec<(String, Vec<String>)> = Vec::new();
            for market in &self.markets {
                if planned.iter().any(|(earlier, _)| earlier == market) {
                    continue;
                }
                let mut products: Vec<String> = Vec::new();
                for product in &self.lists[market] {
                    if !products.contains(product) {
                        products.push(product.clone());
                    }
                }
                planned.push((market.clone(), products));
            }
            self.plan = Some(planned);
        }
        if self.refused.is_some() && self.refusals > 0 {
            self.refusals -= 1;
            self.breaks();
            return;
        }
        if let Some(refused) = self.refused.take() {
            let Refused { pair, answer, is_retry_at_end, logs_cleared_since } = refused;
            self.record(pair, answer, is_retry_at_end, !logs_cleared_since);
        }
        self.ends_if_done();
    }

    fn record(&mut self, pair: Pair, answer: Answer, is_retry_at_end: bool, logged: bool) {
        let before = self.told.get(&pair);
        let requests = before.map_or(0, |told| told.requests) + 1;
        let was_looked_at_twice = is_retry_at_end || before.is_some_and(|told| told.was_looked_at_twice);
        if logged {
            self.logged.insert(format!("{}/{}/{requests}", pair.0, pair.1));
        }
        if let Ok(amount) = &answer {
            self.prices.insert(pair.clone(), amount.clone());
        }
        self.told.insert(pair, Told { answer, requests, was_looked_at_twice });
    }

    fn ends_if_done(&mut self) {
        if self.wanted().is_none() {
            let planned = self.plan.iter().flatten().map(|(_, products)| products.len()).sum::<usize>();
            self.rest(if self.told.len() == planned {
                Stand::Completed
            } else {
                Stand::Paused(PauseReason::RetryFinished)
            });
        }
    }

    fn wanted(&self) -> Option<Pair> {
        self.plan.iter().flatten().find_map(|(market, products)| {
            let pairs = || products.iter().map(|product| (market.clone(), product.clone()));
            let is_left = |pair: &Pair| {
                if self.told.contains_key(pair) {
                    self.to_retry.contains(pair)
                } else {
                    self.wants_unfinished
                }
            };
            let may_pass =
                |told: &Told| told.answer.as_ref().is_err_and(|class| *class != FailureClass::NotFound);
            let is_for_end = |pair: &Pair| {
                self.told.get(pair).is_some_and(|told| may_pass(told) && !told.was_looked_at_twice)
            };
            pairs().find(is_left).or_else(|| pairs().find(|pair| self.wants_unfinished && is_for_end(pair)))
        })
    }
}
