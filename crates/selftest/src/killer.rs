//! One run of a real server, killed at random moments of the walk and of start-up, and an account of every request
//! that the upstream saw.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use price_cache_simulator::{Catalogue, FaultKind, Faults, Handle, Options, Simulator};

use crate::costs::{self, Costs};
use crate::promise::Promise;
use crate::shown::Shown;
use crate::stage::Stage;
use crate::{Api, Figures, SelfTest, StatusView, account, within};

/// `run.undurable_records_max`: what a kill may cost per active market at most, the request in flight included.
pub const UNDURABLE_RECORDS_MAX: u32 = 16;
/// Products that have no price, in per mille: failed products must survive kills as well.
const UNKNOWN_PER_MILLE: u16 = 20;
/// One kill in so many hits a server that is starting.
const STARTING_ONE_IN: u32 = 4;
/// After one kill in so many the store is examined before a server opens it again.
const DOCTOR_ONE_IN: u32 = 2;
/// The pause between two looks at the server.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// A run with its upstream, and what was seen of it.
pub(crate) struct Killer<'a> {
    test: &'a SelfTest,
    stage: Stage<'a>,
    simulator: Handle,
    random: fastrand::Rng,
    shown: Shown,
    /// How long a start-up took at last, and so in which time to kill one.
    start_up: Duration,
    pairs: u32,
    /// Kills of this run.
    kills: u32,
    /// Kills that this run is to have, if it lasts so long.
    kills_wanted: u32,
    costs: Costs,
    /// Of all runs.
    figures: &'a mut Figures,
}

impl<'a> Killer<'a> {
    /// A new upstream and an empty store in `folder`, for as many kills as are left.
    pub(crate) async fn new(
        test: &'a SelfTest,
        folder: PathBuf,
        figures: &'a mut Figures,
    ) -> anyhow::Result<Self> {
        let kills_wanted = test.kills - figures.kills;
        let seed = test.seed.wrapping_add(u64::from(figures.runs));
        let products = kills_wanted.saturating_mul(test.products_per_kill).max(test.products_min);
        let faults =
            Faults { permanent: [(FaultKind::Status(404), UNKNOWN_PER_MILLE)].into(), ..Faults::default() };
        let simulator = Simulator::start(Options {
            seed,
            faults,
            latency: test.latency,
            ..Options::new(Catalogue::synthetic(test.markets, products))
        })
        .await?;
        let stage = Stage::new(folder, test, &simulator.base_url())?;
        let pairs = test.markets.saturating_mul(products);
        figures.runs += 1;
        figures.pairs = figures.pairs.saturating_add(pairs);
        Ok(Self {
            test,
            stage,
            simulator,
            random: fastrand::Rng::with_seed(seed),
            shown: Shown::default(),
            start_up: Duration::ZERO,
            pairs,
            kills: 0,
            kills_wanted,
            costs: Costs::default(),
            figures,
        })
    }

    /// Kills until that was done often enough or the run is over, then checks all that can be checked.
    pub(crate) async fn run(mut self, watch: &mut dyn FnMut(&Figures)) -> anyhow::Result<()> {
        self.first_kill().await?;
        while self.kills < self.kills_wanted && !self.is_complete() {
            watch(self.figures);
            self.next_kill().await?;
        }
        watch(self.figures);
        let server = self.stage.server().await?;
        self.check(&server.api).await?;
        let status = server.api.state("COMPLETED").await;
        let status = status.map_err(|error| Promise::GoesOn.broken(format!("{error:#}")))?;
        status.continues(&self.shown.status)?;
        account::records(&server.api, &status, &self.simulator.catalogue()).await?;
        let ended = server.terminate().await?;
        Promise::GoesOn
            .kept(ended == Some(0), || format!("the server ended with {ended:?} after SIGTERM"))?;
        self.examine().await?;
        let ledger = self.simulator.ledger();
        self.figures.requests += ledger.total_requests();
        let chances = self.kills.saturating_mul(self.test.parallel_markets);
        costs::explain(&ledger, self.pairs, chances.saturating_mul(self.test.kill_cost_max))?;
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.shown.status.completed() >= u64::from(self.pairs)
    }

    fn count_kill(&mut self) {
        self.kills += 1;
        self.figures.kills += 1;
    }

