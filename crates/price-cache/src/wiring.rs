//! Puts the parts together as the configuration says.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use price_cache_domain::{PriceSource, StoreError, StoreMaintenance};
use price_cache_engine::{CacheService, Handle, Options, Ports};
use price_cache_source_http::{HttpPriceSource, SourceError};
use price_cache_storage_embedded::OpenError;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::commands::doctor::mend::mend_all;
use crate::configuration::{Configuration, ConfigurationError, Loaded, StorageConfig};
use crate::stores::StoreKind;
use crate::system_clock::SystemClock;
use crate::walk_runtime::WalkRuntime;

/// The wait before a store is opened again whose disk is full.
const FULL_DISK_RETRY: Duration = Duration::from_secs(1);

/// Opens the store of the configuration for writing, or makes it. Takes a while when it is large. Where a store that was
/// damaged had to be rebuilt, what does not fit is mended as well.
pub(crate) fn open_store(storage: &StorageConfig) -> Result<Arc<dyn StoreMaintenance>, OpenError> {
    let found = StoreKind::of_folder(&storage.path)?;
    let kind = found.or(storage.kind).unwrap_or(StoreKind::DEFAULT);
    if let (Some(found), Some(wanted)) = (found, storage.kind)
        && found != wanted
    {
        tracing::warn!(
            found = found.name(),
            configured = wanted.name(),
            "the folder has a store of another kind than the configuration names; it is used as it is"
        );
    }
    kind.open(storage.options(kind))
}

/// Opens the store of the configuration for reading, without changing a byte of it.
pub(crate) fn look_at_store(storage: &StorageConfig) -> Result<Arc<dyn StoreMaintenance>, OpenError> {
    match StoreKind::of_folder(&storage.path)? {
        Some(kind) => kind.look(storage.options(kind)),
        None => Err(OpenError::Absent { path: storage.path.clone() }),
    }
}

/// The price source of the configuration, with secrets from the environment.
pub(crate) fn open_source(loaded: &Loaded) -> anyhow::Result<HttpPriceSource> {
    let environment = |name: &str| std::env::var(name).ok();
    HttpPriceSource::new(&loaded.configuration.source, &environment).map_err(|error| match error {
        SourceError::Config(problems) => ConfigurationError::problems(loaded, &problems).into(),
        SourceError::Client(_) => anyhow::Error::new(error).context("could not set up the price source"),
    })
}

/// The service and what it stands on.
pub(crate) struct Opened {
    pub(crate) engine: Handle,
    /// The engine's task.
    pub(crate) task: JoinHandle<()>,
    pub(crate) store: Arc<dyn StoreMaintenance>,
}

/// Opens the store of the configuration and the service on it, recovered, on the threads of the walk. While the disk is full
/// it tries again and again, and tells why. It may be dropped meanwhile; a store that is being opened is then left to the
/// end of the program.
pub(crate) async fn open_service(
    configuration: &Configuration,
    source: HttpPriceSource,
    options: Options,
    walk: &WalkRuntime,
    waits: &dyn Fn(String),
) -> anyhow::Result<Opened> {
    let source: Arc<dyn PriceSource> = Arc::new(source);
    let mut told = None;
    loop {
        match try_open(configuration, &source, options.clone(), walk).await {
            Ok(opened) => return Ok(opened),
            Err(error) => match full_disk(&error) {
                // Once, not each second.
                Some(reason) if told.as_ref() == Some(&reason) => {}
                Some(reason) => {
                    waits(format!("waiting for space: {reason}"));
                    told = Some(reason);
                }
                None => return Err(error),
            },
        }
        tokio::time::sleep(FULL_DISK_RETRY).await;
    }
}

async fn try_open(
    configuration: &Configuration,
    source: &Arc<dyn PriceSource>,
    options: Options,
    walk: &WalkRuntime,
) -> anyhow::Result<Opened> {
    // A large store takes its time, and signals and clients are to be answered meanwhile. Its threads do not give way: they
    // read for clients as well.
    let storage = configuration.storage.clone();
    let store =
        spawn_blocking(move || open_store(&storage)).await.context("the store could not be opened")??;
    if store.rebuilt().is_some() {
        mend_all(&*store).await.context("the store was rebuilt, but not all of it could be mended")?;
    }
    let ports = Ports { store: store.clone(), source: source.clone(), clock: Arc::new(SystemClock) };
    let opening = CacheService::new(ports, options).open();
    let (engine, task) = walk.wrap(opening).await.context("could not recover the run")?;
    Ok(Opened { engine, task, store })
}

/// Returns why the store cannot be opened or written, where the reason is a full disk.
fn full_disk(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        let opening =
            cause.downcast_ref::<OpenError>().filter(|error| matches!(error, OpenError::Full { .. }));
        let using = cause.downcast_ref::<StoreError>().filter(|error| matches!(error, StoreError::Full(_)));
        opening.map(ToString::to_string).or_else(|| using.map(ToString::to_string))
    })
}

pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string()
}
