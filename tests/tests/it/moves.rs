//! Moves of a store from one kind to the other that are killed: the store is there whole, in one kind or the other.

use std::time::Duration;

use anyhow::{Context, ensure};
use price_cache_simulator::Catalogue;
use price_cache_storage_embedded::Table;
use price_cache_tests::Settings;
use serde_json::Value;

use crate::stage::Stage;
use crate::stores::{self, KINDS, use_kind};

const MARKETS: u32 = 2;
const PRODUCTS: u32 = 2_000;
const KILLS: u32 = 12;
/// A move takes about as long as this; killed at any moment of it.
const MOVE_TIME: Duration = Duration::from_millis(150);

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_is_killed_at_any_moment_loses_nothing() -> anyhow::Result<()> {
    let mut stage = Stage::new(Catalogue::synthetic(MARKETS, PRODUCTS), &Settings::default()).await?;
    use_kind(&mut stage, KINDS[0]);
    let server = stage.completed().await?;
    ensure!(server.terminate().await? == Some(0), "it ends well");
    let data = stage.scene.path("data");
    let before = stores::values(&data, Table::Entries)?;
    ensure!(before.len() == (MARKETS * PRODUCTS) as usize, "{} entries", before.len());
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    for kill in 0..KILLS {
        let context = || format!("kill {kill} with seed {seed}");
        let to = KINDS[random.usize(..KINDS.len())];
        let mut moving = stage.scene.start(&["store", "move", "--to", to])?;
        tokio::time::sleep(MOVE_TIME.mul_f64(random.f64())).await;
        moving.kill().await?;
        let told = stage.scene.run(&["doctor", "--json"]).await?.expect(0).with_context(context)?;
        let found: Value = serde_json::from_str(&told.stdout)?;
        ensure!(found["healthy"] == true && found["state"] == "COMPLETED", "{}: {found:#}", context());
        ensure!(stores::values(&data, Table::Entries)? == before, "{}: other entries", context());
    }
    for kind in KINDS {
        stage.scene.run(&["store", "move", "--to", kind]).await?.expect(0)?;
        ensure!(stores::values(&data, Table::Entries)? == before, "{kind}: other entries");
    }
    Ok(())
}
