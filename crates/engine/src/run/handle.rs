//! How everyone talks to the engine: commands to the one task that owns the run, and reads that never
//! wait for it.

use std::sync::Arc;

use price_cache_domain::{Actor, Clock, MarketId, PriceSource, ProductId, RetryFilter, Timestamp};
use tokio::sync::{mpsc, watch};

use crate::error::CommandError;
use crate::run::accepted::Accepted;
use crate::run::core::messages::{Command, Input};
use crate::run::core::reply::Reply;
use crate::upstream::machine::PaceLimit;
use crate::view::event_log::EventLog;
use crate::view::reader::CacheReader;
use crate::view::request_log::RequestLog;
use crate::view::snapshot::Snapshot;
use crate::walk::upstream_access::UpstreamAccess;

/// Talks to a running service. Clones talk to the same one.
#[derive(Clone)]
pub struct Handle {
    pub(crate) inputs: mpsc::Sender<Input>,
    pub(crate) snapshot: watch::Receiver<Snapshot>,
    pub(crate) requests: Arc<RequestLog>,
    pub(crate) events: Arc<EventLog>,
    pub(crate) reader: CacheReader,
    pub(crate) upstream: Arc<UpstreamAccess>,
    pub(crate) source: Arc<dyn PriceSource>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Handle {
    /// Starts, resumes or retries, by state; refused while a run is under way. Returns once the new
    /// state is stored; the run goes on by itself.
    pub async fn start(&self, actor: Actor) -> Result<Accepted, CommandError> {
        self.command(Command::Start, actor).await
    }

    /// Pauses the run. Requests in flight are given up; returns once the pause is stored. When nothing
    /// runs, nothing changes.
    pub async fn stop(&self, actor: Actor) -> Result<Accepted, CommandError> {
        self.command(Command::Stop, actor).await
    }

    /// Deletes the run, its logs and, unless `keep_prices`, all prices; refused while a run is under way.
    pub async fn reset(&self, actor: Actor, keep_prices: bool) -> Result<Accepted, CommandError> {
        let answer = self.command(Command::Reset { keep_prices }, actor).await;
        self.reader.forget_summary().await;
        answer
    }

    /// Attempts failed products again; refused while a run is under way or when none matches.
    pub async fn retry_failed(&self, actor: Actor, filter: RetryFilter) -> Result<Accepted, CommandError> {
        self.command(Command::RetryFailed(filter), actor).await
    }

    /// Deletes the logs up to now.
    pub async fn clear_logs(&self, actor: Actor) -> Result<Accepted, CommandError> {
        self.command(Command::ClearLogs, actor).await
    }

    /// Pauses a run under way as by a shutdown, stores that, and ends the service.
    pub async fn shutdown(&self, actor: Actor) -> Result<Accepted, CommandError> {
        self.command(Command::Shutdown, actor).await
    }

    async fn command(&self, command: Command, actor: Actor) -> Result<Accepted, CommandError> {
        let (reply, answer) = Reply::channel();
        let input = Input::Command { command, actor, reply };
        self.inputs.send(input).await.map_err(|_| CommandError::Closed)?;
        answer.await.map_err(|_| CommandError::Closed)?
    }

    /// Where the run is now.
    pub fn snapshot(&self) -> Snapshot {
        self.snapshot.borrow().clone()
    }

    /// How fast the upstream may be asked at the moment, all markets together; `None` when nothing limits it.
    pub fn pace_limit(&self) -> Option<PaceLimit> {
        self.upstream.limit()
    }

    /// A receiver that wakes at each change of the snapshot.
    pub fn subscribe(&self) -> watch::Receiver<Snapshot> {
        self.snapshot.clone()
    }

    /// Returns the newest requests of the run.
    pub fn request_log(&self) -> &RequestLog {
        &self.requests
    }

    /// Returns the log of events, for readers who follow along.
    pub fn event_log(&self) -> &EventLog {
        &self.events
    }

    /// What the cache holds.
    pub const fn reader(&self) -> &CacheReader {
        &self.reader
    }

    /// The URL that is asked for a pair's price, secrets masked.
    pub fn price_url(&self, market: &MarketId, product: &ProductId) -> String {
        self.source.price_url(market, product)
    }

    /// The time as the engine sees it.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
