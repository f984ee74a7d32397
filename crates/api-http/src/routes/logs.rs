//! `GET` and `DELETE /api/cache/prices/logs`: the newest calls of the run.

use axum::Json;
use axum::extract::{Request, State};
use price_cache_api_types as api;
use price_cache_domain::MarketId;
use price_cache_engine::{LOGGED_REQUESTS_MAX, LoggedRequest};

use super::actor;
use crate::app::App;
use crate::documents::{log_entry, rfc3339};
use crate::openapi::{Endpoint, Parameter, Tag};
use crate::problem::Problem;
use crate::request::{Parameters, no_body};

/// Calls in an answer unless asked for more.
const LIMIT_DEFAULT: usize = 100;
/// Calls on a page unless asked for more.
const PAGE_SIZE_DEFAULT: usize = 50;
/// Calls on a page at most.
const PAGE_SIZE_MAX: usize = 1_000;

const PATH: &str = "/api/cache/prices/logs";

pub(super) fn listing() -> Endpoint {
    Endpoint::get(PATH, list, ("listCalls", Tag::Run, "The newest calls to the pricing API, newest first"))
        .described("Either the newest ones or, with `page` or `pageSize`, a page of them; `limit` then bounds all pages together.")
        .parameter(Parameter::count("limit", LOGGED_REQUESTS_MAX, None, "At most this many of the newest; 100 unless a page is asked for."))
        .parameter(Parameter::count("page", LOGGED_REQUESTS_MAX, None, "The page, from 1."))
        .parameter(Parameter::count("pageSize", PAGE_SIZE_MAX, None, "Calls on a page; 50 where only the page is given."))
        .parameter(Parameter::id("market", "Only calls of this market."))
        .parameter(Parameter::flag("success", "Only calls that brought a price, or only those that did not."))
        .answer::<api::Logs>(200, "Requests, and totals over all that are kept.")
}

pub(super) fn clearing() -> Endpoint {
    Endpoint::delete(PATH, clear, ("clearCalls", Tag::Run, "Clear the log of calls"))
        .answer::<api::LogsCleared>(200, "The log is empty; the run is untouched.")
}

pub(crate) async fn list(State(app): State<App>, parameters: Parameters) -> Result<Json<api::Logs>, Problem> {
    let parameters = parameters.only(&["limit", "page", "pageSize", "market", "success"])?;
    let limit = parameters.count("limit", LOGGED_REQUESTS_MAX)?;
    let page = parameters.count("page", LOGGED_REQUESTS_MAX)?;
    let page_size = parameters.count("pageSize", PAGE_SIZE_MAX)?;
    let market = parameters.parsed("market", |text| MarketId::new(text))?;
    let success = parameters.flag("success")?;
    let is_paged = page.is_some() || page_size.is_some();
    let (page, page_size) = (page.unwrap_or(1), page_size.unwrap_or(PAGE_SIZE_DEFAULT));
    let most = limit.unwrap_or(if is_paged { LOGGED_REQUESTS_MAX } else { LIMIT_DEFAULT });
    let skip = if is_paged { (page - 1) * page_size } else { 0 };
    let limit = most.saturating_sub(skip).min(if is_paged { page_size } else { most });

    let wanted = |call: &LoggedRequest| {
        market.as_ref().is_none_or(|market| *market == call.market)
            && success.is_none_or(|success| success == call.failure.is_none())
    };
    let (calls, total) = app.engine.request_log().newest(skip, limit, wanted);
    let logs =
        calls.iter().map(|call| log_entry(call, app.engine.price_url(&call.market, &call.product))).collect();
    let stats = app.engine.request_log().stats();
    let facts = app.engine.snapshot().run.facts().cloned();
    Ok(Json(api::Logs {
        logs,
        total: total as u64,
        stats: api::LogStats {
            total: stats.total as u64,
            successful: stats.successful as u64,
            failed: (stats.total - stats.successful) as u64,
            success_rate: ratio(stats.successful as f64 * 100.0, stats.total),
            avg_duration_ms: ratio(stats.duration.as_secs_f64() * 1_000.0, stats.total),
        },
        metadata: api::LogMetadata {
            run_id: facts.as_ref().map(|facts| facts.id().to_string()),
            started_at: facts.as_ref().map(|facts| rfc3339(facts.started_at())),
            total_logs: stats.total as u64,
        },
        page: is_paged.then_some(page as u64),
        page_size: is_paged.then_some(page_size as u64),
        total_pages: is_paged.then_some(total.min(most).div_ceil(page_size) as u64),
    }))
}

/// `sum / count`, and 0 for nothing.
fn ratio(sum: f64, count: usize) -> f64 {
    if count == 0 { 0.0 } else { sum / count as f64 }
}

pub(crate) async fn clear(
    State(app): State<App>,
    parameters: Parameters,
    request: Request,
) -> Result<Json<api::LogsCleared>, Problem> {
    let actor = actor(&request);
    parameters.only(&[])?;
    no_body(&app, request).await?;
    let cleared = app.engine.clear_logs(actor).await?;
    Ok(Json(api::LogsCleared { success: true, message: cleared.message }))
}
