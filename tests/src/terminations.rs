//! The test of SIGTERM: one run of the real server, ended properly again and again, at random moments of the
//! walk and of start-up.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use price_cache_selftest::records;
use price_cache_simulator::{Catalogue, FaultKind, Faults, Handle, Latency, Options, Simulator};

use crate::sources::Source;
use crate::{Api, Launch, PATIENCE, Scene, Server, Settings, Signal, StatusView, eventually, within};

/// What is promised for every end.
pub const SHUTDOWN_TIME_MAX: Duration = Duration::from_secs(5);
/// Markets of the run, all of which are walked at once.
const MARKETS: u32 = 4;
/// Products for each termination, over all markets.
const PRODUCTS_PER_TERMINATION: u32 = 24;
const LATENCY: Duration = Duration::from_millis(3);
/// Failed products must survive as well.
const UNKNOWN_PER_MILLE: u16 = 20;
/// One termination in this many hits a server that is starting.
const STARTING_ONE_IN: u32 = 5;
/// Calls of the log that are read before an end, and must be there after it.
const LOG_READ: usize = 100;
/// Calls that a server keeps.
const LOG_KEPT: usize = 10_000;
/// The pause between two looks at the server.
const LOOK_INTERVAL: Duration = Duration::from_millis(2);
/// What a server that opens its store has said before.
const RECOVERING: &str = "recovering the run";

/// How often a run is to be ended.
#[derive(Clone, Copy, Debug)]
pub struct TerminationTest {
    /// Decides the moments, as far as a seed can.
    pub seed: u64,
    /// How many ends.
    pub terminations: u32,
}

/// What came out.
#[derive(Clone, Copy, Debug)]
pub struct TerminationReport {
    /// What was done.
    pub test: TerminationTest,
    /// Ends of a server that was starting, among them.
    pub starting: u32,
    /// Times that the stored state was seen: PAUSED by a shutdown.
    pub seen_paused: u32,
    /// The longest time from SIGTERM to the end.
    pub slowest: Duration,
    /// Pairs of the run.
    pub pairs: u32,
    /// Requests that the upstream saw.
    pub requests: u32,
}

impl fmt::Display for TerminationReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} ends by SIGTERM, {} of them while starting, the slowest after {:.0?}; PAUSED by a shutdown was \
             seen {} times; {} requests for {} pairs; seed {}",
            self.test.terminations,
            self.starting,
            self.slowest,
            self.seen_paused,
            self.requests,
            self.pairs,
            self.test.seed,
        )
    }
}

impl TerminationTest {
    /// As many ends as `PRICE_CACHE_TERMINATIONS` says, or `terminations`; with the seed of `PRICE_CACHE_SEED`, or any.
    pub fn of_environment(terminations: u32) -> Self {
        let variable = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
        let asked = variable("PRICE_CACHE_TERMINATIONS").and_then(|count| u32::try_from(count).ok());
        Self {
            seed: variable("PRICE_CACHE_SEED").unwrap_or_else(|| fastrand::u64(..)),
            terminations: asked.unwrap_or(terminations),
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// An end took too long or was not a good one, something that had been shown was missing after it, or the upstream
    /// was asked for more than what was under way when the run was paused.
    pub async fn run(&self) -> anyhow::Result<TerminationReport> {
        let mut scene = Scene::empty()?;
        scene.quiet();
        let result = self.terminate_and_account(&scene).await;
        result.with_context(|| format!("{self:?}; the programs said:\n{}", scene.stderr_end()))
    }

    async fn terminate_and_account(&self, scene: &Scene) -> anyhow::Result<TerminationReport> {
        let products = (self.terminations * PRODUCTS_PER_TERMINATION).div_ceil(MARKETS);
        let permanent = [(FaultKind::Status(404), UNKNOWN_PER_MILLE)].into();
        let simulator = Simulator::start(Options {
            seed: self.seed,
            faults: Faults { permanent, ..Faults::default() },
            latency: Latency::fixed(LATENCY),
            ..Options::new(Catalogue::synthetic(MARKETS, products))
        })
        .await?;
        let report = TerminationReport {
            test: *self,
            starting: 0,
            seen_paused: 0,
            slowest: Duration::ZERO,
            pairs: MARKETS * products,
            requests: 0,
        };
        let mut terminator = Terminator {
            scene,
            simulator: &simulator,
            random: fastrand::Rng::with_seed(self.seed),
            shown: StatusView::default(),
            calls: Vec::new(),
            start_up: Duration::ZERO,
            report,
        };
        terminator.configure(true)?;
        terminator.begin().await?;
        for left in (1..self.terminations).rev() {
            terminator.next(left + 1).await?;
        }
        terminator.end().await
    }
}

struct Terminator<'a> {
    scene: &'a Scene,
    simulator: &'a Handle,
    random: fastrand::Rng,
    shown: StatusView,
    calls: Vec<String>,
    /// How long a start-up took at last, and so in which time to end one.
    start_up: Duration,
    report: TerminationReport,
}

impl Terminator<'_> {
    fn configure(&self, resume_interrupted: bool) -> anyhow::Result<()> {
        let run = format!("resume_interrupted = {resume_interrupted}");
        let settings = Settings { parallel_markets: MARKETS, run, ..Settings::default() };
        self.scene.configure(&Source::rest(&self.simulator.base_url()).to_string(), &settings)
    }

