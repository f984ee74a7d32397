//! `dump`: the state, each market and the analytics as JSON documents in a folder, from the server.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use price_cache_api_types::{MarketStatus, PriceEntry, PricePage, Status};
use price_cache_cli::arguments::{DumpArguments, GlobalArguments};
use price_cache_cli::client::{ApiKey, Client, ClientError, Limits, Target};
use price_cache_cli::render::number;
use price_cache_cli::{Exit, Streams};
use serde::Serialize;

/// Prices asked for at a time.
const PAGE_LENGTH: usize = 1_000;

/// The head of a market's document; its prices follow, one a line.
#[derive(Serialize)]
struct MarketHead<'a> {
    market_id: &'a str,
    #[serde(flatten)]
    status: &'a MarketStatus,
}

/// Executes it.
pub async fn execute(
    global: &GlobalArguments,
    arguments: &DumpArguments,
    streams: &mut Streams,
) -> anyhow::Result<Exit> {
    let key = ApiKey::given(global.api_key_file.as_deref())?;
    let client = Client::new(global.server(), key, Limits::default());
    match dump(&client, &arguments.folder).await {
        Ok(told) => {
            streams.human(&told);
            Ok(Exit::Done)
        }
        Err(error) => match error.downcast_ref::<ClientError>() {
            Some(client_error) => {
                let exit = client_error.exit();
                streams.error(client_error);
                Ok(exit)
            }
            None => Err(error),
        },
    }
}

async fn dump(client: &Client, folder: &Path) -> anyhow::Result<String> {
    let status: Status = client.get(&Target::run("status")).await?.json()?;
    fs::create_dir_all(folder).with_context(|| format!("could not make the folder {}", folder.display()))?;
    write(folder, "state.json", &status.current_state)?;
    write(folder, "analytics.json", &status.analytics)?;
    let mut prices = 0;
    for (market, market_status) in status.markets.iter() {
        prices += dump_market(client, folder, market, market_status).await?;
    }
    Ok(format!(
        "wrote state.json, analytics.json and {} with {} to {}",
        number::counted(status.markets.len() as u64, "market"),
        number::counted(prices, "price"),
        folder.display()
    ))
}

fn write(folder: &Path, name: &str, document: &impl Serialize) -> anyhow::Result<()> {
    let path = folder.join(name);
    let json = serde_json::to_string_pretty(document)?;
    fs::write(&path, format!("{json}\n")).with_context(|| format!("could not write {}", path.display()))
}

/// Writes the market page by page, so that a large one needs little memory.
async fn dump_market(
    client: &Client,
    folder: &Path,
    market: &str,
    status: &MarketStatus,
) -> anyhow::Result<u64> {
    let path = folder.join(file_name(market));
    let failed = || format!("could not write {}", path.display());
    let mut file = BufWriter::new(File::create(&path).with_context(failed)?);
    let head = serde_json::to_string(&MarketHead { market_id: market, status })?;
    let open_head = head.trim_end_matches('}');
    write!(file, "{open_head},\"prices\":[").with_context(failed)?;
    let mut after: Option<String> = None;
    let mut count = 0;
    loop {
        let target = Target::path(&["api", "prices", market])
            .query("limit", PAGE_LENGTH)
            .query_if_some("after", after.as_ref());
        let page: PricePage = match client.get(&target).await {
            Ok(answer) => answer.json()?,
            // Nothing is cached for the market yet.
            Err(error) if error.is_absent() => break,
            Err(error) => return Err(error.into()),
        };
        for entry in &page.prices {
            let comma = if count == 0 { "" } else { "," };
            let line = serde_json::to_string::<PriceEntry>(entry)?;
            write!(file, "{comma}\n{line}").with_context(failed)?;
            count += 1;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    writeln!(file, "\n]}}").with_context(failed)?;
    file.flush().with_context(failed)?;
    Ok(count)
}

/// `market-ID.json`, where whatever a file name should not contain is percent-encoded.
fn file_name(market: &str) -> String {
    let mut name = String::from("market-");
    for byte in market.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    name.push_str(".json");
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_cannot_leave_the_folder() {
        assert_eq!(file_name("DE"), "market-DE.json");
        assert_eq!(file_name("../a b"), "market-..%2Fa%20b.json");
    }

    #[test]
    fn a_number_is_written_with_the_digits_that_the_api_sent() -> serde_json::Result<()> {
        // One of those that a reader without the feature float_roundtrip takes for its neighbour.
        let sent = "13430.366666666665";
        assert_eq!(serde_json::to_string(&serde_json::from_str::<f64>(sent)?)?, sent);
        Ok(())
    }
}
