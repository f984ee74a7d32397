//! The commands against prepared answers: what is asked, what is printed where, and how the program ends.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::io::{self, Cursor, Write};

use clap::Parser;

use super::execute;
use crate::arguments::{Arguments, Command, RemoteCommand};
use crate::test_server::{Kept, Reply, TestContext, TestServer, json};
use crate::{Exit, Streams};

fn command(words: &str) -> RemoteCommand {
    let words = std::iter::once("price-cache").chain(words.split(' '));
    match Arguments::try_parse_from(words).unwrap().command {
        Command::Remote(command) => command,
        Command::Local(command) => panic!("{command:?} is local"),
    }
}

/// Executes a command against prepared replies: exit, stdout, stderr and the first lines of the requests.
async fn ask(words: &str, replies: Vec<Reply>) -> (Exit, String, String, Vec<String>) {
    let server = TestServer::start(replies).await;
    let mut test = TestContext::new(&server.address);
    let exit = execute(&command(words), &mut test.context).await;
    (exit, test.data.text(), test.human.text(), server.request_lines())
}

fn state(status: &str) -> String {
    format!(
        r#"{{"status":"{status}","current_market":null,"current_product_idx":0,"started_at":null,"estimated_end_at":null,"paused_at":null,"completed_at":null,"error_message":null,"markets":["uk"],"total_markets":1,"current_market_index":0,"market_totals":{{"uk":4}}}}"#
    )
}

fn status(status: &str, completed: u64, failed: u64) -> Reply {
    let percent = completed * 25;
    let state = state(status);
    json(
        "200 OK",
        &format!(
            r#"{{"current_state":{state},"markets":{{"uk":{{"completed":{completed},"total":4,"success_rate":100,"failed":{failed},"eta_minutes":null}}}},"overall_progress":{percent},"total_eta_minutes":null,"analytics":{{"total_requests":0,"total_success":0,"total_fails":0,"avg_time_per_request_ms":0,"success_rate":0,"markets":{{}}}}}}"#
        ),
    )
}

