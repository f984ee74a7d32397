//! Every step of a recovery: a server that opens a store after a crash is killed at each call that changes the disk, and the
//! one after it at another one; or the call fails. Whatever happens, the store is healthy in the end.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use price_cache_simulator::Catalogue;
use price_cache_tests::injected::{Start, Step, paths_of, start_and_kill_at, start_with};
use price_cache_tests::injection::Injection;
use price_cache_tests::kills::variable;
use price_cache_tests::trace::obstacle;
use price_cache_tests::{Digest, Settings, StatusView, store_of_environment};
use serde_json::Value;

use crate::stage::Stage;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/killed-mid-run.tgz");
const MARKETS: u32 = 4;
/// The sizes of the stores, in pairs: the log of a small one has a segment or two, and little to fall back on.
const PAIRS: [u32; 2] = [300, 1_600];
/// Steps of a store at which a start is killed, and calls that fail. `PRICE_CACHE_ALL_STEPS` asks for all of them, and says of
/// how many stores of each size, beside that of the fixture.
const STEPS_DEFAULT: usize = 4;
/// The same for the store of the fixture, which is the most delicate one.
const STEPS_OF_FIXTURE: usize = 16;
/// Kills of the second start for each kill of the first one, when all steps are asked for.
const SECOND_KILLS: usize = 4;
/// Broken cases that are told.
const BROKEN_SHOWN: usize = 12;
/// How long a start with a failing disk may go on before it is killed: it may serve, end, or wait for a better disk.
const FAILING_TIME: Duration = Duration::from_millis(700);

/// What a store holds.
#[derive(Debug)]
struct Known {
    status: StatusView,
    entries: BTreeMap<(String, String), Value>,
}

/// A store as a kill in the middle of a run left it, and what it holds.
struct Crashed {
    stage: Stage,
    known: Known,
    data: PathBuf,
    /// Whether the upstream is there with which the run can go on.
    goes_on: bool,
}

/// How many stores of each size are tried with all steps; `None` where some steps are enough.
fn thorough() -> Option<usize> {
    variable("PRICE_CACHE_ALL_STEPS").and_then(|stores| usize::try_from(stores).ok())
}

impl Crashed {
    /// A store with a history that is another one for each number: what an open finds in the log depends on the opens and runs
    /// before it.
    async fn new(number: usize, pairs: u32) -> anyhow::Result<Self> {
        let settings = Settings { run: "resume_interrupted = false".to_owned(), ..Settings::default() };
        let stage = Stage::new(Catalogue::synthetic(MARKETS, pairs / MARKETS), &settings).await?;
        if number % 2 == 1 {
            ensure!(stage.completed().await?.terminate().await? == Some(0), "it ends well");
            stage.simulator.clear_ledger();
        }
        for _ in 0..=number / 2 % 3 {
            stage.scene.server().await?.kill().await?;
        }
        let mut server = stage.scene.server().await?;
        server.api.start().await?;
        stage.requests(fastrand::u32(pairs / 3..pairs * 9 / 10)).await?;
        server.kill().await?;
        fs::rename(stage.scene.path("data"), stage.scene.path("left"))?;
        let crashed = Self::left(stage, true).await?;
        ensure!(crashed.known.entries.len() as u32 >= pairs / 4, "too few records to lose");
        Ok(crashed)
    }

    /// The store of the fixture, which a kill in mid-run left: one that sled loses when it has to do without its snapshot.
    async fn fixture() -> anyhow::Result<Self> {
        let settings =
            Settings { store: None, run: "resume_interrupted = false".to_owned(), ..Settings::default() };
        let stage = Stage::new(Catalogue::synthetic(1, 1), &settings).await?;
        let unpack = format!("tar xzf '{FIXTURE}' && mv store-B-killed left && touch left/lock");
        stage.scene.shell(&unpack).await?.expect(0)?;
        Self::left(stage, false).await
    }

    /// What a kill left in the folder `left`.
    async fn left(stage: Stage, goes_on: bool) -> anyhow::Result<Self> {
        let known = Known { status: StatusView::default(), entries: BTreeMap::new() };
        let data = stage.scene.path("data");
        let mut crashed = Self { stage, known, data, goes_on };
        crashed.put_back().await?;
        let server = crashed.stage.scene.server().await?;
        crashed.known = crashed.read(&server).await?;
        ensure!(server.terminate().await? == Some(0), "it ends well");
        // A store that has its reserve already has fewer steps.
        crashed
            .stage
            .scene
            .shell("[ ! -f data/reserve ] || cp data/reserve left/reserve")
            .await?
            .expect(0)?;
        Ok(crashed)
    }

