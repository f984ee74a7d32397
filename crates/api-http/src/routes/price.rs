//! `GET /api/prices/{market}/{product}`: one cached price, with validators.

use std::time::{Duration, SystemTime};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::header::{AGE, CACHE_CONTROL, ETAG, HeaderValue, IF_MODIFIED_SINCE, LAST_MODIFIED};
use hyper::{HeaderMap, StatusCode};
use price_cache_api_types as api;
use price_cache_domain::{CachedPrice, Timestamp};

use crate::app::App;
use crate::documents::price_entry;
use crate::openapi::{Endpoint, Parameter, Tag};
use crate::problem::Problem;
use crate::request::{PairInPath, Parameters};
use crate::validators::none_match;

pub(super) fn endpoint() -> Endpoint {
    let path = "/api/prices/{market}/{product}";
    Endpoint::get(path, handle, ("getPrice", Tag::Prices, "One cached price, with its age"))
        .described("The amount has exactly the digits of the pricing API.")
        .parameter(Parameter::segment("market", "The market, percent-encoded.", "uk"))
        .parameter(Parameter::segment("product", "The product, percent-encoded.", "tea-250g"))
        .parameter(Parameter::header(
            "If-Modified-Since",
            "A date; 304 when the price is as old and not stale.",
        ))
        .answer::<api::PriceEntry>(200, "The price.")
        .headers(&["ETag", "Last-Modified", "Age"])
        .not_modified()
        .problem(404, "No price of this product was ever fetched in this market.")
}

pub(crate) async fn handle(
    State(app): State<App>,
    PairInPath(market, product): PairInPath,
    parameters: Parameters,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    parameters.only(&[])?;
    let Some(entry) = app.engine.reader().entry(&market, &product).await? else {
        let what = if app.engine.reader().has_market(&market).await? { "product" } else { "market" };
        return Err(Problem::not_found(format!(
            "no price of product {product:?} in market {market:?} was ever fetched; the {what} is unknown to the cache"
        )));
    };
    let document = price_entry(&market, &product, &entry, app.options.stale_after, app.engine.now());
    let Some(cached) = &entry.price else {
        let why = document.last_error.map(|error| error.message).unwrap_or_default();
        return Err(Problem::not_found(format!(
            "no fetch of product {product:?} in market {market:?} has succeeded yet; the latest failed: {why}"
        )));
    };
    let etag = etag(cached, &document);
    let modified = modified(cached.fetched_at);
    let unchanged = none_match(&headers, &etag).unwrap_or_else(|| {
        let since = headers
            .get(IF_MODIFIED_SINCE)
            .and_then(|since| httpdate::parse_http_date(since.to_str().ok()?).ok());
        // The date is that of the price; that it became stale since then is news. Dates have whole seconds.
        !document.stale && since.is_some_and(|since| seconds(modified) <= seconds(since))
    });
    let age_seconds = document.age_seconds.unwrap_or(0);
    let mut response =
        if unchanged { StatusCode::NOT_MODIFIED.into_response() } else { Json(document).into_response() };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(AGE, HeaderValue::from(age_seconds));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(ETAG, etag);
    }
    if let Ok(modified) = HeaderValue::from_str(&httpdate::fmt_http_date(modified)) {
        headers.insert(LAST_MODIFIED, modified);
    }
    Ok(response)
}

/// Weak, because the age in the body goes on while the price stays.
fn etag(cached: &CachedPrice, document: &api::PriceEntry) -> String {
    let failed = document.last_error.as_ref().map_or("", |error| error.at.as_str());
    let stale = if document.stale { "stale" } else { "fresh" };
    let (fetched, price) = (cached.fetched_at.as_millis(), &cached.price);
    format!("W/\"{}-{fetched}-{}-{}-{stale}{failed}\"", cached.run, price.amount, price.currency.code())
}

/// Dates that HTTP cannot write, as from a broken clock, become the epoch.
fn modified(at: Timestamp) -> SystemTime {
    const YEAR_9999_MILLIS: u64 = 253_402_300_799_000;
    let millis = u64::try_from(at.as_millis()).unwrap_or(0);
    let millis = if millis > YEAR_9999_MILLIS { 0 } else { millis };
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
