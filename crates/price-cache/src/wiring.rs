//! Puts the parts together as the configuration says.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use price_cache_engine::{CacheService, Options, Ports};
use price_cache_source_http::{HttpPriceSource, SourceError};
use price_cache_storage_sled::SledStore;

use crate::configuration::{Configuration, ConfigurationError, Loaded};
use crate::system_clock::SystemClock;

/// The store of the configuration.
pub(crate) fn open_store(configuration: &Configuration) -> anyhow::Result<SledStore> {
    let options = configuration.storage.options();
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

/// The service, not opened yet.
pub(crate) fn service(loaded: &Loaded, options: Options) -> anyhow::Result<CacheService> {
    // The source first: a mistake in the configuration should not wait for a large store to open.
    let source = Arc::new(open_source(loaded)?);
    let store = Arc::new(open_store(&loaded.configuration)?);
    Ok(CacheService::new(Ports { store, source, clock: Arc::new(SystemClock) }, options))
}

pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string()
}
