//! A server of raw bytes, for answers that no HTTP library would give.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What follows the bytes of a reply.
#[derive(Clone)]
pub(crate) enum Then {
    /// The next request on the same connection.
    Keep,
    /// The end of the connection.
    Close,
    /// A reset.
    Reset,
    /// Nothing at all.
    Hang,
    /// These bytes again and again, with a pause between.
    Repeat(Vec<u8>, Duration),
}

/// What a request gets.
#[derive(Clone)]
pub(crate) struct Reply(pub(crate) Vec<u8>, pub(crate) Then);

/// A running server. It ends with the runtime of its test.
pub(crate) struct Raw {
    pub(crate) base_url: String,
    pub(crate) requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

/// An answer with status 200 and this body.
pub(crate) fn ok(body: impl AsRef<[u8]>) -> Reply {
    answer("200 OK", "", body)
}

/// An answer with this status, these headers (each with its line end) and this body.
pub(crate) fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    Reply([head.as_bytes(), body].concat(), Then::Keep)
}

impl Raw {
    /// A server that answers each request with what the function makes of it (head and body as text).
    pub(crate) async fn start(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let reply = Arc::new(reply);
        let seen = Arc::clone(&requests);
        let connections = Arc::new(AtomicUsize::new(0));
        let accepted = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepted.fetch_add(1, Ordering::Relaxed);
                let (reply, seen) = (Arc::clone(&reply), Arc::clone(&seen));
                tokio::spawn(async move {
                    let _ = serve(stream, reply.as_ref(), &seen).await;
                });
            }
        });
        Self { base_url, requests, connections }
    }

    pub(crate) async fn always(reply: Reply) -> Self {
        Self::start(move |_| reply.clone()).await
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    reply: &(impl Fn(&str) -> Reply + Send + Sync),
    seen: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    while let Some(request) = read_request(&mut stream).await? {
        seen.lock().unwrap().push(request.clone());
        let Reply(bytes, then) = reply(&request);
        stream.write_all(&bytes).await?;
        match then {
            Then::Keep => {}
            Then::Close => return stream.shutdown().await,
            Then::Reset => return stream.set_zero_linger(),
            Then::Hang => {
                // The client has had enough when it closes.
                while stream.read(&mut [0; 64]).await? > 0 {}
            }
            Then::Repeat(bytes, pause) => loop {
                stream.write_all(&bytes).await?;
                tokio::time::sleep(pause).await;
            },
        }
    }
    Ok(())
}

async fn read_request(stream: &mut TcpStream) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length:").map(|n| n.trim().to_owned())
            })
            .and_then(|length| length.parse::<usize>().ok())
            .unwrap_or(0);
        if body.len() >= length {
            return Ok(Some(text.into_owned()));
        }
    }
}
