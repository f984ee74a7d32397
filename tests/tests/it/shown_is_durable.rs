//! What a client was shown is there after a kill: every reading route and the stream of events are read while the disk is slow,
//! full or failing; then the server is killed, and the next one must show all of it.

use std::sync::Arc;

use anyhow::{Context, ensure};
use price_cache_simulator::{Catalogue, FaultKind, Faults, Latency, Options};
use price_cache_tests::injection::Injection;
use price_cache_tests::kills::variable;
use price_cache_tests::trace::obstacle;
use price_cache_tests::watcher::Watcher;
use price_cache_tests::{Settings, SmallDisk};

use crate::stage::Stage;

const MARKETS: u32 = 4;
/// What a slow disk takes its time for: sometimes only for making writes durable, sometimes for the writes as well.
const SLOW_CALLS: [&str; 2] = ["fsync,fdatasync", "fsync,fdatasync,pwrite64"];
/// How much longer each of them takes, in milliseconds.
const DELAYS: [u32; 5] = [0, 5, 20, 60, 100];
const DISK_MIB: u32 = 24;
/// Products after which a server is killed at most: on the slowest disk they take seconds.
const PRODUCTS_MAX: u32 = 200;
/// Rounds that a failing disk may end before the server is there, for each that counts.
const REFUSED_PER_ROUND_MAX: u64 = 20;
/// Failed products are shown as well.
const UNKNOWN_PER_MILLE: u16 = 30;

/// What is wrong with the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disk {
    Slow,
    /// Slow, and full from some moment on.
    Full,
    /// Slow, and a few calls fail.
    Failing,
}

impl Disk {
    /// Rounds unless `PRICE_CACHE_SHOWN_ROUNDS` says otherwise.
    const fn rounds_default(self) -> u64 {
        match self {
            Self::Slow => 4,
            Self::Failing => 3,
            Self::Full => 2,
        }
    }
}

/// What the rounds of one kind showed.
#[derive(Debug, Default)]
struct Sum {
    rounds: u64,
    /// Rounds in which the server did not take its store because of the failing disk.
    refused: u64,
    answers: u64,
    pairs: usize,
    taken_back: Vec<String>,
}

fn options(random: &mut fastrand::Rng) -> Options {
    let permanent = [(FaultKind::Status(404), UNKNOWN_PER_MILLE)].into();
    Options {
        seed: random.u64(..),
        faults: Faults { permanent, ..Faults::default() },
        latency: Latency::fixed(std::time::Duration::from_millis(random.u64(0..=1))),
        ..Options::new(Catalogue::synthetic(MARKETS, random.u32(75..=300)))
    }
}

/// What is injected into the calls of the server.
fn injection(disk: Disk, random: &mut fastrand::Rng) -> Injection {
    let delay = DELAYS[random.usize(..DELAYS.len())];
    let slow = Injection::none().delay(SLOW_CALLS[random.usize(..SLOW_CALLS.len())], delay * 1_000);
    match disk {
        Disk::Slow | Disk::Full => slow,
        Disk::Failing => {
            let calls = ["pwrite64", "fdatasync", "fsync"][random.usize(..3)];
            let at = random.u32(4..30);
            Injection::none().error(calls, "EIO", &format!("{at}..{}", at + random.u32(0..4)))
        }
    }
}

