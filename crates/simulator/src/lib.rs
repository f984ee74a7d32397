//! A pricing API over real HTTP/1.1 with real prices, every pagination style and seeded faults.
//!
//! It is the upstream of the demo, the tests and the benchmarks. It counts what it is asked, so that a test can
//! say from outside whether a pair was skipped, asked twice, or two requests of a market ran at once.
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use price_cache_simulator::{Catalogue, FaultKind, Faults, Options, Simulator};
//!
//! let simulator = Simulator::start(Options {
//!     seed: 7,
//!     faults: Faults::per_attempt([(FaultKind::Status(503), 20), (FaultKind::Reset, 10)]),
//!     ..Options::new(Catalogue::big_mac()?)
//! })
//! .await?;
//! println!("{}/markets", simulator.base_url());
//! assert_eq!(simulator.ledger().total_requests(), 0);
//! simulator.stop().await;
//! # Ok(())
//! # }
//! ```

mod body;
mod catalogue;
mod faults;
mod hash;
mod ledger;
mod money;
mod options;
mod rate_limit;
pub mod raw;
mod routes;
mod server;
mod shared;
mod socket;

pub use catalogue::{Catalogue, CatalogueError, Market, Price, Product};
pub use faults::{FaultError, FaultKind, FaultWeights, Faults, FixedFault, PER_MILLE};
pub use ledger::{LedgerSnapshot, MarketCounts, PairCounts};
pub use options::{Latency, Options};
pub use rate_limit::RateLimit;
pub use server::{Handle, Simulator};
