//! The commands that run in-process, one a file.

pub mod config;
pub mod doctor;
pub mod dump;
pub mod plan;
pub mod probe;
pub mod run;
pub mod selftest;
pub mod serve;
pub mod store;

use std::path::Path;

use crate::configuration::{ConfigurationError, Loaded, load};

/// The configuration with the overrides of the environment.
fn loaded(config: &Path) -> Result<Loaded, ConfigurationError> {
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    load(config, environment)
}
