//! The file that `config init` writes.

/// A configuration with comments to begin with; it loads as it is.
pub const TEMPLATE: &str = include_str!("template.toml");
