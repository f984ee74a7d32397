//! The source against real servers: the simulator, and raw sockets that break every rule.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod amounts;
mod encodings;
mod examples;
mod http_faults;
mod json_faults;
mod list_ends;
mod list_items;
mod lists;
mod problems;
mod redirects;
mod requests;
mod rules;
mod support;
