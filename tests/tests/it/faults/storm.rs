//! Sixteen clients press every button a thousand times while a run is under way.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use price_cache_simulator::{Catalogue, FaultKind, Faults, FixedFault};
use price_cache_tests::{Api, Settings};
use tokio::task::JoinSet;

use crate::stage::Stage;

const CLIENTS: u64 = 16;
const COMMANDS: u32 = 1_000;
/// Drawn from these.
const VERBS: [&str; 7] = ["start", "start", "stop", "stop", "reset", "reset", "retry-failed"];
/// A run lasts some tenths of a second, so that most commands find one under way.
const UPSTREAM_TIME_MS: u64 = 2;
const MARKETS: u32 = 3;
const PRODUCTS: u32 = 20;
/// A command that ends a session waits for what is under way; the machine may do much else.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);
/// So many of each kind at least must have had an effect, or the storm was a breeze.
const EFFECTS_MIN: u32 = 3;

/// How often each command had each answer.
type Answers = BTreeMap<(&'static str, u16), u32>;

/// One client: presses until all commands are used up, and looks at the status now and then.
async fn press(api: Api, mut random: fastrand::Rng, left: Arc<AtomicU32>) -> anyhow::Result<Answers> {
    let mut answers = Answers::new();
    let take = |left: u32| left.checked_sub(1);
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
        let verb = random.choice(VERBS).context("no verb")?;
        let begun = Instant::now();
        let answer = api.command(verb).await?;
        let took = begun.elapsed();
        ensure!(matches!(answer.status, 200 | 202 | 409), "{verb}: {} {}", answer.status, answer.text());
        ensure!(took < ANSWER_TIME_MAX, "{verb} took {took:?}");
        *answers.entry((verb, answer.status)).or_default() += 1;
        if random.u8(..) < 32 {
            // Its numbers are checked as they are read.
            api.status().await?;
        }
    }
    Ok(answers)
}

async fn storm(seed: u64) -> anyhow::Result<()> {
    let settings = Settings { parallel_markets: 2, ..Settings::default() };
    let stage = Stage::new(Catalogue::synthetic(MARKETS, PRODUCTS), &settings).await?;
    // So that there is something to retry.
    let missing = FixedFault::pair("M001", "product-0000002", FaultKind::Status(404));
    stage.simulator.set_faults(Faults::always([missing]))?;
    stage.slow_down(UPSTREAM_TIME_MS);
    let server = stage.scene.server().await?;
    let left = Arc::new(AtomicU32::new(COMMANDS));
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        clients.spawn(press(server.api, fastrand::Rng::with_seed(seed ^ client), Arc::clone(&left)));
    }
    let mut answers = Answers::new();
    while let Some(pressed) = clients.join_next().await {
        for (what, count) in pressed?? {
            *answers.entry(what).or_default() += count;
        }
    }
    ensure!(answers.values().sum::<u32>() == COMMANDS, "{answers:?}");
    for effect in [("start", 202), ("start", 409), ("stop", 202), ("reset", 200), ("reset", 409)] {
        ensure!(answers.get(&effect).is_some_and(|count| *count >= EFFECTS_MIN), "{effect:?}: {answers:?}");
    }
    let ledger = stage.simulator.ledger();
    ensure!(ledger.max_in_flight_of_any_market() <= 1, "two requests of a market at once");

    server.api.command("stop").await?;
    ensure!(server.api.command("reset").await?.status == 200, "after the storm");
    let empty = server.api.status().await?;
    ensure!(empty.state == "IDLE" && empty.markets.is_empty(), "{:#}", empty.json);
    stage.simulator.set_faults(Faults::default())?;
    stage.simulator.clear_ledger();
    server.api.start().await?;
    let done = server.api.state("COMPLETED").await?;
    let pairs = MARKETS * PRODUCTS;
    ensure!(done.completed() == u64::from(pairs) && done.failed() == 0, "{:#}", done.json);
    let ledger = stage.simulator.ledger();
    ensure!(ledger.requests_per_pair() == [(1, pairs)].into(), "{:?}", ledger.requests_per_pair());
    ensure!(ledger.max_in_flight_of_any_market() == 1, "two requests of a market at once");
    ensure!(server.terminate().await? == Some(0), "a server ends well");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_commands_of_sixteen_clients_leave_a_run_that_is_right() -> anyhow::Result<()> {
    let seed = match std::env::var("PRICE_CACHE_SEED") {
        Ok(text) => text.parse().context("PRICE_CACHE_SEED is no number")?,
        Err(_) => fastrand::u64(..),
    };
    storm(seed).await.with_context(|| format!("PRICE_CACHE_SEED={seed} draws the same commands again"))
}
