//! The page: what was counted, and where the run is.

use price_cache_domain::{FailureClass, RunStatus};
use price_cache_engine::Snapshot;

use super::ratio::ratio;
use super::text::{Kind, Page};
use super::{markets, process};
use crate::app::App;

/// Everything at this moment.
pub(crate) fn exposition(app: &App) -> String {
    let mut page = Page::default();
    let snapshot = app.engine.snapshot();
    run(&mut page, &snapshot, app);
    markets::write(&mut page, &snapshot, app.engine.now());
    counted(&mut page, app);
    app.metrics.http.write(&mut page);
    let name = "price_cache_event_subscribers";
    page.family(name, Kind::Gauge, "Clients that follow the events.");
    page.sample(name, &[], app.events.subscribers() as f64);
    let name = "price_cache_build_info";
    page.family(name, Kind::Gauge, "Always 1; the labels say what runs.");
    page.sample(name, &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    process::write(&mut page, app.began);
    page.finish()
}

fn run(page: &mut Page, snapshot: &Snapshot, app: &App) {
    let name = "price_cache_run_state";
    page.family(name, Kind::Gauge, "1 for the state that the run is in, 0 for the others.");
    for state in RunStatus::ALL {
        let holds = snapshot.run.status() == state;
        page.sample(name, &[("state", state.name())], f64::from(u8::from(holds)));
    }
    let analytics = snapshot.analytics();
    let name = "price_cache_progress_ratio";
    page.family(name, Kind::Gauge, "Products of the run with an outcome, from 0 to 1.");
    page.sample(name, &[], ratio(analytics.completed(), analytics.total));
    let name = "price_cache_eta_seconds";
    page.family(name, Kind::Gauge, "Expected time to the end of the run; missing while unknown.");
    if let Some(rest) = snapshot.total_estimate(app.engine.now()) {
        page.sample(name, &[], rest.expected.as_secs_f64());
    }
    let pace = app.engine.pace_limit();
    let name = "price_cache_pace_limit_requests_per_second";
    page.family(name, Kind::Gauge, "How fast the upstream may be asked; missing when nothing limits it.");
    if let Some(pace) = pace {
        page.sample(name, &[], pace.requests_per_second);
    }
    let name = "price_cache_slowed_down";
    page.family(name, Kind::Gauge, "1 while the upstream is asked more slowly because it refused requests.");
    page.sample(name, &[], f64::from(u8::from(pace.is_some_and(|pace| pace.is_throttled))));
    let name = "price_cache_failed_products";
    page.family(
        name,
        Kind::Gauge,
        "Products of the run that failed and were not retried with success since.",
    );
    for class in FailureClass::ALL {
        let failed: u64 = snapshot.markets.iter().map(|market| market.progress.failed_with(class)).sum();
        page.sample(name, &[("class", class.name())], failed as f64);
    }
}

fn counted(page: &mut Page, app: &App) {
    // A copy, so that the run does not wait for the text.
    let (markets, durations) = {
        let counted = app.metrics.products.counted();
        (counted.markets.clone(), counted.durations.clone())
    };
    let name = "price_cache_products_total";
    page.family(name, Kind::Counter, "Products done since the server began; a retried one counts again.");
    for (market, counters) in &markets {
        page.sample(name, &[("market", market), ("outcome", "success")], counters.successful as f64);
        page.sample(name, &[("market", market), ("outcome", "failure")], counters.failed as f64);
    }
    let name = "price_cache_requests_total";
    page.family(name, Kind::Counter, "Requests to the upstream since the server began, retries included.");
    for (market, counters) in &markets {
        page.sample(name, &[("market", market)], counters.requests as f64);
    }
    let name = "price_cache_request_duration_seconds";
    page.family(name, Kind::Histogram, "How long requests to the upstream took.");
    for (market, durations) in &durations {
        durations.write(page, name, market);
    }
}
