//! A server of raw bytes, for answers that no HTTP library would give, and a listener that accepts nobody.
//!
//! It keeps a record of its requests, from which a test can say whether two of them ran at once.

mod black_hole;
mod record;

use std::collections::HashMap;
use std::io;
use std::net::Ipv4Addr;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub use black_hole::BlackHole;
pub use record::RawCall;
use record::Record;

/// Each answer takes at least this long, so that two requests at once are seen to be so.
const ANSWER_TIME: Duration = Duration::from_millis(2);

/// What follows the bytes of a reply.
#[derive(Clone, Debug)]
pub enum Then {
    /// The next request on the same connection.
    Keep,
    /// The proper end of the connection.
    Close,
    /// A reset.
    Reset,
    /// Nothing at all.
    Hang,
    /// These bytes again and again, with a pause between, until the client has had enough.
    Repeat(Vec<u8>, Duration),
}

/// What a request gets: bytes, and what follows them.
#[derive(Clone, Debug)]
pub struct Reply(pub Vec<u8>, pub Then);

/// An answer with status 200 and this body.
pub fn ok(body: impl AsRef<[u8]>) -> Reply {
    answer("200 OK", "", body)
}

/// An answer with this status, these headers (each with its line end) and this body.
pub fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    Reply([head.as_bytes(), body].concat(), Then::Keep)
}

/// A request: its whole text, head and body.
#[derive(Clone, Debug)]
pub struct Asked {
    text: String,
    /// How many requests came on the same connection before it.
    pub earlier_on_connection: u32,
    /// How many requests for the same target came before it.
    pub earlier_for_target: u32,
}

impl Asked {
    /// What is asked for: the path and query, as sent.
    #[must_use]
    pub fn target(&self) -> &str {
        self.text.split(' ').nth(1).unwrap_or_default()
    }
}

impl Deref for Asked {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

/// A running server. It stops listening when this is dropped.
#[derive(Debug)]
pub struct RawServer {
    /// Where it answers, such as `http://127.0.0.1:40123`.
    pub base_url: String,
    record: Arc<Mutex<Record>>,
    accepting: JoinHandle<()>,
}

impl RawServer {
    /// A server that answers each request with what the function makes of it. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(reply: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let record = Arc::new(Mutex::new(Record::default()));
        let accepting = tokio::spawn(accept(listener, Arc::new(reply), Arc::clone(&record)));
        Ok(Self { base_url, record, accepting })
    }

    /// A server that always answers in this way.
    ///
    /// # Errors
    /// No port is free.
    pub async fn always(reply: Reply) -> io::Result<Self> {
        Self::start(move |_| reply.clone()).await
    }

    /// How many connections were accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.record().connections
    }

    /// The texts of all requests so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call.text).collect()
    }

    /// All requests so far, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<RawCall> {
        self.record().calls.clone()
    }

    /// Two requests of the same kind that were under way at once, if there were any.
    #[must_use]
    pub fn two_at_once(&self, kind: impl Fn(&str) -> String) -> Option<(RawCall, RawCall)> {
        let mut latest = HashMap::new();
        for call in self.calls() {
            let earlier = latest.insert(kind(call.target()), call.clone());
            if let Some(earlier) = earlier.filter(|earlier| earlier.overlaps(&call)) {
                return Some((earlier, call));
            }
        }
        None
    }

    fn record(&self) -> std::sync::MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept<R>(listener: TcpListener, reply: Arc<R>, record: Arc<Mutex<Record>>)
where
    R: Fn(&Asked) -> Reply + Send + Sync + 'static,
{
    while let Ok((stream, _)) = listener.accept().await {
        record.lock().unwrap_or_else(PoisonError::into_inner).connections += 1;
        let (reply, record) = (Arc::clone(&reply), Arc::clone(&record));
        tokio::spawn(async move {
            // A connection ends with an error whenever an answer or the client breaks it: nothing to report.
            let _ = serve(stream, reply.as_ref(), &record).await;
        });
    }
}

async fn serve(
    mut stream: TcpStream,
    reply: &(impl Fn(&Asked) -> Reply + Sync),
    record: &Mutex<Record>,
) -> io::Result<()> {
    let record = || record.lock().unwrap_or_else(PoisonError::into_inner);
    let mut earlier_on_connection = 0;
    while let Some(text) = read_request(&mut stream).await? {
        let (call, asked) = record().begins(Asked { text, earlier_on_connection, earlier_for_target: 0 });
        earlier_on_connection += 1;
        tokio::time::sleep(ANSWER_TIME).await;
        let Reply(bytes, then) = reply(&asked);
        if matches!(then, Then::Hang | Then::Repeat(..)) {
            let given_up = torment(&mut stream, &bytes, then).await;
            record().is_given_up(call);
            return given_up;
        }
        // The client may have read all of it and asked again before this task runs on.
        record().is_answered(call);
        stream.write_all(&bytes).await?;
        match then {
            Then::Close => return stream.shutdown().await,
            Then::Reset => return stream.set_zero_linger(),
            Then::Keep | Then::Hang | Then::Repeat(..) => {}
        }
    }
    Ok(())
}

/// Never comes to an end; returns when the client has had enough.
async fn torment(stream: &mut TcpStream, bytes: &[u8], then: Then) -> io::Result<()> {
    stream.write_all(bytes).await?;
    let mut nothing_more = [0; 64];
    let Then::Repeat(bytes, pause) = then else {
        while stream.read(&mut nothing_more).await? > 0 {}
        return Ok(());
    };
    loop {
        stream.write_all(&bytes).await?;
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            read = stream.read(&mut nothing_more), if !pause.is_zero() => if read? == 0 { return Ok(()) },
        }
    }
}

/// The next request, as text; none where the client closed the connection.
async fn read_request(stream: &mut TcpStream) -> io::Result<Option<String>> {
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
