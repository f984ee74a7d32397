//! Plays a scenario: the lives of the process one after another, and in the end one in good weather that has to
//! finish what they left.

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::time::Duration;

use price_cache_domain::{Clock, ProductId, RetryFilter, RunStatus, StoreError};
use price_cache_engine::{Accepted, CommandError, Snapshot, audit};
use price_cache_testkit::{ScriptedSource, market, product};
use tokio::time::{sleep, timeout};

use super::super::harness::{Rig, Setup, fault, in_one_life, operator};
use super::observer::Observer;
use super::scenario::{Act, Life, Scenario};
use super::upstream::{Upstream, Weather};

/// In good weather every run of a scenario is complete by then.
const FINISH_TIME_MAX: Duration = Duration::from_secs(48 * 3_600);
/// A slow disk makes something durable this often.
const DISK_TURN: Duration = Duration::from_millis(50);

/// How a simulation went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) lives: u64,
    pub(super) crashes: u64,
    pub(super) requests: u64,
    pub(super) states: u64,
    /// Of everything that was visible.
    fingerprint: u64,
}

impl Summary {
    pub(super) fn add(&mut self, other: &Self) {
        self.lives += other.lives;
        self.crashes += other.crashes;
        self.requests += other.requests;
        self.states += other.states;
    }
}

pub(super) struct World {
    scenario: Scenario,
    upstream: Upstream,
    observer: RefCell<Observer>,
    summary: Summary,
}

impl World {
    /// Lives through the whole scenario.
    pub(super) fn live_through(scenario: Scenario) -> Summary {
        let mut setup = Setup::new(ScriptedSource::new()).with_options(|options| {
            options.parallel_markets = NonZeroUsize::new(scenario.parallel_markets).unwrap();
            options.max_unsynced_writes = NonZeroUsize::new(scenario.undurable_records_max).unwrap();
            options.parking.failures_in_a_row = scenario.failures_that_park;
            options.resume_interrupted = scenario.resume_interrupted;
        });
        setup.source.set_page_size(scenario.page_size);
        for (index, products) in scenario.products.iter().enumerate() {
            setup.source.set_products(&name(index), list(0, *products));
        }
        let upstream = Upstream::behind(&setup.source, scenario.seed, scenario.latency, scenario.has_ghosts);
        let lives = scenario.lives.clone();
        let mut world =
            Self { scenario, upstream, observer: RefCell::default(), summary: Summary::default() };
        for life in &lives {
            setup = world.live(&setup, life);
        }
        in_one_life(async {
            let finished = timeout(FINISH_TIME_MAX, world.finish(&setup)).await;
            assert!(finished.is_ok(), "the run is not complete after {FINISH_TIME_MAX:?}");
        });
        let observer = world.observer.into_inner();
        Summary {
            requests: setup.source.requests_total(),
            states: observer.states,
            fingerprint: observer.fingerprint(),
            ..world.summary
        }
    }

    /// One life of the process; what the next one begins with.
    fn live(&mut self, setup: &Setup, life: &Life) -> Setup {
        self.summary.lives += 1;
        if let Some(crash) = life.crash {
            setup.store.crash_at(crash);
        }
        if self.scenario.has_slow_disk {
            setup.store.hold_writes();
        }
        let ended_at = in_one_life(async {
            let (service, clock) = setup.service();
            let living = async {
                let rig = setup.run(service, clock).await;
                self.watch(&rig, self.act_all(&rig, &life.acts)).await;
                if life.shuts_down {
                    rig.handle.shutdown(operator()).await.unwrap();
                }
            };
            tokio::select! {
                biased;
                () = setup.store.crashed() => {}
                () = slow_disk(setup) => {}
                () = living => {}
            }
            clock.now()
        });
        self.summary.crashes += u64::from(setup.store.has_crashed());
        let store = setup.store.reopen();
        let next = Setup { store, begins_at: ended_at.plus(life.downtime), ..setup.clone() };
        self.observer.borrow_mut().inspect(&next);
        next
    }

    /// Looks at every snapshot until all is acted.
    async fn watch(&self, rig: &Rig, acting: impl Future<Output = ()>) {
        let mut snapshots = rig.handle.subscribe();
        let watching = async {
            loop {
                let snapshot = snapshots.borrow_and_update().clone();
                self.observer.borrow_mut().note(&rig.handle, &snapshot);
                snapshots.changed().await.unwrap();
            }
        };
        tokio::select! {
            biased;
            () = watching => {}
            () = acting => {}
        }
    }

