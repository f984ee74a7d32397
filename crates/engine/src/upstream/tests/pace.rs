//! The pace against upstreams that limit it: the share of what they allow that is used, and how much they refuse.

use std::time::Duration;

use price_cache_domain::{FailureClass, Fault};

use super::upstreams::{bucket, by_chance, fixed_window, sliding_window};
use super::world::{Answers, World};
use crate::{Options, PacingOptions, ParkingOptions};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const TEN_MINUTES: Duration = Duration::from_secs(600);
const RATE: f64 = 50.0;

fn options(pacing: PacingOptions) -> Options {
    let parking = ParkingOptions { failures_in_a_row: 0, ..ParkingOptions::default() };
    Options { pacing, parking, ..Options::default() }
}

fn adaptive(adaptive: bool) -> Options {
    options(PacingOptions { adaptive, ..PacingOptions::default() })
}

type Kind = fn(Option<u64>) -> Answers;

const KINDS: [(&str, Kind); 5] = [
    ("a bucket of 50", |retry_after| bucket(RATE, 50.0, retry_after)),
    ("a bucket of 5", |retry_after| bucket(RATE, 5.0, retry_after)),
    ("a bucket of 1", |retry_after| bucket(RATE, 1.0, retry_after)),
    ("a sliding second", |retry_after| sliding_window(50, SECOND, retry_after)),
    ("seconds of the clock", |retry_after| fixed_window(50, SECOND, retry_after)),
];

/// What one case came to.
struct Result {
    case: String,
    /// Percent of what is allowed, and percent of the requests that were refused.
    first_minute: (f64, f64),
    after_it: (f64, f64),
}

fn ten_minutes(name: &str, kind: Kind, retry_after: Option<u64>, markets: usize, latency_ms: u64) -> Result {
    let latency = Duration::from_millis(latency_ms);
    let mut world = World::new(adaptive(true), markets, latency, kind(retry_after));
    world.run_until(TEN_MINUTES);
    let share = |from, to| {
        let (served, refused) = world.served(from, to);
        (served / RATE * 100.0, refused)
    };
    let (first_minute, after_it) = (share(Duration::ZERO, MINUTE), share(MINUTE, TEN_MINUTES));
    let case = format!(
        "{name}, Retry-After {retry_after:?}, {markets} markets, {latency_ms} ms: {first_minute:.1?} {after_it:.2?}"
    );
    Result { case, first_minute, after_it }
}

#[test]
fn several_markets_use_what_an_upstream_allows_with_few_refusals() {
    for (name, kind) in KINDS {
        for retry_after in [None, Some(1)] {
            for (markets, latency_ms) in [(4, 5), (16, 5), (4, 60), (16, 60)] {
                let Result { case, first_minute, after_it } =
                    ten_minutes(name, kind, retry_after, markets, latency_ms);
                // 16 requests that are in flight when the first is refused count as well.
                assert!(first_minute.0 >= 86.0 && first_minute.1 <= 4.5, "{case}");
                assert!(after_it.0 >= 94.5 && after_it.1 <= 0.4, "{case}");
            }
        }
    }
}

#[test]
fn one_market_loses_little_more_than_the_waits_that_it_is_asked_for() {
    for (name, kind) in KINDS {
        for (retry_after, first_min, after_min) in [(None, 85.0, 95.0), (Some(1), 76.0, 90.0)] {
            let Result { case, first_minute, after_it } = ten_minutes(name, kind, retry_after, 1, 5);
            assert!(first_minute.0 >= first_min && first_minute.1 <= 1.0, "{case}");
            assert!(after_it.0 >= after_min && after_it.1 <= 0.4, "{case}");
        }
    }
}

#[test]
fn without_adapting_a_fifth_is_refused_and_more() {
    for retry_after in [None, Some(1)] {
        let mut world = World::new(adaptive(false), 16, SECOND / 200, bucket(RATE, 5.0, retry_after));
        world.run_until(TEN_MINUTES);
        let (_, refused) = world.served(Duration::ZERO, TEN_MINUTES);
        assert!(refused > 20.0, "the upstream of the other tests would be no test: {refused}");
    }
}

#[test]
fn refusals_that_do_not_depend_on_the_pace_do_not_slow_it() {
    for one_in in [10, 50, 200] {
        for markets in [1, 16] {
            let served = |is_adaptive| {
                let mut world =
                    World::new(adaptive(is_adaptive), markets, MINUTE / 1_000, by_chance(one_in, None));
                world.run_until(TEN_MINUTES);
                world.served(Duration::ZERO, TEN_MINUTES).0
            };
            let share = served(true) / served(false);
            assert!(share > 0.92, "1 in {one_in}, {markets} markets: {share}");
        }
    }
}

/// Whatever was learned of a slow upstream, its old pace is tried again soon.
#[test]
fn the_pace_is_back_soon_after_an_upstream_that_slowed_down_recovers() {
    let seconds = Duration::from_secs;
    for markets in [1, 4, 16] {
        let (mut fast, mut slow) = (bucket(RATE, 5.0, Some(1)), bucket(10.0, 5.0, Some(1)));
        let answers: Answers =
            Box::new(move |at| if (200..400).contains(&at.as_secs()) { slow(at) } else { fast(at) });
        let mut world = World::new(adaptive(true), markets, SECOND / 200, answers);
        world.run_until(TEN_MINUTES);
        let (before, _) = world.served(seconds(180), seconds(200));
        let (meanwhile, refused) = world.served(seconds(220), seconds(400));
        let (after, _) = world.served(seconds(410), seconds(420));
        assert!(meanwhile >= 8.0 && refused < 10.0, "{markets} markets: {meanwhile}, {refused} % refused");
        assert!(after >= before * 0.9, "{markets} markets: {after} of {before}");
    }
}

