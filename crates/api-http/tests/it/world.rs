//! A server over the real engine, with a store, a source and a clock that tests command.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use price_cache_api_http::{Server, ServerOptions};
use price_cache_domain::{FailureClass, Fault, RunStatus, StoreError};
use price_cache_engine::{CacheService, Handle, Options, Ports, RetryOptions, Snapshot};
use price_cache_testkit::{ManualClock, MemoryStore, Operation, ScriptedSource};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::client::{Answer, Connection, within};
use crate::document;

pub(crate) const RUN: &str = "/api/cache/prices";

/// The six states.
pub(crate) const STATES: [RunStatus; 6] = [
    RunStatus::Idle,
    RunStatus::Initializing,
    RunStatus::Processing,
    RunStatus::Paused,
    RunStatus::Completed,
    RunStatus::Error,
];

pub(crate) struct World {
    pub(crate) store: MemoryStore,
    pub(crate) source: ScriptedSource,
    pub(crate) clock: ManualClock,
    pub(crate) engine: Handle,
    pub(crate) address: SocketAddr,
    pub(crate) stopping: CancellationToken,
    pub(crate) serving: JoinHandle<()>,
}

/// Loopback, any free port.
pub(crate) fn options() -> ServerOptions {
    ServerOptions { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..ServerOptions::default() }
}

pub(crate) fn not_found() -> Fault {
    Fault::new(FailureClass::NotFound, "the shop has no such product").with_status(404)
}

impl World {
    pub(crate) async fn new(source: ScriptedSource) -> Self {
        Self::with(source, options()).await
    }

    pub(crate) async fn with(source: ScriptedSource, options: ServerOptions) -> Self {
        let (store, clock) = (MemoryStore::new(), ManualClock::default());
        let retry = RetryOptions { backoff_start: Duration::from_millis(1), ..RetryOptions::default() };
        let ports = Ports {
            store: Arc::new(store.clone()),
            source: Arc::new(source.clone()),
            clock: Arc::new(clock.clone()),
        };
        let service = CacheService::new(ports, Options { retry, ..Options::default() });
        let (engine, _) = service.open().await.unwrap();
        let (server, readiness) = Server::bind(options).unwrap();
        readiness.with(engine.clone());
        let address = server.address();
        let stopping = CancellationToken::new();
        let serving = tokio::spawn(server.serve(stopping.clone()));
        Self { store, source, clock, engine, address, stopping, serving }
    }

    /// Two markets, `at` and `uk`, brought to a state. Where products were done, `at/1` has a price;
    /// where all were, `uk/x` has failed.
    pub(crate) async fn in_state(state: RunStatus) -> Self {
        let source = ScriptedSource::new().with_market("at", &["1", "2", "3"]).with_market("uk", &["x", "y"]);
        source.script("uk", "x", [Err(not_found())]);
        match state {
            RunStatus::Idle | RunStatus::Completed => {}
            RunStatus::Initializing => source.hang_listings(),
            RunStatus::Processing | RunStatus::Paused | RunStatus::Error => source.hang("at", "2"),
        }
        let world = Self::new(source).await;
        if state == RunStatus::Idle {
            return world;
        }
        assert_eq!(world.post("/start").await.status, 202);
        match state {
            RunStatus::Idle => {}
            RunStatus::Initializing | RunStatus::Completed => world.reaches(state).await,
            RunStatus::Processing => world.one_done().await,
            RunStatus::Paused => {
                world.one_done().await;
                assert_eq!(world.post("/stop").await.status, 202);
            }
            RunStatus::Error => {
                world.one_done().await;
                let damaged = StoreError::Damaged("a page has a wrong checksum".to_owned());
                world.store.fail_next_of(Operation::Record, 1, damaged);
                world.source.release("at", "2");
                world.reaches(state).await;
            }
        }
        world
    }

    async fn one_done(&self) {
        self.sees(|now| now.markets.first().is_some_and(|market| market.progress.completed() == 1)).await;
        // The next request is on its way, or its worker may still be told to begin.
        while self.source.in_flight("at") == 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Waits until the run is in a state.
    pub(crate) async fn reaches(&self, state: RunStatus) {
        self.sees(|now| now.run.status() == state).await;
    }

    pub(crate) async fn sees(&self, wanted: impl FnMut(&Snapshot) -> bool) {
        let mut snapshots = self.engine.subscribe();
        within(snapshots.wait_for(wanted)).await.unwrap();
    }

    /// Starts and waits until everything is done.
    pub(crate) async fn run_to_the_end(&self) {
        self.post("/start").await.ok(202);
        self.reaches(RunStatus::Completed).await;
    }

    /// Sends one request with these lines after the request line and the host, and this body.
    pub(crate) async fn request(&self, method: &str, target: &str, lines: &[&str], body: &[u8]) -> Answer {
        let mut connection = Connection::open(self.address).await;
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n", self.address);
        for line in lines {
            head.push_str(line);
            head.push_str("\r\n");
        }
        if !body.is_empty() || matches!(method, "POST" | "DELETE") {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        connection.send([head.as_bytes(), body].concat()).await;
        let answer =
            if method == "HEAD" { connection.answer_to_head().await } else { connection.answer().await };
        let answer = answer.unwrap();
        document::describes(method, target, &answer);
        answer
    }

    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.request("GET", target, &[], b"").await
    }

    /// A GET below [`RUN`].
    pub(crate) async fn run(&self, target: &str) -> Answer {
        self.get(&format!("{RUN}{target}")).await
    }

    /// A POST without a body below [`RUN`].
    pub(crate) async fn post(&self, target: &str) -> Answer {
        self.request("POST", &format!("{RUN}{target}"), &[], b"").await
    }

    /// A POST of JSON below [`RUN`].
    pub(crate) async fn post_json(&self, target: &str, body: &str) -> Answer {
        let lines = ["Content-Type: application/json"];
        self.request("POST", &format!("{RUN}{target}"), &lines, body.as_bytes()).await
    }

    pub(crate) async fn delete(&self, target: &str) -> Answer {
        self.request("DELETE", &format!("{RUN}{target}"), &[], b"").await
    }
}
