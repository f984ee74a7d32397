//! Opens services on the test kit's parts under paused time, and waits for what they show.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use price_cache_domain::{
    Actor, Clock, Entry, FailureClass, Fault, PauseReason, PriceSource, Run, RunFailure, RunStatus, Store,
    Timestamp,
};
use price_cache_engine::{
    Accepted, CacheService, CommandError, Handle, MarketSnapshot, Options, Ports, Snapshot,
};
use price_cache_testkit::{MemoryStore, ScriptedSource, quote};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

/// Nothing in these tests takes longer, in paused time.
const PATIENCE: Duration = Duration::from_secs(36_000);

/// A wall clock that follows the paused time of the present runtime.
#[derive(Clone, Copy)]
pub(crate) struct PausedClock {
    base: Timestamp,
    origin: Instant,
}

impl PausedClock {
    /// When this life of the process began.
    pub(crate) const fn base(&self) -> Timestamp {
        self.base
    }
}

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        self.base.plus(self.origin.elapsed())
    }
}

/// What outlives a service: store, source, settings and the time of its next life.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) store: MemoryStore,
    pub(crate) source: ScriptedSource,
    pub(crate) options: Options,
    pub(crate) begins_at: Timestamp,
}

impl Setup {
    /// An empty store; the source takes 5 ms for a price.
    pub(crate) fn new(source: ScriptedSource) -> Self {
        source.set_delay(Box::new(|_, _, _| Box::pin(sleep(Duration::from_millis(5)))));
        Self {
            store: MemoryStore::new(),
            source,
            options: Options::default(),
            begins_at: Timestamp::from_millis(1_767_225_600_000),
        }
    }

    pub(crate) fn with_options(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.options);
        self
    }

    /// No market is ever parked, and no failed product held back.
    pub(crate) fn without_parking(self) -> Self {
        self.with_options(|options| options.parking.failures_in_a_row = 0)
    }

    /// Failed products are not tried again at the end of their market.
    pub(crate) fn without_end_of_market_retry(self) -> Self {
        self.with_options(|options| options.retry.end_of_market_retry = false)
    }

    fn ports(&self) -> (Ports, PausedClock) {
        let clock = PausedClock { base: self.begins_at, origin: Instant::now() };
        let store = Arc::new(self.store.clone());
        (Ports { store, source: Arc::new(self.source.clone()), clock: Arc::new(clock) }, clock)
    }

    pub(crate) fn service(&self) -> (CacheService, PausedClock) {
        let (ports, clock) = self.ports();
        (CacheService::new(ports, self.options.clone()), clock)
    }

    /// With another store in place of the one of this setup.
    pub(crate) async fn open_with_store(&self, store: impl Store + 'static) -> Rig {
        let (ports, clock) = self.ports();
        let ports = Ports { store: Arc::new(store), ..ports };
        self.run(CacheService::new(ports, self.options.clone()), clock).await
    }

    /// With another source in place of the one of this setup.
    pub(crate) async fn open_with_source(&self, source: impl PriceSource + 'static) -> Rig {
        let (ports, clock) = self.ports();
        let ports = Ports { source: Arc::new(source), ..ports };
        self.run(CacheService::new(ports, self.options.clone()), clock).await
    }

    pub(crate) async fn open(&self) -> Rig {
        let (service, clock) = self.service();
        self.run(service, clock).await
    }

    pub(crate) async fn run(&self, service: CacheService, clock: PausedClock) -> Rig {
        let (handle, task) = service.open().await.unwrap();
        Rig { handle, task, clock, setup: self.clone() }
    }

    /// The price records of the run, by market and product.
    pub(crate) fn entries(&self) -> BTreeMap<(String, String), Entry> {
        let entries = self.store.all_entries().into_iter();
        entries.map(|(market, product, entry)| ((market.to_string(), product.to_string()), entry)).collect()
    }
}

/// A running service.
pub(crate) struct Rig {
    pub(crate) handle: Handle,
    pub(crate) task: JoinHandle<()>,
    pub(crate) clock: PausedClock,
    pub(crate) setup: Setup,
}

impl Rig {
    pub(crate) async fn start(&self) -> Accepted {
        self.handle.start(operator()).await.unwrap()
    }

    pub(crate) async fn stop(&self) -> Accepted {
        self.handle.stop(operator()).await.unwrap()
    }

    pub(crate) fn status(&self) -> RunStatus {
        self.handle.snapshot().run.status()
    }

    /// Waits until the snapshot is as wanted, and checks every one until then.
    pub(crate) async fn until(&self, what: &str, wanted: impl Fn(&Snapshot) -> bool) -> Snapshot {
        let mut snapshots = self.handle.subscribe();
        let found = timeout(
            PATIENCE,
            snapshots.wait_for(|snapshot| {
                assert_sound(snapshot);
                wanted(snapshot)
            }),
        )
        .await;
        let found = found.map(|found| found.map(|snapshot| snapshot.clone()));
        let Ok(Ok(snapshot)) = found else {
            panic!("it never came to this: {what}; {:#?}", self.handle.snapshot())
        };
        snapshot
    }

    pub(crate) async fn until_status(&self, status: RunStatus) -> Snapshot {
        self.until(status.name(), |snapshot| snapshot.run.status() == status).await
    }