    /// As soon as the start was accepted.
    async fn begin(&mut self) -> anyhow::Result<()> {
        let begun = Instant::now();
        let server = self.scene.server().await?;
        self.start_up = begun.elapsed();
        server.api.start().await?;
        self.terminate(server).await
    }

    async fn next(&mut self, left: u32) -> anyhow::Result<()> {
        let resumes = self.random.bool();
        self.configure(resumes)?;
        if self.random.u32(..STARTING_ONE_IN) == 0 {
            return self.terminate_starting().await;
        }
        let server = self.server(resumes).await?;
        // On average so many that the ends are spread over the whole run.
        let pairs_left = u64::from(self.report.pairs).saturating_sub(self.shown.completed());
        let most = u32::try_from((pairs_left * 3 / 2 / u64::from(left)).clamp(1, pairs_left.max(1)))?;
        let target = self.simulator.ledger().total_requests() + self.random.u32(1..=most);
        let reached = self.simulator.wait_until(move |ledger| ledger.total_requests() >= target);
        self.look(&server.api, reached).await?;
        // Not always right after a request.
        tokio::time::sleep(LATENCY.mul_f64(self.random.f64())).await;
        self.terminate(server).await
    }

    /// A server that has taken over what the one before left.
    async fn server(&mut self, resumes: bool) -> anyhow::Result<Server> {
        let begun = Instant::now();
        let server = self.scene.server().await?;
        self.start_up = begun.elapsed();
        let first = server.api.status().await?;
        first.continues(&self.shown)?;
        let known = server.api.log_ids(LOG_KEPT).await?;
        for call in &self.calls {
            ensure!(known.contains(call), "the log had shown {call:?}, and it is gone");
        }
        if !resumes && first.state != "COMPLETED" {
            ensure!(first.state == "PAUSED", "not to resume was asked for: {:#}", first.json);
            ensure!(first.paused_reason.as_deref() == Some("shutdown"), "{:#}", first.json);
            self.report.seen_paused += 1;
            server.api.start().await?;
        }
        let goes_on = |status: &StatusView| {
            matches!(status.state.as_str(), "INITIALIZING" | "PROCESSING" | "COMPLETED")
        };
        self.shown = server.api.status_where("that the run goes on", goes_on).await?;
        self.shown.continues(&first)?;
        Ok(server)
    }

    /// Looks at the server until the moment has come, or the run is over.
    async fn look(&mut self, api: &Api, moment: impl Future<Output = ()>) -> anyhow::Result<()> {
        let mut moment = std::pin::pin!(moment);
        while self.shown.state != "COMPLETED" {
            tokio::select! {
                biased;
                () = &mut moment => break,
                shown = async { anyhow::Ok((api.status().await?, api.log_ids(LOG_READ).await?)) } => {
                    (self.shown, self.calls) = shown?;
                }
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
        Ok(())
    }

    async fn terminate_starting(&mut self) -> anyhow::Result<()> {
        let said = || self.scene.stderr().matches(RECOVERING).count();
        let before = said();
        let launch = self.scene.launch()?;
        eventually("that a server opens its store", PATIENCE, async || Ok((said() > before).then_some(())))
            .await?;
        tokio::time::sleep(self.start_up.mul_f64(self.random.f64())).await;
        let told = Instant::now();
        launch.signal(Signal::Terminate)?;
        self.report.starting += 1;
        self.ended(told, launch).await
    }

    async fn terminate(&mut self, server: Server) -> anyhow::Result<()> {
        let told = Instant::now();
        server.signal(Signal::Terminate)?;
        self.ended(told, server.into()).await
    }

    async fn ended(&mut self, told: Instant, mut process: Launch) -> anyhow::Result<()> {
        let code = within("the end of a server", process.wait()).await??;
        let took = told.elapsed();
        ensure!(code == Some(0), "the server ended with {code:?} after SIGTERM");
        ensure!(took < SHUTDOWN_TIME_MAX, "the end took {took:?}");
        self.report.slowest = self.report.slowest.max(took);
        Ok(())
    }

    /// Lets the run come to its end, and accounts for every record and every request.
    async fn end(mut self) -> anyhow::Result<TerminationReport> {
        self.configure(true)?;
        let server = self.server(true).await?;
        let status = server.api.state("COMPLETED").await?;
        status.continues(&self.shown)?;
        records(&server.api, &status, &self.simulator.catalogue()).await?;
        self.terminate(server).await?;
        self.scene.run(&["doctor"]).await?.expect(0).context("after the last end")?;
        let ledger = self.simulator.ledger();
        self.report.requests = ledger.total_requests();
        let TerminationReport { pairs, requests, test, .. } = self.report;
        ensure!(ledger.max_in_flight_of_any_market() <= 1, "two requests of a market at once");
        ensure!(ledger.pairs_requested() == pairs as usize, "{} pairs asked for", ledger.pairs_requested());
        // What is recorded is kept; only what was under way in each market is asked for again.
        ensure!(
            requests - pairs <= test.terminations * MARKETS,
            "{requests} requests for {pairs} pairs in {} terminations",
            test.terminations
        );
        Ok(self.report)
    }
}
