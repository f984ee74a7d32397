//! A plain HTTP client for the server's API, independent of the program's own.

mod events;

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

pub use self::events::Events;
use crate::status::StatusView;
use crate::waiting::{PATIENCE, eventually, within};

/// Entries asked for at once.
const PAGE_LENGTH: usize = 1_000;

/// The API of one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Api {
    address: SocketAddr,
    key: Option<&'static str>,
}

/// An answer of any status.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// It is none.
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("not JSON: {}", self.text()))
    }
}

/// An id as a segment of a path.
fn segment(id: &str) -> String {
    utf8_percent_encode(id, NON_ALPHANUMERIC).to_string()
}

impl Api {
    /// The API at an address.
    pub const fn new(address: SocketAddr) -> Self {
        Self { address, key: None }
    }

    /// The same with an API key.
    #[must_use]
    pub const fn with_key(self, key: &'static str) -> Self {
        Self { key: Some(key), ..self }
    }

    /// Where the server listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of the server.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// One request on a connection of its own.
    ///
    /// # Errors
    /// There was no complete answer.
    pub async fn ask(&self, method: Method, target: &str) -> anyhow::Result<Answer> {
        let shown = format!("{method} {target}");
        within(&shown, async {
            let (mut sender, connection) = self.connect().await?;
            let request = self.request(method, target).body(Full::new(Bytes::new()))?;
            let answer = sender.send_request(request).await?;
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await?.to_bytes();
            connection.abort();
            Ok(Answer { status, body })
        })
        .await?
    }

    async fn connect(&self) -> anyhow::Result<(SendRequest<Full<Bytes>>, JoinHandle<hyper::Result<()>>)> {
        let stream = TcpStream::connect(self.address).await?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        Ok((sender, tokio::spawn(connection)))
    }

    fn request(&self, method: Method, target: &str) -> hyper::http::request::Builder {
        let request = Request::builder().method(method).uri(target).header("host", self.address.to_string());
        match self.key {
            Some(key) => request.header("authorization", format!("Bearer {key}")),
            None => request,
        }
    }

    /// GET with an answer of status 200 in JSON.
    ///
    /// # Errors
    /// There is no such answer.
    pub async fn get(&self, target: &str) -> anyhow::Result<Value> {
        let answer = self.ask(Method::GET, target).await?;
        ensure!(answer.status == 200, "GET {target}: {} {}", answer.status, answer.text());
        answer.json()
    }

    /// A verb of the run, such as `start`.
    ///
    /// # Errors
    /// There was no complete answer.
    pub async fn command(&self, verb: &str) -> anyhow::Result<Answer> {
        self.ask(Method::POST, &format!("/api/cache/prices/{verb}")).await
    }

    /// Starts or resumes the run.
    ///
    /// # Errors
    /// The server does not accept it.
    pub async fn start(&self) -> anyhow::Result<()> {
        let answer = self.command("start").await?;
        ensure!(answer.status == 202, "start: {} {}", answer.status, answer.text());
        Ok(())
    }

    /// The status of now.
    ///
    /// # Errors
    /// There is no good answer, or its numbers contradict each other.
    pub async fn status(&self) -> anyhow::Result<StatusView> {
        StatusView::read(self.get("/api/cache/prices/status").await?)
    }

    /// Waits for a status.
    ///
    /// # Errors
    /// It did not come.
    pub async fn status_where(
        &self,
        what: &str,
        wanted: impl Fn(&StatusView) -> bool,
    ) -> anyhow::Result<StatusView> {
        let mut latest = None;
        let found = eventually(what, PATIENCE * 4, async || {
            let status = self.status().await?;
            let found = wanted(&status).then(|| status.clone());
            latest = Some(status);
            Ok(found)
        });
        let found = found.await;
        found.with_context(|| {
            format!("the status at last: {:#}", latest.map(|status| status.json).unwrap_or_default())
        })
    }

    /// Waits for a state of the run.
    ///
    /// # Errors
    /// It did not come.
    pub async fn state(&self, state: &str) -> anyhow::Result<StatusView> {
        self.status_where(&format!("the state {state}"), |status| status.state == state).await
    }

    /// The entry of one pair, as it stands on the wire.
    ///
    /// # Errors
    /// There was no complete answer.
    pub async fn price(&self, market: &str, product: &str) -> anyhow::Result<Answer> {
        self.ask(Method::GET, &format!("/api/prices/{}/{}", segment(market), segment(product))).await
    }

    /// All entries of a market, read page by page.
    ///
    /// # Errors
    /// A page is missing, or the pages have no end.
    pub async fn prices(&self, market: &str) -> anyhow::Result<Vec<Value>> {
        self.pages(&format!("/api/prices/{}", segment(market)), "prices").await
    }

    /// All failed products.
    ///
    /// # Errors
    /// A page is missing, or the pages have no end.
    pub async fn failed_products(&self) -> anyhow::Result<Vec<Value>> {
        self.pages("/api/cache/prices/errors", "errors").await
    }

    async fn pages(&self, path: &str, list: &str) -> anyhow::Result<Vec<Value>> {
        let mut entries = Vec::new();
        let mut after = String::new();
        loop {
            let page = self.get(&format!("{path}?limit={PAGE_LENGTH}{after}")).await?;
            let found = page[list].as_array().with_context(|| format!("no {list} in {page}"))?;
            ensure!(!found.is_empty() || page["next"].is_null(), "an empty page with a next one: {page}");
            entries.extend(found.iter().cloned());
            match page["next"].as_str() {
                Some(next) => after = format!("&after={}", segment(next)),
                None => return Ok(entries),
            }
        }
    }

    /// The ids of the newest calls in the log.
    ///
    /// # Errors
    /// There is no good answer.
    pub async fn log_ids(&self, limit: usize) -> anyhow::Result<Vec<String>> {
        let logs = self.get(&format!("/api/cache/prices/logs?limit={limit}")).await?;
        let calls = logs["logs"].as_array().with_context(|| format!("no logs in {logs}"))?;
        calls.iter().map(|call| Ok(call["id"].as_str().context("a call without an id")?.to_owned())).collect()
    }
}
