//! Runs a real price cache against a simulated upstream, kills it again and again, and checks from outside that
//! it keeps its promises.
#![doc = include_str!("../README.md")]

mod account;
mod api;
mod costs;
mod figures;
mod folder;
mod killer;
mod process;
mod promise;
mod selftest;
mod shown;
mod stage;
mod status;
mod waiting;

pub use account::records;
pub use api::{Answer, Api};
pub use figures::Figures;
pub use killer::UNDURABLE_RECORDS_MAX;
pub use process::{Launch, Process, Server, Signal, command, prepared};
pub use promise::{Broken, Promise};
pub use selftest::{Failed, SelfTest, disk_time};
pub use status::{MarketView, StatusView};
pub use waiting::{PATIENCE, eventually, within};
