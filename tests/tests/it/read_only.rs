//! A store that may not be written to: a server that starts on it says so and ends; a run in the middle of which it
//! happens stops with the reason, loses nothing, and goes on when the store can be written to again.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io::Write as _};

use anyhow::ensure;
use price_cache_simulator::Catalogue;
use price_cache_tests::{Settings, SmallDisk};

use crate::stage::Stage;
use crate::stores::main_file;

const PAIRS: u64 = 1_200;

/// A file that nobody may write to, not even who has it open; writable again when dropped.
struct Frozen(PathBuf);

impl Frozen {
    fn freeze(path: &Path) -> Option<Self> {
        change(path, "+i").then(|| Self(path.to_owned()))
    }

    /// Whether the file system under `folder` keeps frozen files from those who have them open.
    fn works(folder: &Path) -> anyhow::Result<bool> {
        let path = folder.join("probe");
        let mut open = fs::File::create(&path)?;
        let works = Self::freeze(&path).is_some_and(|_frozen| open.write_all(b"x").is_err());
        fs::remove_file(path)?;
        Ok(works)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        change(&self.0, "-i");
    }
}

fn change(path: &Path, attribute: &str) -> bool {
    Command::new("chattr").arg(attribute).arg(path).output().is_ok_and(|output| output.status.success())
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "whoever reads the results should know that it was left out")]
async fn a_server_on_a_read_only_disk_says_so_in_one_sentence() -> anyhow::Result<()> {
    let settings = Settings { storage: "disk/data".into(), ..Settings::default() };
    let stage = Stage::new(Catalogue::synthetic(1, 20), &settings).await?;
    let Some(disk) = SmallDisk::mount(&stage.scene.path("disk"), 24)? else {
        println!("left out: this machine allows no mount, so there is no read-only disk");
        return Ok(());
    };
    // Once on a store that is there, and once where none can be made.
    ensure!(stage.completed().await?.terminate().await? == Some(0), "it ends well");
    disk.forbid_writing()?;
    for storage in ["disk/data", "disk/new/data"] {
        let settings = Settings { storage: storage.into(), ..Settings::default() };
        stage.scene.configure(&stage.source(), &settings)?;
        let refused = stage.scene.failing_server().await?.expect(1)?;
        let complaints: Vec<&str> =
            refused.stderr.lines().filter(|line| line.contains("cannot open")).collect();
        let [complaint] = complaints[..] else { anyhow::bail!("one sentence: {}", refused.stderr) };
        ensure!(complaint.to_lowercase().contains("read-only file system"), "{complaint}");
        let folder = stage.scene.path(storage);
        ensure!(complaint.contains(&folder.display().to_string()), "the folder is named: {complaint}");
        ensure!(refused.stdout.is_empty(), "it never listened: {}", refused.stdout);
        fs::remove_file(stage.scene.path("failing.stderr"))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "whoever reads the results should know that it was left out")]
async fn a_store_that_becomes_read_only_stops_the_run_which_goes_on_when_it_can() -> anyhow::Result<()> {
    let stage = Stage::new(Catalogue::synthetic(2, 600), &Settings::default()).await?;
    if !Frozen::works(&stage.scene.path(""))? {
        println!("left out: no file can be made immutable here, so no store becomes read-only");
        return Ok(());
    }
    stage.slow_down(1);
    let server = stage.scene.server().await?;
    server.api.start().await?;
    stage.requests(200).await?;
    let before = server.api.status().await?;
    ensure!(before.state == "PROCESSING", "{:#}", before.json);
    let Some(frozen) = Frozen::freeze(&main_file(&stage.scene.path("data"))?) else {
        anyhow::bail!("the log is not frozen")
    };
    let failed = server.api.state("ERROR").await?;
    failed.continues(&before)?;
    let message = failed.error_message.clone().unwrap_or_default();
    ensure!(message.to_lowercase().contains("not permitted"), "the reason: {message}");
    ensure!(
        failed.json["current_state"]["retry_at"].is_string(),
        "it tries again by itself: {:#}",
        failed.json
    );
    drop(frozen);
    let done = server.api.state("COMPLETED").await?;
    done.continues(&failed)?;
    ensure!(done.completed() == PAIRS && done.failed() == 0, "{:#}", done.json);
    let ledger = stage.simulator.ledger();
    ensure!(ledger.pairs_requested() as u64 == PAIRS, "pairs were skipped");
    ensure!(ledger.max_in_flight_of_any_market() == 1, "two requests of a market at once");
    ensure!(server.terminate().await? == Some(0), "it ends well");
    stage.scene.run(&["doctor"]).await?.expect(0)?;
    Ok(())
}
