//! Kills at random moments.

use std::time::Duration;

use price_cache_selftest::{SelfTest, disk_time};
use price_cache_simulator::Latency;
use price_cache_tests::kills::{of_environment, starts_of_environment};

/// As a quick API answers.
const UPSTREAM_LATENCY: Duration = Duration::from_millis(5);

/// Prints what came out, for whoever looks with `--nocapture`.
#[expect(clippy::print_stdout, reason = "the seed and the figures are of interest")]
async fn survive(test: SelfTest) -> anyhow::Result<()> {
    println!("seed {}", test.seed);
    let figures = test.run(&mut |_| ()).await?;
    println!("{figures}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_nothing_that_was_shown_and_cost_at_most_the_undurable_window() -> anyhow::Result<()> {
    survive(of_environment(25)?).await
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_with_an_upstream_slower_than_the_disk_cost_at_most_one_record_per_market() -> anyhow::Result<()>
{
    let asked = std::env::var("PRICE_CACHE_LATENCY_MS").ok().and_then(|value| value.parse().ok());
    let latency = match asked {
        Some(milliseconds) => Duration::from_millis(milliseconds),
        // Machines that build and test at the same time have slow disks.
        None => UPSTREAM_LATENCY.max(disk_time()? * 3),
    };
    // The request that is under way, and the record of the one before, where no record waits for others.
    let test = SelfTest {
        latency: Latency::fixed(latency),
        kill_cost_max: 2,
        sync_interval: Some("0s".to_owned()),
        ..of_environment(12)?
    };
    survive(SelfTest { products_per_kill: 6, products_min: 180, ..test }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_during_starts_of_small_stores_lose_nothing() -> anyhow::Result<()> {
    survive(starts_of_environment(60)?).await
}
