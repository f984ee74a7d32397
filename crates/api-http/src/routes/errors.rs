//! `GET /api/cache/prices/errors`: the failed products of the run, a page at a time.

mod cursor;

use axum::Json;
use axum::extract::State;
use price_cache_api_types as api;
use price_cache_domain::{FailureClass, MarketId};
use price_cache_engine::MarketSnapshot;

use crate::app::App;
use crate::documents::failed_product;
use crate::openapi::{Endpoint, Parameter, Tag};
use crate::problem::Problem;
use crate::request::Parameters;

/// Failed products in an answer unless asked for more.
const LIMIT_DEFAULT: usize = 100;
/// Failed products in an answer at most.
const LIMIT_MAX: usize = 1_000;

pub(super) fn endpoint() -> Endpoint {
    let path = "/api/cache/prices/errors";
    Endpoint::get(
        path,
        handle,
        ("listFailedProducts", Tag::Run, "The failed products of the run, a page at a time"),
    )
    .described("In the order of the run's markets. `classes` counts all failed products, not only those of the page.")
    .parameter(Parameter::id("market", "Only this market."))
    .parameter(Parameter::class("Only failures of this class."))
    .parameter(Parameter::text("after", &cursor::pattern(), "The `next` of the page before."))
    .parameter(Parameter::count("limit", LIMIT_MAX, Some(LIMIT_DEFAULT), "Products on the page at most."))
    .answer::<api::FailedProductsPage>(200, "A page of failed products.")
    .problem(404, "The run has no such market, or none any more.")
}

pub(crate) async fn handle(
    State(app): State<App>,
    parameters: Parameters,
) -> Result<Json<api::FailedProductsPage>, Problem> {
    let parameters = parameters.only(&["market", "class", "after", "limit"])?;
    let wanted = parameters.parsed("market", |text| MarketId::new(text))?;
    let class = parameters.parsed("class", str::parse)?;
    let after = parameters.parsed("after", cursor::parse)?;
    let limit = parameters.count("limit", LIMIT_MAX)?.unwrap_or(LIMIT_DEFAULT);

    let snapshot = app.engine.snapshot();
    let position = |market: &MarketId| snapshot.markets.iter().position(|known| known.market == *market);
    if let Some(market) = wanted.as_ref().filter(|market| position(market).is_none()) {
        return Err(Problem::not_found(format!("the run has no market {market:?}")));
    }
    let begin = match &after {
        None => 0,
        Some(after) => position(&after.market).ok_or_else(|| {
            Problem::not_found(format!(
                "query parameter after: the run has no market {:?} any more; begin again without it",
                after.market
            ))
        })?,
    };
    let Some(facts) = snapshot.run.facts() else {
        return Ok(Json(api::FailedProductsPage::default()));
    };
    // Markets without failures need not be read, nor those before the cursor. The cursor's own stays:
    // it is where to go on, also when nothing of it is failed any more.
    let markets: Vec<MarketId> = snapshot.markets[begin..]
        .iter()
        .filter(|known| {
            known.progress.failed() > 0 || after.as_ref().is_some_and(|after| after.market == known.market)
        })
        .map(|known| known.market.clone())
        .filter(|known| wanted.as_ref().is_none_or(|market| market == known))
        .collect();
    // One more than asked for tells whether there are more.
    let reader = app.engine.reader();
    let mut failed = reader.failed_products(facts.id(), &markets, class, after.as_ref(), limit + 1).await?;
    let has_more = failed.len() > limit;
    failed.truncate(limit);
    let next = failed.last().filter(|_| has_more).map(|last| cursor::write(&last.market, &last.product));
    let errors = failed.iter().filter_map(failed_product).collect();
    let of_wanted = |known: &&MarketSnapshot| wanted.as_ref().is_none_or(|market| *market == known.market);
    let classes = classes(snapshot.markets.iter().filter(of_wanted));
    Ok(Json(api::FailedProductsPage { errors, next, classes }))
}

/// The failed products of these markets by class, from the counters of the run: the store is not asked.
fn classes<'a>(markets: impl Iterator<Item = &'a MarketSnapshot> + Clone) -> api::OrderedMap<u64> {
    let count = |class| markets.clone().map(|market| market.progress.failed_with(class)).sum::<u64>();
    let counts = FailureClass::ALL.into_iter().map(|class| (class.name(), count(class)));
    counts.filter(|(_, count)| *count > 0).collect()
}
