//! One store under a real server, killed at random moments of its runs and of start-up, and an account of every request
//! that the upstream saw.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use price_cache_simulator::{Catalogue, FaultKind, Faults, Handle, Options, Simulator};
use serde_json::Value;

use crate::costs::{self, Costs};
use crate::options::SelfTest;
use crate::plan::Plan;
use crate::profile::UNSYNCED_WRITES_MAX;
use crate::promise::Promise;
use crate::shown::Shown;
use crate::stage::Stage;
use crate::{Api, Figures, Server, StatusView, account, within};

/// Products that have no price, in per mille: failed products must survive kills as well.
const UNKNOWN_PER_MILLE: u16 = 20;
/// The pause between two looks at the server.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// A store with its upstream, and what was seen of the run that goes over it.
pub(crate) struct Killer<'a> {
    test: &'a SelfTest,
    plan: Plan,
    stage: Stage<'a>,
    simulator: Handle,
    random: fastrand::Rng,
    shown: Shown,
    /// How long a start-up took at last, and so in which time to kill one.
    start_up: Duration,
    pairs: u32,
    /// Kills of this store.
    kills: u32,
    /// Kills of this run, and how many it is to have, if it lasts so long.
    run_kills: u32,
    run_kills_wanted: u32,
    /// The run before this one.
    run_before: Option<Value>,
    costs: Costs,
    /// Of all stores.
    figures: &'a mut Figures,
}

impl<'a> Killer<'a> {
    /// A new upstream and an empty store in `folder`.
    pub(crate) async fn new(
        test: &'a SelfTest,
        plan: Plan,
        folder: PathBuf,
        figures: &'a mut Figures,
    ) -> anyhow::Result<Self> {
        let seed = test.seed.wrapping_add(u64::from(figures.stores));
        let faults =
            Faults { permanent: [(FaultKind::Status(404), UNKNOWN_PER_MILLE)].into(), ..Faults::default() };
        let simulator = Simulator::start(Options {
            seed,
            faults,
            latency: test.latency,
            ..Options::new(Catalogue::synthetic(test.markets, plan.products))
        })
        .await?;
        let stage = Stage::new(folder, test, &simulator.base_url())?;
        figures.stores += 1;
        Ok(Self {
            test,
            plan,
            stage,
            simulator,
            random: fastrand::Rng::with_seed(seed),
            shown: Shown::default(),
            start_up: Duration::ZERO,
            pairs: test.markets.saturating_mul(plan.products),
            kills: 0,
            run_kills: 0,
            run_kills_wanted: 0,
            run_before: None,
            costs: Costs::default(),
            figures,
        })
    }

    /// Kills until that was done often enough or the last run is over, then checks all that can be checked.
    pub(crate) async fn run(mut self, watch: &mut dyn FnMut(&Figures)) -> anyhow::Result<()> {
        // Now and then a store that is being made.
        if self.plan.is_small && self.plan.kills > self.plan.runs && self.random.bool() {
            self.kill_starting().await?;
        }
        for run in 0..self.plan.runs {
            self.run_kills_wanted = self.plan.kills_of_run(run, self.plan.kills - self.kills);
            self.one_run(watch).await?;
        }
        self.stage.remove();
        Ok(())
    }

    async fn one_run(&mut self, watch: &mut dyn FnMut(&Figures)) -> anyhow::Result<()> {
        self.figures.runs += 1;
        self.figures.pairs = self.figures.pairs.saturating_add(self.pairs);
        self.first_kill().await?;
        // A small store is killed while it starts also when its run is over.
        while self.run_kills < self.run_kills_wanted && (self.plan.is_small || !self.is_complete()) {
            watch(self.figures);
            self.next_kill().await?;
        }
        watch(self.figures);
        let server = self.server().await?;
        self.check(&server.api).await?;
        let status = server.api.state("COMPLETED").await;
        let status = status.map_err(|error| Promise::GoesOn.broken(format!("{error:#}")))?;
        status.continues(&self.shown.status)?;
        account::records(&server.api, &status, &self.simulator.catalogue()).await?;
        self.shown = Shown::by(&server.api).await?;
        ends_well(server).await?;
        self.examine().await?;
        let ledger = self.simulator.ledger();
        self.figures.requests += ledger.total_requests();
        let chances = self.run_kills.saturating_mul(self.test.parallel_markets);
        costs::explain(&ledger, self.pairs, chances.saturating_mul(self.test.kill_cost_max))?;
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.shown.status.completed() >= u64::from(self.pairs)
    }

