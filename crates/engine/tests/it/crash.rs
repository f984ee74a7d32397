//! A process that dies at any operation of its store, with that operation done or not, and dies again
//! while it recovers: nothing that was shown is lost, nothing is counted twice, little is fetched again.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::time::Duration;

use price_cache_domain::{Clock, FailureClass, PauseReason, Run, RunStatus};
use price_cache_engine::{LoggedRequest, Snapshot, audit};
use price_cache_testkit::{CrashPoint, ScriptedSource, quote};
use tokio::time::{Instant, sleep, timeout};

use super::harness::{Setup, fault, in_one_life, operator};

const MARKETS: [&str; 3] = ["DE", "JP", "US"];
const PRODUCTS: usize = 20;
const PAIRS: usize = MARKETS.len() * PRODUCTS;
const WINDOW: usize = 3;
const DOWNTIME: Duration = Duration::from_secs(3_600);

/// Three markets, in which some products fail at once and some after all attempts.
fn setup(parallel_markets: usize) -> Setup {
    let mut source = ScriptedSource::new();
    for id in MARKETS {
        source = source.with_numbered(id, PRODUCTS);
    }
    source.set_default(|market, product, _, _| {
        let number: usize = product.as_str()[1..].parse().unwrap();
        match (number + market.as_str().len()) % 9 {
            4 => Err(fault(FailureClass::NotFound)),
            7 => Err(fault(FailureClass::ServerError)),
            _ => Ok(quote("0.10", "EUR")),
        }
    });
    Setup::new(source).with_options(|options| {
        options.parallel_markets = NonZeroUsize::new(parallel_markets).unwrap();
        options.max_unsynced_writes = NonZeroUsize::new(WINDOW).unwrap();
        options.retry.backoff_start = Duration::from_millis(20);
        options.retry.budget_start = 1_000;
        options.parking.failures_in_a_row = 0;
        options.resume_interrupted = false;
    })
}

/// What was visible from outside at some time.
#[derive(Default)]
struct Shown {
    completed: BTreeMap<String, u64>,
    calls: BTreeSet<String>,
    /// Products shown with a price, with the requests made for each until then.
    requests: BTreeMap<(String, String), u32>,
    /// Requests that no record on disk tells of.
    untold: BTreeMap<(String, String), u32>,
    pauses_found: usize,
    lived: Duration,
    lost: usize,
}

impl Shown {
    /// Notes what is visible, and checks that nothing that was visible before is gone.
    fn note(&mut self, snapshot: &Snapshot, calls: &[LoggedRequest], setup: &Setup) {
        for slot in &snapshot.markets {
            let progress = slot.progress;
            assert!(progress.completed() <= progress.total(), "{snapshot:?}");
            assert_eq!(progress.completed(), progress.successful() + progress.failed());
        }
        for (market, completed) in &mut self.completed {
            let slot = snapshot.markets.iter().find(|slot| slot.market.as_str() == market);
            let now = slot.map_or(0, |slot| slot.progress.completed());
            assert!(now >= *completed, "{market} showed {completed} and now shows {now}");
        }
        let visible: BTreeSet<_> = calls.iter().map(LoggedRequest::id).collect();
        assert!(self.calls.is_subset(&visible), "calls that were shown are gone");
        self.calls = visible;
        for slot in &snapshot.markets {
            self.completed.insert(slot.market.to_string(), slot.progress.completed());
        }
        for call in calls.iter().filter(|call| call.failure.is_none()) {
            let (market, product) = (call.market.to_string(), call.product.to_string());
            let asked = setup.source.requests(&market, &product);
            let before = *self.requests.entry((market, product)).or_insert(asked);
            assert_eq!(before, asked, "{} was done and is fetched again", call.id());
        }
    }

    /// How many products were asked for with no record of it on disk.
    fn count_lost(&mut self, setup: &Setup, allowed: usize) {
        let told = setup.entries();
        let asked = MARKETS.iter().flat_map(|market| {
            (0..PRODUCTS).map(move |index| ((*market).to_owned(), format!("p{index:04}")))
        });
        let lost = asked
            .filter(|pair| {
                let told = told.get(pair).map_or(0, |entry| entry.outcome.attempts.requests());
                let untold = setup.source.requests(&pair.0, &pair.1) - told;
                untold > self.untold.insert(pair.clone(), untold).unwrap_or(0)
            })
            .count();
        assert!(lost <= allowed, "{lost} products would be fetched again, {allowed} may be");
        self.lost += lost;
    }
}

