//! A store that a newer version of the program wrote: every program says so in one sentence and leaves it alone.

use std::fs;

use anyhow::ensure;
use price_cache_simulator::Catalogue;
use price_cache_storage_embedded::Table;
use price_cache_tests::Settings;

use crate::stage::Stage;
use crate::stores::{main_file, tamper};

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_store_is_refused_in_one_sentence_and_left_alone() -> anyhow::Result<()> {
    let stage = Stage::new(Catalogue::synthetic(1, 20), &Settings::default()).await?;
    ensure!(stage.completed().await?.terminate().await? == Some(0), "it ends well");
    let data = stage.scene.path("data");
    set_format(&data, 7)?;
    let file = main_file(&data)?;
    let content = fs::read(&file)?;
    let refused = stage.scene.failing_server().await?.expect(1)?;
    let complaints: Vec<&str> = refused.stderr.lines().filter(|line| !line.contains(" INFO ")).collect();
    let [complaint] = complaints[..] else { anyhow::bail!("one sentence: {complaints:?}") };
    ensure!(
        complaint.contains("has format 7, this version reads up to 1: upgrade the program"),
        "{complaint}"
    );
    ensure!(complaint.contains(&stage.scene.path("data").display().to_string()), "{complaint}");
    ensure!(refused.stdout.is_empty(), "it never listened: {}", refused.stdout);
    for command in ["run", "doctor"] {
        let refused = stage.scene.run(&[command]).await?.expect(1)?;
        ensure!(refused.stderr.contains("upgrade the program"), "{command}: {}", refused.stderr);
    }
    ensure!(fs::read(&file)? == content, "the store was left alone");
    set_format(&data, 1)?;
    let server = stage.scene.server().await?;
    ensure!(server.api.status().await?.completed() == 20, "everything is there");
    Ok(())
}

/// Changes what the store says of its format.
fn set_format(folder: &std::path::Path, format: u32) -> anyhow::Result<()> {
    tamper(folder, &[(Table::Meta, b"format", Some(&format.to_be_bytes()))])
}
