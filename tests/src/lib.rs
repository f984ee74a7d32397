//! What the end-to-end tests stand on: the real programs as child processes, configurations for the
//! simulator, a plain HTTP client and a raw one, a browser, and the tests of kills and terminations, of which there are longer runs.

mod api;
pub mod browser;
pub mod kills;
mod process;
mod programs;
mod raw;
mod scene;
mod small_disk;
pub mod sources;
mod status;
pub mod terminations;
pub mod trace;
mod usage;
mod waiting;

pub use api::{Answer, Api};
pub use process::{Finished, Launch, Process, Server, Signal};
pub use programs::below_target;
pub use raw::{Raw, RawAnswer};
pub use scene::{Scene, Settings};
pub use small_disk::SmallDisk;
pub use status::{MarketView, StatusView};
pub use usage::Usage;
pub use waiting::{PATIENCE, eventually, within};
