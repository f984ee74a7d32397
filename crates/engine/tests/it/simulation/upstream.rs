//! The upstream of a simulation: how long it takes, what it answers in which weather, and which amounts it ever gave.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use price_cache_domain::{FailureClass, Fault, Fetched};
use price_cache_testkit::{ScriptedSource, quote};
use tokio::time::sleep;

use super::super::harness::{fault, limited};
use super::scenario::pick;

/// How an upstream is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Weather {
    Well,
    /// Every request fails so.
    Down(FailureClass),
    /// So many percent of the requests fail so.
    Flaky(FailureClass, u8),
    /// So many percent are asked to come later, in so many seconds.
    Throttled {
        percent: u8,
        seconds: u64,
    },
}

impl Weather {
    pub(super) fn any(rng: &mut Rng) -> Self {
        let class = *pick(rng, &FailureClass::ALL);
        match rng.u8(0..4) {
            0 => Self::Well,
            1 => Self::Down(class),
            2 => Self::Flaky(class, rng.u8(1..60)),
            _ => Self::Throttled { percent: rng.u8(1..=100), seconds: *pick(rng, &[0, 1, 30, 100_000]) },
        }
    }

    fn fault(self, rng: &mut Rng) -> Option<Fault> {
        match self {
            Self::Well => None,
            Self::Down(class) => Some(fault(class)),
            Self::Flaky(class, percent) => (rng.u8(0..100) < percent).then(|| fault(class)),
            Self::Throttled { percent, seconds } => {
                (rng.u8(0..100) < percent).then(|| limited(Duration::from_secs(seconds)))
            }
        }
    }
}

/// How long answers take.
#[derive(Clone, Copy, Debug)]
pub(super) enum Latency {
    Steady,
    Uniform,
    /// Now and then very long: Pareto with shape 1.2.
    HeavyTail,
}

impl Latency {
    pub(super) fn any(rng: &mut Rng) -> Self {
        *pick(rng, &[Self::Steady, Self::Uniform, Self::HeavyTail])
    }

    fn sample(self, rng: &mut Rng) -> Duration {
        let milliseconds = match self {
            Self::Steady => 5.0,
            Self::Uniform => 100.0 * rng.f64(),
            Self::HeavyTail => (2.0 / rng.f64().max(1e-6).powf(1.0 / 1.2)).min(20_000.0),
        };
        Duration::from_secs_f64(milliseconds / 1_000.0)
    }
}

struct State {
    rng: Rng,
    everywhere: Weather,
    by_market: BTreeMap<String, Weather>,
    has_ghosts: bool,
}

/// What makes a scripted source answer.
pub(super) struct Upstream {
    state: Arc<Mutex<State>>,
}

impl Upstream {
    /// Answers for the source from now on.
    pub(super) fn behind(source: &ScriptedSource, seed: u64, latency: Latency, has_ghosts: bool) -> Self {
        let state = State {
            rng: Rng::with_seed(seed ^ 0x5eed),
            everywhere: Weather::Well,
            by_market: BTreeMap::new(),
            has_ghosts,
        };
        let state = Arc::new(Mutex::new(state));
        let answering = Arc::clone(&state);
        source.set_default(move |market, product, request, _| {
            let mut state = answering.lock().unwrap();
            if state.has_ghosts && is_ghost(product.as_str()) {
                return Err(fault(FailureClass::NotFound));
            }
            let weather = state.by_market.get(market.as_str()).copied().unwrap_or(state.everywhere);
            weather.fault(&mut state.rng).map_or_else(|| Ok(answer(request)), Err)
        });
        let delaying = Arc::clone(&state);
        source.set_delay(Box::new(move |_, _, _| {
            let delay = latency.sample(&mut delaying.lock().unwrap().rng);
            Box::pin(sleep(delay))
        }));
        Self { state }
    }

    /// Changes the weather in one market, or everywhere.
    pub(super) fn change(&self, market: Option<&str>, weather: Weather) {
        let mut state = self.state.lock().unwrap();
        match market {
            Some(market) => drop(state.by_market.insert(market.to_owned(), weather)),
            None => {
                state.by_market.clear();
                state.everywhere = weather;
            }
        }
    }

    /// Whether the product is listed and never answered for.
    pub(super) fn is_ghost(&self, product: &str) -> bool {
        self.state.lock().unwrap().has_ghosts && is_ghost(product)
    }
}

fn is_ghost(product: &str) -> bool {
    product.ends_with('7')
}

/// The price tells which request it answered: for the pair's 12th request, 12.50.
fn answer(request: u32) -> Fetched {
    quote(&format!("{request}.50"), "EUR")
}

/// The request that a price answered.
pub(super) fn answered(amount: &str) -> u32 {
    amount.strip_suffix(".50").and_then(|request| request.parse().ok()).unwrap_or_else(|| panic!("{amount}"))
}
