//! The HTTP client and whom it trusts.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Url, redirect};
use rustls::{ClientConfig, RootCertStore};

use crate::config::LimitsConfig;
use crate::problem::SourceError;

/// How long an unused connection stays open.
const IDLE_TIME_MAX: Duration = Duration::from_secs(60);

/// How many unused connections stay open to one server: about one per market at work.
const IDLE_CONNECTIONS_MAX: usize = 64;

/// Builds the client for a source that asks the given servers.
///
/// # Errors
/// The TLS or HTTP library refuses its settings.
pub(crate) fn client(base: &Url, servers: &[&Url], limits: &LimitsConfig) -> Result<Client, SourceError> {
    let needs_tls = servers.iter().any(|url| url.scheme() == "https");
    let mut builder = Client::builder()
        .tls_backend_preconfigured(tls(needs_tls)?)
        .user_agent(&limits.user_agent)
        .connect_timeout(limits.connect.duration())
        .redirect(redirect::Policy::none())
        .tcp_nodelay(true)
        // Bodies are decompressed in `coding`, which knows more of what servers send.
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd()
        .pool_idle_timeout(IDLE_TIME_MAX)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        // One request is one request: what to repeat, and when, is decided by the engine.
        .retry(reqwest::retry::never());
    if is_loopback(base) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| SourceError::Client(error.into()))
}

/// A proxy cannot reach this machine by its name for itself.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// TLS that trusts what the system trusts (also `SSL_CERT_FILE`), or Mozilla's list where the system has
/// none, as in an empty container. Reading certificates takes a while, so it is left out where no
/// server speaks TLS.
fn tls(needs_tls: bool) -> Result<ClientConfig, SourceError> {
    let mut roots = RootCertStore::empty();
    if needs_tls {
        let system = rustls_native_certs::load_native_certs();
        for error in &system.errors {
            tracing::warn!(%error, "some of the system's certificates cannot be read");
        }
        roots.add_parsable_certificates(system.certs);
        if roots.is_empty() {
            tracing::info!("the system has no certificates; trusting the built-in list of Mozilla");
            roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
        }
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| SourceError::Client(error.into()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_client_for_tls_is_built_with_some_trust() {
        let url = Url::parse("https://api.shop.example").unwrap();
        assert!(client(&url, &[&url], &LimitsConfig::default()).is_ok());
    }

    #[test]
    fn this_machine_is_recognised() {
        for (url, expected) in [
            ("http://localhost:1", true),
            ("http://127.0.0.1", true),
            ("http://[::1]:8", true),
            ("http://10.0.0.1", false),
            ("http://localhost.example", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
