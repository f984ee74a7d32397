//! What a start that was killed leaves of a snapshot: a file with a temporary name. It must never be taken for damage, neither
//! by the doctor nor by a server. The store of the fixture was left by a kill in the middle of a run of 1,600 pairs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use price_cache_tests::sources::Source;
use price_cache_tests::{Digest, Scene, Settings};
use serde_json::Value;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/killed-mid-run.tgz");
const RECORDS: u64 = 1_600;

/// A scene with the store of the fixture, which no server resumes.
async fn scene() -> anyhow::Result<Scene> {
    // The folder says what kind of store it is; nobody asks for one.
    let settings =
        Settings { store: None, run: "resume_interrupted = false".to_owned(), ..Settings::default() };
    let scene = Scene::new(&Source::rest("http://127.0.0.1:9").to_string(), &settings)?;
    let unpack = format!("tar xzf '{FIXTURE}' && mv store-B-killed data && touch data/lock");
    scene.shell(&unpack).await?.expect(0)?;
    Ok(scene)
}

fn generation(scene: &Scene) -> PathBuf {
    scene.path("data/generation-000001")
}

/// The good snapshot.
fn snapshot(generation: &Path) -> anyhow::Result<Vec<u8>> {
    for item in fs::read_dir(generation)? {
        let item = item?;
        if item.file_name().to_string_lossy().starts_with("snap.") {
            return Ok(fs::read(item.path())?);
        }
    }
    anyhow::bail!("there is no snapshot in {}", generation.display())
}

/// A leftover with the name that sled gives a snapshot while it writes it.
fn leave(scene: &Scene, lsn: u64, bytes: &[u8]) -> anyhow::Result<()> {
    let path = generation(scene).join(format!("snap.{lsn:016X}.generating"));
    fs::write(&path, bytes).with_context(|| path.display().to_string())
}

async fn doctor(scene: &Scene, arguments: &[&str]) -> anyhow::Result<()> {
    let done = scene.run(&[&["doctor", "--json"], arguments].concat()).await?.expect(0)?;
    let found: Value = serde_json::from_str(&done.stdout)?;
    ensure!(found["healthy"] == true && found["records"] == RECORDS, "{found:#}");
    Ok(())
}

/// The doctor finds the store healthy and leaves it as it is.
async fn doctor_only_looks(scene: &Scene) -> anyhow::Result<()> {
    let before = Digest::of(&scene.path("data"))?;
    doctor(scene, &[]).await?;
    let changes = before.changes(&Digest::of(&scene.path("data"))?);
    ensure!(changes.is_empty(), "the doctor changed the store: {}", changes.join(", "));
    Ok(())
}

/// A server has every record, and so has the one after it.
async fn serves_every_record(scene: &Scene) -> anyhow::Result<()> {
    for start in 1..=2 {
        let server = scene.server().await?;
        let json = server.api.get("/api/prices").await?;
        let markets = json["markets"].as_array().with_context(|| format!("no markets in {json}"))?;
        let served: u64 = markets.iter().filter_map(|market| market["products"].as_u64()).sum();
        ensure!(served == RECORDS, "start {start}: {served} of {RECORDS} records: {json:#}");
        ensure!(server.terminate().await? == Some(0), "it ends well");
    }
    doctor(scene, &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_of_the_fixture_is_healthy() -> anyhow::Result<()> {
    let scene = scene().await?;
    doctor_only_looks(&scene).await?;
    serves_every_record(&scene).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_leftover_harms_nothing() -> anyhow::Result<()> {
    let scene = scene().await?;
    leave(&scene, 0xFF_FFFF, b"")?;
    doctor_only_looks(&scene).await?;
    serves_every_record(&scene).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_leftover_harms_no_server_that_no_doctor_has_seen_before() -> anyhow::Result<()> {
    let scene = scene().await?;
    leave(&scene, 0xFF_FFFF, b"")?;
    serves_every_record(&scene).await
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_snapshot_as_a_leftover_harms_nothing() -> anyhow::Result<()> {
    let scene = scene().await?;
    let whole = snapshot(&generation(&scene))?;
    leave(&scene, 0xFF_FFFF, &whole[..whole.len() / 2])?;
    doctor_only_looks(&scene).await?;
    serves_every_record(&scene).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_snapshot_under_a_temporary_name_beside_the_good_one_harms_nothing() -> anyhow::Result<()> {
    let scene = scene().await?;
    let whole = snapshot(&generation(&scene))?;
    // Once older than the good one and once newer.
    leave(&scene, 0x1, &whole)?;
    leave(&scene, 0xFF_FFFF, &whole)?;
    doctor_only_looks(&scene).await?;
    serves_every_record(&scene).await
}

#[tokio::test(flavor = "multi_thread")]
async fn several_leftovers_harm_nothing() -> anyhow::Result<()> {
    let scene = scene().await?;
    let whole = snapshot(&generation(&scene))?;
    for (lsn, length) in
        [(0x10, 0), (0xC_7E6E, 10), (0xC_7E6F, whole.len() / 3), (u64::MAX >> 8, whole.len() - 1)]
    {
        leave(&scene, lsn, &whole[..length])?;
    }
    doctor_only_looks(&scene).await?;
    serves_every_record(&scene).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leftover_harms_nothing_while_the_doctor_repairs() -> anyhow::Result<()> {
    let scene = scene().await?;
    leave(&scene, 0xFF_FFFF, b"")?;
    doctor(&scene, &["--repair"]).await?;
    doctor_only_looks(&scene).await?;
    serves_every_record(&scene).await
}
