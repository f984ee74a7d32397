//! `selftest`: kills a server of this very program again and again, and says whether every promise was kept.

use std::time::{Duration, Instant};

use anyhow::Context;
use price_cache_cli::arguments::SelftestArguments;
use price_cache_cli::render::number;
use price_cache_cli::{Exit, Streams};
use price_cache_selftest::{Failed, Figures, SelfTest, UNSYNCED_WRITES_MAX};
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use crate::signals::Signals;

/// The pause between two lines of progress.
const TELL_INTERVAL: Duration = Duration::from_secs(2);
/// Ctrl-C reaches the programs that are tested as well; their end may be noticed before the signal is.
const SIGNAL_DELAY_MAX: Duration = Duration::from_millis(250);

/// What `--json` prints.
#[derive(Serialize)]
struct Document<'a> {
    /// `kept`, `broken`, or `undecided` where the test could not be done.
    verdict: &'static str,
    #[serde(flatten)]
    figures: &'a Figures,
    requests_again: u32,
    requests_again_per_kill_and_market: f64,
    requests_again_per_kill_and_market_max: u32,
    /// What was broken, or why the test could not be done.
    reason: Option<String>,
    /// The folder that was kept.
    folder: Option<String>,
    /// The command that repeats it.
    repeat: String,
}

/// Executes it.
pub async fn execute(arguments: &SelftestArguments, streams: &mut Streams) -> anyhow::Result<Exit> {
    let executable = std::env::current_exe().context("the program does not know where it is")?;
    let seed = arguments.seed.unwrap_or_else(|| u64::from(fastrand::u32(..)));
    let store = arguments.store.as_ref().map(|kind| format!(" --store {kind}")).unwrap_or_default();
    let repeat = format!("price-cache selftest --kills {} --seed {seed}{store}", arguments.kills);
    let mut signals = Signals::new()?;
    let mut hangup = signal(SignalKind::hangup())?;
    streams.human(&format!("killing {} {}; seed {seed}", executable.display(), times(arguments.kills)));

    let test =
        SelfTest { store: arguments.store.clone(), ..SelfTest::new(executable, arguments.kills, seed) };
    let mut told = Instant::now();
    let result = {
        let mut watch = |figures: &Figures| {
            if told.elapsed() >= TELL_INTERVAL {
                told = Instant::now();
                streams.human(&progress(figures, arguments.kills));
            }
        };
        let mut interrupted = std::pin::pin!(async {
            tokio::select! {
                _ = signals.next() => {}
                _ = hangup.recv() => {}
            }
        });
        let run = tokio::select! {
            biased;
            () = &mut interrupted => None,
            result = test.run(&mut watch) => Some(result),
        };
        match run {
            Some(Err(failed)) if tokio::time::timeout(SIGNAL_DELAY_MAX, interrupted).await.is_ok() => {
                failed.discard();
                None
            }
            run => run,
        }
    };
    let Some(result) = result else {
        streams.human("interrupted; the programs are ended and the folder is removed");
        return Ok(Exit::Interrupted);
    };
    let exit = tell(&result, &test, &repeat, streams);
    if arguments.json {
        streams.data(&document(&result, repeat)?)?;
    }
    Ok(exit)
}

fn times(count: u32) -> String {
    if count == 1 { "once".to_owned() } else { format!("{} times", number::count(u64::from(count))) }
}

fn progress(figures: &Figures, kills: u32) -> String {
    format!(
        "  {} of {} kills, {} of {}; nothing lost so far",
        number::count(u64::from(figures.kills)),
        number::count(u64::from(kills)),
        number::count(figures.completed),
        number::counted(u64::from(figures.pairs), "pair"),
    )
}

/// Writes the result for people.
fn tell(result: &Result<Figures, Failed>, test: &SelfTest, repeat: &str, streams: &mut Streams) -> Exit {
    let figures = match result {
        Ok(figures) => figures,
        Err(failed) => &failed.figures,
    };
    let count = |count: u32| number::count(u64::from(count));
    let lines = [
        (
            "kills",
            format!("{}, {} of them while starting", count(figures.kills), count(figures.kills_starting)),
        ),
        (
            "pairs",
            format!(
                "{} in {} markets, {} of them at a time",
                count(figures.pairs),
                test.markets,
                test.parallel_markets
            ),
        ),
        (
            "requests",
            format!(
                "{}, of these {} again: {:.2} per kill and market, where {UNSYNCED_WRITES_MAX} are allowed",
                count(figures.requests),
                count(figures.requests_again()),
                figures.requests_again_per_kill_and_market(),
            ),
        ),
        ("dead", number::count(u64::from(figures.dead))),
        ("lost", number::count(figures.lost)),
        ("twice", number::count(figures.twice)),
        ("skipped", number::count(figures.skipped)),
        ("restart", format!("{:.2} s at most", figures.slowest_restart.as_secs_f64())),
        ("took", number::duration(figures.took.as_secs_f64())),
    ];
    for (name, value) in lines {
        streams.human(&format!("{name:<9} {value}"));
    }
    let exit = match result {
        Ok(_) => {
            streams.human("kept      every promise");
            Exit::Done
        }
        Err(failed) => {
            let verdict = if failed.broken().is_some() { "broken" } else { "undecided" };
            streams.human(&format!("{verdict:<9} {:#}", failed.reason));
            if let Some(folder) = &failed.folder {
                streams.human(&format!("folder    {}, kept for inspection", folder.display()));
            }
            Exit::Failed
        }
    };
    streams.human(&format!("repeat    {repeat}"));
    exit
}

fn document(result: &Result<Figures, Failed>, repeat: String) -> serde_json::Result<String> {
    let (verdict, figures, failed) = match result {
        Ok(figures) => ("kept", figures, None),
        Err(failed) if failed.broken().is_some() => ("broken", &failed.figures, Some(failed)),
        Err(failed) => ("undecided", &failed.figures, Some(failed)),
    };
    serde_json::to_string_pretty(&Document {
        verdict,
        figures,
        requests_again: figures.requests_again(),
        requests_again_per_kill_and_market: figures.requests_again_per_kill_and_market(),
        requests_again_per_kill_and_market_max: UNSYNCED_WRITES_MAX,
        reason: failed.map(|failed| format!("{:#}", failed.reason)),
        folder: failed.and_then(|failed| Some(failed.folder.as_ref()?.display().to_string())),
        repeat,
    })
}
