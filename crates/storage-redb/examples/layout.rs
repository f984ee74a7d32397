//! Measures what a commit writes for each way to lay out the tables: bytes that reach the storage, distinct pages of 4 KiB per
//! sync, commits per second. `cargo run --release -p price-cache-storage-redb --example layout -- [RECORDS] [LAYOUT...]`.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program for measuring")]

#[path = "layout/counting.rs"]
mod counting;
#[path = "layout/layouts.rs"]
mod layouts;

use std::path::Path;
use std::time::{Duration, Instant};

use self::counting::{Counting, Counts};
use self::layouts::Layout;

const GROUPS: [usize; 7] = [1, 2, 3, 4, 16, 64, 256];
const MARKETS: usize = 20;
const VALUE_BYTES: usize = 150;
/// How long each measurement takes at most.
const TIME: Duration = Duration::from_millis(1_500);

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
    let records: usize = arguments.next().map_or(20_000, |text| text.parse().unwrap());
    let names: Vec<String> = arguments.collect();
    let folder = tempfile::tempdir_in(".").unwrap();
    println!(
        "{records} records of {VALUE_BYTES} bytes; bytes per record: to the storage / of distinct pages"
    );
    for layout in Layout::ALL {
        if names.is_empty() || names.iter().any(|name| name == layout.name) {
            measure(layout, records, &folder.path().join(layout.name));
        }
    }
}

fn measure(layout: Layout, records: usize, path: &Path) {
    let counts = Counts::default();
    let begun = Instant::now();
    let database = redb::Builder::new()
        .set_cache_size(16 << 20)
        .create_with_backend(Counting::open(path, counts.clone()))
        .unwrap();
    let mut sequence = 0;
    for first in (0..records).step_by(1_000) {
        let group: Vec<_> =
            (first..records.min(first + 1_000)).map(|at| record(at, Order::Markets, records)).collect();
        sequence += 1;
        layout.commit(&database, &group, sequence);
    }
    let bytes = std::fs::metadata(path).unwrap().len();
    println!("\n{}: filled in {:.1?}, {} MB", layout.name, begun.elapsed(), bytes / 1_000_000);
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
                layout.commit(&database, &group, sequence);
            }
            let written = commits * size;
            println!(
                "{order:?} x {size}: {} / {} bytes, {:.1} pages a commit, {:.2} writes, {:.2} syncs, {:.0} commits/s, {:.0} records/s",
                counts.bytes() / written,
                counts.pages() * 4_096 / written,
                counts.pages() as f64 / commits as f64,
                counts.writes() as f64 / commits as f64,
                counts.syncs() as f64 / commits as f64,
                commits as f64 / begun.elapsed().as_secs_f64(),
                written as f64 / begun.elapsed().as_secs_f64(),
            );
        }
    }
    layout.check(&database, records, sequence);
    drop(database);
    std::fs::remove_file(path).unwrap();
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
