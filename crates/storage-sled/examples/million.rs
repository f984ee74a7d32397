//! Measures the store with many entries: writing in passes, opening after a kill, reading by pages,
//! clearing. `cargo run --release -p price-cache-storage-sled --example million -- [ENTRIES] [PASSES]`.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program for measuring")]

use std::collections::VecDeque;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use price_cache_domain::{
    Amount, Attempt, Currency, Entry, Fetched, MarketId, Price, ProductId, Quote, Run, RunId, Store,
    StoreMaintenance, Timestamp, Visit,
};
use price_cache_storage_sled::{SledStore, options};
use price_cache_testkit::block_on;

/// Writes that may be unacknowledged, as of sixteen markets.
const WINDOW: usize = 256;
const MARKETS: u32 = 20;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("write") => {
            write(Path::new(&arguments[1]), arguments[2].parse().unwrap(), arguments[3].parse().unwrap())
        }
        Some("read") => read(Path::new(&arguments[1])),
        _ => parent(
            arguments.first().map_or(1_000_000, |text| text.parse().unwrap()),
            arguments.get(1).map_or(2, |text| text.parse().unwrap()),
        ),
    }
}

/// Has each step done by a process of its own, so that each begins cold and memory is its own.
fn parent(entries: u32, passes: u64) {
    let folder = tempfile::tempdir_in(".").unwrap();
    let path = folder.path().to_str().unwrap();
    let own = std::env::current_exe().unwrap();
    for pass in 1..=passes {
        Command::new(&own).args(["write", path, &entries.to_string(), &pass.to_string()]).status().unwrap();
    }
    Command::new(&own).args(["read", path]).status().unwrap();
}

fn open(path: &Path) -> SledStore {
    let begun = Instant::now();
    let store = SledStore::open(options(path)).unwrap();
    println!(
        "open: {:?}, {} on disk, {} resident",
        begun.elapsed(),
        megabytes(store.disk_bytes()),
        status("VmHWM:")
    );
    store
}

fn ids(number: u32) -> (MarketId, ProductId) {
    let market = number % MARKETS;
    (
        MarketId::new(format!("market-{market:02}")).unwrap(),
        ProductId::new(format!("product-{:08}", number / MARKETS)).unwrap(),
    )
}

fn write(path: &Path, entries: u32, pass: u64) {
    let store = open(path);
    let begun = Instant::now();
    let mut pending = VecDeque::new();
    for number in 0..entries {
        let (market, product) = ids(number);
        let at = Timestamp::from_millis(1_767_225_600_000 + i64::from(number));
        let attempt =
            Attempt { at, duration: Duration::from_nanos(5_123_457), status_code: Some(200), failure: None };
        let price = Price {
            amount: Amount::parse(&format!("{}.{:02}", number / 100, number % 100)).unwrap(),
            currency: Currency::parse("EUR").unwrap(),
        };
        let run = RunId::from_number(1_767_225_600_000 + pass);
        let fetched = Fetched::Price(Quote { price, etag: None });
        let entry = Entry::priced(None, Visit::first(run, 1), None, attempt, fetched);
        pending.push_back(store.record(&market, &product, entry));
        if pending.len() >= WINDOW {
            block_on(pending.pop_front().unwrap()).unwrap();
        }
    }
    for write in pending {
        block_on(write).unwrap();
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "pass {pass}: {entries} entries in {seconds:.2} s, {:.0} per second, {} on disk, {} resident, {:.2} s processor",
        f64::from(entries) / seconds,
        megabytes(store.disk_bytes()),
        status("VmHWM:"),
        processor_seconds(),
    );
    // As a kill would: nothing is closed.
    std::process::abort();
}

fn read(path: &Path) {
    let begun = Instant::now();
    let store = open(path);
    let mut count = 0_u64;
    for market in block_on(store.markets()).unwrap() {
        let mut after: Option<ProductId> = None;
        loop {
            let page = block_on(store.entries(&market, after.as_ref(), 1_000)).unwrap();
            count += u64::try_from(page.len()).unwrap();
            match page.last() {
                Some((last, _)) => after = Some(last.clone()),
                None => break,
            }
        }
    }
    println!("open and read {count} by pages: {:?}, {} resident", begun.elapsed(), status("VmHWM:"));
    let (market, product) = ids(123_456);
    let begun = Instant::now();
    for _ in 0..1_000 {
        block_on(store.entries_of(&market, std::slice::from_ref(&product))).unwrap();
    }
    println!("one entry: {:?}", begun.elapsed() / 1_000);
    let begun = Instant::now();
    block_on(store.markets()).unwrap();
    println!("markets: {:?}", begun.elapsed());
    let begun = Instant::now();
    block_on(store.clear(Run::new(), false)).unwrap();
    println!("clear: {:?}, {} on disk", begun.elapsed(), megabytes(store.disk_bytes()));
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes / 1_000_000)
}

fn status(key: &str) -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    line.map_or_else(|| "unknown".to_owned(), |value| value.trim().to_owned())
}

/// Ticks of user and system time, of which Linux has a hundred a second.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = |index| after_name.split_whitespace().nth(index).and_then(|ticks| ticks.parse::<f64>().ok());
    (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / 100.0
}
