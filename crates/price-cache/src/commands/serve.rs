//! `serve`, and `price-cache-server`: the API until a signal ends it.

use std::path::Path;
use std::time::{Duration, Instant};

use price_cache_api_http::Server;
use price_cache_cli::{Exit, Streams};
use price_cache_domain::Actor;
use tokio_util::sync::CancellationToken;

use super::loaded;
use crate::signals::{Ending, Signals};
use crate::walk_runtime::WalkRuntime;
use crate::wiring::{self, Opened};
use crate::{fallback_copy, logging, open_files};

/// A shutdown that takes longer is cut short; the run is found interrupted at the next start then.
const SHUTDOWN_TIME_MAX: Duration = Duration::from_millis(4_500);

/// Serves until SIGINT or SIGTERM, then pauses the run, stores that and ends.
pub async fn execute(config: &Path, streams: &mut Streams) -> anyhow::Result<Exit> {
    let loaded = loaded(config)?;
    let configuration = &loaded.configuration;
    logging::to_stderr(&configuration.log);
    loaded.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    let mut signals = Signals::new()?;
    let files_max = open_files::raise_limit();
    // A mistake in the configuration and a taken address are said before a large store is opened.
    let source = wiring::open_source(&loaded)?;
    let mut options = configuration.server.options();
    let markets = configuration.run.parallel_markets.get();
    options.limits.connections_max =
        open_files::connections_max(files_max, markets, options.limits.connections_max);
    let (server, readiness) = Server::bind(options)?;
    let address = server.address();
    let stopping = CancellationToken::new();
    let serving = tokio::spawn(server.serve(stopping.clone()));

    let begun = Instant::now();
    tracing::info!(%address, "recovering the run; not ready until that is done");
    let walk = WalkRuntime::new()?;
    let waits = |reason: String| {
        tracing::error!("{reason}");
        readiness.not_yet(reason);
    };
    let opening = wiring::open_service(configuration, source, configuration.run.options(), &walk, &waits);
    let Opened { engine, task, store } = tokio::select! {
        opened = opening => opened?,
        ending = signals.next() => {
            tracing::info!(?ending, "the server ends before the run is recovered");
            stopping.cancel();
            // What it reports on the way is all there is to say.
            let _ = serving.await;
            return Ok(exit(ending));
        }
    };
    readiness.with(engine.clone());
    let copying = tokio::spawn(fallback_copy::after_each_run(engine.clone(), store.clone()));
    tracing::info!(took_ms = begun.elapsed().as_millis(), "ready");
    streams.data(&format!("listening on http://{address}"))?;

    let ending = signals.next().await;
    tracing::info!(?ending, "the server ends");
    let shutdown = async {
        if let Err(error) = engine.shutdown(Actor::named("signal")).await {
            tracing::error!(%error, "the run could not be paused");
        }
        stopping.cancel();
        copying.abort();
        let copy = fallback_copy::make(&*store, Some(fallback_copy::AT_END_MAX));
        // The others end by themselves now, and have reported what went wrong.
        let _ = tokio::join!(serving, task, copy);
    };
    if tokio::time::timeout(SHUTDOWN_TIME_MAX, shutdown).await.is_err() {
        tracing::error!("the server was cut short; the run is resumed at the next start");
    }
    Ok(exit(ending))
}

const fn exit(ending: Ending) -> Exit {
    match ending {
        Ending::Interrupt => Exit::Interrupted,
        Ending::Terminate => Exit::Done,
    }
}
