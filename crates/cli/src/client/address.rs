//! The address of a server, as given with `--server`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use hyper::Uri;

/// The port of an http:// URL that names none.
const HTTP_PORT: u16 = 80;

/// The default port of a server.
const PORT_DEFAULT: u16 = 4680;

/// Where the server is: host, port and the path under which its routes begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAddress {
    host: String,
    port: u16,
    authority: String,
    prefix: String,
}

/// Why a text is not the address of a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The text is not a URL with a host.
    #[error("expected a URL like http://127.0.0.1:4680")]
    NotAUrl,
    /// Another scheme than http.
    #[error("only http:// URLs are supported, not {0}://; reach a server behind TLS through a local tunnel")]
    Scheme(String),
    /// The URL contains a user name or password.
    #[error("a user name in the URL is not supported; give the key with --api-key-file")]
    UserName,
    /// The URL contains a query.
    #[error("the URL of a server has no query")]
    Query,
}

impl ServerAddress {
    /// The host without brackets, to connect to.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The port to connect to.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Host and port as the `Host` header names them.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// The path before every route: empty, or with a leading and no trailing slash.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }
}

/// The default address of a server.
impl Default for ServerAddress {
    fn default() -> Self {
        Self::from(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT_DEFAULT))
    }
}

/// The address of a server that listens there: one that listens on every address is reached by loopback.
impl From<SocketAddr> for ServerAddress {
    fn from(listen: SocketAddr) -> Self {
        let host = match listen.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        let address = SocketAddr::new(host, listen.port());
        Self {
            host: host.to_string(),
            port: address.port(),
            authority: address.to_string(),
            prefix: String::new(),
        }
    }
}

impl FromStr for ServerAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uri: Uri = text.trim().parse().map_err(|_| AddressError::NotAUrl)?;
        match uri.scheme_str() {
            Some("http") => {}
            Some(other) => return Err(AddressError::Scheme(other.to_owned())),
            None => return Err(AddressError::NotAUrl),
        }
        let authority = uri.authority().ok_or(AddressError::NotAUrl)?;
        if authority.as_str().contains('@') {
            return Err(AddressError::UserName);
        }
        if uri.query().is_some() {
            return Err(AddressError::Query);
        }
        let host = authority.host();
        let has_port = authority.as_str().len() > host.len();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() || (has_port && authority.port_u16().is_none()) {
            return Err(AddressError::NotAUrl);
        }
        Ok(Self {
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(HTTP_PORT),
            authority: authority.as_str().to_owned(),
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "http://{}{}", self.authority, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{AddressError, ServerAddress};

    #[test]
    fn hosts_ports_and_prefixes() {
        for (text, host, port, prefix) in [
            ("http://127.0.0.1:4680", "127.0.0.1", 4680, ""),
            ("http://localhost/", "localhost", 80, ""),
            ("http://[::1]:4680/shop/prices/", "::1", 4680, "/shop/prices"),
        ] {
            let address: ServerAddress = text.parse().unwrap();
            assert_eq!((address.host(), address.port(), address.prefix()), (host, port, prefix));
        }
    }

    #[test]
    fn what_is_no_address() {
        for (text, error) in [
            ("localhost:4680", AddressError::NotAUrl),
            ("/status", AddressError::NotAUrl),
            ("http://", AddressError::NotAUrl),
            ("http://host:99999", AddressError::NotAUrl),
            ("ftp://host", AddressError::Scheme("ftp".to_owned())),
            ("http://me:secret@host", AddressError::UserName),
            ("http://host/?x", AddressError::Query),
        ] {
            assert_eq!(text.parse::<ServerAddress>().unwrap_err(), error, "{text}");
        }
    }
}
