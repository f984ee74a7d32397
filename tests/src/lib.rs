//! What the end-to-end tests stand on: the real programs as child processes, configurations for the
//! simulator, a plain HTTP client, and the kill test, which longer runs outside the tests use as well.

mod api;
pub mod browser;
pub mod kills;
mod process;
mod programs;
mod scene;
pub mod sources;
mod status;
mod waiting;

pub use api::{Answer, Api};
pub use process::{Finished, Launch, Process, Server, Signal};
pub use programs::below_target;
pub use scene::{Scene, Settings};
pub use status::{MarketView, StatusView};
pub use waiting::{PATIENCE, eventually, within};
