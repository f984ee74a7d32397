//! The commands that the binary executes itself, without a server.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::Shell;

use super::parse_id;

/// More kills of one self-test would take a day.
const KILLS_MAX: i64 = 100_000;

/// A command executed in-process, with the configuration of `--config`.
#[derive(Clone, Debug, Subcommand)]
pub enum LocalCommand {
    /// Run once over all markets in the foreground, without a server; Ctrl-C pauses, the same command resumes
    #[command(display_order = 1)]
    Run(RunArguments),
    /// Start the server: the API, the dashboard and the prices
    #[command(display_order = 2)]
    Serve,
    /// Fetch one price of every market and show the request, the answer and the price that was read
    #[command(display_order = 20)]
    Probe(ProbeArguments),
    /// Count the products of every market and estimate requests and duration, without fetching a price
    #[command(display_order = 21)]
    Plan(PlanArguments),
    /// Write, check or describe the configuration
    #[command(display_order = 22)]
    Config {
        /// What to do with it.
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Recount every counter from the records, report differences and verify the store; with --repair, repair it
    #[command(display_order = 23)]
    Doctor(DoctorArguments),
    /// Move the store of the configuration to another kind of database
    #[command(display_order = 24)]
    Store {
        /// What to do with it.
        #[command(subcommand)]
        command: StoreCommand,
    },
    /// Crash test: SIGKILL a private server repeatedly and verify that no data is lost
    #[command(
        display_order = 25,
        long_about = "Kill a server of one's own again and again, and check that it loses nothing.\n\n\
                      Starts a simulated upstream and, on a store in a temporary folder, `price-cache serve`; kills that \
                      with SIGKILL at random moments, some of them while it starts and recovers; and checks from outside \
                      that nothing shown is taken back, nothing skipped or counted twice, that every price has the digits \
                      of the upstream and that a kill costs no more requests than stated. Needs no configuration and \
                      touches nothing but its folder, which is below TMPDIR and gone in the end, unless a promise was broken.",
        after_help = "Exit codes: 0 every promise was kept, 1 a promise was broken or the test could not be done, \
                      130 interrupted."
    )]
    Selftest(SelftestArguments),
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

/// What `run` takes.
#[derive(Clone, Debug, Args)]
pub struct RunArguments {
    /// Print the final status as one JSON document, like the status of the API
    #[arg(long)]
    pub json: bool,
}

/// What `plan` takes.
#[derive(Clone, Debug, Args)]
pub struct PlanArguments {
    /// Print the figures as one JSON document
    #[arg(long)]
    pub json: bool,
}

/// What `probe` takes.
#[derive(Clone, Debug, Args)]
pub struct ProbeArguments {
    /// Only this market
    #[arg(long, value_name = "MARKET", value_parser = parse_id)]
    pub market: Option<String>,
    /// Print each market as one JSON document on a line of its own
    #[arg(long)]
    pub json: bool,
}

/// What can be done with a configuration.
#[derive(Clone, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Write a configuration with comments as a starting point
    Init(InitArguments),
    /// Check the configuration and report every mistake with line and column
    Check,
    /// Print the JSON Schema of the configuration
    Schema,
}

/// What `config init` takes.
#[derive(Clone, Debug, Args)]
pub struct InitArguments {
    /// The file to write; by default the one of `--config`
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Overwrite the file if it exists
    #[arg(long)]
    pub force: bool,
}

/// What `doctor` takes.
#[derive(Clone, Debug, Default, Args)]
pub struct DoctorArguments {
    /// Repair the store; records that are removed are kept in a file beside it
    #[arg(long)]
    pub repair: bool,
    /// Print what was found as one JSON document
    #[arg(long)]
    pub json: bool,
}

/// What can be done with a store.
#[derive(Clone, Debug, Subcommand)]
pub enum StoreCommand {
    /// Move every record to another kind of database in the same folder; no server may have it open. A move that is
    /// interrupted has changed nothing and can be repeated
    Move(StoreMoveArguments),
}

/// What `store move` takes.
#[derive(Clone, Debug, Args)]
pub struct StoreMoveArguments {
    /// The kind of database to move to
    #[arg(long, value_name = "KIND", value_parser = ["redb", "sled"])]
    pub to: String,
}

/// What `selftest` takes.
#[derive(Clone, Debug, Args)]
pub struct SelftestArguments {
    /// Number of kills
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=KILLS_MAX))]
    pub kills: u32,
    /// The kind of store to test; by default the one that new folders get
    #[arg(long, value_name = "KIND", value_parser = ["redb", "sled"])]
    pub store: Option<String>,
    /// Seed of the random moments of the kills; random by default
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// Print the figures as one JSON document
    #[arg(long)]
    pub json: bool,
}

/// What `dump` takes.
#[derive(Clone, Debug, Args)]
pub struct DumpArguments {
    /// The folder for state.json, market-ID.json and analytics.json; created when missing
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
}