    async fn act_all(&self, rig: &Rig, acts: &[(Duration, Act)]) {
        for (wait, act) in acts {
            sleep(*wait).await;
            self.act(rig, act).await;
        }
    }

    async fn act(&self, rig: &Rig, act: &Act) {
        let (handle, setup) = (&rig.handle, &rig.setup);
        match act {
            Act::Start => allowed(handle.start(operator()).await),
            Act::Stop => allowed(handle.stop(operator()).await),
            Act::Reset { keep_prices } => {
                if !keep_prices {
                    self.observer.borrow_mut().prices_may_go();
                }
                allowed(handle.reset(operator(), *keep_prices).await);
            }
            Act::RetryFailed { market: index, class } => {
                let filter = RetryFilter { market: index.map(|index| market(&name(index))), class: *class };
                allowed(handle.retry_failed(operator(), filter).await);
            }
            Act::ClearLogs => allowed(handle.clear_logs(operator()).await),
            Act::Weather { market, weather } => {
                self.upstream.change(market.map(name).as_deref(), *weather);
            }
            Act::List { market, products, first } => {
                setup.source.set_products(&name(*market), list(*first, *products));
            }
            Act::ListingFails(class) => setup.source.fail_listings([fault(*class)]),
            Act::StoreFails => setup.store.fail_while(StoreError::Full("no space".to_owned())),
            Act::StoreRecovers => setup.store.recover(),
        }
    }

    /// In good weather the run comes to its end, and what failed before can be had.
    async fn finish(&self, setup: &Setup) {
        self.upstream.change(None, Weather::Well);
        let rig = setup.open().await;
        self.watch(&rig, complete(&rig)).await;
        let anything = RetryFilter::default();
        if rig.handle.snapshot().analytics().failed > 0 {
            rig.handle.retry_failed(operator(), anything).await.unwrap();
            self.watch(&rig, complete(&rig)).await;
        }
        let snapshot = rig.handle.snapshot();
        let analytics = snapshot.analytics();
        let id = snapshot.run.latest_id().unwrap();
        let entries = setup.entries();
        let outcomes: Vec<_> = entries
            .iter()
            .filter_map(|((_, product), entry)| Some((product, entry.outcome_in(id)?)))
            .collect();
        let failed = outcomes.iter().filter(|(_, outcome)| !outcome.is_success());
        for (product, outcome) in failed.clone() {
            assert!(self.upstream.is_ghost(product), "{product} can be had and failed: {outcome:?}");
        }
        assert_eq!(outcomes.len() as u64, analytics.total, "skipped, or counted twice");
        assert_eq!((analytics.completed(), analytics.failed), (analytics.total, failed.count() as u64));
        let requests: u64 = outcomes.iter().map(|(_, outcome)| u64::from(outcome.attempts.requests())).sum();
        assert_eq!(analytics.requests, requests);
        assert_eq!(audit(&setup.store).await.unwrap().problems, []);
        self.observer.borrow_mut().inspect(setup);
    }
}

/// Starts the run as often as it takes; what retries by itself is left to do so.
async fn complete(rig: &Rig) {
    loop {
        let snapshot = rig.handle.snapshot();
        if snapshot.run.status() == RunStatus::Completed {
            return;
        }
        if is_at_rest(&snapshot) {
            allowed(rig.handle.start(operator()).await);
        }
        rig.until("at rest", is_at_rest).await;
    }
}

/// Whether nothing more happens by itself.
fn is_at_rest(snapshot: &Snapshot) -> bool {
    match snapshot.run.status() {
        RunStatus::Initializing | RunStatus::Processing => false,
        RunStatus::Error => snapshot.retry_at.is_none(),
        RunStatus::Idle | RunStatus::Paused | RunStatus::Completed => true,
    }
}

/// A command may be refused, and the store may fail; nothing else may happen to it.
fn allowed(answer: Result<Accepted, CommandError>) {
    match answer {
        Ok(_) | Err(CommandError::Refused { .. } | CommandError::Store(_)) => {}
        Err(CommandError::Closed) => panic!("the service ended"),
    }
}

/// Makes what was written durable, a little at a time. Never returns.
async fn slow_disk(setup: &Setup) {
    loop {
        sleep(DISK_TURN).await;
        setup.store.release_some(fastrand::usize(1..4));
    }
}

fn name(index: usize) -> String {
    format!("M{index}")
}

fn list(first: usize, products: usize) -> Vec<ProductId> {
    (first..first + products).map(|number| product(&format!("p{number:03}"))).collect()
}
