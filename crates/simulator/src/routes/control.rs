//! Control from another process: faults, latency and the ledger. No faults here, and no authorization.

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::{Method, Response, StatusCode};
use serde::{Deserialize, Serialize};

use super::answers;
use crate::Latency;
use crate::body::AnswerBody;
use crate::faults::Faults;
use crate::ledger::{LedgerSnapshot, PairCounts};
use crate::shared::Shared;

/// The body of `PUT /control/latency`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LatencyBody {
    latency_ms: u32,
    #[serde(default)]
    latency_jitter_ms: u32,
}

#[derive(Serialize)]
struct LedgerBody<'a> {
    totals: &'a PairCounts,
    listings: u32,
    max_in_flight: u32,
    pairs: usize,
    requests_per_pair: BTreeMap<u32, u32>,
    markets: BTreeMap<&'a str, MarketBody<'a>>,
}

#[derive(Serialize)]
struct MarketBody<'a> {
    listings: u32,
    in_flight: u32,
    max_in_flight: u32,
    pairs: usize,
    #[serde(flatten)]
    totals: &'a PairCounts,
}

#[derive(Serialize)]
struct PairBody<'a> {
    market: &'a str,
    product: &'a str,
    #[serde(flatten)]
    counts: &'a PairCounts,
}

pub(super) fn answer(shared: &Shared, method: &Method, path: &[&str], body: &[u8]) -> Response<AnswerBody> {
    match (method.as_str(), path) {
        ("GET", ["faults"]) => json(shared.plan().faults()),
        ("PUT", ["faults"]) => match serde_json::from_slice::<Faults>(body) {
            Ok(faults) => match shared.set_faults(faults) {
                Ok(()) => json(shared.plan().faults()),
                Err(error) => refused(&error.to_string()),
            },
            Err(error) => refused(&format!("the body does not describe faults: {error}")),
        },
        ("GET", ["latency"]) => json(&latency_body(shared.latency())),
        ("PUT", ["latency"]) => match serde_json::from_slice::<LatencyBody>(body) {
            Ok(wanted) => {
                shared.set_latency(Latency {
                    fixed: Duration::from_millis(u64::from(wanted.latency_ms)),
                    jitter: Duration::from_millis(u64::from(wanted.latency_jitter_ms)),
                });
                json(&wanted)
            }
            Err(error) => refused(&format!("the body does not describe a latency: {error}")),
        },
        ("GET", ["ledger"]) => json(&totals(&shared.ledger.snapshot())),
        ("GET", ["ledger", "pairs"]) => json(&pairs(&shared.ledger.snapshot())),
        ("DELETE", ["ledger"]) => {
            shared.ledger.clear();
            json(&totals(&shared.ledger.snapshot()))
        }
        _ => answers::error(
            StatusCode::NOT_FOUND,
            "control has faults (GET, PUT), latency (GET, PUT), ledger (GET, DELETE) and ledger/pairs (GET)",
        ),
    }
}

fn latency_body(latency: Latency) -> LatencyBody {
    let whole_ms = |duration: Duration| u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
    LatencyBody { latency_ms: whole_ms(latency.fixed), latency_jitter_ms: whole_ms(latency.jitter) }
}

fn totals(snapshot: &LedgerSnapshot) -> LedgerBody<'_> {
    let markets = snapshot.markets.iter().map(|(id, counts)| {
        let body = MarketBody {
            listings: counts.listings,
            in_flight: counts.in_flight,
            max_in_flight: counts.max_in_flight,
            pairs: counts.pairs.len(),
            totals: &counts.totals,
        };
        (&**id, body)
    });
    LedgerBody {
        totals: &snapshot.totals,
        listings: snapshot.listings,
        max_in_flight: snapshot.max_in_flight_total,
        pairs: snapshot.pairs_requested(),
        requests_per_pair: snapshot.requests_per_pair(),
        markets: markets.collect(),
    }
}

fn pairs(snapshot: &LedgerSnapshot) -> Vec<PairBody<'_>> {
    let mut pairs: Vec<_> =
        snapshot.pairs().map(|(market, product, counts)| PairBody { market, product, counts }).collect();
    pairs.sort_unstable_by_key(|pair| (pair.market, pair.product));
    pairs
}

fn json(value: &impl Serialize) -> Response<AnswerBody> {
    match serde_json::to_vec(value) {
        Ok(body) => answers::json(StatusCode::OK, body),
        Err(error) => answers::error(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn refused(message: &str) -> Response<AnswerBody> {
    answers::error(StatusCode::UNPROCESSABLE_ENTITY, message)
}
