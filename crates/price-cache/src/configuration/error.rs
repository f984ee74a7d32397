//! What is wrong with a configuration, each mistake with file, line, column and key.

use std::fmt;
use std::path::PathBuf;

use price_cache_source_http::ConfigProblem;

use super::loaded::{Loaded, variable_of};
use super::place;

/// A configuration that cannot be used. Displays as lines for a person.
#[derive(Debug)]
pub enum ConfigurationError {
    /// There is no such file.
    Missing(PathBuf),
    /// The file cannot be read.
    Unreadable(PathBuf, std::io::Error),
    /// The file is not TOML, or says something it cannot say; the text shows the place.
    Syntax(PathBuf, String),
    /// An environment variable overrides a key with something it cannot be.
    Override(String),
    /// Well-formed, but it cannot work.
    Problems(Vec<String>),
}

impl ConfigurationError {
    /// Problems by key, with the place where each key stands in the file or the variable that set it.
    pub fn problems(loaded: &Loaded, problems: &[ConfigProblem]) -> Self {
        let place = |problem: &ConfigProblem| match loaded.overridden.iter().find(|key| **key == problem.key)
        {
            Some(key) => format!("{}: {}", variable_of(key), problem.message),
            None => {
                let (line, column) = place::of(&loaded.text, &problem.key);
                format!("{}:{line}:{column}: {problem}", loaded.path.display())
            }
        };
        Self::Problems(problems.iter().map(place).collect())
    }
}

impl fmt::Display for ConfigurationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(
                formatter,
                "error: there is no configuration {path}; write one with `price-cache config init {path}`, or name \
                 yours with --config FILE",
                path = path.display()
            ),
            Self::Unreadable(path, error) => {
                write!(formatter, "error: could not read {}: {error}", path.display())
            }
            Self::Syntax(path, shown) => write!(formatter, "error: {}: {}", path.display(), shown.trim_end()),
            Self::Override(message) => write!(formatter, "error: {message}"),
            Self::Problems(problems) => {
                let lines: Vec<_> = problems.iter().map(|problem| format!("error: {problem}")).collect();
                formatter.write_str(&lines.join("\n"))
            }
        }
    }
}

impl std::error::Error for ConfigurationError {}
