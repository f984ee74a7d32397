//! The pace against upstreams that limit it in different ways, in virtual time: what share of what they allow
//! is used, and how many of the requests they refuse.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use price_cache_domain::{FailureClass, Fault, MarketId};
use tokio::time::{Instant, sleep, sleep_until};

use super::Pacing;
use crate::{Options, PacingOptions};

/// What an upstream answers a request that comes at this time: `Ok`, or 429 with the seconds of `Retry-After`.
type Verdict = Result<(), Option<u64>>;
type Upstream = Box<dyn FnMut(Instant) -> Verdict + Send>;

/// A bucket of tokens: `burst` at first, `rate` per second.
fn bucket(rate: f64, burst: f64, retry_after: Option<u64>) -> Upstream {
    let mut tokens = burst;
    let mut last = Instant::now();
    Box::new(move |now| {
        tokens = (tokens + now.duration_since(last).as_secs_f64() * rate).min(burst);
        last = now;
        if tokens < 1.0 {
            return Err(retry_after);
        }
        tokens -= 1.0;
        Ok(())
    })
}

/// At most `count` in any stretch of `window`; refused requests do not count.
fn sliding_window(count: usize, window: Duration, retry_after: Option<u64>) -> Upstream {
    let mut served = VecDeque::new();
    Box::new(move |now| {
        while served.front().is_some_and(|first| now.duration_since(*first) >= window) {
            served.pop_front();
        }
        if served.len() >= count {
            return Err(retry_after);
        }
        served.push_back(now);
        Ok(())
    })
}

/// At most `count` in each window of the clock.
fn fixed_window(count: u32, window: Duration, retry_after: Option<u64>) -> Upstream {
    let begun = Instant::now();
    let (mut present, mut served) = (0, 0);
    Box::new(move |now| {
        let number = now.duration_since(begun).as_millis() / window.as_millis();
        if number != present {
            (present, served) = (number, 0);
        }
        served += 1;
        if served > count { Err(retry_after) } else { Ok(()) }
    })
}

/// Refuses a request in `one_in`, whatever the pace.
fn by_chance(one_in: u64, retry_after: Option<u64>) -> Upstream {
    let mut random = fastrand::Rng::with_seed(7);
    Box::new(move |_| if random.u64(..one_in) == 0 { Err(retry_after) } else { Ok(()) })
}

/// What came of it.
#[derive(Debug)]
struct Outcome {
    served_per_second: f64,
    refused_percent: f64,
}

/// So many markets ask the upstream for this long, each again as soon as it may.
async fn walk(
    options: PacingOptions,
    markets: u64,
    latency_ms: u64,
    upstream: Upstream,
    time: Duration,
) -> Outcome {
    let pacing = Arc::new(Pacing::new(&Options { pacing: options, ..Options::default() }));
    let upstream = Arc::new(Mutex::new(upstream));
    let end = Instant::now() + time;
    let walks: Vec<_> = (0..markets)
        .map(|number| {
            let (pacing, upstream) = (Arc::clone(&pacing), Arc::clone(&upstream));
            tokio::spawn(async move {
                let market = MarketId::new(format!("M{number}")).unwrap();
                let mut random = fastrand::Rng::with_seed(number);
                let (mut served, mut refused) = (0_u32, 0_u32);
                while Instant::now() < end {
                    for (until, _) in pacing.waits(Some(&market), None) {
                        sleep_until(until).await;
                    }
                    let begun = Instant::now();
                    sleep(Duration::from_millis(latency_ms / 2)).await;
                    let verdict = upstream.lock().unwrap_or_else(PoisonError::into_inner)(Instant::now());
                    sleep(Duration::from_millis(latency_ms - latency_ms / 2)).await;
                    let fault = verdict.err().map(|retry_after| Fault {
                        retry_after: retry_after.map(Duration::from_secs),
                        ..Fault::new(FailureClass::RateLimited, "status 429").with_status(429)
                    });
                    pacing.answered(Some(&market), begun, fault.as_ref());
                    match fault {
                        None => served += 1,
                        Some(fault) => {
                            refused += 1;
                            if fault.retry_after.is_none() {
                                // Full jitter, as the retry policy has it.
                                sleep(Duration::from_millis(random.u64(..500))).await;
                            }
                        }
                    }
                }
                (served, refused)
            })
        })
        .collect();
    let (mut served, mut refused) = (0, 0);
    for walk in walks {
        let (more_served, more_refused) = walk.await.unwrap();
        (served, refused) = (served + more_served, refused + more_refused);
    }
    Outcome {
        served_per_second: f64::from(served) / time.as_secs_f64(),
        refused_percent: f64::from(refused) / f64::from(served + refused) * 100.0,
    }
}

