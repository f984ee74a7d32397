//! What the demo came to: prices, failures by class, and the time it took against the first estimate.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use super::processes::{json, status};
use crate::shell;

/// What was seen while the run went on.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    begun: Option<Instant>,
    /// When the first estimate was made, from the beginning, and the whole duration that it meant.
    first_estimate: Option<(Duration, Duration)>,
    done: Option<Duration>,
}

impl Observed {
    /// Looks at one status.
    pub(crate) fn look(&mut self, status: &Value) {
        let begun = *self.begun.get_or_insert_with(Instant::now);
        let state = &status["current_state"];
        if self.first_estimate.is_none()
            && let Some(left) = time_left(&state["estimated_end_at"])
        {
            self.first_estimate = Some((begun.elapsed(), begun.elapsed() + left));
        }
        if state["status"] == "COMPLETED" {
            self.done.get_or_insert_with(|| begun.elapsed());
        }
    }
}

/// From now to a time of the wire; `None` when it is unknown or over.
fn time_left(at: &Value) -> Option<Duration> {
    let end: Timestamp = at.as_str()?.parse().ok()?;
    Duration::try_from(end.duration_since(Timestamp::now())).ok()
}

/// Prints the summary, and the answer to one request as proof.
pub(crate) async fn print(url: &str, observed: &Observed) -> Result<()> {
    let status = status(url).await?;
    let analytics = &status["analytics"];
    let count = |key: &str| analytics[key].as_u64().unwrap_or(0);
    let mut lines = vec![
        format!("prices cached     {} in {} markets", count("total_success"), market_count(&status)),
        format!("requests          {}, of them {} repeated after a fault", count("total_requests"), {
            count("total_requests") - count("total_success") - count("total_fails")
        }),
        format!("failed products   {}", failures(url, count("total_fails")).await?),
    ];
    if let Some(done) = observed.done {
        let estimate = observed.first_estimate.map_or_else(
            || "it was over before the first estimate".to_owned(),
            |(at, whole)| {
                format!(
                    "the first estimate, after {:.0} s, was {:.0} s",
                    at.as_secs_f64(),
                    whole.as_secs_f64()
                )
            },
        );
        lines.push(format!("time              {:.0} s; {estimate}", done.as_secs_f64()));
    }
    shell::say(&format!("\n{}", lines.join("\n")));
    try_a_price(url, &status).await
}

fn market_count(status: &Value) -> usize {
    status["markets"].as_object().map_or(0, serde_json::Map::len)
}

/// The failed products by class.
async fn failures(url: &str, total: u64) -> Result<String> {
    let mut classes: BTreeMap<String, u64> = BTreeMap::new();
    let limit = total.max(1).to_string();
    let page = json(url, &["errors", "--json", "--limit", &limit]).await?;
    for failed in page["errors"].as_array().into_iter().flatten() {
        *classes.entry(failed["class"].as_str().unwrap_or("unknown").to_owned()).or_default() += 1;
    }
    let classes: Vec<_> = classes.iter().map(|(class, count)| format!("{count} {class}")).collect();
    Ok(if classes.is_empty() { "none".to_owned() } else { format!("{total}: {}", classes.join(", ")) })
}

async fn try_a_price(url: &str, status: &Value) -> Result<()> {
    let market = status["current_state"]["markets"][0].as_str().context("the run has no market")?;
    let page = json(url, &["prices", "list", market, "--limit", "1", "--json"]).await?;
    let product = page["prices"][0]["product_id"].as_str().context("the market has no price")?;
    let answer = json(url, &["prices", "get", market, product, "--json"]).await?;
    shell::say(&format!(
        "\ntry               curl {url}/api/prices/{market}/{product}\nanswers           {answer}"
    ));
    Ok(())
}
