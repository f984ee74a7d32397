//! A configuration that was read, with the places that its values came from.

use std::path::PathBuf;

use super::Configuration;

/// `PRICE_CACHE__RUN__PARALLEL_MARKETS=4` overrides `run.parallel_markets`.
pub const ENVIRONMENT_PREFIX: &str = "PRICE_CACHE__";

/// A configuration and where it came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it says.
    pub configuration: Configuration,
    /// The file.
    pub path: PathBuf,
    /// The file's text, to find places in.
    pub(super) text: String,
    /// Dotted keys that the environment set.
    pub(super) overridden: Vec<String>,
    /// A sentence for each key with an old name.
    pub warnings: Vec<String>,
}

/// The environment variable that sets a key.
pub(super) fn variable_of(key: &str) -> String {
    format!("{ENVIRONMENT_PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
}
