//! Puts the parts together as the configuration says.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use price_cache_engine::{CacheService, Handle, Options, Ports};
use price_cache_source_http::{HttpPriceSource, SourceError};
use price_cache_storage_sled::{SledOptions, SledStore};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::configuration::{Configuration, ConfigurationError, Loaded};
use crate::system_clock::SystemClock;
use crate::walk_runtime::WalkRuntime;

/// The store, which takes a while when it is large.
pub(crate) fn open_store(options: SledOptions) -> anyhow::Result<SledStore> {
    let path = options.path.clone();
    SledStore::open(options).with_context(|| format!("could not open the store in {}", shown(&path)))
}

/// The price source of the configuration, with secrets from the environment.
pub(crate) fn open_source(loaded: &Loaded) -> anyhow::Result<HttpPriceSource> {
    let environment = |name: &str| std::env::var(name).ok();
    HttpPriceSource::new(&loaded.configuration.source, &environment).map_err(|error| match error {
        SourceError::Config(problems) => ConfigurationError::problems(loaded, &problems).into(),
        SourceError::Client(_) => anyhow::Error::new(error).context("could not set up the price source"),
    })
}

/// The service on this source, recovered from the store of the configuration, and its task, both on the threads of the
/// walk. It may be dropped meanwhile; a store that is being opened is then left to the end of the program.
pub(crate) async fn open_service(
    configuration: &Configuration,
    source: HttpPriceSource,
    options: Options,
    walk: &WalkRuntime,
) -> anyhow::Result<(Handle, JoinHandle<()>)> {
    // A large store takes its time, and signals and clients are to be answered meanwhile. Its threads do not give way: they
    // read for clients as well.
    let storage = configuration.storage.options();
    let store =
        spawn_blocking(move || open_store(storage)).await.context("the store could not be opened")??;
    let ports = Ports { store: Arc::new(store), source: Arc::new(source), clock: Arc::new(SystemClock) };
    let opening = CacheService::new(ports, options).open();
    walk.wrap(opening).await.context("could not recover the run")
}

pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string()
}
