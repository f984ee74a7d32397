//! The kinds of stores, and changes of a store that nobody has open, behind the programs' back.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Context;
use price_cache_storage_embedded::{Backend, BackendSettings, Table, newest_database};
use price_cache_storage_redb::RedbDatabase;
use price_cache_storage_sled::SledDatabase;

use crate::stage::Stage;

/// Every kind; the first is the one of new folders.
pub(crate) const KINDS: [&str; 2] = ["redb", "sled"];

/// Values by their keys.
pub(crate) type Values = BTreeMap<Vec<u8>, Vec<u8>>;

/// A change: a table, a key, and the value to put, or `None` to remove it.
pub(crate) type Change<'a> = (Table, &'a [u8], Option<&'a [u8]>);

/// Has every program of a stage use a kind of store in new folders.
pub(crate) fn use_kind(stage: &mut Stage, kind: &str) {
    stage.scene.set("PRICE_CACHE__STORAGE__KIND", kind);
}

/// Keeps every program of a stage from making a copy to fall back on.
pub(crate) fn without_copies(stage: &mut Stage) {
    stage.scene.set("PRICE_CACHE__STORAGE__FALLBACK_COPY__ENABLED", "false");
}

/// Returns the folder of the newest database in the folder of a store.
pub(crate) fn database(folder: &Path) -> anyhow::Result<PathBuf> {
    newest_database(folder)?.with_context(|| format!("no store in {}", folder.display()))
}

/// Returns the file of the newest database that has the prices.
pub(crate) fn main_file(folder: &Path) -> anyhow::Result<PathBuf> {
    let database = database(folder)?;
    let redb = database.join("store.redb");
    Ok(if redb.exists() { redb } else { database.join("db") })
}

/// Returns all values of a table of the closed store in a folder.
pub(crate) fn values(folder: &Path, table: Table) -> anyhow::Result<Values> {
    let database = database(folder)?;
    if RedbDatabase::is_in(&database) {
        values_of::<RedbDatabase>(&database, table)
    } else {
        values_of::<SledDatabase>(&database, table)
    }
}

/// Makes changes in the closed store of a folder.
pub(crate) fn tamper(folder: &Path, changes: &[Change<'_>]) -> anyhow::Result<()> {
    let database = database(folder)?;
    if RedbDatabase::is_in(&database) {
        tamper_with::<RedbDatabase>(&database, changes)
    } else {
        tamper_with::<SledDatabase>(&database, changes)
    }
}

fn settings() -> BackendSettings {
    BackendSettings { cache_bytes: 1024 * 1024, before_commit: None }
}

fn values_of<B: Backend>(path: &Path, table: Table) -> anyhow::Result<Values> {
    let database = B::open(path, &settings())?;
    let mut found = Values::new();
    database.scan(table, &[], None, &mut |key, value| {
        found.insert(key.to_vec(), value.to_vec());
        Ok(ControlFlow::Continue(()))
    })?;
    database.close()?;
    Ok(found)
}

fn tamper_with<B: Backend>(path: &Path, changes: &[Change<'_>]) -> anyhow::Result<()> {
    let database = B::open(path, &settings())?;
    database.write(&mut |group| {
        for (table, key, value) in changes {
            match value {
                Some(value) => group.put(*table, key, value)?,
                None => group.remove(*table, key)?,
            };
        }
        Ok(())
    })?;
    database.close()?;
    Ok(())
}
