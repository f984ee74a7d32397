//! `store move`: moves the store of the configuration to another kind of database.

use std::path::Path;

use anyhow::Context;
use price_cache_cli::arguments::StoreCommand;
use price_cache_cli::render::number;
use price_cache_cli::{Exit, Streams};
use price_cache_storage_embedded::OpenError;

use super::loaded;
use crate::stores::StoreKind;

/// Executes it on the store of the configuration, which no server may have open.
pub fn execute(config: &Path, command: &StoreCommand, streams: &mut Streams) -> anyhow::Result<Exit> {
    let StoreCommand::Move(arguments) = command;
    let loaded = loaded(config)?;
    let storage = &loaded.configuration.storage;
    let to = StoreKind::named(&arguments.to).context("there is no such kind of store")?;
    let found = StoreKind::of_folder(&storage.path)?;
    let from = found.ok_or_else(|| OpenError::Absent { path: storage.path.clone() })?;
    if from == to {
        streams.human(&format!("the store in {} is of kind {} already", storage.path.display(), to.name()));
        return Ok(Exit::Done);
    }
    let moved = from.move_to(to, &storage.options(from), &storage.options(to))?;
    streams.human(&format!(
        "moved {} and {} in {} from {} to {}; every one was read back",
        number::counted(moved.entries, "record"),
        number::counted(moved.plan_pages, "plan page"),
        storage.path.display(),
        from.name(),
        to.name(),
    ));
    Ok(Exit::Done)
}