/// One life of the process, until the run is complete or the store crashes; the setup of the next one.
fn live(setup: &Setup, crash: Option<CrashPoint>, shown: &mut Shown) -> (Setup, bool) {
    if let Some(crash) = crash {
        setup.store.crash_at(crash);
    }
    let stored = setup.store.run().status();
    let parallel = setup.options.parallel_markets.get();
    let now = in_one_life(async {
        let begun = Instant::now();
        let (service, clock) = setup.service();
        let life = async {
            let rig = setup.run(service, clock).await;
            let found = rig.handle.snapshot();
            match (stored.is_locked(), &found.run) {
                (true, Run::Paused(paused)) => {
                    assert_eq!(paused.reason(), PauseReason::Interrupted);
                    shown.pauses_found += 1;
                }
                (true, other) => panic!("a run that was under way was found so: {other:?}"),
                (false, other) => assert_eq!(other.status(), stored),
            }
            let calls =
                |rig: &super::harness::Rig| rig.handle.request_log().newest(0, usize::MAX, |_| true).0;
            shown.note(&found, &calls(&rig), setup);
            let mut snapshots = rig.handle.subscribe();
            let starting = rig.handle.start(operator());
            let watching = async {
                while rig.status() != RunStatus::Completed {
                    snapshots.changed().await.unwrap();
                    let snapshot = snapshots.borrow_and_update().clone();
                    shown.note(&snapshot, &calls(&rig), setup);
                }
            };
            if found.run.status() != RunStatus::Completed {
                let (started, ()) = tokio::join!(starting, watching);
                started.unwrap();
            }
        };
        let crashing = async {
            while !setup.store.has_crashed() {
                sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::select! {
            biased;
            () = crashing => {}
            done = timeout(Duration::from_secs(600), life) => done.unwrap(),
        }
        shown.lived += begun.elapsed();
        clock.now()
    });
    let crashed = setup.store.has_crashed();
    let next = Setup { store: setup.store.reopen(), begins_at: now.plus(DOWNTIME), ..setup.clone() };
    if crashed {
        shown.count_lost(&next, WINDOW * parallel);
    }
    (next, crashed)
}

/// Lives until the run is complete, with these crashes one after another, and checks the end.
fn survive(parallel_markets: usize, crashes: &[CrashPoint]) -> bool {
    let mut shown = Shown::default();
    let mut setup = setup(parallel_markets);
    let mut all_crashed = true;
    for crash in crashes {
        let (next, crashed) = live(&setup, Some(*crash), &mut shown);
        setup = next;
        all_crashed &= crashed;
    }
    let (setup, _) = live(&setup, None, &mut shown);
    let run = setup.store.run();
    assert_eq!(run.status(), RunStatus::Completed);
    let id = run.latest_id().unwrap();
    let entries = setup.entries();
    assert_eq!(entries.values().filter(|entry| entry.outcome_in(id).is_some()).count(), PAIRS);

    // Whatever failed in a way that may pass was visited twice, and the rest once.
    for (pair, entry) in &entries {
        let attempts = &entry.outcome.attempts;
        let expected = match attempts.failure().map(|failure| failure.class()) {
            Some(FailureClass::ServerError) => (6, true),
            _ => (1, false),
        };
        assert_eq!((attempts.requests(), entry.outcome.was_retried_at_end), expected, "{pair:?}");
    }

    // Every request is explained: by an outcome, or by a crash that cost it.
    let requests: u32 = entries.values().map(|entry| entry.outcome.attempts.requests()).sum();
    let extra = setup.source.requests_total() - u64::from(requests);
    assert!(
        extra <= 3 * shown.lost as u64,
        "{extra} requests more than the {} lost products cost",
        shown.lost
    );

    in_one_life(async {
        let found = audit(&setup.store).await.unwrap();
        assert_eq!(found.problems, []);
        let rig = setup.open().await;
        let snapshot = rig.handle.snapshot();
        let failed = entries.values().filter(|entry| !entry.outcome.is_success()).count() as u64;
        let analytics = snapshot.analytics();
        assert_eq!((analytics.total, analytics.completed()), (PAIRS as u64, PAIRS as u64));
        assert_eq!((analytics.failed, analytics.requests), (failed, u64::from(requests)));
        shown.note(&snapshot, &rig.handle.request_log().newest(0, usize::MAX, |_| true).0, &setup);
        let active = run.active_for(setup.begins_at);
        assert!(active <= shown.lived, "{active:?} under way in {:?} of life", shown.lived);
        if parallel_markets == 1 {
            assert!(analytics.busy <= active, "{:?} of requests in {active:?}", analytics.busy);
        }
    });
    all_crashed
}

fn point(operation: u64, applied: bool) -> CrashPoint {
    CrashPoint { operation, applied }
}

/// How many operations of the store a run without trouble takes.
fn operations(parallel_markets: usize) -> u64 {
    let setup = setup(parallel_markets);
    live(&setup, None, &mut Shown::default());
    setup.store.operations()
}

#[test]
fn a_crash_at_any_operation_of_a_run_loses_nothing_that_was_shown() {
    for parallel_markets in [1, 3] {
        let last = operations(parallel_markets);
        assert!(last >= PAIRS as u64);
        for operation in 1..=last {
            for applied in [false, true] {
                assert!(survive(parallel_markets, &[point(operation, applied)]), "there is no {operation}");
            }
        }
    }
}

/// Every operation of the run, and for each every operation of the life that follows. `PRICE_CACHE_CRASHES_ALL` tries
/// each of them with the operation done and not done; otherwise the two alternate.
#[test]
fn a_second_crash_at_any_operation_of_the_recovery_loses_nothing_either() {
    let is_whole = std::env::var_os("PRICE_CACHE_CRASHES_ALL").is_some();
    let last = operations(1);
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let tried: u64 = std::thread::scope(|scope| {
        let workers: Vec<_> = (1..=threads)
            .map(|first| {
                scope.spawn(move || {
                    let mut tried = 0;
                    for operation in (first as u64..=last).step_by(threads) {
                        for applied in [false, true] {
                            if is_whole || applied == operation.is_multiple_of(2) {
                                tried += second_crashes(operation, applied, is_whole);
                            }
                        }
                    }
                    tried
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    // A life after a crash has fewer operations the later the crash was: half of them on average.
    assert!(tried >= last * last / 4, "only {tried} second crashes after {last} first ones");
}

/// Crashes at an operation, then at each operation of the next life; how many of these there were.
fn second_crashes(operation: u64, applied: bool, is_whole: bool) -> u64 {
    let mut tried = 0;
    for second in 1.. {
        let mut was_reached = false;
        for second_applied in [false, true] {
            if is_whole || second_applied == (operation / 2 + second).is_multiple_of(2) {
                was_reached |= survive(1, &[point(operation, applied), point(second, second_applied)]);
                tried += 1;
            }
        }
        if !was_reached {
            break;
        }
    }
    tried
}

#[test]
fn crash_after_crash_the_run_comes_to_its_end() {
    for step in [3, 7, 11, 13] {
        let crashes: Vec<_> = (0..25).map(|turn| point(8 + step + turn % 5, turn % 3 == 0)).collect();
        survive(1, &crashes);
        survive(3, &crashes);
    }
}

#[test]
fn an_interrupted_run_is_found_paused_and_its_log_is_rebuilt_as_it_was() {
    let setup = setup(1);
    let (before, next) = in_one_life(async {
        let rig = setup.open().await;
        rig.start().await;
        rig.until_completed(30).await;
        sleep(Duration::from_millis(1)).await;
        let calls = rig.handle.request_log().newest(0, usize::MAX, |_| true).0;
        let now = rig.clock.now();
        ((calls, rig.handle.request_log().stats(), rig.handle.snapshot()), now)
    });
    let setup = Setup { store: setup.store.reopen(), begins_at: next.plus(DOWNTIME), ..setup };
    in_one_life(async {
        let rig = setup.open().await;
        let (calls, stats, snapshot) = before;
        assert_eq!(rig.handle.request_log().newest(0, usize::MAX, |_| true).0, calls);
        assert_eq!(rig.handle.request_log().stats(), stats);
        let found = rig.handle.snapshot();
        for (then, now) in snapshot.markets.iter().zip(&found.markets) {
            assert_eq!((&then.market, then.progress), (&now.market, now.progress));
        }
        let active = found.run.active_for(setup.begins_at);
        assert!(active > Duration::from_millis(100) && active < Duration::from_secs(30), "{active:?}");
        rig.whole_run().await;
        assert!(rig.handle.snapshot().run.active_for(rig.clock.now()) < Duration::from_secs(60));
    });
}
