//! A full disk: the run says so, loses nothing that was shown, and goes on when there is space again.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use price_cache_simulator::Catalogue;
use price_cache_tests::{Settings, sources::Source};

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

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "whoever reads the results should know that it was left out")]
async fn a_full_disk_is_an_error_that_loses_nothing_and_ends_by_itself() -> anyhow::Result<()> {
    let settings = Settings { storage: "disk/data".into(), ..Settings::default() };
    let stage = Stage::new(Catalogue::synthetic(4, 1_500), &settings).await?;
    let Some(disk) = SmallDisk::mount(&stage.scene.path("disk"))? else {
        println!("left out: this machine allows no mount, so there is no small disk to fill");
        return Ok(());
    };
    stage.scene.configure(&Source::rest(&stage.simulator.base_url()).to_string(), &settings)?;
    stage.slow_down(1);
    let server = stage.scene.server().await?;
    server.api.start().await?;
    stage.requests(500).await?;
    let before = server.api.status().await?;
    ensure!(before.state == "PROCESSING" && before.completed() > 0, "{:#}", before.json);
    let calls = server.api.log_ids(200).await?;

    disk.fill().context("could not fill the disk")?;
    let failed = server.api.state("ERROR").await?;
    let message = failed.error_message.clone().unwrap_or_default();
    ensure!(message.to_lowercase().contains("space") || message.contains("full"), "the reason: {message}");
    ensure!(
        failed.json["current_state"]["retry_at"].is_string(),
        "it tries again by itself: {:#}",
        failed.json
    );
    failed.continues(&before)?;
    let priced = server.api.prices("M001").await?;
    ensure!(priced.len() as u64 >= failed.markets["M001"].completed, "prices can be read all the while");
    let kept = server.api.log_ids(10_000).await?;
    ensure!(calls.iter().all(|call| kept.contains(call)), "calls that were shown are gone");
    let live = server.api.ask(hyper::Method::GET, "/health/live").await?;
    ensure!(live.status == 200, "it lives: {live:?}");

    fs::remove_file(disk.ballast())?;
    let done = server.api.state("COMPLETED").await?;
    done.continues(&failed)?;
    ensure!(done.completed() == PAIRS && done.failed() == 0, "{:#}", done.json);
    let ledger = stage.simulator.ledger();
    ensure!(ledger.pairs_requested() as u64 == PAIRS, "pairs were skipped");
    ensure!(server.terminate().await? == Some(0), "it ends well");
    stage.scene.run(&["doctor"]).await?.expect(0)?;
    Ok(())
}
