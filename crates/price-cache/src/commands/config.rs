//! `config init`, `config check` and `config schema`.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use price_cache_cli::arguments::{ConfigCommand, InitArguments};
use price_cache_cli::{Exit, Streams};

use super::loaded;
use crate::configuration::{Configuration, TEMPLATE};
use crate::wiring;

/// Executes one of them.
pub fn execute(config: &Path, command: &ConfigCommand, streams: &mut Streams) -> anyhow::Result<Exit> {
    match command {
        ConfigCommand::Init(arguments) => init(config, arguments, streams),
        ConfigCommand::Check => check(config, streams),
        ConfigCommand::Schema => {
            let schema = schemars::schema_for!(Configuration);
            streams.data(&serde_json::to_string_pretty(&schema)?)?;
            Ok(Exit::Done)
        }
    }
}

fn init(config: &Path, arguments: &InitArguments, streams: &mut Streams) -> anyhow::Result<Exit> {
    let path = arguments.file.as_deref().unwrap_or(config);
    let written = if arguments.force {
        fs::write(path, TEMPLATE)
    } else {
        File::create_new(path).and_then(|mut file| file.write_all(TEMPLATE.as_bytes()))
    };
    let path = wiring::shown(path);
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            bail!("{path} exists already; --force overwrites it")
        }
        result => result.with_context(|| format!("could not write {path}"))?,
    }
    streams.human(&format!(
        "wrote {path}; describe your pricing API in it, then: price-cache config check, price-cache probe, price-cache run"
    ));
    Ok(Exit::Done)
}

/// Also looks for unset environment variables, which only building the source finds.
fn check(config: &Path, streams: &mut Streams) -> anyhow::Result<Exit> {
    let loaded = loaded(config)?;
    wiring::open_source(&loaded)?;
    loaded.warnings.iter().for_each(|warning| streams.human(&format!("warning: {warning}")));
    streams.human(&format!("{} is fine", wiring::shown(config)));
    Ok(Exit::Done)
}