fn accepted(message: &str) -> Reply {
    json("202 Accepted", &format!(r#"{{"message":"{message}","state":{}}}"#, state("INITIALIZING")))
}

fn problem(status: u16, detail: &str) -> Reply {
    json(
        &format!("{status} Problem"),
        &format!(r#"{{"title":"T","status":{status},"detail":"{detail}","error":"{detail}"}}"#),
    )
}

#[tokio::test]
async fn the_servers_sentence_is_what_a_person_reads() {
    for (words, path) in [("start", "start"), ("stop", "stop"), ("retry-failed", "retry-failed")] {
        let (exit, data, human, asked) = ask(words, vec![accepted("Here we go")]).await;
        assert_eq!((exit, data.as_str(), human.as_str()), (Exit::Done, "", "Here we go\n"));
        assert_eq!(asked, [format!("POST /api/cache/prices/{path} HTTP/1.1")]);
    }
}

#[tokio::test]
async fn a_program_reads_what_the_server_says_unchanged() {
    for words in ["start --json", "stop --json", "retry-failed --json", "reset --yes --json"] {
        let (exit, data, human, _) = ask(words, vec![json("202 Accepted", r#"{"message" : "m"}"#)]).await;
        assert_eq!(
            (exit, data.as_str(), human.as_str()),
            (Exit::Done, "{\"message\" : \"m\"}\n", ""),
            "{words}"
        );
    }
}

#[tokio::test]
async fn health_is_an_exit_code() {
    let ready = json("200 OK", r#"{"status":"ok","detail":null}"#);
    let (exit, _, human, asked) = ask("health", vec![ready]).await;
    assert_eq!((exit, human.as_str()), (Exit::Done, "ready\n"));
    assert_eq!(asked, ["GET /health/ready HTTP/1.1"]);
    for unready in [
        json("503 Not", r#"{"status":"unavailable","detail":"the store hangs"}"#),
        problem(503, "the store hangs"),
    ] {
        let (exit, _, human, _) = ask("health", vec![unready]).await;
        assert_eq!((exit, human.as_str()), (Exit::Failed, "error: the store hangs\n"));
    }
}

#[tokio::test]
async fn a_refusal_is_exit_3() {
    let (exit, data, human, _) = ask("start", vec![problem(409, "a run is going on")]).await;
    assert_eq!((exit, data.as_str(), human.as_str()), (Exit::Refused, "", "error: a run is going on\n"));
}

#[tokio::test]
async fn without_a_server_the_way_to_start_one_is_said() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    drop(listener);
    let mut test = TestContext::new(&address);
    assert_eq!(execute(&command("status"), &mut test.context).await, Exit::Unreachable);
    let human = test.human.text();
    assert!(human.starts_with(&format!("error: cannot reach a server at {address}: ")), "{human}");
    assert!(human.contains("`price-cache serve --config shop.toml`"), "{human}");
}

#[tokio::test]
async fn a_missing_key_is_explained() {
    let (exit, _, human, _) = ask("stop", vec![problem(401, "an API key is needed")]).await;
    assert_eq!(exit, Exit::Usage);
    assert!(human.contains("--api-key-file FILE"), "{human}");
}

#[tokio::test]
async fn a_key_file_that_cannot_be_used_is_a_usage_error() {
    let arguments =
        Arguments::try_parse_from(["price-cache", "stop", "--api-key-file", "/does/not/exist"]).unwrap();
    let human = Kept::default();
    let streams = Streams::new(Kept::default(), human.clone(), Cursor::new(Vec::new()), false);
    assert_eq!(super::run(&command("stop"), &arguments.global, streams).await, Exit::Usage);
    assert!(
        human.text().starts_with("error: cannot read the API key file /does/not/exist: "),
        "{}",
        human.text()
    );
}

#[tokio::test]
async fn reset_asks_a_person_and_takes_no_for_an_answer() {
    for (answer, exit, requests) in [
        ("y\n", Exit::Done, 1),
        ("Yes\n", Exit::Done, 1),
        ("n\n", Exit::Failed, 0),
        ("\n", Exit::Failed, 0),
        ("", Exit::Failed, 0),
    ] {
        let server = TestServer::start(vec![json("200 OK", r#"{"message":"All clear"}"#)]).await;
        let mut test = TestContext::with_input(&server.address, answer, true);
        assert_eq!(execute(&command("reset"), &mut test.context).await, exit, "{answer:?}");
        assert_eq!(server.requests().len(), requests, "{answer:?}");
        assert!(test.human.text().contains("ALL CACHED PRICES"), "{}", test.human.text());
    }
}

#[tokio::test]
async fn reset_without_a_person_wants_yes() {
    let (exit, _, human, asked) = ask("reset", vec![]).await;
    assert_eq!((exit, asked.len()), (Exit::Usage, 0));
    assert!(human.contains("--yes"), "{human}");
    let server = TestServer::start(vec![json("200 OK", r#"{"message":"All clear"}"#)]).await;
    let mut test = TestContext::new(&server.address);
    let exit = execute(&command("reset --yes --keep-prices"), &mut test.context).await;
    assert_eq!((exit, test.human.text().as_str()), (Exit::Done, "All clear\n"));
    assert!(server.requests().concat().ends_with(r#"{"keep_prices":true}"#));
}

#[tokio::test]
async fn json_is_printed_unchanged() {
    let odd = "{\"unknown\" : [ 1.50 ],\"\u{7f}\":\"\u{9b}\"}";
    for words in ["status --json", "errors --json", "logs --json", "prices get uk 1 --json"] {
        let (exit, data, human, _) = ask(words, vec![json("200 OK", odd)]).await;
        assert_eq!((exit, data, human.as_str()), (Exit::Done, format!("{odd}\n"), ""), "{words}");
    }
}

#[tokio::test]
async fn watching_a_start_ends_with_the_run_and_tells_how() {
    for (last, exit) in [
        (status("COMPLETED", 4, 0), Exit::Done),
        (status("COMPLETED", 4, 1), Exit::FailedProducts),
        (status("PAUSED", 2, 0), Exit::Interrupted),
        (status("ERROR", 2, 0), Exit::Failed),
    ] {
        let replies = vec![accepted("Started"), status("PROCESSING", 1, 0), last];
        let (ended, data, human, asked) = ask("start --watch", replies).await;
        assert_eq!((ended, asked.len()), (exit, 3), "{human}");
        assert!(human.contains("PROCESSING  25.0 %, 1 of 4 products\n"), "{human}");
        assert!(data.contains("MARKET"), "{data}");
    }
}

#[tokio::test]
async fn a_watched_server_may_be_away_for_a_moment() {
    let replies = vec![
        status("PROCESSING", 1, 0),
        Reply::Bytes(Vec::new()),
        Reply::Bytes(Vec::new()),
        status("COMPLETED", 4, 0),
    ];
    let (exit, _, human, _) = ask("status --watch", replies).await;
    assert_eq!(exit, Exit::Done);
    assert_eq!(human.matches("trying again").count(), 1, "{human}");
}

#[tokio::test]
async fn a_watched_server_that_recovers_its_run_is_waited_for() {
    let recovering = || problem(503, "recovering");
    let replies = vec![recovering(), status("PROCESSING", 1, 0), recovering(), status("COMPLETED", 4, 0)];
    let (exit, _, human, _) = ask("status --watch", replies).await;
    assert_eq!(exit, Exit::Done, "{human}");
    assert_eq!(human.matches("recovering; trying again\n").count(), 2, "{human}");

    let replies = vec![status("PROCESSING", 1, 0), recovering(), status("COMPLETED", 4, 0)];
    let (exit, data, human, _) = ask("status --watch --json", replies).await;
    assert_eq!((exit, data.lines().count(), human.as_str()), (Exit::Done, 2, "recovering; trying again\n"));
    let (exit, _, human, _) = ask("status", vec![recovering()]).await;
    assert_eq!((exit, human.as_str()), (Exit::Failed, "error: recovering\n"), "once asked, once answered");
}

#[tokio::test]
async fn errors_are_read_page_by_page_up_to_the_limit() {
    let page = |product: &str, next: &str| {
        json(
            "200 OK",
            &format!(
                r#"{{"errors":[{{"market":"uk","product":"{product}","class":"timeout","message":"m","attempts":1,"last_status_code":null,"at":"2026-11-23T10:00:00Z"}}],"next":{next}}}"#
            ),
        )
    };
    let (exit, data, human, asked) =
        ask("errors --market uk --limit 2", vec![page("a", "\"a/\""), page("b", "\"b\"")]).await;
    assert_eq!((exit, data.lines().count()), (Exit::Done, 3), "{data}");
    assert_eq!(
        asked,
        [
            "GET /api/cache/prices/errors?market=uk&limit=2 HTTP/1.1",
            "GET /api/cache/prices/errors?market=uk&after=a%2F&limit=1 HTTP/1.1"
        ]
    );
    assert_eq!(human, "2 failed products; there are more: --limit COUNT, or --after b\n");
}

#[tokio::test]
async fn logs_are_filtered_and_cleared() {
    let logs = r#"{"logs":[{"id":"2","timestamp":"2026-11-23T10:00:00Z","url":"u","product_id":"p","market_id":"uk","success":false,"duration_ms":5,"error":"e"},{"id":"1","timestamp":"2026-11-23T10:00:00Z","url":"u","product_id":"q","market_id":"uk","success":true,"duration_ms":5}],"total":2,"stats":{"total":2,"successful":1,"failed":1,"success_rate":50,"avg_duration_ms":5},"metadata":{"run_id":null,"started_at":null,"total_logs":2}}"#;
    let (exit, data, human, _) = ask("logs --failed", vec![json("200 OK", logs)]).await;
    assert_eq!((exit, data.lines().count()), (Exit::Done, 2), "{data}");
    assert_eq!(human, "1 of 2 calls; of all 50.0 % successful, 5.0 ms on average\n");

    let cleared = json("200 OK", r#"{"success":true,"message":"Logs cleared"}"#);
    let (exit, _, human, asked) = ask("logs --clear", vec![cleared]).await;
    assert_eq!((exit, human.as_str()), (Exit::Done, "Logs cleared\n"));
    assert_eq!(asked, ["DELETE /api/cache/prices/logs HTTP/1.1"]);
}

fn price(product: &str, amount: &str) -> String {
    format!(
        r#"{{"market_id":"uk","product_id":"{product}","price":{{"amount":"{amount}","currency":"GBP"}},"fetched_at":"2026-11-23T10:00:00Z","age_seconds":5,"run_id":"r","stale":false}}"#
    )
}

#[tokio::test]
async fn one_price_is_one_line_of_data() {
    let (exit, data, human, _) =
        ask("prices get uk a/b", vec![json("200 OK", &price("a/b", "0.0240"))]).await;
    assert_eq!((exit, data.as_str()), (Exit::Done, "0.0240 GBP\n"));
    assert_eq!(human, "fetched 5 s ago, 2026-11-23 10:00:00 UTC\n");

    let (exit, data, human, _) = ask("prices get uk x", vec![problem(404, "never fetched")]).await;
    assert_eq!((exit, data.as_str(), human.as_str()), (Exit::Failed, "", "error: never fetched\n"));
}

#[tokio::test]
async fn all_prices_come_page_by_page_under_one_title() {
    let page = |product: &str, next: &str| {
        let price = price(product, "1.00");
        json("200 OK", &format!(r#"{{"market_id":"uk","prices":[{price}],"next":{next}}}"#))
    };
    let (exit, data, human, asked) =
        ask("prices list uk --all", vec![page("a", "\"n\""), page("b", "null")]).await;
    assert_eq!(exit, Exit::Done);
    assert_eq!(data.matches("PRODUCT").count(), 1, "{data}");
    assert_eq!((data.lines().count(), human.as_str()), (3, "2 products\n"));
    assert_eq!(asked.get(1).unwrap(), "GET /api/prices/uk?after=n&limit=500 HTTP/1.1");
}

#[tokio::test]
async fn a_server_that_repeats_itself_is_not_asked_for_ever() {
    let page = || json("200 OK", r#"{"market_id":"uk","prices":[],"next":"n"}"#);
    let (exit, _, _, asked) = ask("prices list uk --all", vec![page(), page(), page()]).await;
    assert_eq!((exit, asked.len()), (Exit::Done, 2));
}

#[tokio::test]
async fn a_reader_that_has_seen_enough_is_no_error() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let server = TestServer::start(vec![status("IDLE", 0, 0)]).await;
    let mut test = TestContext::new(&server.address);
    let human = Kept::default();
    test.context.streams = Streams::new(Closed, human.clone(), Cursor::new(Vec::new()), false);
    assert_eq!(execute(&command("status"), &mut test.context).await, Exit::Done);
    assert_eq!(human.text(), "");
}
