//! `serve`, and `price-cache-server`: the API until a signal ends it.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use price_cache_api_http::Server;
use price_cache_cli::{Exit, Streams};
use price_cache_domain::Actor;
use tokio_util::sync::CancellationToken;

use super::loaded;
use crate::signals::{Ending, Signals};
use crate::{logging, open_files, wiring};

/// A shutdown that takes longer is cut short; the run is found interrupted at the next start then.
const SHUTDOWN_TIME_MAX: Duration = Duration::from_millis(4_500);

/// Serves until SIGINT or SIGTERM, then pauses the run, stores that and ends.
pub async fn execute(config: &Path, streams: &mut Streams) -> anyhow::Result<Exit> {
    let loaded = loaded(config)?;
    logging::to_stderr(&loaded.configuration.log);
    let mut signals = Signals::new()?;
    open_files::raise_limit();
    let options = loaded.configuration.run.options();
    let (engine, task) =
        wiring::service(&loaded, options)?.open().await.context("could not recover the run")?;
    let server = Server::bind(loaded.configuration.server.options(), engine.clone()).await?;
    let address = server.address();
    streams.data(&format!("listening on http://{address}"))?;
    let stopping = CancellationToken::new();
    let serving = tokio::spawn(server.serve(stopping.clone()));

    let ending = signals.next().await;
    tracing::info!(?ending, "the server ends");
    let shutdown = async {
        if let Err(error) = engine.shutdown(Actor::named("signal")).await {
            tracing::error!(%error, "the run could not be paused");
        }
        stopping.cancel();
        // Both end by themselves now, and have reported what went wrong.
        let _ = tokio::join!(serving, task);
    };
    if tokio::time::timeout(SHUTDOWN_TIME_MAX, shutdown).await.is_err() {
        tracing::error!("the server was cut short; the run is resumed at the next start");
    }
    Ok(match ending {
        Ending::Interrupt => Exit::Interrupted,
        Ending::Terminate => Exit::Done,
    })
}
