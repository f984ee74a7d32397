//! Groups of changes, and what the database has to hold after each of them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use fastrand::Rng;
use price_cache_domain::StoreError;
use price_cache_storage_embedded::{Backend, BackendSettings, Table};
use price_cache_storage_redb::RedbDatabase;

use crate::disk::Disk;

/// The key of the number of groups, which each group changes.
pub(crate) const TOTALS: &[u8] = b"totals";

/// All records of a database by table and key.
pub(crate) type Contents = BTreeMap<(&'static str, Vec<u8>), Vec<u8>>;

/// A change: a new value, or none.
pub(crate) type Change = (Table, Vec<u8>, Option<Vec<u8>>);

/// Groups of changes, and the contents after none, one, two, ... of them.
pub(crate) struct Workload {
    pub(crate) groups: Vec<Vec<Change>>,
    pub(crate) states: Vec<Contents>,
}

impl Workload {
    pub(crate) fn new(groups: usize, seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let mut workload = Self { groups: Vec::new(), states: vec![Contents::new()] };
        for number in 1..=groups {
            let mut group: Vec<Change> =
                (0..changes_in(&mut random)).map(|_| change(number, &mut random)).collect();
            group.push((Table::Meta, TOTALS.to_vec(), Some(number.to_string().into_bytes())));
            let mut state = workload.states[number - 1].clone();
            for (table, key, value) in &group {
                match value {
                    Some(value) => state.insert((table.name(), key.clone()), value.clone()),
                    None => state.remove(&(table.name(), key.clone())),
                };
            }
            workload.groups.push(group);
            workload.states.push(state);
        }
        workload
    }

    /// Writes a group; `number` counts from one.
    pub(crate) fn write(&self, database: &RedbDatabase, number: usize) -> Result<(), StoreError> {
        database.write(&mut |writer| {
            for (table, key, value) in &self.groups[number - 1] {
                match value {
                    Some(value) => writer.put(*table, key, value)?,
                    None => writer.remove(*table, key)?,
                };
            }
            Ok(())
        })
    }

    /// Checks that the database holds the contents after at least `least` and at most `most` groups; returns after how many.
    pub(crate) fn check(&self, database: &RedbDatabase, least: usize, most: usize) -> usize {
        let found = contents(database).unwrap();
        let number = groups_in(&found);
        assert!(number >= least && number <= most, "{number} groups are there, not {least} to {most}");
        assert!(found == self.states[number], "other records than after {number} groups");
        number
    }
}

fn changes_in(random: &mut Rng) -> usize {
    match random.u8(0..20) {
        0 => 40,
        1..4 => 12,
        _ => random.usize(1..5),
    }
}

fn change(number: usize, random: &mut Rng) -> Change {
    let market = random.u8(0..4);
    let product = random.u8(0..40);
    match random.u8(0..40) {
        0 => (Table::Plans, vec![market, product % 4], Some(vec![product; 6_000])),
        1 => (Table::Plans, vec![market, product % 4], None),
        2..6 => (Table::Entries, format!("market-{market}\0{product}").into_bytes(), None),
        _ => {
            let key = format!("market-{market}\0{product}").into_bytes();
            let value = format!("{market}-{product}-{number}-").into_bytes();
            // A few are long, so that small workloads also move what is recent to the tables.
            let length = if random.u8(0..12) == 0 { 4_000 } else { 150 };
            (Table::Entries, key, Some(value.iter().copied().cycle().take(length).collect()))
        }
    }
}

pub(crate) fn groups_in(contents: &Contents) -> usize {
    let totals = contents.get(&(Table::Meta.name(), TOTALS.to_vec()));
    totals.map_or(0, |digits| std::str::from_utf8(digits).unwrap().parse().unwrap())
}

/// Reads all records.
pub(crate) fn contents(database: &RedbDatabase) -> Result<Contents, StoreError> {
    let mut found = Contents::new();
    for table in Table::ALL {
        let mut last = None;
        database.scan(table, b"", None, &mut |key, value| {
            assert!(last.as_deref() < Some(key), "keys are not in order");
            last = Some(key.to_vec());
            found.insert((table.name(), key.to_vec()), value.to_vec());
            Ok(ControlFlow::Continue(()))
        })?;
    }
    Ok(found)
}

pub(crate) fn settings() -> BackendSettings {
    BackendSettings { cache_bytes: 1 << 20, before_commit: None }
}

pub(crate) fn open(disk: &Disk) -> Result<RedbDatabase, StoreError> {
    RedbDatabase::open_on(disk.clone(), &settings())
}

/// Returns the image of a new database.
pub(crate) fn empty_image() -> Vec<u8> {
    let disk = Disk::default();
    open(&disk).unwrap().close().unwrap();
    disk.image()
}

/// Returns a number from the environment, for the long forms of tests.
pub(crate) fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}
