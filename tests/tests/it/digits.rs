//! Every price that comes out of the API is the text of the CSV, digit by digit.

use std::io::Read;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, ensure};
use flate2::read::GzDecoder;
use price_cache_simulator::{Catalogue, Options, Simulator};
use price_cache_tests::sources::{Pagination, Source};
use price_cache_tests::{Api, Scene, Settings};

/// One in so many prices is asked for on its own as well.
const SINGLE_ONE_IN: usize = 97;

/// A line of a CSV.
struct Line {
    market: String,
    product: String,
    currency: String,
    amount: String,
}

/// The lines of a data set, read without the simulator's help; no field is quoted in these files.
fn lines(data_set: &str) -> anyhow::Result<Vec<Line>> {
    let file = format!("../crates/simulator/data/{data_set}/prices.csv.gz");
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(file))?;
    let mut text = String::new();
    GzDecoder::new(&*bytes).read_to_string(&mut text)?;
    let line = |line: &str| {
        let mut fields = line.split(',').map(str::to_owned);
        let line = Line {
            market: fields.next()?,
            product: fields.next()?,
            currency: fields.next()?,
            amount: fields.next()?,
        };
        fields.next().is_none().then_some(line)
    };
    text.lines().skip(1).map(|text| line(text).with_context(|| format!("four fields: {text}"))).collect()
}

/// The text without an exponent: `4e+06` is `4000000`.
fn plain(amount: &str) -> anyhow::Result<String> {
    match amount.split_once("e+") {
        Some((digits, exponent)) => Ok(format!("{digits}{}", "0".repeat(exponent.parse()?))),
        None => Ok(amount.to_owned()),
    }
}

async fn compare(api: &Api, data_set: &str) -> anyhow::Result<usize> {
    let lines = lines(data_set)?;
    let mut markets: Vec<&str> = lines.iter().map(|line| line.market.as_str()).collect();
    markets.sort_unstable();
    markets.dedup();
    let mut cached = std::collections::HashMap::new();
    for market in markets {
        for entry in api.prices(market).await? {
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            ensure!(text(&entry["market_id"]) == market, "{entry} in market {market}");
            let price = (text(&entry["price"]["amount"]), text(&entry["price"]["currency"]));
            cached.insert((market.to_owned(), text(&entry["product_id"])), price);
        }
    }
    ensure!(cached.len() == lines.len(), "{} prices of {} lines", cached.len(), lines.len());
    for (number, line) in lines.iter().enumerate() {
        let expected = (plain(&line.amount)?, line.currency.clone());
        let found = cached.get(&(line.market.clone(), line.product.clone()));
        ensure!(found == Some(&expected), "{}/{}: {found:?}, not {expected:?}", line.market, line.product);
        if number.is_multiple_of(SINGLE_ONE_IN) || line.product.ends_with(' ') || line.amount.contains('e') {
            let entry = api.price(&line.market, &line.product).await?.json()?;
            ensure!(entry["price"]["amount"] == expected.0.as_str(), "{entry}, not {expected:?}");
            ensure!(entry["product_id"] == line.product.as_str(), "{entry} for {:?}", line.product);
        }
    }
    Ok(lines.len())
}

#[expect(clippy::print_stdout, reason = "the pace is of interest")]
async fn walk(
    data_set: &str,
    parallel_markets: u32,
    source: impl Fn(&str) -> Source,
) -> anyhow::Result<price_cache_simulator::LedgerSnapshot> {
    let simulator = Simulator::start(Options::new(Catalogue::named(data_set)?)).await?;
    let settings = Settings { parallel_markets, ..Settings::default() };
    let scene = Scene::new(&source(&simulator.base_url()).to_string(), &settings)?;
    let server = scene.server().await?;
    let begun = Instant::now();
    server.api.start().await?;
    let status = server.api.state("COMPLETED").await?;
    let took = begun.elapsed();
    ensure!(status.failed() == 0, "products failed: {:#}", status.json);
    let compared = compare(&server.api, data_set).await?;
    println!(
        "{data_set}: {compared} prices fetched in {took:.1?}, read and compared in {:.1?}",
        begun.elapsed() - took
    );
    let ledger = simulator.ledger();
    ensure!(
        ledger.requests_per_pair() == [(1, u32::try_from(compared)?)].into(),
        "each pair is asked for once"
    );
    ensure!(ledger.max_in_flight_of_any_market() <= 1, "two requests of a market at once");
    ensure!(server.terminate().await? == Some(0), "a server ends well");
    Ok(ledger)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_price_of_azure_comes_out_as_it_went_in() -> anyhow::Result<()> {
    walk("azure-vm", 16, Source::rest).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_price_of_the_big_mac_comes_out_as_it_went_in_by_post() -> anyhow::Result<()> {
    walk("big-mac", 8, |url| Source::post(url).paginated(Pagination::Cursor, 20)).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tier_of_the_app_store_comes_out_as_it_went_in_after_a_purge() -> anyhow::Result<()> {
    let ledger =
        walk("app-store-tiers", 8, |url| Source::purging(url).paginated(Pagination::NextUrl, 40)).await?;
    let purged = ledger.totals.fetches_after_purge;
    ensure!(purged == ledger.total_requests(), "only {purged} fetches came after a purge");
    Ok(())
}

#[test]
fn an_exponent_is_written_out() -> anyhow::Result<()> {
    assert_eq!(plain("4e+06")?, "4000000");
    assert_eq!(plain("0.024000")?, "0.024000");
    Ok(())
}
