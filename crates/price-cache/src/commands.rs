//! The commands that run in-process, one a file.

pub mod config;
pub mod doctor;
pub mod dump;
pub mod plan;
pub mod probe;
pub mod run;
pub mod selftest;
pub mod serve;
pub mod store;

use std::path::Path;

use price_cache_cli::client::ServerAddress;

use crate::configuration::{ConfigurationError, Loaded, listening_at, load};

/// The configuration with the overrides of the environment.
fn loaded(config: &Path) -> Result<Loaded, ConfigurationError> {
    load(config, environment())
}

/// Returns the server that remote commands talk to unless they are given one: that of the configuration. With port 0 the
/// system chooses one, which nobody knows here.
pub(crate) fn configured_server(config: &Path) -> Option<ServerAddress> {
    listening_at(config, environment()).filter(|listen| listen.port() > 0).map(ServerAddress::from)
}

/// Returns the variables that are text.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_where_its_configuration_lets_it_listen() {
        let found = |text: &str| {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), text).unwrap();
            configured_server(file.path()).map(|address| address.to_string())
        };
        let listen = |address: &str| found(&format!("[server]\nlisten = \"{address}\"\n"));
        assert_eq!(listen("127.0.0.1:9000").as_deref(), Some("http://127.0.0.1:9000"));
        assert_eq!(listen("0.0.0.0:80").as_deref(), Some("http://127.0.0.1:80"));
        assert_eq!(listen("[::]:9000").as_deref(), Some("http://[::1]:9000"));
        assert_eq!(listen("127.0.0.1:0"), None);
        assert_eq!(found("[server]\nstale_after = \"1d\""), None);
        assert_eq!(found("not TOML"), None);
        assert_eq!(configured_server(Path::new("/no/such/file")), None);
    }
}
