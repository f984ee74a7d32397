//! Kills at random moments.

use std::time::Duration;

use price_cache_tests::kills::{KillTest, disk_time};

/// As a quick API answers.
const UPSTREAM_LATENCY: Duration = Duration::from_millis(5);

/// Prints what came out, for whoever looks with `--nocapture`.
#[expect(clippy::print_stdout, reason = "the seed and the figures are of interest")]
async fn survive(test: KillTest) -> anyhow::Result<()> {
    println!("seed {}", test.seed);
    let report = test.run().await?;
    println!("{report}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_nothing_that_was_shown_and_cost_at_most_the_undurable_window() -> anyhow::Result<()> {
    survive(KillTest::of_environment(25)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_with_an_upstream_slower_than_the_disk_cost_at_most_one_record_per_market() -> anyhow::Result<()>
{
    let test = KillTest::of_environment(12);
    let products = (test.kills * 6).max(180);
    let asked = std::env::var("PRICE_CACHE_LATENCY_MS").ok().and_then(|value| value.parse().ok());
    let latency = match asked {
        Some(milliseconds) => Duration::from_millis(milliseconds),
        // Machines that build and test at the same time have slow disks.
        None => UPSTREAM_LATENCY.max(disk_time()? * 3),
    };
    survive(KillTest { latency, products, ..test }).await
}
