//! An upstream that answers 50 prices per second and refuses the rest: what share of that is used, and how many
//! requests are refused.

use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::Value;

use super::place::{Place, Settings};
use super::programs::{Server, Upstream};
use super::report::{Aim, Report, progress, ratio};
use super::size::Size;

/// Prices per second that the upstream answers, and as many at once after a pause.
const ALLOWED: u32 = 50;
const LATENCY: Duration = Duration::from_millis(5);
/// More products than are allowed in the time.
const PRODUCTS: u32 = 20_000;

/// How a run is paced, as it stands in the configuration.
const PACES: [(&str, &str, Option<Aim>); 3] = [
    ("nothing set", "", Some(Aim::AtLeast(0.9))),
    ("`requests_per_second = 49`", "pacing.requests_per_second = 49", Some(Aim::AtLeast(0.9))),
    ("`adaptive = false`", "pacing.adaptive = false", None),
];

/// Measures and reports.
pub(crate) fn measure(report: &mut Report, size: &Size) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for markets in [1, 16] {
        for (name, run, aim) in PACES {
            progress(&format!("an upstream that allows {ALLOWED} per second, {markets} markets, {name}"));
            let upstream = Upstream::limited((markets, PRODUCTS), ALLOWED)?;
            upstream.set_latency(LATENCY)?;
            let place = Place::with(&upstream, markets, Settings { run, ..Settings::default() })?;
            let server = Server::start(&place, None)?;
            server.api.start()?;
            let begun = Instant::now();
            std::thread::sleep(size.paced);
            let ledger: Value = serde_json::from_slice(&upstream.api.get("/control/ledger")?)?;
            let seconds = begun.elapsed().as_secs_f64();
            server.kill()?;
            let count = |field: &str| {
                ledger["totals"][field].as_f64().with_context(|| format!("no {field} in {ledger}"))
            };
            let (requests, served) = (count("requests")?, count("served")?);
            let allowed = f64::from(ALLOWED) * (seconds + 1.0);
            rows.push([
                markets.to_string(),
                name.to_owned(),
                ratio(served / allowed, aim),
                format!("{:.0} of {requests:.0}", requests - served),
                format!("{:.2} %", (requests - served) / requests * 100.0),
            ]);
        }
    }
    let seconds = size.paced.as_secs();
    report.heading(&format!("An upstream that allows {ALLOWED} prices per second, for {seconds} s"));
    report.table(["markets at a time", "`[run]`", "of what is allowed", "refused", "of all requests"], &rows);
    Ok(())
}
