//! A small HTTP/1.1 client that sends exactly the bytes it is given.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// A test that waits longer than this has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Fails the test instead of hanging.
#[track_caller]
pub(crate) fn within<T>(future: impl Future<Output = T>) -> impl Future<Output = T> {
    let caller = std::panic::Location::caller();
    async move {
        let result = tokio::time::timeout(PATIENCE, future).await;
        result.unwrap_or_else(|_| panic!("nothing happened for {PATIENCE:?} at {caller}"))
    }
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The only header of this name, in lower case.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        let first = found.next();
        assert!(found.next().is_none(), "{name} is given twice: {:?}", self.headers);
        first.map(|(_, value)| value.as_str())
    }

    /// The same answer, as if it had been about a shorter path.
    pub(crate) fn at(mut self, instance: &str) -> Self {
        let text = String::from_utf8(self.body).unwrap();
        let (before, rest) = text.split_once("\"instance\":\"").unwrap();
        let (_, after) = rest.split_once('"').unwrap();
        self.body = format!("{before}\"instance\":\"{instance}\"{after}").into_bytes();
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// Requires this status and answers with the JSON.
    #[track_caller]
    pub(crate) fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.header("content-type"), Some("application/json"));
        self.json()
    }

    /// Requires a whole problem document of this status about this path; answers with its sentence.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, instance: &str) -> String {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["type"], "about:blank");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["instance"], instance);
        assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()), "{problem}");
        assert_eq!(problem["error"], problem["detail"]);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.len() > 10, "{problem}");
        detail.to_owned()
    }
}

/// An open connection.
pub(crate) struct Connection {
    stream: TcpStream,
    /// Read, but not yet part of an answer.
    read: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self { stream: within(TcpStream::connect(address)).await.unwrap(), read: Vec::new() }
    }

    /// One of whose answers little fits into the buffer of the client's system.
    pub(crate) async fn open_with_small_buffer(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4 * 1024).unwrap();
        Self { stream: within(socket.connect(address)).await.unwrap(), read: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        within(self.stream.write_all(bytes.as_ref())).await.unwrap();
    }

    /// Reads one answer with its body; `None` when the server closed the connection instead.
    #[track_caller]
    pub(crate) fn answer(&mut self) -> impl Future<Output = Option<Answer>> {
        within(self.read_answer(false))
    }

    /// Reads one answer to HEAD, which never has a body.
    #[track_caller]
    pub(crate) fn answer_to_head(&mut self) -> impl Future<Output = Option<Answer>> {
        within(self.read_answer(true))
    }

    /// Waits until the server closes the connection; answers with what came before.
    #[track_caller]
    pub(crate) fn rest(&mut self) -> impl Future<Output = Vec<u8>> {
        within(async move {
            while self.read_more().await {}
            std::mem::take(&mut self.read)
        })
    }

    /// Reads an interim answer; answers with its status line.
    #[track_caller]
    pub(crate) fn continues(&mut self) -> impl Future<Output = String> {
        within(async move {
            while !self.read.ends_with(b"\r\n\r\n") {
                assert!(self.read_more().await, "the connection was closed");
            }
            String::from_utf8(std::mem::take(&mut self.read)).unwrap().trim_end().to_owned()
        })
    }

    /// Whether there was more to read. A reset counts as an end.
    async fn read_more(&mut self) -> bool {
        self.stream.read_buf(&mut self.read).await.is_ok_and(|count| count > 0)
    }

    /// Reads the status and the headers of an answer whose body comes in chunks.
    #[track_caller]
    pub(crate) fn chunked_head(&mut self) -> impl Future<Output = Answer> {
        within(async move {
            let answer = self.read_head().await.unwrap();
            if answer.header("transfer-encoding").is_none() {
                return self.read_body(answer).await;
            }
            answer
        })
    }

    /// Reads one chunk of a body; `None` at its end, or when the connection was closed.
    #[track_caller]
    pub(crate) fn chunk(&mut self) -> impl Future<Output = Option<Vec<u8>>> {
        within(async move {
            let line_end = loop {
                if let Some(at) = self.read.windows(2).position(|two| two == b"\r\n") {
                    break at;
                }
                if !self.read_more().await {
                    return None;
                }
            };
            let size = std::str::from_utf8(&self.read[..line_end]).unwrap();
            let size = usize::from_str_radix(size, 16).unwrap();
            while self.read.len() < line_end + 2 + size + 2 {
                assert!(self.read_more().await, "a chunk was cut");
            }
            let chunk = self.read[line_end + 2..line_end + 2 + size].to_vec();
            self.read.drain(..line_end + 2 + size + 2);
            (size > 0).then_some(chunk)
        })
    }

    async fn read_answer(&mut self, to_head: bool) -> Option<Answer> {
        let answer = self.read_head().await?;
        assert_eq!(answer.header("transfer-encoding"), None, "this answer is not to come in chunks");
        let has_body = !to_head && answer.status != 304 && answer.status != 204;
        Some(if has_body { self.read_body(answer).await } else { answer })
    }

    async fn read_body(&mut self, mut answer: Answer) -> Answer {
        let length: usize = answer.header("content-length").unwrap().parse().unwrap();
        while self.read.len() < length {
            assert!(self.read_more().await, "the body was cut");
        }
        answer.body = self.read.drain(..length).collect();
        answer
    }

    async fn read_head(&mut self) -> Option<Answer> {
        let head_end = loop {
            if let Some(at) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
            if !self.read_more().await {
                return None;
            }
        };
        let head = String::from_utf8(self.read.drain(..head_end + 4).collect()).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status: u16 = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Some(Answer { status, headers, body: Vec::new() })
    }
}
