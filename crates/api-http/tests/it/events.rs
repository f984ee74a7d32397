//! Live events: what is sent, in which order, from where on, to how many, and what slow readers do to the run.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use price_cache_api_http::{ServerLimits, ServerOptions};
use price_cache_domain::{Actor, RunStatus};
use price_cache_testkit::ScriptedSource;

use crate::client::{Connection, within};
use crate::stream::{EVENTS, Event, Stream, ask};
use crate::world::{World, options};

const TRANSITIONS: &str = "/transitions";

/// Two markets with this many products each.
fn source(products: usize) -> ScriptedSource {
    let ids: Vec<String> = (0..products).map(|index| format!("p{index}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    ScriptedSource::new().with_market("at", &ids).with_market("uk", &ids)
}

fn named<'a>(events: &'a [Event], name: &str) -> Vec<&'a Event> {
    events.iter().filter(|event| event.name == name).collect()
}

#[tokio::test]
async fn the_status_comes_at_once_and_a_run_is_told_from_start_to_end() {
    let world = World::new(source(20)).await;
    let mut stream = Stream::open(&world, &[]).await;
    let first = stream.next().await.unwrap();
    assert!(first.is_status("IDLE"), "{first:?}");
    assert_eq!(first.data, world.run("/status").await.ok(200));
    world.post("/start").await.ok(202);
    let mut events = Vec::new();
    while !events.last().is_some_and(|event: &Event| event.is_status("COMPLETED")) {
        events.push(stream.next().await.unwrap());
    }
    let transitions: Vec<_> =
        named(&events, "transition").into_iter().map(|event| event.data.clone()).collect();
    let steps: Vec<_> = transitions
        .iter()
        .map(|step| ["from", "to", "event", "actor"].map(|name| step[name].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(
        steps,
        [
            ["IDLE", "INITIALIZING", "start", "api"],
            ["INITIALIZING", "PROCESSING", "plan_complete", "engine"],
            ["PROCESSING", "COMPLETED", "last_market_done", "engine"],
        ]
    );
    assert!(transitions.iter().all(|step| step["reason"].is_null() && step["at"].is_string()));
    // Each call once, exactly as the logs have it.
    let mut told: Vec<_> = named(&events, "log").into_iter().map(|event| event.data.clone()).collect();
    let mut logged = world.run("/logs?limit=1000").await.ok(200)["logs"].as_array().unwrap().clone();
    let id = |entry: &serde_json::Value| entry["id"].as_str().unwrap().to_owned();
    told.sort_by_key(id);
    logged.sort_by_key(id);
    assert_eq!((told.len(), &told), (40, &logged));
    // The history has the same, newest first.
    let history = world.run(TRANSITIONS).await.ok(200);
    let newest_first: Vec<_> = transitions.into_iter().rev().collect();
    assert_eq!(history["transitions"], serde_json::Value::from(newest_first));
}

#[tokio::test]
async fn statuses_are_coalesced_and_the_last_one_always_comes() {
    let world = World::new(source(1_500)).await;
    let mut stream = Stream::open(&world, &[]).await;
    let begun = Instant::now();
    world.post("/start").await.ok(202);
    let mut statuses = 0_u128;
    let mut progress = -1.0;
    loop {
        let event = stream.next().await.unwrap();
        if event.name != "status" {
            continue;
        }
        statuses += 1;
        let now = event.data["overall_progress"].as_f64().unwrap();
        assert!(now >= progress, "from {progress} to {now}");
        progress = now;
        if event.is_status("COMPLETED") {
            break;
        }
    }
    assert_eq!(progress, 100.0);
    // Whatever the machine's pace, there were at most ten a second, and the two at the ends.
    assert!(statuses <= begun.elapsed().as_millis() / 100 + 2, "{statuses} in {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_client_that_comes_back_gets_what_it_missed_once() {
    let world = World::in_state(RunStatus::Paused).await;
    let mut stream = Stream::open(&world, &[]).await;
    let before = stream.next().await.unwrap();
    assert!(before.is_status("PAUSED"));
    drop(stream);
    world.source.release("at", "2");
    world.run_to_the_end().await;
    let mut stream = Stream::open(&world, &[&format!("Last-Event-ID: {}", before.id)]).await;
    let mut events = vec![stream.next().await.unwrap()];
    while !events.last().unwrap().is_status("COMPLETED") {
        events.push(stream.next().await.unwrap());
    }
    let told: Vec<_> = events.iter().map(|event| event.name.as_str()).collect();
    // Resumed, four products, done.
    assert_eq!(told.iter().filter(|name| **name == "log").count(), 4, "{told:?}");
    assert_eq!((told[0], told[told.len() - 2]), ("transition", "transition"));
    assert_eq!(told.iter().filter(|name| **name == "status").count(), 1, "only what is now");
    let ids: BTreeSet<_> = events[..events.len() - 1].iter().map(|event| &event.id).collect();
    assert_eq!(ids.len(), events.len() - 1, "each has an id of its own");
    // From the middle on, only the rest comes.
    let middle = &events[events.len() - 3];
    let mut stream = Stream::open(&world, &[&format!("Last-Event-ID: {}", middle.id)]).await;
    let rest = [stream.next().await.unwrap().name, stream.next().await.unwrap().name];
    assert_eq!(rest, ["transition", "status"]);
}

#[tokio::test]
async fn ids_that_are_unknown_or_too_old_begin_with_a_fresh_status() {
    let world = World::new(source(2_100)).await;
    let first = Stream::open(&world, &[]).await.next().await.unwrap();
    world.run_to_the_end().await;
    let instance = first.id.split('-').next().unwrap();
    let other = if instance == "00000000" { "00000001" } else { "00000000" };
    // 4,200 calls pushed the beginning out.
    let too_old = first.id.clone();
    for id in [
        too_old.as_str(),
        &format!("{other}-4000"),
        &format!("{instance}-999999"),
        &format!("{instance}-"),
        &format!("{instance}--1"),
        "nonsense",
        "\u{fffd}",
        "18446744073709551616",
    ] {
        let mut stream = Stream::open(&world, &[&format!("Last-Event-ID: {id}")]).await;
        let event = stream.next().await.unwrap();
        assert!(event.is_status("COMPLETED"), "{id}: {event:?}");
        assert_eq!(stream.comments.len(), 1, "{id}");
    }
    // A client that says it has seen nothing is told so by nobody.
    let mut stream = Stream::open(&world, &["Last-Event-ID: "]).await;
    assert!(stream.next().await.unwrap().is_status("COMPLETED"));
    assert!(stream.comments.is_empty());
}

#[tokio::test]
async fn a_stream_outlives_the_limits_of_other_answers() {
    let short = Duration::from_millis(50);
    let limits = ServerLimits {
        answer_time_max: short,
        header_time_max: short,
        body_time_max: short,
        write_time_max: short,
        ..ServerLimits::default()
    };
    let world = World::with(source(1), ServerOptions { limits, ..options() }).await;
    let mut stream = Stream::open(&world, &[]).await;
    stream.next().await.unwrap();
    let mut idle = Connection::open(world.address).await;
    assert!(idle.rest().await.is_empty(), "the limit holds for others");
    world.post("/start").await.ok(202);
    stream.until(|event| event.is_status("COMPLETED")).await;
}

#[tokio::test]
async fn there_is_room_for_so_many_and_places_are_given_back() {
    let limits = ServerLimits { event_subscribers_max: 3, ..ServerLimits::default() };
    let world = World::with(source(1), ServerOptions { limits, ..options() }).await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(Stream::open(&world, &[]).await);
    }
    let refused = Stream::answered(ask(&world, &[]).await).await.err().unwrap();
    assert_eq!(refused.header("retry-after"), Some("5"));
    let detail = refused.problem(503, EVENTS);
    assert!(detail.contains('3'), "{detail}");
    // HEAD takes no place for longer than its answer.
    drop(streams.pop());
    let stream = within(async {
        loop {
            if let Ok(stream) = Stream::answered(ask(&world, &[]).await).await {
                break stream;
            }
            tokio::task::yield_now().await;
        }
    });
    stream.await.next().await.unwrap();
    world.run("/events?x=1").await.problem(400, EVENTS);
}

#[tokio::test]
async fn stalled_readers_leave_the_run_untouched_and_are_dropped() {
    let limits = ServerLimits { write_time_max: Duration::from_millis(200), ..ServerLimits::default() };
    // More to say than the buffers of both systems hold.
    let world = World::with(source(3_000), ServerOptions { limits, ..options() }).await;
    let mut stalled = Vec::new();
    for _ in 0..64 {
        let mut connection = Connection::open_with_small_buffer(world.address).await;
        connection.send(format!("GET {EVENTS} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
        stalled.push(connection);
    }
    // All of them are in.
    within(async {
        while Stream::answered(ask(&world, &[]).await).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    world.run_to_the_end().await;
    let status = world.run("/status").await.ok(200);
    assert_eq!(status["analytics"]["total_success"], 6_000);
    assert_eq!(world.source.requests_total(), 6_000, "each product once");
    assert_eq!(world.run("/logs").await.ok(200)["stats"]["total"], 6_000);
    // Their places are free again, though all of them are still connected.
    within(async {
        while Stream::answered(ask(&world, &[]).await).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    drop(stalled);
}

#[tokio::test]
async fn a_shutdown_ends_streams_after_their_last_word() {
    let world = World::in_state(RunStatus::Processing).await;
    let mut stream = Stream::open(&world, &[]).await;
    assert!(stream.next().await.unwrap().is_status("PROCESSING"));
    world.engine.shutdown(Actor::named("signal")).await.unwrap();
    world.stopping.cancel();
    let rest = stream.rest().await;
    let last = rest.last().unwrap();
    assert!(last.is_status("PAUSED"), "{last:?}");
    let paused = named(&rest, "transition");
    assert_eq!((&paused[0].data["actor"], &paused[0].data["reason"]), (&"signal".into(), &"shutdown".into()));
    within(world.serving).await.unwrap();
}
