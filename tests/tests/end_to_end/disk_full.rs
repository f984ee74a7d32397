//! A full disk: the run says so, loses nothing that was shown, and goes on when there is space again.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use price_cache_simulator::Catalogue;
use price_cache_tests::{Api, Server, Settings, StatusView};

use crate::stage::Stage;

/// Room for the store and its reserve.
const DISK_MIB: u32 = 24;
const PAIRS: u64 = 6_000;

/// A small disk in memory; gone when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where this machine allows no mounts.
    fn mount(folder: &Path) -> anyhow::Result<Option<Self>> {
        fs::create_dir_all(folder)?;
        let size = format!("size={DISK_MIB}m");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder).output();
        let is_mounted = mount.is_ok_and(|output| output.status.success());
        Ok(is_mounted.then(|| Self(folder.to_owned())))
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// Takes all the space there is.
    fn fill(&self) -> anyhow::Result<()> {
        let mut file = File::create(self.ballast())?;
        for block in [64 * 1024, 4096, 512, 1] {
            let bytes = vec![1; block];
            loop {
                match file.write_all(&bytes) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, because a process that is being killed may still have files open.
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

/// A run in the middle of which the disk has become full; `None` where this machine allows no small disks.
#[expect(clippy::print_stdout, reason = "whoever reads the results should know that it was left out")]
async fn full() -> anyhow::Result<Option<Full>> {
    let settings = Settings { storage: "disk/data".into(), ..Settings::default() };
    let stage = Stage::new(Catalogue::synthetic(4, 1_500), &settings).await?;
    let Some(disk) = SmallDisk::mount(&stage.scene.path("disk"))? else {
        println!("left out: this machine allows no mount, so there is no small disk to fill");
        return Ok(None);
    };
    stage.slow_down(1);
    let server = stage.scene.server().await?;
    server.api.start().await?;
    stage.requests(500).await?;
    let before = server.api.status().await?;
    ensure!(before.state == "PROCESSING" && before.completed() > 0, "{:#}", before.json);
    let calls = server.api.log_ids(200).await?;
    disk.fill().context("could not fill the disk")?;
    let failed = server.api.state("ERROR").await?;
    failed.continues(&before)?;
    let full = Full { server, disk, stage, failed, calls };
    full.shows_everything(&full.server.api).await?;
    Ok(Some(full))
}

/// What a full disk leaves. Fields are dropped in this order: the folder goes when nothing is mounted in it.
struct Full {
    server: Server,
    disk: SmallDisk,
    stage: Stage,
    failed: StatusView,
    calls: Vec<String>,
}

impl Full {
    async fn shows_everything(&self, api: &Api) -> anyhow::Result<()> {
        let priced = api.prices("M001").await?;
        ensure!(priced.len() as u64 >= self.failed.markets["M001"].completed, "prices are gone");
        let kept = api.log_ids(10_000).await?;
        ensure!(self.calls.iter().all(|call| kept.contains(call)), "calls that were shown are gone");
        Ok(())
    }

    /// Space returns, and with it the run.
    async fn ends_well(self) -> anyhow::Result<()> {
        fs::remove_file(self.disk.ballast())?;
        let done = self.server.api.state("COMPLETED").await?;
        done.continues(&self.failed)?;
        ensure!(done.completed() == PAIRS && done.failed() == 0, "{:#}", done.json);
        let ledger = self.stage.simulator.ledger();
        ensure!(ledger.pairs_requested() as u64 == PAIRS, "pairs were skipped");
        ensure!(ledger.max_in_flight_of_any_market() == 1, "two requests of a market at once");
        ensure!(self.server.terminate().await? == Some(0), "it ends well");
        self.stage.scene.run(&["doctor"]).await?.expect(0)?;
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_an_error_that_loses_nothing_and_ends_by_itself() -> anyhow::Result<()> {
    let Some(full) = full().await? else { return Ok(()) };
    let message = full.failed.error_message.clone().unwrap_or_default();
    ensure!(message.to_lowercase().contains("space") || message.contains("full"), "the reason: {message}");
    let json = &full.failed.json;
    ensure!(json["current_state"]["retry_at"].is_string(), "it tries again by itself: {json:#}");
    let live = full.server.api.ask(hyper::Method::GET, "/health/live").await?;
    ensure!(live.status == 200, "it lives: {live:?}");
    full.ends_well().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_on_a_full_disk_starts_on_it_and_goes_on_when_there_is_space() -> anyhow::Result<()> {
    let Some(mut full) = full().await? else { return Ok(()) };
    full.server.kill().await?;
    full.server = full.stage.scene.server().await?;
    let status = full.server.api.status().await?;
    status.continues(&full.failed)?;
    full.shows_everything(&full.server.api).await?;
    full.ends_well().await
}
