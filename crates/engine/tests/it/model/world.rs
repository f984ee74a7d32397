//! The service under test beside its oracle: takes each step in both and compares what can be seen.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use price_cache_domain::{FailureClass, Fault, RetryFilter, Run, StoreError};
use price_cache_engine::{Accepted, CommandError};
use price_cache_testkit::{Operation, ScriptedSource, market, product, quote};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use super::oracle::{Answer, Expected, Oracle, Pair, Stand};
use super::{CLASSES, MARKETS, PRODUCTS, Step};
use crate::harness::{Rig, Setup, fault, operator, runtime};

/// After this long everything waits for the upstream, a command or an automatic retry.
const SETTLED: Duration = Duration::from_millis(20);

/// The service under test with its upstream, beside the oracle.
pub(super) struct World {
    runtime: Option<Runtime>,
    rig: Option<Rig>,
    setup: Setup,
    /// One for each request that the upstream may answer.
    tokens: Arc<Semaphore>,
    answers: Arc<Mutex<BTreeMap<Pair, Answer>>>,
    oracle: Oracle,
}

impl World {
    pub(super) fn new(resume_interrupted: bool) -> Self {
        let source = ScriptedSource::new();
        let tokens = Arc::new(Semaphore::new(0));
        let answers: Arc<Mutex<BTreeMap<Pair, Answer>>> = Arc::default();
        let mut setup = Setup::new(source.clone());
        setup.options.resume_interrupted = resume_interrupted;
        setup.options.parking.failures_in_a_row = 0;
        setup.options.retry.attempts_max = NonZeroU32::MIN;
        let gate = Arc::clone(&tokens);
        source.set_delay(Box::new(move |_, _, _| {
            let gate = Arc::clone(&gate);
            Box::pin(async move {
                gate.acquire().await.unwrap().forget();
                sleep(Duration::from_millis(1)).await;
            })
        }));
        let known = Arc::clone(&answers);
        source.set_default(move |market, product, _, _| {
            let pair = (market.to_string(), product.to_string());
            match known.lock().unwrap().get(&pair) {
                Some(Ok(amount)) => Ok(quote(amount, "EUR")),
                Some(Err(class)) => Err(fault(*class)),
                None => Ok(quote("1.00", "EUR")),
            }
        });
        let mut oracle = Oracle::new(resume_interrupted);
        for (id, count) in [("A", 3), ("B", 4), ("C", 0)] {
            oracle.lists.insert(id.to_owned(), PRODUCTS[..count].iter().map(|&id| id.to_owned()).collect());
            source.set_products(id, PRODUCTS[..count].iter().map(|id| product(id)).collect());
        }
        oracle.markets = vec!["A".to_owned(), "B".to_owned()];
        source.set_markets(&["A", "B"]);
        let mut world = Self { runtime: None, rig: None, setup, tokens, answers, oracle };
        world.open();
        world
    }

    fn open(&mut self) {
        let runtime = runtime();
        let setup = &self.setup;
        self.rig = Some(runtime.block_on(async {
            let rig = setup.open().await;
            sleep(SETTLED).await;
            rig
        }));
        self.runtime = Some(runtime);
    }

    /// The process ends at once, and another one begins.
    fn kill(&mut self) {
        let clock = self.rig.take().map(|rig| rig.clock);
        if let (Some(runtime), Some(clock)) = (self.runtime.take(), clock) {
            self.setup.begins_at = runtime.block_on(async { price_cache_domain::Clock::now(&clock) });
        }
        self.tokens.forget_permits(usize::MAX);
        self.setup.store = self.setup.store.reopen();
        self.oracle.reopen();
        self.open();
    }

    fn run<T>(&self, work: impl AsyncFnOnce(&Rig) -> T) -> T {
        let (Some(runtime), Some(rig)) = (&self.runtime, &self.rig) else { panic!("not open") };
        runtime.block_on(async {
            let result = work(rig).await;
            sleep(SETTLED).await;
            result
        })
    }