/// An upstream that says 503 to those it cannot serve is overloaded; one that says it to all is down.
#[test]
fn an_overloaded_upstream_is_slowed_down_for_without_retry_after() {
    let overloaded = Fault::new(FailureClass::ServerError, "status 503").with_status(503);
    let mut healthy = bucket(RATE, 10.0, None);
    let answers: Answers = Box::new(move |at| healthy(at).map_err(|_| overloaded.clone()));
    let mut world = World::new(adaptive(true), 16, SECOND / 200, answers);
    world.run_until(TEN_MINUTES);
    let (served, refused) = world.served(MINUTE, TEN_MINUTES);
    assert!(served >= RATE * 0.8 && refused < 25.0, "{served}, {refused} % refused");
}

/// Upstreams of any rate and burst are used and not flooded.
#[test]
fn any_rate_is_found() {
    let mut random = fastrand::Rng::with_seed(5);
    for _ in 0..60 {
        let rate = (random.f64() * 500.0_f64.ln()).exp();
        let burst = (random.f64() * rate.ln()).exp().max(1.0);
        let markets = random.usize(4..=16);
        let retry_after = [None, Some(1)][random.usize(..2)];
        let mut world = World::new(adaptive(true), markets, SECOND / 200, bucket(rate, burst, retry_after));
        world.run_until(TEN_MINUTES);
        let (served, refused) = world.served(MINUTE * 2, TEN_MINUTES);
        let case = format!("{rate:.1} per second, burst {burst:.1}, {markets} markets, {retry_after:?}");
        // Growing by a few percent, a slow pace is refused once in as many requests.
        let refused_max = if rate >= 10.0 { 1.0 } else { 6.5 };
        assert!(served >= rate * 0.88 && refused < refused_max, "{case}: {served}, {refused} % refused");
    }
}

/// An outage says nothing about the pace.
#[test]
fn the_pace_is_what_it_was_right_after_an_outage() {
    let seconds = Duration::from_secs;
    for class in [FailureClass::Transport, FailureClass::ServerError] {
        for markets in [1, 16] {
            let mut healthy = bucket(RATE, 5.0, None);
            let answers: Answers = Box::new(move |at| match at.as_secs() {
                200..260 => Err(Fault::new(class, "down").with_status(502)),
                _ => healthy(at),
            });
            let options = Options { parking: ParkingOptions::default(), ..adaptive(true) };
            let mut world = World::new(options, markets, SECOND / 200, answers);
            world.run_until(TEN_MINUTES);
            let (before, _) = world.served(seconds(180), seconds(200));
            // The first canary request that succeeds may come a whole delay after the recovery.
            let recovered = world.first_served_after(seconds(260));
            assert!(recovered < seconds(260 + 60), "{class}, {markets} markets: {recovered:?}");
            let (after, _) = world.served(recovered + seconds(10), recovered + seconds(20));
            let share_min = if markets == 1 { 0.9 } else { 0.5 };
            assert!(after >= before * share_min, "{class}, {markets} markets: {after} of {before}");
        }
    }
}

#[test]
fn slow_upstreams_and_quotas_are_used() {
    for markets in [4, 16] {
        let served = |answers| {
            let mut world = World::new(adaptive(true), markets, SECOND / 200, answers);
            world.run_until(TEN_MINUTES);
            world.served(MINUTE, TEN_MINUTES)
        };
        let (two, refused) = served(bucket(2.0, 2.0, Some(1)));
        assert!(two >= 1.9 && refused < 5.0, "{two}, {refused} % refused");
        let (half, _) = served(bucket(0.5, 1.0, Some(1)));
        assert!(half >= 0.35, "{half}");
        let (fast, refused) = served(bucket(200.0, 20.0, Some(1)));
        assert!(fast >= 190.0 && refused < 0.2, "{fast}, {refused} % refused");
        let (quota, _) = served(fixed_window(600, MINUTE, Some(5)));
        assert!(quota >= 9.5, "{quota}");
    }
}

#[test]
fn configured_rates_are_kept_and_used() {
    let rate = |per_second: f64| Duration::from_secs_f64(1.0 / per_second);
    let measured = |pacing: PacingOptions, allowed| {
        let answers = sliding_window(allowed, SECOND, None);
        let mut world = World::new(options(pacing), 16, SECOND / 200, answers);
        world.run_until(TEN_MINUTES);
        world.served(Duration::ZERO, TEN_MINUTES)
    };
    let (served, refused) =
        measured(PacingOptions { upstream_interval_min: rate(40.0), ..PacingOptions::default() }, 40);
    assert!(served > 39.5 && refused == 0.0, "{served}, {refused}");
    let (served, refused) =
        measured(PacingOptions { market_interval_min: rate(2.0), ..PacingOptions::default() }, 32);
    assert!(served > 31.5 && refused == 0.0, "{served}, {refused}");
}
