//! Power loss: whatever a status had counted is on the disk, although nothing but what was synced survives. The server
//! runs under `strace`, which writes down each write and sync; from that the log of the store is made again as the
//! disk held it at the moment of an answer, and a server that opens it must know everything that the answer had counted.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use hyper::Method;
use price_cache_simulator::Catalogue;
use price_cache_tests::trace::{Act, Trace, obstacle};
use price_cache_tests::{Server, Settings};
use serde_json::Value;

use crate::stage::Stage;
use crate::stores::{KINDS, main_file, use_kind};

const MARKETS: u32 = 3;
const PRODUCTS: u32 = 300;
/// Runs: the second one writes over what the first one wrote.
const RUNS: usize = 2;
/// Moments of power loss that are tried, each once with nothing but what was synced and once with some of the rest.
const MOMENTS: usize = 12;

/// What a status told, and in which line of the trace.
struct Told {
    line: usize,
    run: Value,
    state: String,
    completed: u64,
}

/// The server as a child of the tracer; what it does is written down until it ends. Before the first start the store is
/// copied to `before`, with all that opening it has changed.
async fn traced_runs(stage: &Stage, file: &Path) -> anyhow::Result<()> {
    let server = stage.scene.launch_traced(file)?.listening().await?;
    stage.scene.shell("cp -r data before").await?.expect(0)?;
    for run in 0..RUNS {
        server.api.start().await?;
        server.api.status_where("that a run has begun", |status| status.state != "COMPLETED").await?;
        let done = server.api.state("COMPLETED").await?;
        ensure!(done.completed() == u64::from(MARKETS * PRODUCTS), "run {run}: {:#}", done.json);
    }
    ensure!(server.terminate().await? == Some(0), "it ends well");
    Ok(())
}

/// Every answer with a status.
fn told(trace: &Trace) -> Vec<Told> {
    let answers = trace.0.iter().filter_map(|event| match &event.act {
        Act::Told(bytes) => Some((event.begun, String::from_utf8_lossy(bytes).into_owned())),
        _ => None,
    });
    let statuses = answers.filter_map(|(line, text)| {
        let json: Value = serde_json::from_str(text.split_once("\r\n\r\n")?.1).ok()?;
        let markets = json["markets"].as_object()?;
        let completed = markets.values().filter_map(|market| market["completed"].as_u64()).sum();
        let state = json["current_state"]["status"].as_str()?.to_owned();
        Some(Told { line, run: json["current_state"]["run_id"].clone(), state, completed })
    });
    statuses.collect()
}

