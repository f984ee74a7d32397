//! The stream of events (Server-Sent Events), read one event at a time.

use anyhow::{Context, ensure};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use serde_json::Value;
use tokio::task::JoinHandle;

use super::Api;

/// The events of a server, until one of both closes the connection.
#[derive(Debug)]
pub struct Events {
    body: Incoming,
    /// Read, but not yet a whole event.
    read: Vec<u8>,
    connection: JoinHandle<hyper::Result<()>>,
}

impl Api {
    /// Opens the stream of events.
    ///
    /// # Errors
    /// The server has none.
    pub async fn events(&self) -> anyhow::Result<Events> {
        let (mut sender, connection) = self.connect().await?;
        let request = self.request(hyper::Method::GET, "/api/cache/prices/events");
        let answer = sender.send_request(request.body(Full::new(Bytes::new()))?).await?;
        ensure!(answer.status() == 200, "no stream of events: {}", answer.status());
        Ok(Events { body: answer.into_body(), read: Vec::new(), connection })
    }
}

impl Events {
    /// Waits for the next event: its name and its data. `None` when the connection was closed.
    ///
    /// # Errors
    /// The data are not JSON.
    pub async fn next(&mut self) -> anyhow::Result<Option<(String, Value)>> {
        loop {
            while let Some(end) = self.read.windows(2).position(|two| two == b"\n\n") {
                let event: Vec<u8> = self.read.drain(..end + 2).collect();
                if let Some(event) = parsed(&String::from_utf8_lossy(&event))? {
                    return Ok(Some(event));
                }
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    self.read.extend_from_slice(frame.data_ref().map(AsRef::as_ref).unwrap_or_default());
                }
                Some(Err(_)) | None => return Ok(None),
            }
        }
    }
}

/// An event; `None` for a comment.
fn parsed(text: &str) -> anyhow::Result<Option<(String, Value)>> {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let (Some(name), Some(data)) = (field("event:"), field("data:")) else { return Ok(None) };
    let data = serde_json::from_str(data).with_context(|| format!("not JSON: {data}"))?;
    Ok(Some((name.to_owned(), data)))
}

impl Drop for Events {
    fn drop(&mut self) {
        self.connection.abort();
    }
}
