//! `doctor`: reads every record, recomputes every counter and reports what does not fit; with `--repair` it mends what
//! can be mended.

mod examination;
mod repair;
mod report;

use std::path::Path;

use price_cache_cli::arguments::DoctorArguments;
use price_cache_cli::{Exit, Streams};

use self::examination::Examination;
use self::repair::Repair;
use super::loaded;
use crate::wiring;

/// Executes it on the store of the configuration, which no server may have open. Without `--repair` it changes nothing.
pub async fn execute(
    config: &Path,
    arguments: &DoctorArguments,
    streams: &mut Streams,
) -> anyhow::Result<Exit> {
    let loaded = loaded(config)?;
    let store = wiring::open_store(loaded.configuration.storage.options())?;
    let mut examination = Examination::of(&store).await?;
    let mut repair = arguments.repair.then(Repair::default);
    if let Some(repair) = &mut repair {
        while repair.mend(&store, &examination).await? {
            examination = Examination::of(&store).await?;
        }
    }
    if arguments.json {
        streams.data(&report::document(&store, &examination, repair.as_ref())?)?;
    } else {
        report::tell(&store, &examination, repair.as_ref(), streams)?;
    }
    Ok(if examination.is_healthy() { Exit::Done } else { Exit::Failed })
}