const SECOND: Duration = Duration::from_secs(1);
const TEN_MINUTES: Duration = Duration::from_secs(600);

fn adaptive(adaptive: bool) -> PacingOptions {
    PacingOptions { adaptive, ..PacingOptions::default() }
}

#[tokio::test(start_paused = true)]
async fn what_an_upstream_allows_is_found_out_and_used_with_few_refusals() {
    // Upstreams that allow 50 requests per second, each in its own way.
    type Kind = fn(Option<u64>) -> Upstream;
    let kinds: [(&str, Kind); 5] = [
        ("a bucket of 50", |retry_after| bucket(50.0, 50.0, retry_after)),
        ("a bucket of 5", |retry_after| bucket(50.0, 5.0, retry_after)),
        ("a bucket of 1", |retry_after| bucket(50.0, 1.0, retry_after)),
        ("a sliding second", |retry_after| sliding_window(50, SECOND, retry_after)),
        ("seconds of the clock", |retry_after| fixed_window(50, SECOND, retry_after)),
    ];
    for (name, upstream) in kinds {
        for retry_after in [None, Some(1)] {
            for markets in [1, 4, 16] {
                let outcome = walk(adaptive(true), markets, 5, upstream(retry_after), TEN_MINUTES).await;
                let case = format!("{name}, {markets} markets, Retry-After {retry_after:?}: {outcome:?}");
                // One market alone loses a whole second with each refusal that says so.
                let share_min = if markets == 1 && retry_after.is_some() { 0.74 } else { 0.82 };
                assert!(outcome.served_per_second >= 50.0 * share_min, "{case}");
                assert!(outcome.refused_percent <= 1.0, "{case}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_adapting_a_fifth_is_refused_and_more() {
    for retry_after in [None, Some(1)] {
        let outcome = walk(adaptive(false), 16, 5, bucket(50.0, 5.0, retry_after), TEN_MINUTES).await;
        assert!(outcome.refused_percent > 20.0, "the upstream of the other test is no trial: {outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_that_do_not_depend_on_the_pace_do_not_slow_it() {
    for one_in in [10, 50, 200] {
        for markets in [1, 16] {
            let plain = walk(adaptive(false), markets, 60, by_chance(one_in, None), TEN_MINUTES).await;
            let paced = walk(adaptive(true), markets, 60, by_chance(one_in, None), TEN_MINUTES).await;
            let share = paced.served_per_second / plain.served_per_second;
            assert!(share > 0.85, "1 in {one_in}, {markets} markets: {share}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_slows_down_is_followed_and_speed_is_earned_back() {
    let begun = Instant::now();
    let (mut fast, mut slow) = (bucket(50.0, 5.0, Some(1)), bucket(10.0, 5.0, Some(1)));
    let upstream: Upstream = Box::new(move |now| {
        let is_slow = (200..400).contains(&now.duration_since(begun).as_secs());
        if is_slow { slow(now) } else { fast(now) }
    });
    let outcome = walk(adaptive(true), 16, 5, upstream, TEN_MINUTES).await;
    let allowed = (50.0 + 10.0 + 50.0) / 3.0;
    assert!(outcome.served_per_second >= 0.75 * allowed && outcome.refused_percent < 2.0, "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn configured_rates_are_kept_and_used() {
    let rate = |per_second: f64| Duration::from_secs_f64(1.0 / per_second);
    let upstream = PacingOptions { upstream_interval_min: rate(40.0), ..adaptive(true) };
    let outcome = walk(upstream, 16, 5, sliding_window(40, SECOND, None), TEN_MINUTES).await;
    assert!(outcome.served_per_second > 39.5 && outcome.refused_percent == 0.0, "{outcome:?}");
    let market = PacingOptions { market_interval_min: rate(2.0), ..adaptive(true) };
    let outcome = walk(market, 16, 5, sliding_window(32, SECOND, None), TEN_MINUTES).await;
    assert!(outcome.served_per_second > 31.5 && outcome.refused_percent == 0.0, "{outcome:?}");
}