    pub(crate) async fn until_completed(&self, products: u64) -> Snapshot {
        self.until("products completed", |snapshot| snapshot.analytics().completed() >= products).await
    }

    /// Starts and waits for the end of the run.
    pub(crate) async fn whole_run(&self) -> Snapshot {
        self.start().await;
        self.until_status(RunStatus::Completed).await
    }

    /// Ends this service as a kill would, as far as that goes within one runtime: nothing that its
    /// workers do from now on reaches the store.
    pub(crate) async fn kill(self, downtime: Duration) -> Setup {
        let Self { handle, task, clock, setup } = self;
        setup.store.crash_after(setup.store.operations() + 1);
        task.abort();
        drop(handle);
        let _ = task.await;
        setup.source.release_listings();
        Setup { store: setup.store.reopen(), begins_at: clock.now().plus(downtime), ..setup }
    }

    /// Ends this service in good order.
    pub(crate) async fn shut_down(self, downtime: Duration) -> Setup {
        self.handle.shutdown(operator()).await.unwrap();
        self.task.await.unwrap();
        Setup { store: self.setup.store.reopen(), begins_at: self.clock.now().plus(downtime), ..self.setup }
    }

    pub(crate) fn log_ids(&self) -> Vec<String> {
        self.handle.request_log().newest(0, usize::MAX, |_| true).0.iter().map(|call| call.id()).collect()
    }
}

/// What holds in every snapshot there ever is.
pub(crate) fn assert_sound(snapshot: &Snapshot) {
    for slot in &snapshot.markets {
        let progress = slot.progress;
        assert!(progress.completed() <= progress.total(), "{snapshot:?}");
        assert_eq!(progress.completed(), progress.successful() + progress.failed());
        assert!(progress.requests() >= progress.completed(), "{snapshot:?}");
    }
    let since = snapshot.run.facts().map_or(Timestamp::from_millis(0), |facts| facts.started_at());
    for now in [since, since.plus(Duration::from_secs(1_000))] {
        if let Some(estimate) = snapshot.total_estimate(now) {
            assert!(estimate.low <= estimate.expected && estimate.expected <= estimate.high, "{snapshot:?}");
        }
    }
}

pub(crate) fn operator() -> Actor {
    Actor::named("operator")
}

/// The counters of a market: total, successful, failed.
pub(crate) fn counts(snapshot: &Snapshot, market: &str) -> (u64, u64, u64) {
    let progress = market_of(snapshot, market).progress;
    (progress.total(), progress.successful(), progress.failed())
}

pub(crate) fn market_of<'a>(snapshot: &'a Snapshot, market: &str) -> &'a MarketSnapshot {
    let found = snapshot.markets.iter().find(|slot| slot.market.as_str() == market);
    found.unwrap_or_else(|| panic!("no market {market} in {snapshot:?}"))
}

pub(crate) fn failure_of(snapshot: &Snapshot) -> RunFailure {
    let Run::Error(error) = &snapshot.run else { panic!("not in ERROR: {:?}", snapshot.run) };
    error.failure().clone()
}

pub(crate) fn pause_of(snapshot: &Snapshot) -> PauseReason {
    let Run::Paused(paused) = &snapshot.run else { panic!("not PAUSED: {:?}", snapshot.run) };
    paused.reason()
}

/// The state and sentence of a refusal.
pub(crate) fn refusal(result: Result<Accepted, CommandError>) -> (RunStatus, String) {
    match result {
        Err(CommandError::Refused { state, message }) => (state, message),
        other => panic!("not refused: {other:?}"),
    }
}

/// A fault of a class, with the status that usually comes with it.
pub(crate) fn fault(class: FailureClass) -> Fault {
    let fault = Fault::new(class, format!("scripted {class}"));
    match class {
        FailureClass::ServerError => fault.with_status(503),
        FailureClass::RateLimited => fault.with_status(429),
        FailureClass::NotFound => fault.with_status(404),
        FailureClass::Rejected => fault.with_status(400),
        FailureClass::Credentials => fault.with_status(401),
        FailureClass::InvalidAnswer => fault.with_status(200),
        FailureClass::Transport | FailureClass::Timeout | FailureClass::Cancelled => fault,
    }
}

/// Status 429 with a wish for the wait.
pub(crate) fn limited(retry_after: Duration) -> Fault {
    Fault { retry_after: Some(retry_after), ..fault(FailureClass::RateLimited) }
}

/// The source refuses our key after so many prices, until somebody corrects it: sets what this returns.
pub(crate) fn revoked_after(source: &ScriptedSource, prices: u64) -> Arc<AtomicBool> {
    let is_corrected = Arc::new(AtomicBool::new(false));
    let (seen, given) = (Arc::clone(&is_corrected), AtomicU64::new(0));
    source.set_default(move |_, _, _, _| {
        if seen.load(Ordering::SeqCst) || given.fetch_add(1, Ordering::SeqCst) < prices {
            Ok(quote("1.00", "EUR"))
        } else {
            Err(fault(FailureClass::Credentials))
        }
    });
    is_corrected
}

/// One life of the process: a runtime of its own under paused time, and nothing of it goes on afterwards.
pub(crate) fn in_one_life<T>(life: impl Future<Output = T>) -> T {
    runtime().block_on(life)
}

/// A runtime under paused time.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// A number that the environment may set.
pub(crate) fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |value| value.parse().unwrap())
}
