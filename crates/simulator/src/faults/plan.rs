//! Faults made ready for quick questions: what happens to this attempt of this pair?

use std::collections::HashMap;

use super::{FaultKind, FaultWeights, Faults, FixedFault, PER_MILLE};
use crate::hash;

/// Each draw has its own number, so that a pair that is lucky in one is not lucky in all.
#[derive(Clone, Copy)]
enum Draw {
    Permanent = 1,
    Transient = 2,
    Attempt = 3,
    Listing = 4,
    Latency = 5,
}

/// What is to happen to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing is wrong.
    Good,
    /// The whole API or the whole market is in this mode: it shows as plain HTTP in every dialect.
    Mode(FaultKind),
    /// The fault of this request.
    Fault(FaultKind),
}

/// Faults with their seed.
#[derive(Debug)]
pub(crate) struct FaultPlan {
    seed: u64,
    faults: Faults,
    fixed: HashMap<String, HashMap<String, FixedFault>>,
    fixed_listings: HashMap<Option<String>, FixedFault>,
    quiet: bool,
}

impl FaultPlan {
    pub(crate) fn new(seed: u64, faults: Faults) -> Self {
        let mut fixed: HashMap<String, HashMap<String, FixedFault>> = HashMap::new();
        let mut fixed_listings = HashMap::new();
        for fault in &faults.always {
            match (&fault.market, &fault.product) {
                (Some(market), Some(product)) => {
                    fixed.entry(market.clone()).or_default().insert(product.clone(), fault.clone());
                }
                (market, _) => {
                    fixed_listings.insert(market.clone(), fault.clone());
                }
            }
        }
        let quiet = Faults { transient_attempts: faults.transient_attempts, ..Faults::default() } == faults;
        Self { seed, faults, fixed, fixed_listings, quiet }
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.faults
    }

    /// What happens to the attempt number `attempt` (from 1) of a pair.
    pub(crate) fn price(&self, market: &str, product: &str, attempt: u32) -> Verdict {
        if self.quiet {
            return Verdict::Good;
        }
        if let Some(mode) = self.mode(Some(market)) {
            return Verdict::Mode(mode);
        }
        let fixed = self.fixed.get(market).and_then(|products| products.get(product));
        let found = fixed
            .and_then(|fault| applies(fault, attempt))
            .or_else(|| self.pick(&self.faults.permanent, Draw::Permanent, market, product, 0))
            .or_else(|| {
                (attempt <= self.faults.transient_attempts.max(1))
                    .then(|| self.pick(&self.faults.transient, Draw::Transient, market, product, 0))
                    .flatten()
            })
            .or_else(|| self.pick(&self.faults.per_attempt, Draw::Attempt, market, product, attempt));
        found.map_or(Verdict::Good, Verdict::Fault)
    }

    /// What happens to the request number `attempt` (from 1) for the products of a market, or for the list of markets.
    pub(crate) fn listing(&self, market: Option<&str>, attempt: u32) -> Verdict {
        if self.quiet {
            return Verdict::Good;
        }
        if let Some(mode) = self.mode(market) {
            return Verdict::Mode(mode);
        }
        let fixed = self.fixed_listings.get(&market.map(str::to_owned));
        let found = fixed.and_then(|fault| applies(fault, attempt)).or_else(|| {
            self.pick(&self.faults.listings, Draw::Listing, market.unwrap_or_default(), "", attempt)
        });
        found.map_or(Verdict::Good, Verdict::Fault)
    }

    /// What happens to a purge: only whole markets, or everything, can fail at it.
    pub(crate) fn purge(&self, market: Option<&str>) -> Verdict {
        self.mode(market).map_or(Verdict::Good, Verdict::Mode)
    }

    /// A number for the jitter of a request's latency.
    pub(crate) fn latency_draw(&self, market: &str, product: &str, attempt: u32) -> u64 {
        self.draw(Draw::Latency, market, product, attempt)
    }

