//! The configuration file: what it may say, how it is read, and where its mistakes are.

mod check;
mod error;
mod load;
mod loaded;
mod old_keys;
mod place;
mod secret_texts;
mod template;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use price_cache_api_http::{ServerLimits, ServerOptions};
use price_cache_engine::{Options, PacingOptions, ParkingOptions, RetryOptions};
use price_cache_source_http::{SourceConfig, Span};
use price_cache_storage_embedded::{EmbeddedOptions, FallbackCopyOptions, RESERVE_BYTES_DEFAULT};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stores::StoreKind;

pub use error::ConfigurationError;
pub use load::{listening_at, load};
pub use loaded::{ENVIRONMENT_PREFIX, Loaded};
pub use template::TEMPLATE;

/// A whole configuration. Only `source` must be there.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// Where the prices come from.
    pub source: SourceConfig,
    /// The run: its order, rate limits, retries and circuit breakers.
    #[serde(default)]
    pub run: RunConfig,
    /// How clients reach the cache.
    #[serde(default)]
    pub server: ServerConfig,
    /// Where the prices are kept.
    #[serde(default)]
    pub storage: StorageConfig,
    /// The program's own log.
    #[serde(default)]
    pub log: LogConfig,
}

/// The section `[run]`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunConfig {
    /// How many markets are walked at a time; within a market there is one request at a time, always.
    pub parallel_markets: NonZeroUsize,
    /// The shortest time from an answer to the next request of the same market.
    pub delay_between_requests: Span,
    /// Whether a run that was interrupted goes on by itself when the server starts.
    pub resume_interrupted: bool,
    /// Writes per market that may be unsynced while the next request runs: the most that a crash repeats.
    #[serde(alias = "undurable_records_max")]
    pub max_unsynced_writes: NonZeroUsize,
    /// How fast requests may follow each other.
    pub pacing: PacingConfig,
    /// When and how failed requests are retried.
    pub retry: RetryConfig,
    /// When the circuit breaker of a market opens (the market is parked), and when it is probed.
    pub parking: ParkingConfig,
}

impl Default for RunConfig {
    fn default() -> Self {
        let options = Options::default();
        Self {
            parallel_markets: options.parallel_markets,
            delay_between_requests: options.delay_between_requests.into(),
            resume_interrupted: options.resume_interrupted,
            max_unsynced_writes: options.max_unsynced_writes,
            pacing: PacingConfig::default(),
            retry: RetryConfig::default(),
            parking: ParkingConfig::default(),
        }
    }
}

impl RunConfig {
    /// The engine's settings.
    pub fn options(&self) -> Options {
        Options {
            parallel_markets: self.parallel_markets,
            max_unsynced_writes: self.max_unsynced_writes,
            delay_between_requests: self.delay_between_requests.into(),
            resume_interrupted: self.resume_interrupted,
            pacing: PacingOptions {
                upstream_interval_min: interval(self.pacing.requests_per_second),
                market_interval_min: interval(self.pacing.market_requests_per_second),
                adaptive: self.pacing.adaptive,
            },
            retry: RetryOptions {
                attempts_max: self.retry.attempts_max,
                backoff_start: self.retry.backoff_start.into(),
                backoff_max: self.retry.backoff_max.into(),
                retry_after_max: self.retry.retry_after_max.into(),
                rate_limited_max: self.retry.rate_limited_max.into(),
                budget_start: self.retry.budget_start,
                budget_percent: self.retry.budget_percent,
                end_of_market_retry: self.retry.end_of_market_retry,
            },
            parking: ParkingOptions {
                failures_in_a_row: self.parking.failures_in_a_row,
                probe_delay_start: self.parking.probe_delay_start.into(),
                probe_delay_max: self.parking.probe_delay_max.into(),
            },
        }
    }
}

/// The time between two requests at this rate, in requests per second. What is no rate was refused when the
/// file was read.
fn interval(rate: Option<f64>) -> Duration {
    rate.and_then(|rate| Duration::try_from_secs_f64(1.0 / rate).ok()).unwrap_or_default()
}

/// The section `[run.pacing]`. Lists count as requests too; a purge counts with its price.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PacingConfig {
    /// Requests per second that all markets together send at most; without it there is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_second: Option<f64>,
    /// Requests per second that one market sends at most; without it there is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub market_requests_per_second: Option<f64>,
    /// Whether the rate adapts: it falls when the upstream refuses requests (429, 503) or answers much more slowly than
    /// usual, and grows back when it does not.
    pub adaptive: bool,
}

impl Default for PacingConfig {
    fn default() -> Self {
        let adaptive = PacingOptions::default().adaptive;
        Self { requests_per_second: None, market_requests_per_second: None, adaptive }
    }
}

/// The section `[run.retry]`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetryConfig {
    /// Requests per product at most, the first included.
    pub attempts_max: NonZeroU32,
    /// The longest wait after the first failure; doubles with each further one.
    pub backoff_start: Span,
    /// The longest wait that doubling leads to.
    pub backoff_max: Span,
    /// The longest `Retry-After` that is honoured.
    pub retry_after_max: Span,
    /// Give up on a product after being rate limited for this long.
    pub rate_limited_max: Span,
    /// The retry budget of a run before its first success.
    pub budget_start: u32,
    /// The retry budget: retries per 100 successes.
    pub budget_percent: u32,
    /// Whether products that failed in a transient way are retried once at the end of their market.
    #[serde(alias = "second_pass")]
    pub end_of_market_retry: bool,
}

