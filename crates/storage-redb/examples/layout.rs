//! Measures what a commit writes for each way to lay out the tables: bytes that reach the storage, distinct pages of 4 KiB per
//! sync, commits per second; and how long a look at a killed file takes, and how much memory.
//! `cargo run --release -p price-cache-storage-redb --example layout -- [RECORDS] [LAYOUT...]`.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program for measuring")]

#[path = "layout/counting.rs"]
mod counting;
#[path = "layout/layouts.rs"]
mod layouts;

use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use price_cache_storage_embedded::{Backend, BackendSettings, Table};
use price_cache_storage_redb::{FILE_NAME, RedbDatabase};

use self::counting::{Counting, Counts};
use self::layouts::Layout;

const GROUPS: [usize; 7] = [1, 2, 3, 4, 16, 64, 256];
const MARKETS: usize = 20;
const VALUE_BYTES: usize = 150;
/// How long each measurement takes at most.
const TIME: Duration = Duration::from_millis(1_500);

const CACHE_BYTES: u64 = 16 << 20;
/// The name of the backend of this crate among the layouts.
const BACKEND: &str = "backend";

/// What is measured.
enum Store {
    Bare(Layout, redb::Database),
    Backend(RedbDatabase),
}

impl Store {
    fn commit(&self, group: &[(Vec<u8>, Vec<u8>)], sequence: u64) {
        match self {
            Self::Bare(layout, database) => layout.commit(database, group, sequence),
            Self::Backend(database) => {
                let totals = layouts::totals(sequence);
                let mut work = |writer: &mut dyn price_cache_storage_embedded::WriteGroup| {
                    for (key, value) in group {
                        writer.put(Table::Entries, key, value)?;
                    }
                    writer.put(Table::Meta, layouts::TOTALS, &totals).map(drop)
                };
                database.write(&mut work).unwrap();
            }
        }
    }
}

/// In which order the records of a store are written.
#[derive(Clone, Copy, Debug)]
enum Order {
    /// One market after the other, its products sorted.
    Sorted,
    /// All markets at once, the products of each sorted.
    Markets,
    /// Any record.
    Random,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let first = arguments.next();
    if first.as_deref() == Some("look") {
        return look(Path::new(&arguments.next().unwrap()));
    }
    let records: usize = first.map_or(20_000, |text| text.parse().unwrap());
    let names: Vec<String> = arguments.collect();
    let is_wanted = |wanted: &str| names.is_empty() || names.iter().any(|name| name == wanted);
    println!(
        "{records} records of {VALUE_BYTES} bytes; bytes per record: to the storage / of distinct pages"
    );
    for layout in Layout::ALL {
        if is_wanted(layout.name) {
            let folder = tempfile::tempdir_in(".").unwrap();
            let counts = Counts::default();
            let counting = Counting::open(&folder.path().join(FILE_NAME), counts.clone());
            let database = redb::Builder::new()
                .set_cache_size(usize::try_from(CACHE_BYTES).unwrap())
                .create_with_backend(counting)
                .unwrap();
            measure(layout.name, &Store::Bare(layout, database), records, &counts);
        }
    }
    if is_wanted(BACKEND) {
        let folder = tempfile::tempdir_in(".").unwrap();
        let counts = Counts::default();
        let counting = Counting::open(&folder.path().join(FILE_NAME), counts.clone());
        let database = RedbDatabase::open_on(counting, &settings()).unwrap();
        let store = Store::Backend(database);
        measure(BACKEND, &store, records, &counts);
        // The file is now as a kill leaves it.
        let own = std::env::current_exe().unwrap();
        Command::new(own).arg("look").arg(folder.path()).status().unwrap();
    }
}

fn settings() -> BackendSettings {
    BackendSettings { cache_bytes: CACHE_BYTES, before_commit: None }
}

fn measure(name: &str, store: &Store, records: usize, counts: &Counts) {
    let begun = Instant::now();
    let mut sequence = 0;
    for first in (0..records).step_by(1_000) {
        let end = records.min(first + 1_000);
        let group: Vec<_> = (first..end).map(|at| record(at, Order::Markets, records)).collect();
        sequence += 1;
        store.commit(&group, sequence);
    }
    println!("\n{name}: filled in {:.1?}", begun.elapsed());
    for order in [Order::Sorted, Order::Markets, Order::Random] {
        let mut at = records / 3;
        for size in GROUPS {
            counts.reset();
            let (begun, mut commits) = (Instant::now(), 0);
            while begun.elapsed() < TIME && commits < 3_000 {
                let group: Vec<_> = (at..at + size).map(|at| record(at, order, records)).collect();
                at += size;
                sequence += 1;
                commits += 1;
                store.commit(&group, sequence);
            }
            let (seconds, written) = (begun.elapsed().as_secs_f64(), commits * size);
            println!(
                "{order:?} x {size}: {} / {} bytes, {:.1} pages a commit, {:.2} syncs, {:.0} commits/s, {:.0} records/s",
                counts.bytes() / written,
                counts.pages() * 4_096 / written,
                counts.pages() as f64 / commits as f64,
                counts.syncs() as f64 / commits as f64,
                commits as f64 / seconds,
                written as f64 / seconds,
            );
        }
    }
}

/// Looks at the file in a folder and then opens it, each with the memory the process has taken until then.
fn look(folder: &Path) {
    let begun = Instant::now();
    let looked =
        RedbDatabase::look(folder, &BackendSettings { cache_bytes: 1 << 20, ..settings() }, folder).unwrap();
    println!("look: {:.0?}, {} resident", begun.elapsed(), resident());
    let begun = Instant::now();
    let mut count = 0_u64;
    let mut visit = |_: &[u8], _: &[u8]| {
        count += 1;
        Ok(ControlFlow::Continue(()))
    };
    looked.scan(Table::Entries, b"", None, &mut visit).unwrap();
    println!("scan of {count}: {:.0?}, {} resident", begun.elapsed(), resident());
    drop(looked);
    // A copy, because the process that made the file still holds its lock.
    let copy = folder.join("copy");
    std::fs::create_dir(&copy).unwrap();
    std::fs::copy(folder.join(FILE_NAME), copy.join(FILE_NAME)).unwrap();
    let begun = Instant::now();
    let opened = RedbDatabase::open(&copy, &settings()).unwrap();
    println!("open after a kill: {:.0?}, {} resident", begun.elapsed(), resident());
    let begun = Instant::now();
    for at in 0..100_000 {
        let (key, _) = record(at, Order::Random, usize::try_from(count).unwrap());
        assert!(opened.get(Table::Entries, &key).unwrap().is_some());
    }
    println!("one read: {:.1?}", begun.elapsed() / 100_000);
    opened.close().unwrap();
    let begun = Instant::now();
    drop(RedbDatabase::open(&copy, &settings()).unwrap());
    println!("open after a close: {:.0?}", begun.elapsed());
}

fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |value| value.trim().to_owned())
}

/// The key and the value of a record by its place in an order.
fn record(at: usize, order: Order, records: usize) -> (Vec<u8>, Vec<u8>) {
    let at = at % records;
    let per_market = records / MARKETS;
    let (market, product) = match order {
        Order::Sorted => (at / per_market, at % per_market),
        Order::Markets => (at % MARKETS, at / MARKETS),
        Order::Random => {
            let at = (at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) as usize % records;
            (at / per_market, at % per_market)
        }
    };
    let key = format!("market-{market:02}\0product-{:012}", product * 7).into_bytes();
    let value = key.iter().copied().cycle().take(VALUE_BYTES).collect();
    (key, value)
}