    /// The store as the kill left it.
    async fn put_back(&self) -> anyhow::Result<()> {
        self.stage.scene.shell("rm -rf data && cp -a left data").await?.expect(0)?;
        Ok(())
    }

    async fn read(&self, server: &price_cache_tests::Server) -> anyhow::Result<Known> {
        let status = server.api.status().await?;
        let mut entries = BTreeMap::new();
        for market in status.markets.keys() {
            for mut entry in server.api.prices(market).await? {
                let product = entry["product_id"].as_str().context("an entry without a product")?.to_owned();
                entry["age_seconds"].take();
                entries.insert((market.clone(), product), entry);
            }
        }
        Ok(Known { status, entries })
    }

    /// The doctor finds the store healthy and changes nothing; a server has every record, and the run goes on to its end.
    async fn is_healthy(&self) -> anyhow::Result<()> {
        let before = Digest::of(&self.data)?;
        self.stage.scene.run(&["doctor"]).await?.expect(0)?;
        let changes = before.changes(&Digest::of(&self.data)?);
        ensure!(changes.is_empty(), "the doctor changed the store: {}", changes.join(", "));
        let server = self.stage.scene.server().await?;
        let now = self.read(&server).await?;
        now.status.continues(&self.known.status)?;
        for (pair, entry) in &self.known.entries {
            ensure!(now.entries.get(pair) == Some(entry), "{entry} became {:?}", now.entries.get(pair));
        }
        if self.goes_on {
            server.api.start().await?;
            let done = server.api.state("COMPLETED").await?;
            ensure!(done.completed() == done.total(), "{:#}", done.json);
        }
        ensure!(server.terminate().await? == Some(0), "it ends well");
        Ok(())
    }

    /// Every call of an undisturbed start.
    async fn steps(&self) -> anyhow::Result<Vec<Step>> {
        self.put_back().await?;
        match start_and_kill_at(&self.stage.scene, &self.data, None).await? {
            Start::Open(server, steps) => {
                ensure!(server.terminate().await? == Some(0), "it ends well");
                Ok(steps)
            }
            Start::Killed(step) => anyhow::bail!("killed at {step:?}, and nobody asked for it"),
        }
    }

    /// Kills the first start at one step and the second one at another; what was done.
    async fn kill_at(&self, first: usize, second: usize) -> anyhow::Result<Kills> {
        self.put_back().await?;
        let mut kills = Kills::default();
        for step in [first, second] {
            match start_and_kill_at(&self.stage.scene, &self.data, Some(step)).await {
                Ok(Start::Killed(step)) => kills.0.push(step.text),
                Ok(Start::Open(mut server, _)) => server.kill().await?,
                Err(error) => return Err(error.context(format!("refused after kills at {:?}", kills.0))),
            }
        }
        self.is_healthy().await.with_context(|| format!("kills at {:?}", kills.0))?;
        Ok(kills)
    }
}

/// The calls at which starts were killed.
#[derive(Debug, Default)]
struct Kills(Vec<String>);

#[expect(clippy::print_stdout, reason = "whoever reads the results should know what was left out")]
fn cannot_trace() -> bool {
    let obstacle = obstacle();
    if let Some(obstacle) = &obstacle {
        println!("left out: faults at each step of a recovery, because {obstacle}");
    }
    obstacle.is_some()
}

/// Some of so many, evenly spread; all of them where that was asked for.
fn some_of(count: usize, pairs: Option<u32>) -> impl Iterator<Item = usize> {
    let wanted = if pairs.is_some() { STEPS_DEFAULT } else { STEPS_OF_FIXTURE };
    let stride = if thorough().is_some() { 1 } else { count.div_ceil(wanted).max(1) };
    (stride / 2..count).step_by(stride)
}

/// The number and the size of each store; no size is that of the fixture, which is one of sled.
fn stores() -> Vec<(usize, Option<u32>)> {
    let count = thorough().unwrap_or(1);
    let made = PAIRS.into_iter().flat_map(|pairs| (0..count).map(move |store| (store, Some(pairs))));
    let is_sled = store_of_environment().is_none_or(|kind| kind == "sled");
    is_sled.then_some((0, None)).into_iter().chain(made).collect()
}

