//! `run`: one run in the foreground, without a server.

use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use price_cache_api_http::status_document;
use price_cache_cli::arguments::RunArguments;
use price_cache_cli::render::status::summary;
use price_cache_cli::{Exit, Streams};
use price_cache_domain::{Actor, RunStatus};
use price_cache_engine::{Handle, Options, Snapshot};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::loaded;
use crate::signals::Signals;
use crate::walk_runtime::WalkRuntime;
use crate::wiring::{self, Opened};
use crate::{fallback_copy, logging};

/// How often progress is drawn.
const DRAW_INTERVAL: Duration = Duration::from_millis(250);
/// How long a stop may take before the program gives up waiting.
const STOP_TIME_MAX: Duration = Duration::from_millis(4_500);

/// Starts or resumes the run and shows it until it ends; Ctrl-C pauses it.
pub async fn execute(config: &Path, arguments: &RunArguments, streams: &mut Streams) -> anyhow::Result<Exit> {
    let loaded = loaded(config)?;
    let (lines, warnings) = mpsc::channel();
    logging::to_channel(lines);
    loaded.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    let mut signals = Signals::new()?;
    // The start below resumes; nothing is to run before it is shown.
    let options = Options { resume_interrupted: false, ..loaded.configuration.run.options() };
    let source = wiring::open_source(&loaded)?;
    let walk = WalkRuntime::new()?;
    let waits = |reason: String| tracing::warn!("{reason}");
    let Opened { engine, store, .. } = tokio::select! {
        opened = wiring::open_service(&loaded.configuration, source, options, &walk, &waits) => opened?,
        _ = signals.next() => {
            streams.human("ended before the store was open; nothing has changed");
            return Ok(Exit::Interrupted);
        }
    };
    let actor = Actor::named("command line");
    engine.start(actor.clone()).await.map_err(|error| anyhow!(error).context("could not start the run"))?;

    let mut progress = streams.progress();
    let mut ticks = interval(DRAW_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut changes = engine.subscribe();
    loop {
        warnings.try_iter().for_each(|warning| progress.say(&warning));
        let snapshot = engine.snapshot();
        progress.update(&status_document(&snapshot, engine.pace_limit(), engine.now()), Instant::now());
        if has_ended(&snapshot) {
            break;
        }
        let ended = async {
            // The engine's end is an end as well.
            let _ = changes.wait_for(has_ended).await.map(drop);
        };
        tokio::select! {
            _ = ticks.tick() => {}
            () = ended => {}
            _ = signals.next() => {
                progress.say("stopping; what was fetched is kept");
                let stopped = timeout(STOP_TIME_MAX, engine.shutdown(actor.clone())).await;
                progress.update(&status_document(&engine.snapshot(), engine.pace_limit(), engine.now()), Instant::now());
                progress.finish();
                stopped.context("the run did not stop in time; the same command resumes it")??;
                fallback_copy::make(&*store, Some(fallback_copy::AT_END_MAX)).await;
                tell(&engine, arguments, streams)?;
                streams.human("paused; the same command resumes");
                return Ok(Exit::Interrupted);
            }
        }
    }
    warnings.try_iter().for_each(|warning| progress.say(&warning));
    progress.finish();
    tell(&engine, arguments, streams)?;
    let snapshot = engine.snapshot();
    // The last word on disk was the end of the run; nothing is under way any more.
    engine.shutdown(actor).await?;
    fallback_copy::make(&*store, None).await;
    Ok(match snapshot.run.status() {
        RunStatus::Completed if snapshot.analytics().failed == 0 => Exit::Done,
        RunStatus::Completed => Exit::FailedProducts,
        _ => Exit::Failed,
    })
}

/// COMPLETED, or what nobody but a person can go on with.
fn has_ended(snapshot: &Snapshot) -> bool {
    match snapshot.run.status() {
        RunStatus::Completed | RunStatus::Paused | RunStatus::Idle => true,
        RunStatus::Error => snapshot.retry_at.is_none(),
        RunStatus::Initializing | RunStatus::Processing => false,
    }
}

fn tell(engine: &Handle, arguments: &RunArguments, streams: &mut Streams) -> anyhow::Result<()> {
    let status = status_document(&engine.snapshot(), engine.pace_limit(), engine.now());
    streams.human(&summary(&status));
    if let Some(message) = &status.current_state.error_message {
        streams.human(&format!("error: {message}"));
    }
    if arguments.json {
        streams.data(&serde_json::to_string_pretty(&status)?)?;
    }
    Ok(())
}
