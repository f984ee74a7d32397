//! What the dashboard and the alert rules in `docs/monitoring` ask for is what a real server tells.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use hyper::Method;
use price_cache_simulator::{Catalogue, FaultKind, Faults};
use price_cache_tests::{PATIENCE, Settings, eventually};
use serde_json::Value;

use crate::stage::Stage;

/// Labels that Prometheus adds.
const ADDED: [&str; 2] = ["instance", "job"];
/// As many metrics are asked for at least, so that reading the files wrong is noticed.
const NAMES_MIN: usize = 4;

/// The labels of every sample, by its name.
type Told = BTreeMap<String, BTreeSet<String>>;

fn is_part_of_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// The labels between braces, such as `a="b",c="d"`; values here hold no commas.
fn labels(inside: &str) -> impl Iterator<Item = String> {
    inside.split(',').filter_map(|pair| Some(pair.split_once('=')?.0.trim().to_owned()))
}

fn told(text: &str) -> Told {
    let mut told = Told::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name_end = line.find(|character| !is_part_of_name(character)).unwrap_or(line.len());
        let inside = line[name_end..].strip_prefix('{').and_then(|rest| rest.split_once('}'));
        told.entry(line[..name_end].to_owned())
            .or_default()
            .extend(inside.into_iter().flat_map(|(inside, _)| labels(inside)));
    }
    told
}

/// Checks that each metric in an expression is told, with the labels it is asked for; the names it has.
fn check(expression: &str, told: &Told) -> anyhow::Result<BTreeSet<String>> {
    let mut asked = BTreeSet::new();
    let words = expression.split_inclusive(|character| !is_part_of_name(character));
    let mut at = 0;
    for word in words {
        let begin = at;
        at += word.len();
        let name = word.trim_end_matches(|character| !is_part_of_name(character));
        if !name.starts_with("price_cache_") && !name.starts_with("process_") {
            continue;
        }
        let known = told.get(name).with_context(|| format!("there is no metric {name}: {expression}"))?;
        let rest = &expression[begin + name.len()..];
        let inside = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        for label in inside.into_iter().flat_map(|(inside, _)| labels(inside)) {
            let is_known = known.contains(&label) || ADDED.contains(&label.as_str());
            ensure!(is_known, "{name} has no label {label}: {expression}");
        }
        asked.insert(name.to_owned());
    }
    let grouped = expression.split("by (").skip(1).filter_map(|rest| rest.split_once(')'));
    for label in grouped.flat_map(|(inside, _)| inside.split(',')).map(str::trim) {
        let is_known = asked.iter().any(|name| told[name].contains(label)) || ADDED.contains(&label);
        ensure!(is_known, "nothing has the label {label}: {expression}");
    }
    Ok(asked)
}

fn document(name: &str) -> anyhow::Result<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/monitoring").join(name);
    fs::read_to_string(&path).with_context(|| path.display().to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_that_is_set_aside_says_so() -> anyhow::Result<()> {
    let run = "[run.parking]\nfailures_in_a_row = 3\nprobe_delay_start = \"1h\"\nprobe_delay_max = \"1h\"";
    let settings = Settings { run: run.to_owned(), ..Settings::default() };
    let stage = Stage::new(Catalogue::synthetic(3, 2_000), &settings).await?;
    stage.slow_down(5);
    let server = stage.scene.server().await?;
    server.api.start().await?;
    server.api.status_where("a run under way", |status| status.completed() > 100).await?;
    stage.simulator.set_faults(Faults::market("M002", FaultKind::Status(503)))?;
    let text = eventually("M002 to be parked", PATIENCE, async || {
        let text = server.api.ask(Method::GET, "/metrics").await?.text().to_owned();
        Ok(text.contains("price_cache_market_parked{market=\"M002\"} 1\n").then_some(text))
    })
    .await?;
    let value = |name: &str| -> anyhow::Result<f64> {
        let begin = format!("price_cache_market_{name}");
        let line = text.lines().find_map(|line| line.strip_prefix(&begin)?.strip_prefix(' '));
        Ok(line.with_context(|| format!("no {begin} in {text}"))?.parse()?)
    };
    ensure!(value("waiting{reason=\"parked\"}")? == 1.0, "{text}");
    // The upper half of the delay is left to chance.
    ensure!((1_790.0..=3_600.0).contains(&value("wait_seconds{market=\"M002\"}")?), "{text}");
    ensure!(value("parked{market=\"M001\"}")? == 0.0, "{text}");
    ensure!(value("eta_seconds{market=\"M002\"}")? > value("eta_seconds{market=\"M001\"}")?, "{text}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_and_the_alerts_ask_for_what_is_told() -> anyhow::Result<()> {
    let stage = Stage::new(Catalogue::synthetic(2, 20), &Settings::default()).await?;
    let server = stage.completed().await?;
    let answer = server.api.ask(Method::GET, "/metrics").await?;
    ensure!(answer.status == 200, "{answer:?}");
    let told = told(&answer.text());

    let dashboard: Value = serde_json::from_str(&document("grafana-dashboard.json")?)?;
    let mut asked = BTreeSet::new();
    for panel in dashboard["panels"].as_array().context("no panels")? {
        for target in panel["targets"].as_array().context("no targets")? {
            let names = check(target["expr"].as_str().context("no expression")?, &told)?;
            ensure!(!names.is_empty(), "a panel shows nothing: {panel}");
            asked.extend(names);
        }
    }
    ensure!(asked.len() >= NAMES_MIN, "only {asked:?}");
    // The rules are read as one text: a name in them is a metric wherever it stands.
    let asked = check(&document("alerts.yml")?.replace("price-cache", ""), &told)?;
    ensure!(asked.len() + 1 >= NAMES_MIN, "only {asked:?}");
    Ok(())
}