async fn crashed(store: usize, pairs: Option<u32>) -> anyhow::Result<Crashed> {
    match pairs {
        Some(pairs) => Crashed::new(store, pairs).await,
        None => Crashed::fixture().await,
    }
}

/// What came of the cases of all stores.
#[derive(Debug, Default)]
struct Outcome {
    stores: usize,
    steps: usize,
    cases: usize,
    kills: usize,
    ends: BTreeMap<&'static str, u32>,
    broken: Vec<String>,
}

impl Outcome {
    #[expect(clippy::print_stdout, reason = "the figures are of interest")]
    fn is_good(&self) -> anyhow::Result<()> {
        let Self { stores, steps, cases, kills, ends, broken } = self;
        println!(
            "{stores} stores, {steps} steps, {cases} cases, {kills} starts killed, other starts {ends:?}, {} broken",
            broken.len()
        );
        let first = broken.get(..broken.len().min(BROKEN_SHOWN)).unwrap_or_default();
        ensure!(broken.is_empty(), "{} of {cases} broken:\n{}", broken.len(), first.join("\n"));
        Ok(())
    }
}

/// The calls of a start, counted as `when=` counts: by name, for each thread.
fn places(steps: &[Step]) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut most: BTreeMap<&str, usize> = BTreeMap::new();
    for step in steps {
        let count = counts.entry((&step.thread, &step.call)).or_default();
        *count += 1;
        let most = most.entry(&step.call).or_default();
        *most = (*most).max(*count);
    }
    most.into_iter().flat_map(|(call, most)| (1..=most).map(move |at| (call.to_owned(), at))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_that_is_killed_at_any_step_and_again_at_any_step_loses_nothing() -> anyhow::Result<()> {
    if cannot_trace() {
        return Ok(());
    }
    let mut outcome = Outcome::default();
    for (store, pairs) in stores() {
        let crashed = crashed(store, pairs).await?;
        let count = crashed.steps().await?.len();
        ensure!(count > 0, "an open after a crash changes nothing");
        (outcome.stores, outcome.steps) = (outcome.stores + 1, outcome.steps + count);
        for first in some_of(count + 1, pairs) {
            let seconds = if thorough().is_some() { SECOND_KILLS } else { 1 };
            for second in 0..seconds {
                // Another one for each first step, so that all pairs of places are near one that is tried.
                let second = (first * 7 + second * count.div_ceil(seconds)) % (count + 1);
                outcome.cases += 1;
                match crashed.kill_at(first + 1, second + 1).await {
                    Ok(kills) => outcome.kills += kills.0.len(),
                    Err(error) => outcome.broken.push(format!(
                        "store {store} of {pairs:?} pairs, steps {} and {}: {error:#}",
                        first + 1,
                        second + 1,
                    )),
                }
            }
        }
    }
    ensure!(outcome.kills > 0 || !outcome.broken.is_empty(), "nothing was killed");
    outcome.is_good()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_in_which_any_call_fails_loses_nothing() -> anyhow::Result<()> {
    if cannot_trace() {
        return Ok(());
    }
    let mut outcome = Outcome::default();
    for (store, pairs) in stores() {
        let crashed = crashed(store, pairs).await?;
        let steps = crashed.steps().await?;
        let paths = paths_of(&steps, &crashed.data);
        let mut cases = Vec::new();
        for (call, at) in places(&steps) {
            for error in ["ENOSPC", "EIO"] {
                // Once, and from then on.
                for when in [at.to_string(), format!("{at}+")] {
                    cases.push(Injection::none().error(&call, error, &when).on(&paths));
                }
            }
        }
        (outcome.stores, outcome.steps) = (outcome.stores + 1, outcome.steps + steps.len());
        for index in some_of(cases.len(), pairs) {
            crashed.put_back().await?;
            let end = start_with(&crashed.stage.scene, &cases[index], FAILING_TIME).await?;
            *outcome.ends.entry(end).or_default() += 1;
            outcome.cases += 1;
            if let Err(error) = crashed.is_healthy().await {
                outcome.broken.push(format!("store {store} of {pairs:?} pairs, {}: {error:#}", cases[index]));
            }
        }
    }
    outcome.is_good()
}
