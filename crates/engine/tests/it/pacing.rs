//! How fast requests follow each other: configured rates over all markets, stops and starts, and what an
//! upstream asks for that is not forgotten.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use price_cache_domain::RunStatus;
use price_cache_engine::{Activity, WaitReason};
use price_cache_testkit::ScriptedSource;
use tokio::time::{Instant, sleep};

use super::harness::{Setup, limited};

type Times = Arc<Mutex<Vec<(String, Instant)>>>;

/// When each price was asked for, and in which market; an answer takes 5 ms.
fn recorded(source: &ScriptedSource) -> Times {
    let times = Times::default();
    let recorder = Arc::clone(&times);
    source.set_delay(Box::new(move |market, _, _| {
        recorder.lock().unwrap().push((market.to_string(), Instant::now()));
        Box::pin(sleep(Duration::from_millis(5)))
    }));
    times
}

fn distances(times: &[Instant]) -> Vec<Duration> {
    times.windows(2).map(|pair| pair[1].duration_since(pair[0])).collect()
}

#[tokio::test(start_paused = true)]
async fn a_rate_for_the_upstream_holds_for_all_markets_together_and_over_a_stop() {
    let source =
        ["US", "DE", "JP"].into_iter().fold(ScriptedSource::new(), |source, id| source.with_numbered(id, 20));
    let interval = Duration::from_millis(100);
    let setup = Setup::new(source.clone()).with_options(|options| {
        options.parallel_markets = NonZeroUsize::new(3).unwrap();
        options.pacing.upstream_interval_min = interval;
    });
    let times = recorded(&source);
    let rig = setup.open().await;
    rig.start().await;
    rig.until_completed(10).await;
    rig.stop().await;
    rig.start().await;
    rig.until_status(RunStatus::Completed).await;
    let times: Vec<Instant> = times.lock().unwrap().iter().map(|(_, at)| *at).collect();
    let distances = distances(&times);
    assert!(distances.iter().all(|distance| *distance >= interval), "{distances:?}");
    // Turns that a stop took away are not given to others; all else follows without a gap.
    let late = distances.iter().filter(|distance| **distance > interval * 2).count();
    assert!(late <= 1 && times.len() >= 60, "{late} of {}", times.len());
}

#[tokio::test(start_paused = true)]
async fn a_rate_for_a_market_counts_from_request_to_request_and_leaves_the_others_alone() {
    let source = ScriptedSource::new().with_numbered("US", 6).with_numbered("DE", 6);
    let interval = Duration::from_secs(2);
    let setup = Setup::new(source.clone()).with_options(|options| {
        options.parallel_markets = NonZeroUsize::new(2).unwrap();
        options.pacing.market_interval_min = interval;
    });
    let times = recorded(&source);
    let rig = setup.open().await;
    let begun = Instant::now();
    rig.start().await;
    let waits = rig.until("a wait", |snapshot| {
        snapshot.markets.iter().any(|market| matches!(market.activity, Activity::Waiting { .. }))
    });
    let activity = waits.await.markets[0].activity;
    assert!(matches!(activity, Activity::Waiting { reason: WaitReason::Pacing, .. }), "{activity:?}");
    rig.until_status(RunStatus::Completed).await;
    for market in ["US", "DE"] {
        let times = times.lock().unwrap();
        let times: Vec<_> = times.iter().filter(|(id, _)| id == market).map(|(_, at)| *at).collect();
        assert_eq!(distances(&times), vec![interval; 5], "{market}");
    }
    assert!(begun.elapsed() < interval * 7, "the markets waited for each other");
}

#[tokio::test(start_paused = true)]
async fn a_parked_market_is_not_probed_before_the_time_that_the_upstream_named() {
    let source = ScriptedSource::new().with_market("US", &["a"]);
    source.script("US", "a", [Err(limited(Duration::from_secs(50)))]);
    let setup = Setup::new(source).with_options(|options| {
        options.retry.rate_limited_max = Duration::ZERO;
        options.parking.failures_in_a_row = 1;
    });
    let rig = setup.open().await;
    rig.start().await;
    rig.until_status(RunStatus::Error).await;
    let parked = Instant::now();
    rig.until_status(RunStatus::Completed).await;
    let waited = parked.elapsed();
    assert!(waited >= Duration::from_secs(49) && waited < Duration::from_secs(51), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_tells_that_it_was_slowed_down_and_why() {
    let source = ScriptedSource::new().with_numbered("US", 3_000);
    source.set_page_size(3_000);
    // Every second request is one too many until the pace has fallen to 20 per second.
    let last = Mutex::new(None::<Instant>);
    source.set_default(move |market, product, _, _| {
        let now = Instant::now();
        let mut last = last.lock().unwrap();
        let is_early = last.is_some_and(|last| now.duration_since(last) < Duration::from_millis(50));
        if is_early {
            return Err(limited(Duration::from_secs(1)));
        }
        *last = Some(now);
        let price = price_cache_testkit::default_price(market, product);
        Ok(price_cache_testkit::quote(&price.amount.to_string(), "EUR"))
    });
    let rig = Setup::new(source).open().await;
    rig.start().await;
    assert_eq!(rig.handle.pace_limit(), None);
    rig.until("a wait of a slower pace", |snapshot| {
        let activity = snapshot.markets.first().map(|market| market.activity);
        matches!(activity, Some(Activity::Waiting { reason: WaitReason::Throttled, .. }))
    })
    .await;
    let limit = rig.handle.pace_limit().unwrap();
    assert!(limit.is_throttled && limit.requests_per_second < 20.0, "{limit:?}");
    rig.until_completed(1_000).await;
    let learned = rig.handle.pace_limit().unwrap().requests_per_second;
    assert!((10.0..22.0).contains(&learned), "{learned}");
}