impl Default for RetryConfig {
    fn default() -> Self {
        let options = RetryOptions::default();
        Self {
            attempts_max: options.attempts_max,
            backoff_start: options.backoff_start.into(),
            backoff_max: options.backoff_max.into(),
            retry_after_max: options.retry_after_max.into(),
            rate_limited_max: options.rate_limited_max.into(),
            budget_start: options.budget_start,
            budget_percent: options.budget_percent,
            end_of_market_retry: options.end_of_market_retry,
        }
    }
}

/// The section `[run.parking]`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ParkingConfig {
    /// Failed products in a row that open the circuit of a market; 0 means never.
    pub failures_in_a_row: u32,
    /// The longest wait before the first canary request; doubles with each one that fails.
    pub probe_delay_start: Span,
    /// The longest wait that doubling leads to.
    pub probe_delay_max: Span,
}

impl Default for ParkingConfig {
    fn default() -> Self {
        let options = ParkingOptions::default();
        Self {
            failures_in_a_row: options.failures_in_a_row,
            probe_delay_start: options.probe_delay_start.into(),
            probe_delay_max: options.probe_delay_max.into(),
        }
    }
}

/// The section `[server]`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// The address and port to listen on; port 0 lets the system choose. Beyond loopback only with `api_keys`.
    pub listen: SocketAddr,
    /// Names besides loopback ones that requests may be addressed to.
    pub allowed_hosts: Vec<String>,
    /// Hashes of the keys that may use the API and the metrics, each `sha256:` and the 64 digits that
    /// `printf %s KEY | sha256sum` prints. Without any, everyone who reaches the server may.
    #[schemars(inner(regex(pattern = r"^sha256:[0-9A-Fa-f]{64}$")))]
    #[serde(deserialize_with = "secret_texts::deserialize")]
    pub api_keys: Vec<String>,
    /// A price older than this is called stale.
    pub stale_after: Span,
}

impl Default for ServerConfig {
    fn default() -> Self {
        let options = ServerOptions::default();
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), options.listen.port()),
            allowed_hosts: options.allowed_hosts,
            api_keys: Vec::new(),
            stale_after: options.stale_after.into(),
        }
    }
}

impl ServerConfig {
    /// The server's settings.
    pub fn options(&self) -> ServerOptions {
        ServerOptions {
            listen: self.listen,
            allowed_hosts: self.allowed_hosts.clone(),
            // What is no hash was refused when the file was read.
            api_keys: self.api_keys.iter().filter_map(|key| key.parse().ok()).collect(),
            stale_after: self.stale_after.into(),
            limits: ServerLimits::default(),
        }
    }
}

/// The section `[storage]`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StorageConfig {
    /// The folder; made when there is none. Relative to the folder the program is started in.
    pub path: PathBuf,
    /// The kind of store that a new folder gets. A folder that has a store keeps its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<StoreKind>,
    /// Memory for the store's pages, in MiB; without it, what suits the kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_mib: Option<NonZeroU64>,
    /// Disk space kept back for opening the store on a full disk, in MiB.
    pub reserve_mib: u64,
    /// The longest that a fetched price waits for others to be made durable with it; without it, what suits the kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_interval: Option<Span>,
    /// The copy of all records beside the store, from which a store that is beyond repair is rebuilt.
    pub fallback_copy: FallbackCopyConfig,
}

/// The section `[storage.fallback_copy]`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FallbackCopyConfig {
    /// Whether a copy is made after each completed run and when the program stops.
    pub enabled: bool,
    /// The least time between two copies.
    pub interval: Span,
    /// The largest size of a copy, in MiB; a larger one is not made.
    pub size_max_mib: u64,
}

const MIB: u64 = 1024 * 1024;

impl Default for StorageConfig {
    fn default() -> Self {
        Self {
            path: PathBuf::from("price-cache-data"),
            kind: None,
            cache_mib: None,
            reserve_mib: RESERVE_BYTES_DEFAULT / MIB,
            sync_interval: None,
            fallback_copy: FallbackCopyConfig::default(),
        }
    }
}

impl Default for FallbackCopyConfig {
    fn default() -> Self {
        let options = FallbackCopyOptions::default();
        Self {
            enabled: options.is_on,
            interval: options.interval.into(),
            size_max_mib: options.bytes_max / MIB,
        }
    }
}

impl StorageConfig {
    /// Returns the settings of a store of this kind.
    pub fn options(&self, kind: StoreKind) -> EmbeddedOptions {
        let cache_bytes =
            self.cache_mib.map_or(kind.cache_bytes(), |cache_mib| cache_mib.get().saturating_mul(MIB));
        EmbeddedOptions {
            reserve_bytes: self.reserve_mib.saturating_mul(MIB),
            sync_interval: self.sync_interval.map_or(kind.sync_interval(), Span::duration),
            fallback_copy: FallbackCopyOptions {
                is_on: self.fallback_copy.enabled,
                interval: self.fallback_copy.interval.into(),
                bytes_max: self.fallback_copy.size_max_mib.saturating_mul(MIB),
            },
            ..EmbeddedOptions::new(self.path.clone(), cache_bytes)
        }
    }
}

/// The section `[log]`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// How much is told.
    pub level: LogLevel,
    /// In which form.
    pub format: LogFormat,
}

/// How much the log tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Only what failed.
    Error,
    /// Also what looks wrong.
    Warn,
    /// Also each transition of the run.
    #[default]
    Info,
    /// Also what helps to find a defect.
    Debug,
}

impl LogLevel {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

/// In which form the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}