/// Whether a server on the store as it is now knows at least what was told.
async fn knows(stage: &Stage, told: &Told) -> anyhow::Result<()> {
    let server: Server = stage.scene.server().await?;
    let status = server.api.status().await?;
    let run = &status.json["current_state"]["run_id"];
    ensure!(*run == told.run, "the run is {run}, {} had been told", told.run);
    ensure!(
        status.completed() >= told.completed,
        "{} products are there, {} had been told: {:#}",
        status.completed(),
        told.completed,
        status.json
    );
    let catalogue = stage.simulator.catalogue();
    let mut known = 0;
    for market in catalogue.markets() {
        // A market of which nothing is there has no page of prices.
        if server.api.ask(Method::GET, &format!("/api/prices/{}?limit=1", market.id())).await?.status == 404 {
            continue;
        }
        for entry in server.api.prices(market.id()).await? {
            let product = entry["product_id"].as_str().context("an entry without a product")?;
            let expected = market.price(product).with_context(|| format!("{product:?} is not sold"))?;
            ensure!(entry["price"]["amount"] == *expected.amount, "{entry} instead of {expected:?}");
            known += 1;
        }
    }
    ensure!(known >= told.completed, "{known} prices, {} had been told", told.completed);
    ensure!(server.terminate().await? == Some(0), "it ends well");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::print_stdout,
    reason = "whoever reads the results should know what was left out, and the figures"
)]
async fn what_was_told_survives_a_power_loss_at_any_moment() -> anyhow::Result<()> {
    if let Some(obstacle) = obstacle() {
        println!("left out: power loss, because {obstacle}; `apt-get install strace` brings it on Debian");
        return Ok(());
    }
    for kind in KINDS {
        survives_power_loss(kind).await.with_context(|| kind.to_owned())?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the figures are of interest")]
async fn survives_power_loss(kind: &str) -> anyhow::Result<()> {
    let settings = Settings { run: "resume_interrupted = false".to_owned(), ..Settings::default() };
    let mut stage = Stage::new(Catalogue::synthetic(MARKETS, PRODUCTS), &settings).await?;
    use_kind(&mut stage, kind);
    // A store that is there already: what becomes of a new one is the next test.
    ensure!(stage.scene.server().await?.terminate().await? == Some(0), "it ends well");
    let (data, before) = (stage.scene.path("data"), stage.scene.path("before"));
    stage.slow_down(1);
    let file = stage.scene.path("trace");
    traced_runs(&stage, &file).await?;

    let log_before = main_file(&before)?;
    let log_path = data.join(log_before.strip_prefix(&before)?);
    let trace = Trace::read(&file, &log_path).await?;
    let log = fs::read(&log_before)?;
    let remade = trace.after_power_loss(log.clone(), usize::MAX, || true)?;
    ensure!(remade == fs::read(&log_path)?, "the trace does not explain the log");
    let told: Vec<Told> = told(&trace).into_iter().filter(|told| told.completed > 0).collect();
    let moments: Vec<&Told> = told.iter().step_by((told.len() / MOMENTS).max(1)).collect();
    ensure!(
        moments.len() >= MOMENTS && moments.iter().any(|told| told.state == "PROCESSING"),
        "too few answers"
    );
    let mut random = fastrand::Rng::with_seed(7);
    for told in &moments {
        for share in [0.0, 0.5] {
            fs::remove_dir_all(&data)?;
            stage.scene.shell("cp -r before data").await?.expect(0)?;
            let log = trace.after_power_loss(log.clone(), told.line, || random.f64() < share)?;
            fs::write(&log_path, log)?;
            let tried = knows(&stage, told).await;
            tried.with_context(|| {
                format!("{} told in line {}, {share} of the rest", told.completed, told.line)
            })?;
        }
    }
    let count = |wanted: fn(&Act) -> bool| trace.0.iter().filter(|event| wanted(&event.act)).count();
    println!(
        "{kind}: {} writes and {} syncs of the log, {} answers that counted, {} moments of power loss",
        count(|act| matches!(act, Act::Write { .. })),
        count(|act| matches!(act, Act::Sync)),
        told.len(),
        moments.len() * 2,
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "whoever reads the results should know what was left out")]
async fn a_new_store_is_durable_with_all_its_folders_before_a_start_is_accepted() -> anyhow::Result<()> {
    if let Some(obstacle) = obstacle() {
        println!("left out: power loss, because {obstacle}; `apt-get install strace` brings it on Debian");
        return Ok(());
    }
    for (kind, files) in [("redb", &["store.redb"][..]), ("sled", &["db", "conf", "blobs"])] {
        is_durable_at_once(kind, files).await.with_context(|| kind.to_owned())?;
    }
    Ok(())
}

async fn is_durable_at_once(kind: &str, files: &[&str]) -> anyhow::Result<()> {
    let settings = Settings { storage: "deep/deeper/data".into(), ..Settings::default() };
    let mut stage = Stage::new(Catalogue::synthetic(1, 10), &settings).await?;
    use_kind(&mut stage, kind);
    let file = stage.scene.path("trace");
    let server = stage.scene.launch_traced(&file)?.listening().await?;
    server.api.start().await?;
    server.api.state("COMPLETED").await?;
    ensure!(server.terminate().await? == Some(0), "it ends well");
    let store = stage.scene.path("deep/deeper/data");
    let trace = Trace::read(&file, &main_file(&store)?).await?;
    let accepted = trace.0.iter().find_map(|event| match &event.act {
        Act::Told(bytes) if bytes.starts_with(b"HTTP/1.1 202") => Some(event.begun),
        _ => None,
    });
    let accepted = accepted.context("no start was accepted")?;
    let synced: Vec<&str> = trace
        .0
        .iter()
        .filter_map(|event| match &event.act {
            Act::OtherSync(path) if event.done < accepted => Some(path.as_str()),
            _ => None,
        })
        .collect();
    let making = store.join("generation-000001.making");
    let files: Vec<_> = files.iter().map(|name| making.join(name)).collect();
    let folders =
        [&making, &store, &stage.scene.path("deep/deeper"), &stage.scene.path("deep"), &stage.scene.path("")];
    for path in files.iter().chain(folders) {
        let path = path.to_string_lossy();
        ensure!(synced.contains(&path.trim_end_matches('/')), "{path} is not synced, only {synced:?}");
    }
    Ok(())
}
