//! What goes wrong, and for whom: weights drawn from the seed, fixed lists, and modes of whole markets.
//!
//! A drawn fault depends on the seed, the market, the product and the number of the attempt only, so that a
//! walk meets the same faults whatever its order and pace.

mod kind;
mod plan;

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use kind::FaultKind;
pub(crate) use plan::{FaultPlan, Verdict};

/// Weights are parts of this.
pub const PER_MILLE: u16 = 1000;

/// Weights in per mille by kind. Their sum is at most 1000.
pub type FaultWeights = BTreeMap<FaultKind, u16>;

/// Everything that goes wrong. The default is nothing.
///
/// Checked in this order: `everywhere`, `markets`, `always`, `permanent`, `transient`, `per_attempt`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Drawn again for each attempt of a pair.
    pub per_attempt: FaultWeights,
    /// Drawn once per pair: such a pair fails on each attempt.
    pub permanent: FaultWeights,
    /// Drawn once per pair: such a pair fails on its first `transient_attempts` attempts, then not by this rule.
    pub transient: FaultWeights,
    /// How many attempts a transient fault lasts; 0 stands for 1.
    pub transient_attempts: u32,
    /// Drawn for each request of a list of markets or products.
    pub listings: FaultWeights,
    /// Given pairs and lists that fail.
    pub always: Vec<FixedFault>,
    /// Markets all of whose requests fail, lists of products included.
    pub markets: BTreeMap<String, FaultKind>,
    /// Every request fails, except the control routes and `/healthz`.
    pub everywhere: Option<FaultKind>,
}

/// A fault of a given pair or list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixedFault {
    /// The market; without one the fault is that of the list of markets.
    #[serde(default)]
    pub market: Option<String>,
    /// The product; without one the fault is that of the market's list of products.
    #[serde(default)]
    pub product: Option<String>,
    /// What happens.
    pub kind: FaultKind,
    /// For how many attempts from the first on; without it on each.
    #[serde(default)]
    pub attempts: Option<u32>,
}

impl FixedFault {
    /// A fault of each attempt of a pair.
    #[must_use]
    pub fn pair(market: &str, product: &str, kind: FaultKind) -> Self {
        Self { market: Some(market.to_owned()), product: Some(product.to_owned()), kind, attempts: None }
    }

    /// A fault of each request of a market's products.
    #[must_use]
    pub fn product_list(market: &str, kind: FaultKind) -> Self {
        Self { market: Some(market.to_owned()), product: None, kind, attempts: None }
    }

    /// A fault of each request of the list of markets, and of the shared list of products.
    #[must_use]
    pub fn market_list(kind: FaultKind) -> Self {
        Self { market: None, product: None, kind, attempts: None }
    }

    /// The same fault for the first `attempts` attempts only.
    #[must_use]
    pub fn first(self, attempts: u32) -> Self {
        Self { attempts: Some(attempts), ..self }
    }
}

/// Why faults were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// The weights of one group are more than everything.
    #[error("the weights of {group} add up to {sum} per mille: at most 1000 are possible")]
    Weights {
        /// The name of the group.
        group: &'static str,
        /// The sum of its weights.
        sum: u32,
    },
    /// A kind that is not known, or a number that does not fit it.
    #[error("{text:?} is not a kind of fault: see the table in the simulator's README")]
    Kind {
        /// The text found in the place of a kind.
        text: String,
    },
    /// A command line argument that has not the form of a fault.
    #[error(
        "{text:?} is not a fault: write KIND=PER_MILLE, permanent/KIND=PER_MILLE, transient/KIND=PER_MILLE, \
         listings/KIND=PER_MILLE, market/ID=KIND or everywhere=KIND"
    )]
    Spec {
        /// The argument.
        text: String,
    },
}

impl Faults {
    /// Faults drawn again for each attempt, from kinds and their weights in per mille.
    #[must_use]
    pub fn per_attempt(weights: impl IntoIterator<Item = (FaultKind, u16)>) -> Self {
        Self { per_attempt: weights.into_iter().collect(), ..Self::default() }
    }

