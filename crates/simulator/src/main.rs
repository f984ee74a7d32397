//! The simulator as a program: prints its base URL on one line of stdout and answers until it is killed.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use price_cache_simulator::{Catalogue, Faults, Latency, Options, RateLimit, Simulator};

/// A pricing API with real prices and seeded faults, for demos, tests and benchmarks.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// azure-vm, big-mac, app-store-tiers or synthetic:MARKETSxPRODUCTS.
    #[arg(long, default_value = "azure-vm")]
    data_set: String,
    /// Only the first markets.
    #[arg(long, value_name = "COUNT")]
    markets: Option<usize>,
    /// Only the first products of each market.
    #[arg(long, value_name = "COUNT")]
    products: Option<usize>,
    /// The seed of every draw.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long each answer takes.
    #[arg(long, default_value_t = 0)]
    latency_ms: u32,
    /// Up to how much longer an answer takes, drawn for each.
    #[arg(long, default_value_t = 0)]
    latency_jitter_ms: u32,
    /// Prices per second that are answered, and as many at once; the others get 429 with Retry-After: 1.
    #[arg(long, value_name = "PER_SECOND", value_parser = clap::value_parser!(u32).range(1..))]
    rate_limit: Option<u32>,
    /// A fault: KIND=PER_MILLE, permanent/KIND=PER_MILLE, transient/KIND=PER_MILLE, listings/KIND=PER_MILLE,
    /// market/ID=KIND or everywhere=KIND. May be repeated.
    #[arg(long = "fault", value_name = "SPEC", num_args = 1..)]
    faults: Vec<String>,
    /// How many attempts a transient fault lasts.
    #[arg(long, default_value_t = 1)]
    transient_attempts: u32,
    /// Prices carry a strong ETag and If-None-Match is honoured.
    #[arg(long)]
    etags: bool,
    /// Every request but those of control and health needs this bearer token.
    #[arg(long, value_name = "TOKEN")]
    bearer_token: Option<String>,
    /// Do not count per pair: the memory stays small in walks of millions.
    #[arg(long)]
    no_pair_counts: bool,
    /// Worker threads; the default is best for one or a few connections.
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing can be done about a stderr that is closed.
            let _ = writeln!(std::io::stderr(), "price-cache-simulator: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    let runtime = if arguments.threads <= 1 {
        tokio::runtime::Builder::new_current_thread().enable_all().build()?
    } else {
        tokio::runtime::Builder::new_multi_thread().worker_threads(arguments.threads).enable_all().build()?
    };
    let options = options(arguments)?;
    runtime.block_on(async {
        let simulator = Simulator::start(options).await?;
        let mut out = std::io::stdout();
        writeln!(out, "{}", simulator.base_url())?;
        out.flush()?;
        std::future::pending::<Result<(), Failure>>().await
    })
}

fn options(arguments: Arguments) -> Result<Options, Failure> {
    let mut catalogue = Catalogue::named(&arguments.data_set)?;
    if arguments.markets.is_some() || arguments.products.is_some() {
        let markets = arguments.markets.unwrap_or(usize::MAX);
        catalogue = catalogue.subset(markets, arguments.products.unwrap_or(usize::MAX));
    }
    let mut faults = Faults { transient_attempts: arguments.transient_attempts, ..Faults::default() };
    for spec in &arguments.faults {
        faults.add(spec)?;
    }
    Ok(Options {
        listen: arguments.listen,
        seed: arguments.seed,
        faults,
        latency: Latency {
            fixed: Duration::from_millis(u64::from(arguments.latency_ms)),
            jitter: Duration::from_millis(u64::from(arguments.latency_jitter_ms)),
        },
        rate_limit: arguments.rate_limit.map(|limit| RateLimit::per_second(f64::from(limit))),
        etags: arguments.etags,
        bearer_token: arguments.bearer_token,
        count_pairs: !arguments.no_pair_counts,
        ..Options::new(catalogue)
    })
}
