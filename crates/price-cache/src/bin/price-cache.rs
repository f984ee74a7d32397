//! The command line of a price cache.

use std::process::ExitCode;

fn main() -> ExitCode {
    price_cache::client_main()
}