    /// Every request fails in this way.
    #[must_use]
    pub fn everywhere(kind: FaultKind) -> Self {
        Self { everywhere: Some(kind), ..Self::default() }
    }

    /// All requests of one market fail in this way.
    #[must_use]
    pub fn market(market: &str, kind: FaultKind) -> Self {
        Self { markets: [(market.to_owned(), kind)].into(), ..Self::default() }
    }

    /// Given pairs and lists fail.
    #[must_use]
    pub fn always(faults: impl IntoIterator<Item = FixedFault>) -> Self {
        Self { always: faults.into_iter().collect(), ..Self::default() }
    }

    /// Adds one fault in the form of the command line: `KIND=PER_MILLE`, `permanent/KIND=PER_MILLE`,
    /// `transient/KIND=PER_MILLE`, `listings/KIND=PER_MILLE`, `market/ID=KIND` or `everywhere=KIND`.
    pub fn add(&mut self, spec: &str) -> Result<(), FaultError> {
        let wrong = || FaultError::Spec { text: spec.to_owned() };
        let (name, value) = spec.rsplit_once('=').ok_or_else(wrong)?;
        if name == "everywhere" {
            self.everywhere = Some(FaultKind::from_str(value)?);
            return Ok(());
        }
        if let Some(market) = name.strip_prefix("market/") {
            self.markets.insert(market.to_owned(), FaultKind::from_str(value)?);
            return Ok(());
        }
        let per_mille = value.parse::<u16>().map_err(|_| wrong())?;
        let (group, kind) = match name.split_once('/') {
            None => (&mut self.per_attempt, name),
            Some(("permanent", kind)) => (&mut self.permanent, kind),
            Some(("transient", kind)) => (&mut self.transient, kind),
            Some(("listings", kind)) => (&mut self.listings, kind),
            Some(_) => return Err(wrong()),
        };
        group.insert(FaultKind::from_str(kind)?, per_mille);
        self.check()
    }

    /// Whether the weights of each group are possible.
    pub fn check(&self) -> Result<(), FaultError> {
        let groups = [
            ("per_attempt", &self.per_attempt),
            ("permanent", &self.permanent),
            ("transient", &self.transient),
            ("listings", &self.listings),
        ];
        for (group, weights) in groups {
            let sum = weights.values().copied().map(u32::from).sum();
            if sum > u32::from(PER_MILLE) {
                return Err(FaultError::Weights { group, sum });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_command_line_form_names_every_group() {
        let mut faults = Faults::default();
        for spec in [
            "status:503=20",
            "permanent/status:404=5",
            "transient/reset=30",
            "listings/html=10",
            "market/a=b=down",
            "everywhere=hang",
        ] {
            faults.add(spec).unwrap();
        }
        assert_eq!(faults.per_attempt[&FaultKind::Status(503)], 20);
        assert_eq!(faults.permanent[&FaultKind::Status(404)], 5);
        assert_eq!(faults.transient[&FaultKind::Reset], 30);
        assert_eq!(faults.listings[&FaultKind::Html], 10);
        assert_eq!(faults.markets["a=b"], FaultKind::Status(503));
        assert_eq!(faults.everywhere, Some(FaultKind::Hang));
        for wrong in ["reset", "reset=x", "other/reset=1", "nonsense=1", "everywhere=nonsense"] {
            assert!(faults.clone().add(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            faults.add("slow:5=990").unwrap_err(),
            FaultError::Weights { group: "per_attempt", sum: 1010 }
        );
    }

    #[test]
    fn faults_survive_json() {
        let text = r#"{"per_attempt": {"status:503": 20, "rate-limited-seconds:2": 5},
            "always": [{"market": "A", "product": "p", "kind": "null-price", "attempts": 2}],
            "markets": {"B": "down"}, "everywhere": null}"#;
        let faults: Faults = serde_json::from_str(text).unwrap();
        let again: Faults = serde_json::from_str(&serde_json::to_string(&faults).unwrap()).unwrap();
        assert_eq!(faults, again);
        assert_eq!(faults.always[0], FixedFault::pair("A", "p", FaultKind::NullPrice).first(2));
        assert!(serde_json::from_str::<Faults>(r#"{"per_atempt": {}}"#).is_err());
    }
}
