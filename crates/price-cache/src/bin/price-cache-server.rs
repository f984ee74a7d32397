//! The server of a price cache; the same as `price-cache serve`.

use std::process::ExitCode;

fn main() -> ExitCode {
    price_cache::server_main()
}
