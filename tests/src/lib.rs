//! What the end-to-end tests stand on: the real programs as child processes, configurations for the
//! simulator, a plain HTTP client and a raw one, a browser, and the tests of kills and terminations, of which there are longer runs.

pub mod browser;
mod free_address;
pub mod injected;
pub mod injection;
pub mod kills;
mod programs;
mod raw;
mod scene;
mod small_disk;
pub mod sources;
pub mod terminations;
pub mod trace;
mod usage;
pub mod watcher;

pub use free_address::free_address;
pub use price_cache_selftest::{
    Answer, Api, Digest, EndedEarly, Launch, MarketView, PATIENCE, Process, Server, Signal, StatusView,
    eventually, within,
};
pub use programs::below_target;
pub use raw::{Raw, RawAnswer};
pub use scene::{Finished, Scene, Settings, store_of_environment};
pub use small_disk::SmallDisk;
pub use usage::Usage;