async fn round(disk: Disk, random: &mut fastrand::Rng, sum: &mut Sum) -> anyhow::Result<()> {
    let settings = Settings {
        storage: "disk/data".into(),
        run: "resume_interrupted = false".to_owned(),
        ..Settings::default()
    };
    let stage = Stage::with(options(random), &settings).await?;
    // Declared behind the stage, so that it is unmounted before the folder goes.
    let mut small = None;
    if disk == Disk::Full {
        small = SmallDisk::mount(&stage.scene.path("disk"), DISK_MIB)?;
    }
    // Half of the rounds go over the prices of an earlier run.
    if random.bool() {
        ensure!(stage.completed().await?.terminate().await? == Some(0), "it ends well");
    }
    let injection = injection(disk, random);
    let launch = stage.scene.launch_injected(&injection, "/dev/null".as_ref())?;
    let mut server = match launch.listening().await {
        Ok(server) => server,
        Err(_) if disk == Disk::Failing => {
            sum.refused += 1;
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let catalogue: Arc<Catalogue> = stage.simulator.catalogue();
    let markets = catalogue.markets().iter();
    let pairs = markets.flat_map(|market| {
        market.ids(0, usize::MAX).map(|id| (market.id().to_owned(), id.into_owned())).collect::<Vec<_>>()
    });
    let pairs: Vec<(String, String)> = pairs.collect();
    let asked_before = stage.simulator.ledger().total_requests();
    let count = u32::try_from(pairs.len())?;
    let started = server.api.command("start").await?;
    ensure!(disk == Disk::Failing || started.status == 202, "start was answered with {}", started.text());
    let watcher = Watcher::of(server.api, pairs);
    let target = random.u32(count / 20..count.min(PRODUCTS_MAX));
    // A failing disk may refuse the start; what is shown of the run before counts all the same.
    if started.status == 202 {
        let stops = server.api.status_where("a stop", |status| {
            status.completed() >= u64::from(target)
                || matches!(status.state.as_str(), "ERROR" | "COMPLETED" | "PAUSED")
        });
        let reached =
            stage.simulator.wait_until(move |ledger| ledger.total_requests() >= asked_before + target);
        tokio::select! {
            () = reached => {}
            stopped = stops => drop(stopped?),
        }
    }
    if let Some(small) = &small {
        small.fill()?;
        server.api.status_where("what a full disk does", |status| status.state != "PROCESSING").await?;
    }
    server.kill().await?;
    let seen = watcher.seen();
    if let Some(small) = &small {
        small.free()?;
    }
    let server = stage.scene.server().await?;
    let gone = seen.taken_back(&server.api).await?;
    ensure!(server.terminate().await? == Some(0), "it ends well");
    sum.answers += seen.answers();
    sum.pairs += seen.pairs();
    if let Some(first) = gone.first() {
        let round = sum.rounds + 1;
        sum.taken_back.push(format!("round {round}, {injection}: {} taken back; {first}", gone.len()));
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the seed and the figures are of interest")]
async fn rounds(disk: Disk) -> anyhow::Result<()> {
    if let Some(obstacle) = obstacle() {
        println!("left out: what clients see while the disk is {disk:?}, because {obstacle}");
        return Ok(());
    }
    let seed = variable("PRICE_CACHE_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut sum = Sum::default();
    let wanted = variable("PRICE_CACHE_SHOWN_ROUNDS").unwrap_or(disk.rounds_default());
    // Rounds whose server did not take its store show nothing, and are played again.
    while sum.rounds - sum.refused < wanted && sum.refused < wanted * REFUSED_PER_ROUND_MAX {
        let done = round(disk, &mut random, &mut sum).await;
        sum.rounds += 1;
        done.with_context(|| format!("round {} with seed {seed}", sum.rounds))?;
    }
    let Sum { rounds, refused, answers, pairs, taken_back } = &sum;
    println!(
        "{disk:?}: {rounds} rounds, {refused} refused, {answers} answers and events of {pairs} pairs, {} rounds in which \
         something was taken back",
        taken_back.len()
    );
    ensure!(taken_back.is_empty(), "{} of {rounds} rounds:\n{}", taken_back.len(), taken_back.join("\n"));
    ensure!(*answers > 0, "nothing was read");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_shown_on_a_slow_disk_is_there_after_a_kill() -> anyhow::Result<()> {
    rounds(Disk::Slow).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_shown_on_a_failing_disk_is_there_after_a_kill() -> anyhow::Result<()> {
    rounds(Disk::Failing).await
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "whoever reads the results should know that it was left out")]
async fn what_was_shown_on_a_full_disk_is_there_after_a_kill() -> anyhow::Result<()> {
    let probe = tempfile::tempdir()?;
    if SmallDisk::mount(&probe.path().join("disk"), DISK_MIB)?.is_none() {
        println!("left out: this machine allows no mount, so there is no small disk to fill");
        return Ok(());
    }
    rounds(Disk::Full).await
}
