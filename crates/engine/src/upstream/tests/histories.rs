//! Random histories of answers, starts and stops, held against a plain account of what must never happen.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use price_cache_domain::{FailureClass, Fault, MarketId, Timestamp};

use crate::upstream::decision::Next;
use crate::upstream::machine::Upstream;
use crate::upstream::now::Now;
use crate::upstream::observation::{Observation, RequestKind};
use crate::{Options, PacingOptions, ParkingOptions, RetryOptions};

const HISTORIES: u64 = 10_000;
const EVENTS: u32 = 150;

/// What a market is doing.
#[derive(Clone, Copy, Debug)]
enum Doing {
    Nothing,
    Parked(Duration),
    /// Asks again at this time, having begun to wait at the other.
    Waiting(Duration, Duration),
    InFlight {
        sent: Duration,
        answered: Duration,
    },
}

/// The account: everything that the rules are about, kept without the machine.
#[derive(Default)]
struct Account {
    /// No request of a market before this.
    banned_until: HashMap<usize, Duration>,
    last_sent: Option<Duration>,
    successes: u64,
    paid_retries: u64,
}

struct History {
    random: fastrand::Rng,
    options: Options,
    upstream: Upstream,
    start: Instant,
    now: Duration,
    markets: Vec<MarketId>,
    doing: Vec<Doing>,
    account: Account,
    failing_percent: u32,
}

fn options(random: &mut fastrand::Rng) -> Options {
    let interval = [0, 20, 100, 1_000][random.usize(..4)];
    Options {
        pacing: PacingOptions {
            upstream_interval_min: Duration::from_millis(interval),
            market_interval_min: Duration::from_millis([0, 0, 500][random.usize(..3)]),
            adaptive: false,
        },
        retry: RetryOptions { budget_start: random.u32(..5), ..RetryOptions::default() },
        parking: ParkingOptions { failures_in_a_row: random.u32(..4), ..ParkingOptions::default() },
        ..Options::default()
    }
}

