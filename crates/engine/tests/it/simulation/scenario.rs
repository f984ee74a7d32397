//! What a seed stands for: settings, catalogue, weather, and the lives of the process with all that is done to it.

use std::time::Duration;

use fastrand::Rng;
use price_cache_domain::FailureClass;
use price_cache_testkit::CrashPoint;

use super::upstream::{Latency, Weather};

const MARKETS_MAX: usize = 5;
const PRODUCTS_MAX: usize = 40;

/// One story.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    pub(super) seed: u64,
    /// How many products each market has in the beginning.
    pub(super) products: Vec<usize>,
    pub(super) page_size: usize,
    pub(super) parallel_markets: usize,
    pub(super) undurable_records_max: usize,
    pub(super) failures_that_park: u32,
    pub(super) resume_interrupted: bool,
    pub(super) latency: Latency,
    /// Whether some products do not exist, though they are listed.
    pub(super) has_ghosts: bool,
    /// Whether records become durable some time after they were written.
    pub(super) has_slow_disk: bool,
    pub(super) lives: Vec<Life>,
}

/// One process, from its start to its end.
#[derive(Clone, Debug)]
pub(super) struct Life {
    pub(super) acts: Vec<(Duration, Act)>,
    /// It ends with its last act at the latest.
    pub(super) crash: Option<CrashPoint>,
    /// Whether it ends in good order, if it comes to that.
    pub(super) shuts_down: bool,
    pub(super) downtime: Duration,
}

/// One thing that somebody does, or that happens.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Start,
    Stop,
    Reset {
        keep_prices: bool,
    },
    RetryFailed {
        market: Option<usize>,
        class: Option<FailureClass>,
    },
    ClearLogs,
    /// The weather changes, in one market or everywhere.
    Weather {
        market: Option<usize>,
        weather: Weather,
    },
    /// A market's list becomes another.
    List {
        market: usize,
        products: usize,
        first: usize,
    },
    ListingFails(FailureClass),
    StoreFails,
    StoreRecovers,
}

impl Scenario {
    /// The story of a seed.
    pub(super) fn of(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let rng = &mut rng;
        let markets = rng.usize(1..=MARKETS_MAX);
        Self {
            seed,
            products: (0..markets).map(|_| rng.usize(0..=PRODUCTS_MAX)).collect(),
            page_size: rng.usize(1..=15),
            parallel_markets: rng.usize(1..=markets + 1),
            undurable_records_max: rng.usize(1..=6),
            failures_that_park: *pick(rng, &[0, 3, 10]),
            resume_interrupted: rng.bool(),
            latency: Latency::any(rng),
            has_ghosts: rng.bool(),
            has_slow_disk: rng.u8(0..3) == 0,
            lives: (0..rng.usize(1..=6)).map(|_| Life::any(rng, markets)).collect(),
        }
    }
}

impl Life {
    fn any(rng: &mut Rng, markets: usize) -> Self {
        let mut acts = vec![(Duration::ZERO, Act::Start)];
        acts.extend((0..rng.usize(0..10)).map(|_| (some_time(rng), Act::any(rng, markets))));
        acts.push((some_time(rng), Act::StoreRecovers));
        let crash = CrashPoint { operation: rng.u64(1..120), applied: rng.bool() };
        Self {
            acts,
            crash: (rng.u8(0..3) > 0).then_some(crash),
            shuts_down: rng.bool(),
            downtime: Duration::from_secs(rng.u64(0..7_200)),
        }
    }
}

impl Act {
    fn any(rng: &mut Rng, markets: usize) -> Self {
        let market = rng.usize(..markets);
        let some_market = rng.bool().then_some(market);
        match rng.u8(0..20) {
            0..4 => Self::Start,
            4..6 => Self::Stop,
            6 => Self::Reset { keep_prices: rng.bool() },
            7..9 => Self::RetryFailed {
                market: some_market,
                class: rng.bool().then(|| *pick(rng, &FailureClass::ALL)),
            },
            9 => Self::ClearLogs,
            10..15 => Self::Weather { market: some_market, weather: Weather::any(rng) },
            15 => {
                Self::List { market, products: rng.usize(0..=PRODUCTS_MAX), first: rng.usize(..PRODUCTS_MAX) }
            }
            16 => Self::ListingFails(*pick(rng, &FailureClass::ALL)),
            17..19 => Self::StoreFails,
            _ => Self::StoreRecovers,
        }
    }
}

/// From the middle of a request to longer than a parked market waits.
fn some_time(rng: &mut Rng) -> Duration {
    let bound_ms = *pick(rng, &[5, 50, 1_000, 20_000, 600_000]);
    Duration::from_millis(rng.u64(0..=bound_ms))
}

/// One of these.
pub(super) fn pick<'a, T>(rng: &mut Rng, of: &'a [T]) -> &'a T {
    &of[rng.usize(..of.len())]
}
