//! Purges of a cache before the API, counted in order with the fetches.

use hyper::StatusCode;
use serde::Deserialize;

use super::target::{self, Query};
use super::{Answer, Call, answers, fault_answers};
use crate::FaultKind;
use crate::faults::Verdict;

/// The body of `POST /purge`: a pair, or the URL or path of its price.
#[derive(Default, Deserialize)]
#[serde(default)]
struct PurgeBody {
    market: Option<String>,
    product: Option<String>,
    url: Option<String>,
}

/// `PURGE /cdn/...`: the rest is the path of a price, or `MARKET/PRODUCT`.
pub(super) async fn by_path(call: &Call, rest: &[&str]) -> Answer {
    serve(call, pair_of(rest)).await
}

/// `POST /purge` with the pair in the query or in the body.
pub(super) async fn by_body(call: &Call, query: &Query<'_>, body: &[u8]) -> Answer {
    if let (Some(market), Some(product)) = (query.get("market"), query.get("product")) {
        return serve(call, Some((market, product))).await;
    }
    // A purge of something else, such as a tag, is a purge as well.
    let body: PurgeBody = serde_json::from_slice(body).unwrap_or_default();
    if let (Some(market), Some(product)) = (&body.market, &body.product) {
        return serve(call, Some((market, product))).await;
    }
    let url = body.url.unwrap_or_default();
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => url.as_str(),
    };
    let path = path.split_once(['?', '#']).map_or(path, |(path, _)| path);
    let segments = target::segments(path).unwrap_or_default();
    let segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
    serve(call, pair_of(&segments)).await
}

fn pair_of<'a>(segments: &[&'a str]) -> Option<(&'a str, &'a str)> {
    match segments {
        ["cdn", rest @ ..] | ["envelope", rest @ ..] => pair_of(rest),
        ["markets", market, "products", product] | ["markets", market, "products", product, _] => {
            Some((market, product))
        }
        [market, product] => Some((market, product)),
        _ => None,
    }
}

async fn serve(call: &Call, pair: Option<(&str, &str)>) -> Answer {
    call.shared.ledger.purge(pair);
    let mode = if call.denied {
        Verdict::Mode(FaultKind::Status(401))
    } else {
        call.shared.plan().purge(pair.map(|(market, _)| market))
    };
    let good = answers::json(StatusCode::OK, &br#"{"purged":true}"#[..]);
    match mode {
        Verdict::Good => Ok(good),
        Verdict::Mode(kind) | Verdict::Fault(kind) => {
            fault_answers::answer(kind, &call.peer, good, None).await
        }
    }
}
