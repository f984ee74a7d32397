//! A server for tests: answers one connection after the other with prepared bytes and remembers what it was asked.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::{self, Cursor, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::client::{Client, Limits, ServerAddress};
use crate::{Context, Streams};

/// What the server does with one connection.
pub(crate) enum Reply {
    /// Sends these bytes and closes.
    Bytes(Vec<u8>),
    /// Never answers.
    Silence,
}

/// An answer with a JSON body.
pub(crate) fn json(status: &str, body: &str) -> Reply {
    let length = body.len();
    Reply::Bytes(format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes())
}

/// A server that gives these replies in order.
pub(crate) struct TestServer {
    pub(crate) address: ServerAddress,
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl TestServer {
    pub(crate) async fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            let mut open = Vec::new();
            for reply in replies {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !is_complete(&request) {
                    if stream.read_buf(&mut request).await.unwrap() == 0 {
                        break;
                    }
                }
                heard.lock().unwrap().push(String::from_utf8(request).unwrap());
                match reply {
                    // A client that has seen enough closes first: not this server's trouble.
                    Reply::Bytes(bytes) => drop(stream.write_all(&bytes).await),
                    Reply::Silence => open.push(stream),
                }
            }
            if !open.is_empty() {
                std::future::pending::<()>().await;
            }
        });
        Self { address, requests, task }
    }

    /// The requests so far, head and body as they came.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The first lines of the requests so far.
    pub(crate) fn request_lines(&self) -> Vec<String> {
        self.requests().iter().map(|request| request.lines().next().unwrap_or_default().to_owned()).collect()
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn is_complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .find_map(|line| {
            line.to_lowercase().strip_prefix("content-length:").map(str::trim).map(str::to_owned)
        })
        .map_or(0, |length| length.parse::<usize>().unwrap());
    body.len() >= length
}

/// A writer that keeps what was written.
#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A context whose output can be read.
pub(crate) struct TestContext {
    pub(crate) context: Context,
    pub(crate) data: Kept,
    pub(crate) human: Kept,
}

impl TestContext {
    /// A context for this server, without a terminal.
    pub(crate) fn new(server: &ServerAddress) -> Self {
        Self::with_input(server, "", false)
    }

    /// The same with lines to read, typed on a terminal or not.
    pub(crate) fn with_input(server: &ServerAddress, input: &str, is_terminal: bool) -> Self {
        let (data, human) = (Kept::default(), Kept::default());
        let input = Cursor::new(input.to_owned().into_bytes());
        let streams = Streams::new(data.clone(), human.clone(), input, is_terminal);
        let context = Context {
            client: Client::new(server.clone(), None, Limits::default()),
            streams,
            config: "shop.toml".into(),
            poll_interval: Duration::from_millis(1),
        };
        Self { context, data, human }
    }
}