impl History {
    fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let options = options(&mut random);
        let markets = random.usize(1..6);
        let start = Instant::now();
        Self {
            upstream: Upstream::new(options.clone(), start),
            options,
            start,
            now: Duration::ZERO,
            markets: (0..markets).map(|number| MarketId::new(format!("M{number}")).unwrap()).collect(),
            doing: vec![Doing::Nothing; markets],
            account: Account::default(),
            failing_percent: [0, 10, 50, 100][random.usize(..4)],
            random,
        }
    }

    fn instant(&self) -> Instant {
        self.start + self.now
    }

    fn run(&mut self) {
        for _ in 0..EVENTS {
            match self.random.u32(..100) {
                0..2 => self.stop_all(),
                2..5 => {
                    let market = self.random.usize(..self.markets.len());
                    self.stop(market);
                }
                _ => self.next_event(),
            }
        }
    }

    /// Starts what does nothing, or lets the next thing happen that is due.
    fn next_event(&mut self) {
        if let Some(market) = self.doing.iter().position(|doing| matches!(doing, Doing::Nothing)) {
            self.upstream.enter(&self.markets[market]);
            self.ask(market, self.now);
            return;
        }
        let due = |doing: &Doing| match *doing {
            Doing::Nothing => Duration::ZERO,
            Doing::Parked(until) | Doing::Waiting(until, _) => until,
            Doing::InFlight { answered, .. } => answered,
        };
        let (market, at) =
            self.doing.iter().map(due).enumerate().min_by_key(|(_, at)| *at).unwrap_or_default();
        self.now = self.now.max(at);
        match self.doing[market] {
            Doing::Parked(_) => {
                assert!(self.upstream.enter(&self.markets[market]).is_half_open);
                self.ask(market, self.now);
            }
            Doing::Waiting(_, since) => self.ask(market, since),
            Doing::InFlight { sent, .. } => self.answer(market, sent),
            Doing::Nothing => {}
        }
    }

    fn ask(&mut self, market: usize, since: Duration) {
        let banned_until = self.account.banned_until.get(&market).copied().unwrap_or_default();
        let interval = self.options.pacing.upstream_interval_min;
        match self.upstream.ready(Some(&self.markets[market]), self.instant()) {
            Some((until, _)) => {
                let until = until.duration_since(self.start);
                assert!(until > self.now, "a wait has an end to come");
                let own = self.options.pacing.market_interval_min + self.options.retry.backoff_max;
                let others = interval * u32::try_from(self.markets.len()).unwrap();
                assert!(until <= since.max(banned_until) + own + others, "no market starves");
                self.doing[market] = Doing::Waiting(until, since);
            }
            None => {
                assert!(self.now >= banned_until, "a request inside a Retry-After");
                let is_apart = self.account.last_sent.is_none_or(|last| self.now >= last + interval);
                assert!(is_apart, "two requests closer than the interval");
                self.account.last_sent = Some(self.now);
                let answered = self.now + Duration::from_millis(self.random.u64(1..200));
                self.doing[market] = Doing::InFlight { sent: self.now, answered };
            }
        }
    }

    fn answer(&mut self, market: usize, sent: Duration) {
        let fault = self.fault();
        if let Some(asked) = fault.as_ref().and_then(|fault| fault.retry_after) {
            let asked = asked.min(self.options.retry.retry_after_max);
            self.account.banned_until.insert(market, self.now + asked);
        }
        let observation = Observation {
            kind: RequestKind::Price,
            sent: self.start + sent,
            fault: fault.as_ref(),
            has_canary: false,
        };
        let now = Now { instant: self.instant(), wall: Timestamp::from_millis(0).plus(self.now) };
        let jitter = self.random.f64();
        let decision = self.upstream.observe(Some(&self.markets[market]), &observation, now, jitter);
        let is_limited =
            fault.as_ref().is_some_and(|fault| fault.failure.class() == FailureClass::RateLimited);
        self.account.successes += u64::from(fault.is_none());
        self.account.paid_retries += u64::from(decision.next == Next::Retry && !is_limited);
        let RetryOptions { budget_start, budget_percent, .. } = self.options.retry;
        let earned = self.account.successes * u64::from(budget_percent) / 100;
        assert!(
            self.account.paid_retries <= u64::from(budget_start) + earned,
            "more retries than the budget has"
        );
        match decision.next {
            Next::Park(until) => {
                let until = until.duration_since(self.start);
                let banned_until = self.account.banned_until.get(&market).copied().unwrap_or_default();
                let bound = self.now + self.options.parking.probe_delay_max;
                let own = self.now + self.options.pacing.market_interval_min;
                assert!(until <= bound.max(banned_until).max(own), "a parked market is probed too late");
                self.doing[market] = Doing::Parked(until);
            }
            Next::End(_) | Next::Defer => self.stop_all(),
            Next::Retry | Next::Record | Next::Hold | Next::Canary => self.ask(market, self.now),
        }
    }

    fn fault(&mut self) -> Option<Fault> {
        if self.random.u32(..100) >= self.failing_percent {
            return None;
        }
        let class = FailureClass::ALL[self.random.usize(..FailureClass::ALL.len())];
        let fault = Fault::new(class, "scripted");
        let asked = [None, None, Some(1), Some(20), Some(1_000)][self.random.usize(..5)];
        Some(Fault { retry_after: asked.map(Duration::from_secs), ..fault })
    }

    fn stop(&mut self, market: usize) {
        self.upstream.withdraw(Some(&self.markets[market]), self.instant());
        self.doing[market] = Doing::Nothing;
    }

    /// Stops everything; a market that asks now finds no debt of what was not sent.
    fn stop_all(&mut self) {
        (0..self.markets.len()).for_each(|market| self.stop(market));
        let fresh = MarketId::new("fresh").unwrap();
        let wait = self.upstream.ready(Some(&fresh), self.instant());
        let latest = self.instant() + self.options.pacing.upstream_interval_min;
        assert!(wait.is_none_or(|(until, _)| until <= latest), "a stop left a debt");
        if wait.is_none() {
            self.account.last_sent = Some(self.now);
        }
        self.upstream.withdraw(Some(&fresh), self.instant());
        self.upstream.begin_walk(true, true, self.instant());
        self.now += Duration::from_millis(self.random.u64(..5_000));
    }
}

#[test]
fn no_history_breaks_a_promise() {
    for seed in 0..HISTORIES {
        let told = std::panic::catch_unwind(|| History::new(seed).run());
        assert!(told.is_ok(), "seed {seed}");
    }
}