    fn count_kill(&mut self) {
        self.kills += 1;
        self.run_kills += 1;
        self.figures.kills += 1;
    }

    /// As soon as the start was accepted: the run must know of it, though it has no plan yet.
    async fn first_kill(&mut self) -> anyhow::Result<()> {
        let mut server = self.server().await?;
        let before = self.shown.is_still_shown(&server.api).await?;
        self.run_before = before.run_id();
        // The server rests, so that all requests from now on are those of the new run.
        self.simulator.clear_ledger();
        (self.costs, self.run_kills, self.shown) = (Costs::default(), 0, Shown::default());
        server.api.start().await?;
        server.kill().await?;
        self.count_kill();
        Ok(())
    }

    async fn next_kill(&mut self) -> anyhow::Result<()> {
        // The second one always, so that no test is without it.
        let is_starting =
            self.kills == 1 || self.is_complete() || self.plan.next_is_starting(&mut self.random);
        if is_starting {
            self.kill_starting().await?;
        } else {
            self.kill_walking().await?;
        }
        if self.plan.is_examined(&mut self.random) {
            self.examine().await?;
        }
        Ok(())
    }

    async fn kill_starting(&mut self) -> anyhow::Result<()> {
        let moment = self.plan.moment(self.start_up, &mut self.random);
        let launch = self.stage.launch()?;
        tokio::time::sleep(moment).await;
        launch.kill().await?;
        self.figures.kills_starting += 1;
        self.count_kill();
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
            return ends_well(server).await;
        }
        // On average so many that the kills are spread over the whole run, and never more than there will be.
        let kills_left = self.run_kills_wanted.saturating_sub(self.run_kills);
        let most = left * 3 / 2 / u64::from(kills_left + 1);
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

    /// Looks at the server until the upstream has seen a number of requests.
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

    async fn server(&mut self) -> anyhow::Result<Server> {
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
        Promise::NothingTakenBack
            .kept(self.run_before.is_none() || first.run_id() != self.run_before, || {
                format!("a run was begun, and the one before it is there: {:#}", first.json)
            })?;
        let status = api.status_where("that the run goes on by itself", resumed).await;
        let status = status.map_err(|error| Promise::GoesOn.broken(format!("{error:#}")))?;
        status.continues(&first)?;
        if status.state != "INITIALIZING" {
            let is_whole = status.total() == u64::from(self.pairs);
            Promise::NothingTakenBack
                .kept(is_whole, || format!("the run had {} pairs and has {}", self.pairs, status.total()))?;
        }
        if self.run_before.is_some() {
            account::every_pair_is_served(api, self.pairs).await?;
        }
        self.shown = Shown::by(api).await?;
        self.figures.completed = self.shown.status.completed();
        Ok(())
    }

    /// Lets the doctor compare every counter with the records, and holds its counts against what the upstream saw.
    async fn examine(&mut self) -> anyhow::Result<()> {
        let found = self.stage.doctor().await?;
        self.costs.add(&found, &self.simulator.ledger(), self.run_kills, UNSYNCED_WRITES_MAX)
    }
}

/// Ends a server as a service manager does.
async fn ends_well(server: Server) -> anyhow::Result<()> {
    let ended = server.terminate().await?;
    Ok(Promise::GoesOn.kept(ended == Some(0), || format!("the server ended with {ended:?} after SIGTERM"))?)
}
