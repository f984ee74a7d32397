//! Streams by a clock that tests command; what goes over connections is proved in `tests/it/events.rs`.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use price_cache_domain::{Actor, RunStatus};
use price_cache_testkit::ScriptedSource;
use tokio::time::Instant;

use super::{Events, Subscriber, Timing};
use crate::app::App;
use crate::latest_status::LatestStatus;
use crate::metrics::Metrics;
use crate::options::ServerOptions;
use crate::test_engine::engine;

async fn app(source: ScriptedSource) -> App {
    let engine = engine(source).await;
    let began = engine.now();
    App {
        status: LatestStatus::new(engine.clone()),
        engine,
        options: Arc::new(ServerOptions::default()),
        events: Arc::new(Events::new(2)),
        metrics: Arc::new(Metrics::default()),
        began,
    }
}

fn subscriber(app: &App) -> Subscriber {
    Subscriber::new(app.clone(), app.events.place().unwrap(), None, Timing::default())
}

/// The next piece, as lines.
async fn piece(subscriber: &mut Subscriber) -> Option<Vec<String>> {
    let piece = subscriber.next().await?;
    Some(std::str::from_utf8(&piece).unwrap().lines().map(str::to_owned).collect())
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_comes_every_15_seconds_of_silence_and_the_end_is_the_end() {
    let app = app(ScriptedSource::new()).await;
    let mut subscriber = subscriber(&app);
    let begun = Instant::now();
    assert_eq!(piece(&mut subscriber).await.unwrap()[1], "event: status");
    assert_eq!(begun.elapsed(), Duration::ZERO, "at once");
    for number in 1..=3 {
        assert_eq!(piece(&mut subscriber).await.unwrap(), [": heartbeat", ""]);
        assert_eq!(begun.elapsed(), Duration::from_secs(15) * number);
    }
    app.events.end();
    assert_eq!(piece(&mut subscriber).await, None);
    assert_eq!(piece(&mut subscriber).await, None);
    assert_eq!(begun.elapsed(), Duration::from_secs(45));
}

#[tokio::test(start_paused = true)]
async fn changes_come_at_most_ten_times_a_second_and_all_subscribers_share_a_status() {
    let ids: Vec<String> = (0..40).map(|index| index.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let source = ScriptedSource::new().with_market("at", &ids);
    source.set_delay(Box::new(|_, _, _| Box::pin(tokio::time::sleep(Duration::from_millis(25)))));
    let app = app(source).await;
    let mut subscribers = [subscriber(&app), subscriber(&app)];
    for subscriber in &mut subscribers {
        piece(subscriber).await.unwrap();
    }
    app.engine.start(Actor::named("test")).await.unwrap();
    let mut last = Instant::now();
    let mut pieces = 0;
    while app.engine.snapshot().run.status() != RunStatus::Completed {
        let first = piece(&mut subscribers[0]).await.unwrap();
        assert!(last.elapsed() >= Duration::from_millis(100));
        last = Instant::now();
        let second = piece(&mut subscribers[1]).await.unwrap();
        assert_eq!(first.last(), second.last());
        pieces += 1;
    }
    assert!((5..=12).contains(&pieces), "{pieces} in a second");
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_is_too_slow_is_told_how_much_it_missed() {
    let ids: Vec<String> = (0..5_000).map(|index| index.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let app = app(ScriptedSource::new().with_market("at", &ids)).await;
    let mut subscriber = subscriber(&app);
    piece(&mut subscriber).await.unwrap();
    app.engine.start(Actor::named("test")).await.unwrap();
    let mut snapshots = app.engine.subscribe();
    snapshots.wait_for(|now| now.run.status() == RunStatus::Completed).await.unwrap();
    let lines = piece(&mut subscriber).await.unwrap();
    // Three transitions and 5,000 calls, of which 4,096 are kept.
    assert_eq!(lines[0], ": 907 events were missed");
    let mut logs = 0;
    let mut lines = Some(lines);
    while let Some(now) = lines.filter(|lines| lines[0] != ": heartbeat") {
        logs += now.iter().filter(|line| *line == "event: log").count();
        lines = piece(&mut subscriber).await;
    }
    assert_eq!(logs, 4_095, "and the last transition");
}
