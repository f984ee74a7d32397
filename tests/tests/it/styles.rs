//! Every style of pagination and every example configuration, through `price-cache run`.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use price_cache_simulator::{Catalogue, Handle, Options, Simulator};
use price_cache_tests::sources::{Pagination, Source};
use price_cache_tests::{Scene, Settings};

const KEY: &str = "example-key";

fn walked_once(simulator: &Handle, what: &str) -> anyhow::Result<()> {
    let pairs = u32::try_from(simulator.catalogue().pair_count())?;
    let asked = simulator.ledger().requests_per_pair();
    ensure!(asked == [(1, pairs)].into(), "{what}: {asked:?} instead of {pairs} pairs once");
    ensure!(
        simulator.ledger().max_in_flight_of_any_market() == 1,
        "{what}: two requests of a market at once"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_style_of_pagination_finds_every_product() -> anyhow::Result<()> {
    for style in Pagination::ALL {
        // A shared list is right only where every market sells every product. 115 is no multiple of a page.
        let catalogue = match style {
            Pagination::Shared => Catalogue::synthetic(3, 115),
            _ => Catalogue::azure_vm()?.subset(3, 115),
        };
        let simulator = Simulator::start(Options::new(catalogue)).await?;
        let source = Source::rest(&simulator.base_url()).paginated(style, 10);
        let scene = Scene::new(&source.to_string(), &Settings::default())?;
        scene.run(&["run"]).await?.expect(0).with_context(|| format!("{style:?}"))?;
        walked_once(&simulator, &format!("{style:?}"))?;
        let listings = if style == Pagination::Shared { 2 } else { 1 + 3 * 12 };
        let asked = simulator.ledger().listings;
        ensure!((listings..=listings + 3).contains(&asked), "{style:?}: {asked} requests of lists");
    }
    Ok(())
}

/// The examples of the HTTP source, by name.
fn examples() -> anyhow::Result<Vec<(String, String)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/source-http/examples");
    let mut examples = Vec::new();
    for item in fs::read_dir(&folder).with_context(|| format!("no folder {}", folder.display()))? {
        let path = item?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            examples.push((name, fs::read_to_string(&path)?));
        }
    }
    examples.sort();
    Ok(examples)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_walks_a_shop() -> anyhow::Result<()> {
    let examples = examples()?;
    ensure!(examples.len() >= 3, "{} examples", examples.len());
    for (name, example) in examples {
        let catalogue = Catalogue::app_store()?.select_markets(&["US", "CA", "JP"]);
        let options = Options {
            bearer_token: example.contains("Bearer").then(|| KEY.to_owned()),
            ..Options::new(catalogue)
        };
        let simulator = Simulator::start(options).await?;
        let base_url = example.lines().find(|line| line.starts_with("base_url")).context("a base_url")?;
        let config = example.replace(base_url, &format!("base_url = \"{}\"", simulator.base_url()));
        ensure!(config.lines().count() <= 40, "{name}: about twenty lines are enough for an API");
        let mut scene = Scene::new(&config, &Settings::default())?;
        scene.set("SHOP_API_KEY", KEY);
        scene.run(&["probe"]).await?.expect(0).with_context(|| name.clone())?;
        simulator.clear_ledger();
        scene.run(&["run"]).await?.expect(0).with_context(|| name.clone())?;
        walked_once(&simulator, &name)?;
        if example.contains("[source.purge]") {
            let totals = simulator.ledger().totals;
            ensure!(
                totals.fetches_after_purge == totals.requests,
                "{name}: fetches without a purge: {totals:?}"
            );
        }
    }
    Ok(())
}
