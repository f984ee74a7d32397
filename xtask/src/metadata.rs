//! The packages of the workspace as cargo describes them.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::shell::cargo;

/// Returns the packages of the workspace, in the format of `cargo metadata`.
pub(crate) fn packages() -> Result<Vec<Value>> {
    let output = cargo(&["metadata", "--format-version", "1", "--no-deps"]).output()?;
    let mut metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")?;
    match metadata["packages"].take() {
        Value::Array(packages) => Ok(packages),
        _ => anyhow::bail!("cargo metadata names no packages"),
    }
}