    fn answer(&mut self, requests: u32) {
        self.tokens.add_permits(requests as usize);
        self.run(async |_| ());
        self.tokens.forget_permits(usize::MAX);
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each kind of step")]
    pub(super) fn step(&mut self, step: &Step) {
        let oracle = &mut self.oracle;
        match step {
            Step::Start => {
                let expected = oracle.start();
                check(expected, &self.run(async |rig| rig.handle.start(operator()).await));
            }
            Step::Stop => {
                let expected = oracle.stop();
                check(expected, &self.run(async |rig| rig.handle.stop(operator()).await));
            }
            Step::Reset { keep_prices } => {
                let expected = oracle.reset(*keep_prices);
                check(expected, &self.run(async |rig| rig.handle.reset(operator(), *keep_prices).await));
            }
            Step::Retry { market: of, class } => {
                let (of, class) = (of.map(|of| MARKETS[of]), class.map(|class| CLASSES[class]));
                let expected = oracle.retry_failed(of, class);
                let filter = RetryFilter { market: of.map(market), class };
                check(expected, &self.run(async |rig| rig.handle.retry_failed(operator(), filter).await));
            }
            Step::ClearLogs => {
                let expected = oracle.clear_logs();
                check(expected, &self.run(async |rig| rig.handle.clear_logs(operator()).await));
            }
            Step::Answer(requests) => {
                oracle.answer(*requests);
                self.answer(*requests);
            }
            Step::Wait => {
                oracle.wait();
                self.run(async |_| sleep(Duration::from_secs(10_000)).await);
            }
            Step::Kill => self.kill(),
            Step::KillHolding(requests) => {
                if !oracle.store_fails && oracle.refusals == 0 {
                    self.setup.store.hold_writes();
                    self.answer(*requests);
                    self.check("while records are on their way");
                }
                self.kill();
            }
            Step::ShutDown => {
                oracle.shut_down();
                self.run(async |rig| rig.handle.shutdown(operator()).await).unwrap();
                self.kill();
            }
            Step::List { market, products } => {
                let ids: Vec<_> = products.iter().map(|index| PRODUCTS[*index].to_owned()).collect();
                let market = MARKETS[*market];
                let order = oracle.markets.clone();
                self.setup.source.set_products(market, ids.iter().map(|id| product(id)).collect());
                oracle.lists.insert(market.to_owned(), ids);
                let order: Vec<_> = order.iter().map(String::as_str).collect();
                self.setup.source.set_markets(&order);
            }
            Step::Markets(markets) => {
                let ids: Vec<_> = markets.iter().map(|index| MARKETS[*index]).collect();
                self.setup.source.set_markets(&ids);
                oracle.markets = ids.into_iter().map(str::to_owned).collect();
            }
            Step::Upstream { market, product, answer } => {
                let pair = (MARKETS[*market].to_owned(), PRODUCTS[*product].to_owned());
                let answer =
                    CLASSES.get(*answer).map_or_else(|| Ok(format!("{answer}.50")), |class| Err(*class));
                self.answers.lock().unwrap().insert(pair.clone(), answer.clone());
                oracle.upstream.insert(pair, answer);
            }
            Step::StoreFails => {
                oracle.store_fails = true;
                self.setup.store.fail_while(StoreError::Full("no space".to_owned()));
            }
            Step::StoreRecovers => {
                (oracle.store_fails, oracle.refusals) = (false, 0);
                self.setup.store.recover();
            }
            Step::RefuseOne => {
                if !oracle.store_fails {
                    oracle.refusals += 1;
                    let error = StoreError::Io("a bad sector".to_owned());
                    self.setup.store.fail_next_of(Operation::Record, 1, error);
                }
            }
            Step::ListingFails => {
                oracle.listing_faults += 1;
                self.setup.source.fail_listings([Fault::new(FailureClass::NotFound, "no such list")]);
            }
        }
    }

    /// Compares everything that can be seen with the oracle.
    pub(super) fn check(&self, when: &str) {
        let (Some(rig), oracle) = (&self.rig, &self.oracle) else { panic!("not open") };
        let snapshot = rig.handle.snapshot();
        let stand = match &snapshot.run {
            Run::Idle(_) => Stand::Idle,
            Run::Initializing(_) => panic!("{when}: still INITIALIZING"),
            Run::Processing(_) => Stand::Walking,
            Run::Paused(paused) => Stand::Paused(paused.reason()),
            Run::Completed(_) => Stand::Completed,
            Run::Error(error) => Stand::Broken { retries: error.failure().retry_at.is_some() },
        };
        assert_eq!(stand, oracle.stand, "{when}");
        assert_eq!(snapshot.retry_at.is_some(), oracle.retry_armed, "{when}: the automatic retry");
        assert!(!snapshot.stop_requested, "{when}");

        let completed = snapshot.analytics().completed();
        match &oracle.plan {
            None => assert_eq!(completed, 0, "{when}"),
            Some(plan) => {
                let shown: Vec<_> = snapshot
                    .markets
                    .iter()
                    .map(|slot| {
                        let progress = slot.progress;
                        let counts = (progress.successful(), progress.failed());
                        (slot.market.to_string(), progress.total(), counts)
                    })
                    .collect();
                let expected: Vec<_> = plan
                    .iter()
                    .map(|(market, products)| (market.clone(), products.len() as u64, oracle.counts(market)))
                    .collect();
                assert_eq!(shown, expected, "{when}: counters");
            }
        }
        if let Some(estimate) = snapshot.total_estimate(rig.handle.now()) {
            assert!(estimate.low <= estimate.expected && estimate.expected <= estimate.high, "{when}");
        }
        let requests: u32 = oracle.told.values().map(|told| told.requests).sum();
        assert_eq!(snapshot.analytics().requests, u64::from(requests), "{when}: requests");
        let logged: BTreeSet<_> = rig.log_ids().into_iter().collect();
        assert_eq!(logged, oracle.logged, "{when}: logs");
        for market in MARKETS {
            assert!(self.setup.source.in_flight_max(market) <= 1, "{when}: requests at once in {market}");
        }
        self.check_records(when, &snapshot.run);
    }

    fn check_records(&self, when: &str, run: &Run) {
        let mut told = BTreeMap::new();
        let mut prices = BTreeMap::new();
        for (pair, entry) in self.setup.entries() {
            if let Some(price) = &entry.price {
                prices.insert(pair.clone(), price.price.amount.as_str().to_owned());
            }
            let outcome = run.facts().and_then(|facts| entry.outcome_in(facts.id()));
            if let Some(outcome) = outcome {
                let failure = outcome.attempts.failure().map(|failure| failure.class());
                told.insert(pair, (failure, outcome.attempts.requests()));
            }
        }
        let expected: BTreeMap<_, _> = self
            .oracle
            .told
            .iter()
            .map(|(pair, told)| (pair.clone(), (told.answer.as_ref().err().copied(), told.requests)))
            .collect();
        assert_eq!(told, expected, "{when}: outcomes on disk");
        assert_eq!(prices, self.oracle.prices, "{when}: prices on disk");
    }
}

fn check(expected: Expected, answer: &Result<Accepted, CommandError>) {
    let found = match answer {
        Ok(accepted) if accepted.changed => Expected::Done,
        Ok(_) => Expected::NothingToDo,
        Err(CommandError::Refused { .. }) => Expected::Conflict,
        Err(CommandError::Store(_)) => Expected::StoreFailure,
        Err(CommandError::Closed) => panic!("the service ended"),
    };
    assert_eq!(found, expected, "{answer:?}");
}