    /// As soon as the start was accepted: the run must know of it, though it has no plan yet.
    async fn first_kill(&mut self) -> anyhow::Result<()> {
        let mut server = self.server().await?;
        server.api.start().await?;
        server.kill().await?;
        self.count_kill();
        Ok(())
    }

    async fn next_kill(&mut self) -> anyhow::Result<()> {
        // The second one always, so that no test is without it.
        if self.kills == 1 || self.random.u32(..STARTING_ONE_IN) == 0 {
            let moment = self.start_up.mul_f64(self.random.f64() * 1.2);
            let launch = self.stage.launch()?;
            tokio::time::sleep(moment).await;
            launch.kill().await?;
            self.figures.kills_starting += 1;
            self.count_kill();
        } else {
            self.kill_walking().await?;
        }
        if self.random.u32(..DOCTOR_ONE_IN) == 0 {
            self.examine().await?;
        }
        Ok(())
    }

    /// After a random number of requests from now, looking at the server until that very moment. A run that turns out
    /// to be over is left alone: a kill of it would show nothing.
    async fn kill_walking(&mut self) -> anyhow::Result<()> {
        let requests = self.simulator.ledger().total_requests();
        let mut server = self.server().await?;
        self.check(&server.api).await?;
        let left = u64::from(self.pairs).saturating_sub(self.shown.status.completed());
        if left == 0 {
            let ended = server.terminate().await?;
            Promise::GoesOn
                .kept(ended == Some(0), || format!("the server ended with {ended:?} after SIGTERM"))?;
            return Ok(());
        }
        // On average so many that the kills are spread over the whole run, and never more than there will be.
        let most = left * 3 / 2 / u64::from(self.kills_wanted.saturating_sub(self.kills) + 1);
        let target = requests + u32::try_from(self.random.u64(1..=most.clamp(1, left)))?;
        let looking = within("the moment of a kill", self.look_until(target, &server.api));
        looking.await.map_err(|error| Promise::GoesOn.broken(format!("{error:#}")))??;
        // Not always right after a request.
        let latency = self.test.latency.fixed + self.test.latency.jitter;
        tokio::time::sleep(latency.mul_f64(self.random.f64())).await;
        server.kill().await?;
        self.count_kill();
        Ok(())
    }

    /// Looks at the server until the upstream has seen so many requests.
    async fn look_until(&mut self, requests: u32, api: &Api) -> anyhow::Result<()> {
        let reached = self.simulator.wait_until(move |ledger| ledger.total_requests() >= requests);
        let mut reached = std::pin::pin!(reached);
        loop {
            tokio::select! {
                biased;
                () = &mut reached => return Ok(()),
                shown = Shown::by(api) => self.shown = shown?,
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }

    async fn server(&mut self) -> anyhow::Result<crate::Server> {
        let begun = Instant::now();
        let server = self.stage.server().await?;
        self.start_up = begun.elapsed();
        self.figures.slowest_restart = self.figures.slowest_restart.max(self.start_up);
        Ok(server)
    }

    /// Checks that all that was shown before is still there, and that the run goes on.
    async fn check(&mut self, api: &Api) -> anyhow::Result<()> {
        let resumed = |status: &StatusView| {
            matches!(status.state.as_str(), "INITIALIZING" | "PROCESSING" | "COMPLETED")
        };
        let first = self.shown.is_still_shown(api).await?;
        let status = api.status_where("that the run goes on by itself", resumed).await;
        let status = status.map_err(|error| Promise::GoesOn.broken(format!("{error:#}")))?;
        status.continues(&first)?;
        if status.state != "INITIALIZING" {
            let is_whole = status.total() == u64::from(self.pairs);
            Promise::NothingTakenBack
                .kept(is_whole, || format!("the run had {} pairs and has {}", self.pairs, status.total()))?;
        }
        self.shown = Shown::by(api).await?;
        self.figures.completed = self.shown.status.completed();
        Ok(())
    }

    /// Lets the doctor compare every counter with the records, and holds its counts against what the upstream saw.
    async fn examine(&mut self) -> anyhow::Result<()> {
        let found = self.stage.doctor().await?;
        self.costs.add(&found, &self.simulator.ledger(), self.kills, UNDURABLE_RECORDS_MAX)
    }
}
