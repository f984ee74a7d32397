//! Starts on a full disk: the disk fills while a run goes on, the server is killed, and started on the full disk. It serves, or it
//! waits and says why; with space again it goes on by itself. The doctor looks at the store meanwhile and changes nothing.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use price_cache_selftest::records;
use price_cache_simulator::{Catalogue, FaultKind, Faults, Latency, Options};
use price_cache_tests::kills::variable;
use price_cache_tests::{Digest, Launch, PATIENCE, Raw, Server, Settings, SmallDisk, StatusView, eventually};

use crate::recovering::address_told;
use crate::stage::Stage;

const MARKETS: u32 = 4;
/// Rounds unless `PRICE_CACHE_FULL_DISK_ROUNDS` says otherwise: each takes the 2 s after which a run goes on by itself.
const ROUNDS_DEFAULT: u64 = 3;
/// Rounds on one disk and with one store at most.
const ROUNDS_PER_DISK: u64 = 6;
const PAIRS: std::ops::RangeInclusive<u32> = 300..=2_000;
const DISK_MIB: std::ops::RangeInclusive<u32> = 12..=60;
/// Failed products must survive as well.
const UNKNOWN_PER_MILLE: u16 = 20;

/// What the rounds showed.
#[derive(Debug, Default)]
struct Sum {
    rounds: u64,
    disks: u64,
    on_ext4: u64,
    /// Starts on the full disk that served, and those that waited for space.
    served: u64,
    waited: u64,
    /// Looks of the doctor that found the store healthy, and those for which there was no room.
    looked: u64,
    had_no_room: u64,
    kills: u64,
}

/// A store on a small disk. Fields are dropped in this order: the folder goes when nothing is mounted in it.
struct Round {
    disk: SmallDisk,
    stage: Stage,
    shown: StatusView,
    random: fastrand::Rng,
}

/// A server on the full disk.
enum Started {
    Serves(Server),
    /// It is alive and has no store yet.
    Waits(Launch),
}

impl Round {
    async fn new(random: &mut fastrand::Rng, sum: &mut Sum) -> anyhow::Result<Option<Self>> {
        let settings = Settings { storage: "disk/data".into(), ..Settings::default() };
        let permanent = [(FaultKind::Status(404), UNKNOWN_PER_MILLE)].into();
        let options = Options {
            seed: random.u64(..),
            faults: Faults { permanent, ..Faults::default() },
            latency: Latency::fixed(Duration::from_millis(1)),
            ..Options::new(Catalogue::synthetic(MARKETS, random.u32(PAIRS) / MARKETS))
        };
        let stage = Stage::with(options, &settings).await?;
        let (folder, mib) = (stage.scene.path("disk"), random.u32(DISK_MIB));
        sum.disks += 1;
        // Every second disk is one of a real file system, where that is allowed.
        if sum.disks.is_multiple_of(2)
            && let Some(disk) = SmallDisk::mount_ext4(&folder, mib)?
        {
            sum.on_ext4 += 1;
            return Ok(Some(Self { disk, stage, shown: StatusView::default(), random: random.fork() }));
        }
        let disk = SmallDisk::mount(&folder, mib)?;
        Ok(disk.map(|disk| Self { disk, stage, shown: StatusView::default(), random: random.fork() }))
    }

    fn store(&self) -> PathBuf {
        self.stage.scene.path("disk/data")
    }

    /// A run, after the last one was completed; the disk fills in its middle, and the server is killed on it.
    async fn fill_and_kill(&mut self, mut server: Server) -> anyhow::Result<()> {
        let status = server.api.status().await?;
        if matches!(status.state.as_str(), "IDLE" | "COMPLETED") {
            // A server that met the full disk asks for space every other second.
            let accepted = async || server.api.start().await.map(Some);
            eventually("that a start is accepted", PATIENCE, accepted).await?;
            // A short run may be over before anybody has looked.
            let before = status.run_id();
            let planned = |status: &StatusView| status.state != "INITIALIZING" && status.run_id() != before;
            self.shown = server.api.status_where("that a run has begun", planned).await?;
        }
        let left = u32::try_from(self.shown.total().saturating_sub(self.shown.completed()))?.max(1);
        let target = u64::from(self.random.u32(1..=left)) + self.shown.completed();
        let far_enough = |status: &StatusView| {
            status.completed() >= target || matches!(status.state.as_str(), "COMPLETED" | "ERROR")
        };
        let status = server.api.status_where(&format!("{target} products"), far_enough).await?;
        self.shown_by(status)?;
        self.disk.fill()?;
        // Sometimes at once, sometimes when the run has noticed.
        if self.random.bool() {
            let noticed = server.api.status_where("an end", |status| status.state != "PROCESSING").await?;
            self.shown_by(noticed)?;
        }
        server.kill().await
    }

    fn shown_by(&mut self, status: StatusView) -> anyhow::Result<()> {
        status.continues(&self.shown)?;
        self.shown = status;
        Ok(())
    }

