//! The source files of the workspace, parsed once for all checks that read them.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::shell;

/// A source file.
pub(crate) struct Source {
    /// The path below the root of the workspace.
    pub(crate) path: PathBuf,
    pub(crate) syntax: syn::File,
}

/// Reads and parses every source file.
pub(crate) fn all() -> Result<Vec<Source>> {
    let parsed = shell::files(".rs")?.into_iter().map(|path| {
        let text = fs::read_to_string(shell::root().join(&path))?;
        let syntax = syn::parse_file(&text).with_context(|| format!("{} is not Rust", path.display()))?;
        Ok(Source { path, syntax })
    });
    parsed.collect()
}

/// Tells whether an item with these attributes is built for tests only.
pub(crate) fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string() == "test")
    })
}
