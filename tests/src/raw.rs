//! A client that sends exactly the bytes it is given, for requests that no well-behaved client would send.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::within;

/// What a system keeps for a client that reads nothing.
const SMALL_BUFFER_BYTES: u32 = 4 * 1024;

/// One connection.
#[derive(Debug)]
pub struct Raw {
    stream: TcpStream,
    /// Read, but not yet part of an answer.
    read: Vec<u8>,
}

/// An answer with everything that came.
#[derive(Clone, Debug)]
pub struct RawAnswer {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// As much of the body as has its length announced.
    pub body: Vec<u8>,
}

impl RawAnswer {
    /// The first header of this name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The sentence of a problem document.
    ///
    /// # Errors
    /// The body is none, or is about another status.
    pub fn problem(&self) -> anyhow::Result<String> {
        ensure!(
            self.header("content-type") == Some("application/problem+json"),
            "no problem document: {self:?}"
        );
        let problem: Value = serde_json::from_slice(&self.body)?;
        ensure!(problem["status"] == self.status, "the document is about another status: {problem}");
        problem["error"].as_str().map(str::to_owned).with_context(|| format!("no sentence in {problem}"))
    }
}

impl Raw {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens.
    pub async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = within("a connection", TcpStream::connect(address)).await??;
        Ok(Self { stream, read: Vec::new() })
    }

    /// Connects as a client that can hold next to nothing of what it is sent.
    ///
    /// # Errors
    /// Nobody listens.
    pub async fn open_with_small_buffer(address: SocketAddr) -> anyhow::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(SMALL_BUFFER_BYTES)?;
        let stream = within("a connection", socket.connect(address)).await??;
        Ok(Self { stream, read: Vec::new() })
    }

    /// Sends bytes. A server that has answered already may have closed the connection; that is no error.
    ///
    /// # Errors
    /// The server takes nothing for long.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> anyhow::Result<()> {
        let _ = within("that the server reads", self.stream.write_all(bytes.as_ref())).await?;
        Ok(())
    }

    /// Reads one answer; of a body without a length, nothing.
    ///
    /// # Errors
    /// The connection was closed before, or what came is not HTTP.
    pub async fn answer(&mut self) -> anyhow::Result<RawAnswer> {
        let head_end = loop {
            if let Some(at) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
            ensure!(self.read_more().await?, "closed after {:?}", String::from_utf8_lossy(&self.read));
        };
        let head: Vec<u8> = self.read.drain(..head_end + 4).collect();
        let head = String::from_utf8(head)?;
        let mut lines = head.trim_end().split("\r\n");
        let status =
            lines.next().and_then(|line| line.split(' ').nth(1)).context("no status line")?.parse()?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let mut answer = RawAnswer { status, headers, body: Vec::new() };
        let length = answer.header("content-length").map_or(Ok(0), str::parse)?;
        while self.read.len() < length {
            ensure!(self.read_more().await?, "the body was cut");
        }
        answer.body = self.read.drain(..length).collect();
        Ok(answer)
    }

    /// Reads until the server closes the connection.
    ///
    /// # Errors
    /// It does not.
    pub async fn rest(&mut self) -> anyhow::Result<Vec<u8>> {
        while self.read_more().await? {}
        Ok(std::mem::take(&mut self.read))
    }

    /// Whether there was more to read; a reset counts as an end.
    async fn read_more(&mut self) -> anyhow::Result<bool> {
        let read = within("an answer", self.stream.read_buf(&mut self.read)).await?;
        Ok(read.is_ok_and(|count| count > 0))
    }
}
