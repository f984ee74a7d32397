//! Two servers on one store: the second says so and changes nothing.

use anyhow::ensure;
use price_cache_simulator::Catalogue;
use price_cache_tests::Settings;

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn the_second_server_on_a_store_is_refused_in_one_sentence_and_the_first_goes_on() -> anyhow::Result<()>
{
    let stage = Stage::new(Catalogue::synthetic(2, 200), &Settings::default()).await?;
    stage.slow_down(2);
    let server = stage.scene.server().await?;
    server.api.start().await?;
    stage.requests(50).await?;
    let before = server.api.status().await?;

    let second = stage.scene.failing_server().await?.expect(1)?;
    let folder = stage.scene.path("data");
    // What is logged before is not a complaint.
    let complaints: Vec<&str> = second.stderr.lines().filter(|line| !line.contains(" INFO ")).collect();
    let [complaint] = complaints[..] else { anyhow::bail!("one sentence: {complaints:?}") };
    ensure!(complaint.contains("in use by another"), "{complaint}");
    ensure!(complaint.contains(&folder.display().to_string()), "the folder is named: {complaint}");
    ensure!(second.stdout.is_empty(), "it never listened: {}", second.stdout);
    for command in ["run", "doctor"] {
        let refused = stage.scene.run(&[command]).await?.expect(1)?;
        ensure!(refused.stderr.contains("in use by another"), "{command}: {}", refused.stderr);
    }

    server.api.status().await?.continues(&before)?;
    let done = server.api.state("COMPLETED").await?;
    ensure!(done.completed() == 400 && done.failed() == 0, "{:#}", done.json);
    ensure!(
        stage.simulator.ledger().requests_per_pair() == [(1, 400)].into(),
        "the second asked for nothing"
    );
    Ok(())
}
