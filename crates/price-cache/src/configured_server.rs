//! The address of the server that the configuration describes, for remote commands that are not told another one.

use std::net::SocketAddr;
use std::path::Path;

use price_cache_cli::client::ServerAddress;
use toml::Table;

use crate::configuration::ENVIRONMENT_PREFIX;

/// Returns the address of `server.listen`, from the environment or a configuration file. `None` where there is no file, or none that says so: a
/// remote command needs no configuration, so nothing in it is a mistake here.
pub(crate) fn configured_server(config: &Path) -> Option<ServerAddress> {
    let in_environment = std::env::var(format!("{ENVIRONMENT_PREFIX}SERVER__LISTEN")).ok();
    let in_file = || {
        let file: Table = std::fs::read_to_string(config).ok()?.parse().ok()?;
        Some(file.get("server")?.get("listen")?.as_str()?.to_owned())
    };
    let listen: SocketAddr = in_environment.or_else(in_file)?.parse().ok()?;
    // With port 0 the system chooses one, which nobody knows here.
    (listen.port() > 0).then(|| listen.into())
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
