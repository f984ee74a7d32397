//! A listener whose queue is full: the kernel answers nobody any more, as behind a firewall that drops packets.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

/// A connection that does not stand after this long does not come into the queue.
const QUEUE_TIME: Duration = Duration::from_millis(100);

/// An address that answers nobody as long as this lives.
#[derive(Debug)]
pub struct BlackHole {
    address: SocketAddr,
    _listener: TcpListener,
    _queued: Vec<TcpStream>,
}

impl BlackHole {
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// No port is free, or connecting fails for another reason than that the queue is full.
    pub async fn open() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let listener = socket.listen(1)?;
        let address = listener.local_addr()?;
        let mut queued = Vec::new();
        while let Ok(connected) = timeout(QUEUE_TIME, TcpStream::connect(address)).await {
            queued.push(connected?);
        }
        Ok(Self { address, _listener: listener, _queued: queued })
    }

    /// The address.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}