    fn mode(&self, market: Option<&str>) -> Option<FaultKind> {
        self.faults.everywhere.or_else(|| self.faults.markets.get(market?).copied())
    }

    fn draw(&self, draw: Draw, market: &str, product: &str, attempt: u32) -> u64 {
        let salt = ((draw as u64) << 32) | u64::from(attempt);
        hash::texts(self.seed ^ hash::mix(salt), &[market, product])
    }

    fn pick(
        &self,
        weights: &FaultWeights,
        draw: Draw,
        market: &str,
        product: &str,
        attempt: u32,
    ) -> Option<FaultKind> {
        if weights.is_empty() {
            return None;
        }
        let roll = self.draw(draw, market, product, attempt) % u64::from(PER_MILLE);
        let mut passed = 0;
        for (kind, weight) in weights {
            passed += u64::from(*weight);
            if roll < passed {
                return Some(*kind);
            }
        }
        None
    }
}

fn applies(fault: &FixedFault, attempt: u32) -> Option<FaultKind> {
    fault.attempts.is_none_or(|last| attempt <= last).then_some(fault.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIRS: u32 = 20_000;

    fn share(plan: &FaultPlan, attempt: u32) -> u32 {
        (0..PAIRS)
            .filter(|pair| plan.price("M", &format!("product-{pair}"), attempt) != Verdict::Good)
            .map(|_| 1)
            .sum()
    }

    #[test]
    fn shares_are_about_what_was_asked_and_depend_on_the_seed() {
        let faults = || Faults::per_attempt([(FaultKind::Reset, 50), (FaultKind::Status(500), 50)]);
        let (one, two) = (FaultPlan::new(1, faults()), FaultPlan::new(2, faults()));
        let found = share(&one, 1);
        assert!((PAIRS / 12..PAIRS / 8).contains(&found), "{found}");
        assert_eq!(found, share(&FaultPlan::new(1, faults()), 1));
        let verdicts =
            |plan: &FaultPlan| (0..200).map(|n| plan.price("M", &n.to_string(), 1)).collect::<Vec<_>>();
        assert_ne!(verdicts(&one), verdicts(&two));
    }

    #[test]
    fn a_permanent_fault_stays_and_a_transient_one_goes() {
        let weights: FaultWeights = [(FaultKind::Status(404), 1000)].into();
        let permanent = FaultPlan::new(1, Faults { permanent: weights.clone(), ..Faults::default() });
        let transient =
            FaultPlan::new(1, Faults { transient: weights, transient_attempts: 2, ..Faults::default() });
        assert_eq!(permanent.price("M", "p", 99), Verdict::Fault(FaultKind::Status(404)));
        assert_eq!(transient.price("M", "p", 2), Verdict::Fault(FaultKind::Status(404)));
        assert_eq!(transient.price("M", "p", 3), Verdict::Good);
    }

    #[test]
    fn fixed_faults_and_modes_hit_what_they_name() {
        let plan = FaultPlan::new(
            1,
            Faults {
                always: vec![
                    FixedFault::pair("A", "p", FaultKind::Hang).first(1),
                    FixedFault::product_list("A", FaultKind::Html),
                    FixedFault::market_list(FaultKind::Empty),
                ],
                markets: [("B".to_owned(), FaultKind::Status(503))].into(),
                ..Faults::default()
            },
        );
        assert_eq!(plan.price("A", "p", 1), Verdict::Fault(FaultKind::Hang));
        assert_eq!(plan.price("A", "p", 2), Verdict::Good);
        assert_eq!(plan.price("A", "q", 1), Verdict::Good);
        assert_eq!(plan.listing(Some("A"), 7), Verdict::Fault(FaultKind::Html));
        assert_eq!(plan.listing(None, 7), Verdict::Fault(FaultKind::Empty));
        assert_eq!(plan.price("B", "q", 1), Verdict::Mode(FaultKind::Status(503)));
        assert_eq!(plan.listing(Some("B"), 1), Verdict::Mode(FaultKind::Status(503)));
    }
}
