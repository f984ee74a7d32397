//! The layouts compared: where the records lie, and where the totals that every commit changes.

use std::collections::BTreeMap;

use redb::{
    Database, Durability, ReadableDatabase, ReadableTable, TableDefinition, TableHandle, WriteTransaction,
};

type Definition<'a> = TableDefinition<'a, &'static [u8], &'static [u8]>;

const ENTRIES: Definition<'_> = TableDefinition::new("entries");
const META: Definition<'_> = TableDefinition::new("meta");
const RECENT: Definition<'_> = TableDefinition::new("recent");
pub(crate) const TOTALS: &[u8] = b"totals";
const TOTALS_BYTES: usize = 40;
const NAME: &str = "totals:";
/// What a record takes beside its key and its value.
const RECORD_BYTES: usize = 8;

/// Where the records lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// A table of redb for each table.
    Tables,
    /// One table; a byte before each key tells which.
    Prefix,
    /// As `Tables`, the totals being the name of an empty table, which lies in the page that holds the roots of the tables.
    Name,
    /// As `Tables`, what was written last and the totals lying in one small table, which is merged when it has so many bytes.
    Staged(usize),
    /// As `Tables`, no totals at all: what they cost.
    None,
}

/// A way to lay out the tables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(crate) name: &'static str,
    place: Place,
    /// Whether a read transaction is open during the commit: the pages that the commit frees are then recorded once, not twice.
    pinned: bool,
    two_phase: bool,
    quick_repair: bool,
}

const fn plain(name: &'static str, place: Place) -> Layout {
    Layout { name, place, pinned: false, two_phase: false, quick_repair: false }
}

const fn pinned(name: &'static str, place: Place) -> Layout {
    Layout { pinned: true, ..plain(name, place) }
}

impl Layout {
    pub(crate) const ALL: [Self; 13] = [
        plain("tables", Place::Tables),
        plain("prefix", Place::Prefix),
        plain("name", Place::Name),
        plain("none", Place::None),
        pinned("tables-pinned", Place::Tables),
        pinned("prefix-pinned", Place::Prefix),
        pinned("name-pinned", Place::Name),
        pinned("staged-3k", Place::Staged(3_300)),
        pinned("staged-12k", Place::Staged(12_000)),
        pinned("staged-24k", Place::Staged(24_000)),
        pinned("staged-48k", Place::Staged(48_000)),
        Layout { two_phase: true, ..plain("two-phase", Place::Tables) },
        Layout { quick_repair: true, ..plain("quick-repair", Place::Tables) },
    ];

    /// Writes a group and the totals as one transaction.
    pub(crate) fn commit(self, database: &Database, group: &[(Vec<u8>, Vec<u8>)], sequence: u64) {
        let mut transaction = database.begin_write().unwrap();
        transaction.set_durability(Durability::Immediate).unwrap();
        transaction.set_two_phase_commit(self.two_phase);
        transaction.set_quick_repair(self.quick_repair);
        let totals = totals(sequence);
        if let Place::Staged(limit) = self.place {
            stage(&transaction, group, &totals, limit);
        } else {
            self.write(&transaction, group, &totals);
        }
        let pin = self.pinned.then(|| database.begin_read().unwrap());
        transaction.commit().unwrap();
        drop(pin);
    }

    fn write(self, transaction: &WriteTransaction, group: &[(Vec<u8>, Vec<u8>)], totals: &[u8]) {
        let mut entries = transaction.open_table(ENTRIES).unwrap();
        for (key, value) in group {
            entries.insert(self.key(b'e', key).as_slice(), value.as_slice()).unwrap();
        }
        match self.place {
            Place::Tables => {
                let mut meta = transaction.open_table(META).unwrap();
                meta.insert(TOTALS, totals).unwrap();
            }
            Place::Prefix => {
                entries.insert(self.key(b'm', TOTALS).as_slice(), totals).unwrap();
            }
            Place::Name => rename(transaction, totals),
            Place::Staged(_) | Place::None => {}
        }
    }

    fn key(self, table: u8, key: &[u8]) -> Vec<u8> {
        if self.place == Place::Prefix { [&[table], key].concat() } else { key.to_vec() }
    }
}

/// Returns a record of totals, which every group changes.
pub(crate) fn totals(sequence: u64) -> Vec<u8> {
    [sequence.to_be_bytes().as_slice(), &[7; TOTALS_BYTES - 8]].concat()
}

fn rename(transaction: &WriteTransaction, totals: &[u8]) {
    let old: Vec<_> =
        transaction.list_tables().unwrap().filter(|table| table.name().starts_with(NAME)).collect();
    for table in old {
        transaction.delete_table(table).unwrap();
    }
    let digits: String = totals.iter().map(|byte| format!("{byte:02x}")).collect();
    let name = format!("{NAME}{digits}");
    drop(transaction.open_table(Definition::new(&name)).unwrap());
}

/// Puts a group into the small table, or merges that and the group where it would grow beyond the limit.
fn stage(transaction: &WriteTransaction, group: &[(Vec<u8>, Vec<u8>)], totals: &[u8], limit: usize) {
    let mut recent = transaction.open_table(RECENT).unwrap();
    let mut entries = transaction.open_table(ENTRIES).unwrap();
    let mut all: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for item in recent.iter().unwrap() {
        let (key, value) = item.unwrap();
        if let Some(key) = key.value().strip_prefix(b"e") {
            all.insert(key.to_vec(), value.value().to_vec());
        }
    }
    let staged = all.len();
    for (key, value) in group {
        // What the backend does to return the value before.
        let _old = all.contains_key(key) || entries.get(key.as_slice()).unwrap().is_some();
        all.insert(key.clone(), value.clone());
    }
    let bytes: usize = all.iter().map(|(key, value)| key.len() + value.len() + RECORD_BYTES).sum();
    if bytes <= limit {
        for (key, value) in group {
            recent.insert([b"e", key.as_slice()].concat().as_slice(), value.as_slice()).unwrap();
        }
    } else {
        if staged > 0 {
            recent.retain(|_, _| false).unwrap();
        }
        for (key, value) in &all {
            entries.insert(key.as_slice(), value.as_slice()).unwrap();
        }
    }
    recent.insert(TOTALS, totals).unwrap();
}
