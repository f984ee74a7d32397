//! The kill test: one run of the real server, killed again and again, at random moments of the walk and of
//! start-up, and an account of every request that the upstream saw.

pub(crate) mod account;
mod report;

use std::collections::HashSet;
use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use price_cache_simulator::{Catalogue, FaultKind, Faults, Handle, Latency, Options, Simulator};

use self::account::Costs;
pub use self::report::KillReport;
use crate::sources::Source;
use crate::{Api, Scene, Settings, StatusView, within};

/// `run.undurable_records_max`: what a kill may cost per active market at most.
pub const UNDURABLE_RECORDS_MAX: u32 = 16;
/// Products that have no price, in per mille: failed products must survive kills as well.
const UNKNOWN_PER_MILLE: u16 = 20;
/// One kill in so many hits a server that is starting.
const STARTING_ONE_IN: u32 = 4;
/// After one kill in so many the store is examined before a server opens it again.
const DOCTOR_ONE_IN: u32 = 2;
/// The pause between two looks at the server.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);
/// Calls of the log that are read before a kill.
const LOG_READ: usize = 200;
/// Calls that a server keeps.
const LOG_KEPT: usize = 10_000;

/// How long the disk takes for a small write at most, from a few tries: what an upstream must be slower than for a kill
/// to cost one record per market and no more.
///
/// # Errors
/// The disk refuses.
pub fn disk_time() -> anyhow::Result<Duration> {
    const TRIES: usize = 20;
    const BYTES: usize = 4096;
    let mut file = tempfile::tempfile()?;
    let mut slowest = Duration::ZERO;
    for _ in 0..TRIES {
        let begun = Instant::now();
        file.write_all(&[7; BYTES])?;
        file.sync_data()?;
        slowest = slowest.max(begun.elapsed());
    }
    Ok(slowest)
}

/// What is to be killed, and how often.
#[derive(Clone, Debug)]
pub struct KillTest {
    /// Decides the moments, as far as a seed can.
    pub seed: u64,
    /// How many kills.
    pub kills: u32,
    /// Markets of the run.
    pub markets: u32,
    /// Products of each market.
    pub products: u32,
    /// `run.parallel_markets`.
    pub parallel_markets: u32,
    /// How long the upstream takes for an answer.
    pub latency: Duration,
}

impl KillTest {
    /// As many kills as `PRICE_CACHE_KILLS` says, or `kills`; with the seed of `PRICE_CACHE_SEED`, or any. The run has
    /// at least 5,600 pairs, and as many more as it takes to be killed that often.
    pub fn of_environment(kills: u32) -> Self {
        let variable = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
        let kills =
            variable("PRICE_CACHE_KILLS").and_then(|kills| u32::try_from(kills).ok()).unwrap_or(kills);
        Self {
            seed: variable("PRICE_CACHE_SEED").unwrap_or_else(|| fastrand::u64(..)),
            kills,
            markets: 8,
            products: kills.saturating_mul(40).max(700),
            parallel_markets: 4,
            latency: Duration::ZERO,
        }
    }

    fn pairs(&self) -> u32 {
        self.markets * self.products
    }

    /// Does it.
    ///
    /// # Errors
    /// A promise was broken: something that had been shown was missing after a kill, a number contradicts
    /// another, or a request of the upstream is not explained.
    pub async fn run(&self) -> anyhow::Result<KillReport> {
        let mut scene = Scene::empty()?;
        scene.quiet();
        let result = self.kill_and_account(&scene).await;
        result.with_context(|| format!("{self:?}; the programs said:\n{}", scene.stderr_end()))
    }

    async fn kill_and_account(&self, scene: &Scene) -> anyhow::Result<KillReport> {
        let begun = Instant::now();
        let faults =
            Faults { permanent: [(FaultKind::Status(404), UNKNOWN_PER_MILLE)].into(), ..Faults::default() };
        let simulator = Simulator::start(Options {
            seed: self.seed,
            faults,
            latency: Latency::fixed(self.latency),
            ..Options::new(Catalogue::synthetic(self.markets, self.products))
        })
        .await?;
        let settings = Settings { parallel_markets: self.parallel_markets, ..Settings::default() };
        scene.configure(&Source::rest(&simulator.base_url()).to_string(), &settings)?;

        let mut killer = Killer {
            test: self,
            scene,
            simulator: &simulator,
            random: fastrand::Rng::with_seed(self.seed),
            shown: Shown::default(),
            start_up: Duration::ZERO,
            kills: 0,
            kills_starting: 0,
            costs: Costs::default(),
        };
        killer.first_kill().await?;
        while killer.kills < self.kills && !killer.is_complete() {
            killer.next_kill().await?;
        }
        // A kill of a run that is over shows nothing.
        ensure!(killer.kills * 5 >= self.kills * 4, "the run was over after {} kills already", killer.kills);
        let server = scene.server().await?;
        let status = server.api.state("COMPLETED").await?;
        killer.check(&server.api).await?;
        account::records(&server.api, &status, &simulator.catalogue()).await?;
        let answer = server.terminate().await?;
        ensure!(answer == Some(0), "the server ended with {answer:?} after SIGTERM");
        killer.examine().await?;
        let report = KillReport {
            seed: self.seed,
            kills: killer.kills,
            kills_starting: killer.kills_starting,
            active_markets_max: self.parallel_markets,
            pairs: self.pairs(),
            requests: simulator.ledger().total_requests(),
            latency: self.latency,
            took: begun.elapsed(),
        };
        account::requests(&report, &simulator.ledger())?;
        Ok(report)
    }
}

