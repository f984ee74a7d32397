//! The commands that the binary executes itself, without a server.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::Shell;

use super::parse_id;

/// A command executed in-process, with the configuration of `--config`.
#[derive(Clone, Debug, Subcommand)]
pub enum LocalCommand {
    /// Walk once through all markets in the foreground, without a server; Ctrl-C pauses, the same command resumes
    #[command(display_order = 1)]
    Run,
    /// Start the server: the API, the dashboard and the prices
    #[command(display_order = 2)]
    Serve,
    /// Fetch one price of every market and show what was asked, what came back and what was understood
    #[command(display_order = 20)]
    Probe(ProbeArguments),
    /// Count the products of every market and estimate requests and duration, without fetching a price
    #[command(display_order = 21)]
    Plan,
    /// Write, check or describe the configuration
    #[command(display_order = 22)]
    Config {
        /// What to do with it.
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Recompute every counter from the records, report differences and check the store
    #[command(display_order = 23)]
    Doctor,
    /// Write the state, the markets and the analytics as JSON documents into a folder
    #[command(display_order = 24)]
    Dump(DumpArguments),
    /// Print the completions of a shell; `price-cache completions bash > /etc/bash_completion.d/price-cache`
    #[command(display_order = 40)]
    Completions {
        /// Which shell.
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print the manual page, in roff; `price-cache man | man -l -`
    #[command(display_order = 41)]
    Man,
}

/// What `probe` takes.
#[derive(Clone, Debug, Args)]
pub struct ProbeArguments {
    /// Only this market
    #[arg(long, value_name = "MARKET", value_parser = parse_id)]
    pub market: Option<String>,
}

/// What can be done with a configuration.
#[derive(Clone, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Write a configuration with comments to begin with
    Init(InitArguments),
    /// Check the configuration and report every mistake with line and column
    Check,
    /// Print the JSON Schema of the configuration
    Schema,
}

/// What `config init` takes.
#[derive(Clone, Debug, Args)]
pub struct InitArguments {
    /// The file to write; the one of `--config` unless given
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Overwrite the file if it exists
    #[arg(long)]
    pub force: bool,
}

/// What `dump` takes.
#[derive(Clone, Debug, Args)]
pub struct DumpArguments {
    /// The folder for state.json, market-ID.json and analytics.json; created when missing
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
}
