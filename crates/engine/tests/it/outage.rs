//! The upstream is away for the middle third of a run, in each way in which one can be away: the load on it stays
//! that of a healthy one, the run ends by itself with every price, and says meanwhile that it will take longer.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use price_cache_domain::{FailureClass, Fetched, RunStatus};
use price_cache_testkit::{ScriptedSource, quote};
use tokio::time::{Instant, sleep, timeout};

use super::harness::{Setup, assert_sound, fault};

const PRODUCTS: usize = 640;
/// A healthy answer takes so long.
const LATENCY: Duration = Duration::from_millis(500);
/// A client's patience with a request that hangs.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How much more load than a healthy upstream would have had in the same time.
const LOAD_MAX: f64 = 1.1;

#[derive(Clone, Copy, Debug)]
enum Away {
    Hangs,
    Refuses,
    Says503,
}

/// Looks at the estimate in the last part of the outage.
const LOOKS: u32 = 20;

/// One run; the upstream is away from a third of its healthy duration on and for as long.
async fn come_through(away: Away, markets: usize, at_once: usize) {
    let what = format!("{away:?}, {markets} markets, {at_once} at once");
    let mut source = ScriptedSource::new();
    for index in 0..markets {
        source = source.with_numbered(&format!("M{index:02}"), PRODUCTS / markets);
    }
    let requests = u32::try_from(PRODUCTS / at_once.min(markets)).unwrap();
    let third = LATENCY * requests / 3;
    let begun = Instant::now();
    let is_away = move || (third..third * 2).contains(&begun.elapsed());
    let setup = Setup::new(source.clone()).with_options(|options| {
        options.parallel_markets = NonZeroUsize::new(at_once).unwrap();
    });
    let meanwhile: &AtomicU64 = Box::leak(Box::default());
    setup.source.set_delay(Box::new(move |_, _, _| {
        Box::pin(async move {
            if is_away() {
                meanwhile.fetch_add(1, Ordering::SeqCst);
            }
            match away {
                Away::Hangs if is_away() => sleep(TIMEOUT).await,
                Away::Refuses if is_away() => {}
                Away::Hangs | Away::Refuses | Away::Says503 => sleep(LATENCY).await,
            }
        })
    }));
    setup.source.set_default(move |_, _, _, _| {
        let class = match away {
            Away::Hangs => FailureClass::Timeout,
            Away::Refuses => FailureClass::Transport,
            Away::Says503 => FailureClass::ServerError,
        };
        if is_away() { Err(fault(class)) } else { Ok::<Fetched, _>(quote("1.00", "EUR")) }
    });
    let rig = setup.open().await;
    rig.start().await;
    let run = async {
        let interval = third / 100;
        sleep(third * 2 - LOOKS * interval).await;
        let mut known = 0;
        let mut told_last = None;
        for _ in 0..LOOKS {
            let late = rig.handle.snapshot();
            assert_sound(&late);
            let left =
                LATENCY * u32::try_from(late.analytics().total - late.analytics().completed()).unwrap();
            // However much can be walked at once, the end of the outage is not in sight.
            let told = late.total_estimate(rig.handle.now()).unwrap();
            let at_best = left / u32::try_from(at_once.min(markets)).unwrap();
            known += u32::from(told.expected > at_best + third / 4);
            told_last = Some((told, at_best));
            sleep(interval).await;
        }
        // Between a market that was just parked and the next one that meets the outage, nothing tells of it.
        assert!(known * 2 > LOOKS, "{what}: {known} of {LOOKS}, {told_last:?} and {third:?} of outage");
        rig.until_status(RunStatus::Completed).await
    };
    let done = timeout(third * 40, run).await.unwrap();
    let analytics = done.analytics();
    assert_eq!((analytics.successful, analytics.failed), (PRODUCTS as u64, 0), "{what}");
    let meanwhile = meanwhile.load(Ordering::SeqCst) as f64;
    let normal = PRODUCTS as f64 / 3.0;
    assert!(meanwhile <= LOAD_MAX * normal, "{what}: {meanwhile} requests in an outage, {normal} without");
    let total = source.requests_total() as f64;
    // The retries a run may begin with, and for each market a failed product, one that came before, and probes.
    let found_out = 20.0 + 4.0 * markets as f64;
    assert!(
        total <= LOAD_MAX * PRODUCTS as f64 + found_out,
        "{what}: {total} requests for {PRODUCTS} products"
    );
}

#[tokio::test(start_paused = true)]
async fn an_outage_in_the_middle_third_is_no_burden_and_no_loss() {
    for away in [Away::Hangs, Away::Refuses, Away::Says503] {
        for (markets, at_once) in [(1, 1), (4, 1), (4, 4), (16, 16), (16, 3)] {
            come_through(away, markets, at_once).await;
        }
    }
}
