//! The commands that a server executes.

use clap::{Args, Subcommand};

use super::parse_id;

/// A command for the server of `--server`.
#[derive(Clone, Debug, Subcommand)]
pub enum RemoteCommand {
    /// Start a run, resume a paused one or try again after an error
    #[command(display_order = 3)]
    Start(StartArguments),
    /// Pause the run
    #[command(display_order = 4)]
    Stop(StopArguments),
    /// Clear the run, the prices, the analytics and the logs
    #[command(display_order = 5)]
    Reset(ResetArguments),
    /// Retry the products that failed in the last run
    #[command(display_order = 6)]
    RetryFailed(RetryFailedArguments),
    /// Show the progress of the run, with a bar per market
    #[command(display_order = 10)]
    Status(StatusArguments),
    /// Ask whether the server is ready: exit code 0 when it is, 1 when it is not yet, 4 when it is not there
    #[command(display_order = 14)]
    Health,
    /// Show the products that failed and why
    #[command(display_order = 11)]
    Errors(ErrorsArguments),
    /// Show the request log, or clear it
    #[command(display_order = 12)]
    Logs(LogsArguments),
    /// Read cached prices
    #[command(display_order = 13)]
    Prices {
        /// Which prices.
        #[command(subcommand)]
        command: PricesCommand,
    },
}

/// What `start` takes.
#[derive(Clone, Debug, Default, Args)]
pub struct StartArguments {
    /// Show progress until the run ends; the exit code tells how it ended
    #[arg(long)]
    pub watch: bool,
    /// Print the server's answer unchanged
    #[arg(long, conflicts_with = "watch")]
    pub json: bool,
}

/// What `stop` takes.
#[derive(Clone, Debug, Default, Args)]
pub struct StopArguments {
    /// Print the server's answer unchanged
    #[arg(long)]
    pub json: bool,
}

/// What `reset` takes.
#[derive(Clone, Debug, Default, Args)]
pub struct ResetArguments {
    /// Do not ask for confirmation
    #[arg(long, short)]
    pub yes: bool,
    /// Keep the cached prices
    #[arg(long)]
    pub keep_prices: bool,
    /// Print the server's answer unchanged
    #[arg(long)]
    pub json: bool,
}

/// What `retry-failed` takes.
#[derive(Clone, Debug, Default, Args)]
pub struct RetryFailedArguments {
    /// Only this market
    #[arg(long, value_name = "MARKET", value_parser = parse_id)]
    pub market: Option<String>,
    /// Only this class of failure, as `errors` shows it
    #[arg(long, value_name = "CLASS")]
    pub class: Option<String>,
    /// Print the server's answer unchanged
    #[arg(long)]
    pub json: bool,
}

/// What `status` takes.
#[derive(Clone, Debug, Default, Args)]
pub struct StatusArguments {
    /// Ask again every second, until the run is complete
    #[arg(long)]
    pub watch: bool,
    /// Print the server's answer unchanged
    #[arg(long)]
    pub json: bool,
}

/// What `errors` takes.
#[derive(Clone, Debug, Args)]
pub struct ErrorsArguments {
    /// Only this market
    #[arg(long, value_name = "MARKET", value_parser = parse_id)]
    pub market: Option<String>,
    /// Only this class of failure
    #[arg(long, value_name = "CLASS")]
    pub class: Option<String>,
    /// Start after this cursor, the `next` of an earlier answer
    #[arg(long, value_name = "NEXT")]
    pub after: Option<String>,
    /// Show at most this many
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: u64,
    /// Print the server's answer unchanged
    #[arg(long)]
    pub json: bool,
}

/// What `logs` takes.
#[derive(Clone, Debug, Args)]
pub struct LogsArguments {
    /// Show at most this many, newest first
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: u64,
    /// Only requests of this market
    #[arg(long, value_name = "MARKET", value_parser = parse_id)]
    pub market: Option<String>,
    /// Only failed requests
    #[arg(long)]
    pub failed: bool,
    /// Print the server's answer unchanged
    #[arg(long, conflicts_with_all = ["market", "failed"])]
    pub json: bool,
    /// Clear the request log
    #[arg(long, conflicts_with_all = ["limit", "market", "failed", "json"])]
    pub clear: bool,
}

/// Which prices to read.
#[derive(Clone, Debug, Subcommand)]
pub enum PricesCommand {
    /// Print the price of one product
    Get(GetArguments),
    /// Print the prices of one market
    List(ListArguments),
}

/// What `prices get` takes.
#[derive(Clone, Debug, Args)]
pub struct GetArguments {
    /// The market
    #[arg(value_name = "MARKET", value_parser = parse_id)]
    pub market: String,
    /// The product
    #[arg(value_name = "PRODUCT", value_parser = parse_id)]
    pub product: String,
    /// Print the server's answer unchanged
    #[arg(long)]
    pub json: bool,
}

/// What `prices list` takes.
#[derive(Clone, Debug, Args)]
pub struct ListArguments {
    /// The market
    #[arg(value_name = "MARKET", value_parser = parse_id)]
    pub market: String,
    /// Start after this cursor, the `next` of an earlier answer
    #[arg(long, value_name = "NEXT")]
    pub after: Option<String>,
    /// Show at most this many
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: u64,
    /// Show all; with `--json` one answer of the server per line
    #[arg(long, conflicts_with = "limit")]
    pub all: bool,
    /// Print the server's answer unchanged
    #[arg(long)]
    pub json: bool,
}
