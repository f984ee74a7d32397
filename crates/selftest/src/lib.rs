//! Runs a real price cache against a simulated upstream, kills it again and again, and checks from outside that
//! it keeps its promises.
#![doc = include_str!("../README.md")]

mod account;
mod api;
mod costs;
mod digest;
mod figures;
mod folder;
mod killer;
mod options;
mod plan;
mod process;
mod profile;
mod promise;
mod selftest;
mod shown;
mod stage;
mod status;
mod waiting;

pub use account::records;
pub use api::{Answer, Api, Events};
pub use digest::Digest;
pub use figures::Figures;
pub use options::SelfTest;
pub use process::{EndedEarly, Launch, Process, Server, Signal, command, prepared};
pub use profile::{Profile, UNSYNCED_WRITES_MAX};
pub use promise::{Broken, Promise};
pub use selftest::{Failed, disk_time};
pub use status::{MarketView, StatusView};
pub use waiting::{PATIENCE, eventually, within};
