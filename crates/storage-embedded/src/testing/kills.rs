//! A writer that is killed again and again loses nothing that it was told is durable.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::{Backend, EmbeddedStore, OpenError};
use price_cache_domain::{MarketId, Store, StoreMaintenance};
use price_cache_testkit::block_on;
use tempfile::TempDir;

use super::sample::{all_numbers, id, number_of, open, options, priced, us};

/// Names the folder to the writer; without it, the writer's test does nothing.
const FOLDER: &str = "PRICE_CACHE_TEST_WRITER_FOLDER";
/// The number the writer begins with.
const FIRST: &str = "PRICE_CACHE_TEST_WRITER_FIRST";
const KILLS: u32 = 20;
/// Few products, so that most writes replace an entry.
const PRODUCTS: u32 = 200;
/// Undurable writes at a time.
const WINDOW: usize = 16;

/// Not a test: the process that the test below starts and kills.
/// See the name.
pub fn writer<B: Backend>() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let first: u32 = std::env::var(FIRST).unwrap().parse().unwrap();
    let store = open::<B>(Path::new(&folder));
    let mut output = std::io::stdout().lock();
    let mut pending = VecDeque::new();
    writeln!(output, "\nopen").unwrap();
    for number in first.. {
        pending.push_back((number, store.record(&us(), &id(number % PRODUCTS), priced(number))));
        if pending.len() >= WINDOW {
            let (number, write) = pending.pop_front().unwrap();
            block_on(write).unwrap();
            writeln!(output, "durable {number}").unwrap();
        }
    }
}

fn start_writer(folder: &Path, first: u32) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "suite::writer", "--nocapture"])
        .env(FOLDER, folder)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// After how many lines of the writer to kill it: anything from none to 499.
fn after_lines(kill: u32) -> usize {
    usize::try_from(kill * 37 % 500).unwrap()
}

/// See the name.
pub fn what_was_acknowledged_is_there_after_every_kill<B: Backend>() {
    let folder = TempDir::new().unwrap();
    let mut durable: HashMap<u32, u32> = HashMap::new();
    let mut last = 0;
    for kill in 0..KILLS {
        let mut child = start_writer(folder.path(), last + 1);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        // Early in some rounds, also before the store is open; late in others. What is still in the pipe
        // was acknowledged before the kill as well.
        let mut printed: Vec<String> = lines.by_ref().take(after_lines(kill)).collect();
        if printed.iter().any(|line| line == "open") {
            let refused = EmbeddedStore::<B>::open(options(folder.path()));
            assert!(matches!(refused, Err(OpenError::InUse { .. })), "a second process is refused");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        printed.extend(lines);
        for line in printed {
            if let Some(number) = line.strip_prefix("durable ").and_then(|number| number.parse().ok()) {
                durable.insert(number % PRODUCTS, number);
                last = last.max(number);
            }
        }
        let store = open::<B>(folder.path());
        for (product, number) in &durable {
            let found = block_on(store.entries_of(&us(), &[id(*product)])).unwrap().remove(0);
            let found = found.map(|entry| number_of(&entry));
            assert!(found >= Some(*number), "kill {kill}: product {product} has {found:?}, not {number}");
        }
        last = last.max(all_numbers(&store).into_iter().max().unwrap_or(0));
        let verified = block_on(store.verify()).unwrap();
        assert_eq!(verified.problems, []);
    }
    assert!(durable.len() > 100, "only {} products were ever acknowledged", durable.len());
    let store = open::<B>(folder.path());
    let markets: Vec<MarketId> = block_on(store.markets()).unwrap();
    assert_eq!(markets, [us()]);
}
