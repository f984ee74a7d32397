//! SIGTERM at random moments.

use price_cache_tests::terminations::TerminationTest;

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "the seed and the figures are of interest")]
async fn sigterm_at_fifty_random_moments_pauses_in_time_and_loses_nothing_shown() -> anyhow::Result<()> {
    let test = TerminationTest::of_environment(50);
    println!("seed {}", test.seed);
    println!("{}", test.run().await?);
    Ok(())
}