/// What the server had shown before it was killed.
#[derive(Clone, Debug, Default)]
struct Shown {
    status: StatusView,
    calls: Vec<String>,
}

impl Shown {
    async fn by(api: &Api) -> anyhow::Result<Self> {
        let status = api.status().await?;
        let calls = api.log_ids(LOG_READ).await?;
        Ok(Self { status, calls })
    }
}

struct Killer<'a> {
    test: &'a KillTest,
    scene: &'a Scene,
    simulator: &'a Handle,
    random: fastrand::Rng,
    shown: Shown,
    /// How long a start-up took at last, and so in which time to kill one.
    start_up: Duration,
    kills: u32,
    kills_starting: u32,
    costs: Costs,
}

impl Killer<'_> {
    fn is_complete(&self) -> bool {
        self.shown.status.completed() >= u64::from(self.test.pairs())
    }

    /// As soon as the start was accepted: the run must know of it, though it has no plan yet.
    async fn first_kill(&mut self) -> anyhow::Result<()> {
        let begun = Instant::now();
        let mut server = self.scene.server().await?;
        self.start_up = begun.elapsed();
        server.api.start().await?;
        server.kill().await?;
        self.kills += 1;
        Ok(())
    }

    async fn next_kill(&mut self) -> anyhow::Result<()> {
        if self.random.u32(..STARTING_ONE_IN) == 0 {
            let moment = self.start_up.mul_f64(self.random.f64() * 1.2);
            let launch = self.scene.launch()?;
            tokio::time::sleep(moment).await;
            launch.kill().await?;
            self.kills_starting += 1;
        } else {
            self.kill_walking().await?;
        }
        self.kills += 1;
        if self.random.u32(..DOCTOR_ONE_IN) == 0 {
            self.examine().await?;
        }
        Ok(())
    }

    /// After a random number of requests from now, looking at the server until that very moment.
    async fn kill_walking(&mut self) -> anyhow::Result<()> {
        let begun = Instant::now();
        let requests = self.simulator.ledger().total_requests();
        let mut server = self.scene.server().await?;
        self.start_up = begun.elapsed();
        self.check(&server.api).await?;
        let left = u64::from(self.test.pairs()).saturating_sub(self.shown.status.completed());
        if left == 0 {
            return server.kill().await;
        }
        // On average so many that the kills are spread over the whole run, and never more than there will be.
        let most = left * 3 / 2 / u64::from(self.test.kills.saturating_sub(self.kills) + 1);
        let target = requests + u32::try_from(self.random.u64(1..=most.clamp(1, left)))?;
        let mut reached =
            std::pin::pin!(self.simulator.wait_until(move |ledger| ledger.total_requests() >= target));
        within("the moment of a kill", async {
            loop {
                tokio::select! {
                    biased;
                    () = &mut reached => return anyhow::Ok(()),
                    shown = Shown::by(&server.api) => self.shown = shown?,
                }
                tokio::time::sleep(LOOK_INTERVAL).await;
            }
        })
        .await??;
        // Not always right after a request.
        tokio::time::sleep(self.test.latency.mul_f64(self.random.f64())).await;
        server.kill().await
    }

    /// Checks that all that was shown before is still there, and that the run goes on.
    async fn check(&mut self, api: &Api) -> anyhow::Result<()> {
        let resumed = |status: &StatusView| {
            matches!(status.state.as_str(), "INITIALIZING" | "PROCESSING" | "COMPLETED")
        };
        let first = api.status().await?;
        first.continues(&self.shown.status)?;
        let status = api.status_where("that the run goes on by itself", resumed).await?;
        status.continues(&first)?;
        if status.state != "INITIALIZING" {
            ensure!(status.total() == u64::from(self.test.pairs()), "the totals changed: {:#}", status.json);
        }
        let known: HashSet<String> = api.log_ids(LOG_KEPT).await?.into_iter().collect();
        for call in &self.shown.calls {
            ensure!(known.contains(call), "the log had shown {call:?}, and it is gone");
        }
        self.shown = Shown::by(api).await?;
        Ok(())
    }

    /// Lets the doctor compare every counter with the records, and holds its counts against what the upstream saw.
    async fn examine(&mut self) -> anyhow::Result<()> {
        let examined = self.scene.run(&["doctor"]).await?.expect(0).context("after a kill")?;
        self.costs.add(&examined.stdout, &self.simulator.ledger(), self.kills)
    }
}