    /// The doctor looks at the store on the full disk, and not a byte is another afterwards.
    async fn doctor_only_looks(&self, sum: &mut Sum) -> anyhow::Result<()> {
        let before = Digest::of(&self.store())?;
        let done = self.stage.scene.run(&["doctor"]).await?;
        let changes = before.changes(&Digest::of(&self.store())?);
        ensure!(changes.is_empty(), "the doctor changed the store: {}", changes.join(", "));
        match done.code {
            Some(0) => sum.looked += 1,
            _ if says_full(&done.stderr) => sum.had_no_room += 1,
            code => anyhow::bail!("the doctor ended with {code:?}: {}", done.stderr),
        }
        Ok(())
    }

    /// A server on the full disk: it serves everything that was shown, or it is alive and says that the disk is full.
    async fn start_on_full_disk(&self) -> anyhow::Result<Started> {
        let told_before = self.stage.scene.stderr().len();
        let mut launch = self.stage.scene.launch()?;
        let address = address_told(&self.stage, told_before);
        let waits = async { waits_for_space(address.await?).await };
        let api = tokio::select! {
            biased;
            api = launch.told() => api?,
            waits = waits => {
                waits?;
                return Ok(Started::Waits(launch));
            }
        };
        let Some(api) = api else {
            anyhow::bail!("dead on the full disk: the server ended with {:?}", launch.wait().await?);
        };
        let server = launch.at(api);
        let status = server.api.status().await?;
        status.continues(&self.shown)?;
        Ok(Started::Serves(server))
    }

    /// With space again the server goes on by itself, with everything that was shown.
    async fn goes_on(&mut self, started: Started) -> anyhow::Result<Server> {
        let server = match started {
            Started::Serves(server) => server,
            Started::Waits(launch) => launch.listening().await.context("with space again")?,
        };
        let goes_on = |status: &StatusView| matches!(status.state.as_str(), "PROCESSING" | "COMPLETED");
        let status = server.api.status_where("that the run goes on by itself", goes_on).await?;
        self.shown_by(status)?;
        Ok(server)
    }

    async fn one(&mut self, server: Server, sum: &mut Sum) -> anyhow::Result<Server> {
        self.fill_and_kill(server).await?;
        sum.kills += 1;
        let mut starts_left = self.random.u32(1..=3);
        loop {
            self.doctor_only_looks(sum).await?;
            let started = self.start_on_full_disk().await?;
            match &started {
                Started::Serves(_) => sum.served += 1,
                Started::Waits(_) => sum.waited += 1,
            }
            starts_left -= 1;
            if starts_left == 0 {
                self.disk.free()?;
                return self.goes_on(started).await;
            }
            match started {
                Started::Serves(mut server) => server.kill().await?,
                Started::Waits(launch) => launch.kill().await?,
            }
            sum.kills += 1;
        }
    }

    /// The last run goes to its end, and every pair has its record.
    async fn end(self, server: Server) -> anyhow::Result<()> {
        let done = server.api.state("COMPLETED").await?;
        done.continues(&self.shown)?;
        records(&server.api, &done, &self.stage.simulator.catalogue()).await?;
        ensure!(server.terminate().await? == Some(0), "it ends well");
        self.stage.scene.run(&["doctor"]).await?.expect(0)?;
        Ok(())
    }
}

fn says_full(text: &str) -> bool {
    let text = text.to_lowercase();
    ["full", "space", "room"].iter().any(|word| text.contains(word))
}

/// The server is alive, not ready, says when to ask again, and that the disk is full.
async fn waits_for_space(address: std::net::SocketAddr) -> anyhow::Result<()> {
    eventually("a server that says that the disk is full", PATIENCE, async || {
        let mut client = Raw::open(address).await?;
        client.send(format!("GET /health/ready HTTP/1.1\r\nhost: {address}\r\n\r\n")).await?;
        let answer = client.answer().await?;
        let told = String::from_utf8_lossy(&answer.body).into_owned();
        // A server that recovers says so first.
        Ok((answer.status == 503 && answer.header("retry-after").is_some() && says_full(&told)).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "the seed and the figures are of interest, and what was left out")]
async fn a_start_on_a_full_disk_loses_nothing_and_goes_on_when_there_is_space() -> anyhow::Result<()> {
    let seed = variable("PRICE_CACHE_SEED").unwrap_or_else(|| fastrand::u64(..));
    let wanted = variable("PRICE_CACHE_FULL_DISK_ROUNDS").unwrap_or(ROUNDS_DEFAULT);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut sum = Sum::default();
    while sum.rounds < wanted {
        let Some(mut round) = Round::new(&mut random, &mut sum).await? else {
            println!("left out: this machine allows no mount, so there is no small disk to fill");
            return Ok(());
        };
        let mut server = round.stage.scene.server().await?;
        let rounds = random.u64(1..=ROUNDS_PER_DISK).min(wanted - sum.rounds).min(wanted.div_ceil(2));
        for _ in 0..rounds {
            sum.rounds += 1;
            let one = round.one(server, &mut sum).await;
            server = one.with_context(|| format!("round {} with seed {seed}; {sum:?}", sum.rounds))?;
        }
        round.end(server).await.with_context(|| format!("after round {} with seed {seed}", sum.rounds))?;
    }
    println!("{sum:?}");
    if sum.on_ext4 == 0 {
        println!("left out: this machine allows no loop device with ext4, or too few disks were asked for");
    }
    Ok(())
}
