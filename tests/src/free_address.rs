//! Addresses on which nobody listens, and which no other test is given meanwhile.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;

/// Below the ports that systems give to those who ask for any: Linux begins with 32768, others with 49152.
const PORTS: Range<u16> = 15_000..30_000;

/// How many ports are tried: a few may be taken by programs of the machine.
const TRIES: usize = 100;

/// Returns a loopback address whose port is free. A port that the system chose could be given to another test as soon as it
/// is let go; this one is given to nobody.
///
/// # Errors
/// Nearly every port is taken.
pub fn free_address() -> io::Result<SocketAddr> {
    let mut result = Err(io::Error::other("no port was tried"));
    for _ in 0..TRIES {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, fastrand::u16(PORTS)));
        result = TcpListener::bind(address).map(|_| address);
        if result.is_ok() {
            break;
        }
    }
    result
}
