//! What the ledger says of concurrency, of clients that go away, and over HTTP.

use price_cache_simulator::{Catalogue, FaultKind, Faults, Handle, LedgerSnapshot, Options, Simulator};

use crate::client::{Client, begin};

async fn start(faults: Faults) -> Handle {
    Simulator::start(Options { faults, ..Options::new(Catalogue::synthetic(2, 10)) }).await.unwrap()
}

fn price(market: &str, number: u32) -> String {
    format!("/markets/{market}/products/product-{number:07}/price")
}

#[tokio::test]
async fn concurrency_is_counted_per_market() {
    let simulator = start(Faults::everywhere(FaultKind::Hang)).await;
    let mut streams = Vec::new();
    for number in 1..=3 {
        streams.push(begin(simulator.address(), &price("M001", number)).await);
    }
    simulator.wait_until(|ledger| ledger.in_flight("M001") == 3).await;
    streams.push(begin(simulator.address(), &price("M002", 1)).await);
    simulator.wait_until(|ledger| ledger.max_in_flight("M002") == 1).await;
    let ledger = simulator.ledger();
    assert_eq!((ledger.max_in_flight("M001"), ledger.max_in_flight_total), (3, 4));
    assert_eq!(ledger.max_in_flight_of_any_market(), 3);

    drop(streams);
    simulator.wait_until(|ledger| ledger.totals.aborted == 4).await;
    assert_eq!(simulator.ledger().in_flight("M001"), 0);
    simulator.clear_ledger();
    assert_eq!(simulator.ledger(), LedgerSnapshot::default());
}

#[tokio::test]
async fn one_after_another_is_never_two() {
    let simulator = start(Faults::default()).await;
    let mut clients = [Client::of(&simulator).await, Client::of(&simulator).await];
    for number in 1..=10 {
        for client in &mut clients {
            client.get(&price("M001", number)).await;
        }
    }
    let ledger = simulator.ledger();
    assert_eq!((ledger.max_in_flight("M001"), ledger.market_requests("M001")), (1, 20));
    assert_eq!(ledger.requests_per_pair(), [(2, 10)].into());
    assert_eq!(ledger.requests_over(1).len(), 10);
}

#[tokio::test]
async fn a_client_that_gave_up_before_the_next_request_is_not_blamed() {
    let simulator = start(Faults::everywhere(FaultKind::Hang)).await;
    for number in 1..=10 {
        let stream = begin(simulator.address(), &price("M001", number)).await;
        simulator.wait_until(|ledger| ledger.total_requests() == number).await;
        // Closed, and the next one begun before the simulator's tasks have run.
        drop(stream);
    }
    assert_eq!(simulator.ledger().max_in_flight("M001"), 1);
}

#[tokio::test]
async fn without_pair_counts_the_markets_are_still_counted() {
    let options = Options::new(Catalogue::synthetic(1, 1_000_000));
    let simulator = Simulator::start(Options { count_pairs: false, ..options }).await.unwrap();
    let mut client = Client::of(&simulator).await;
    for _ in 0..3 {
        assert_eq!(client.get(&price("M001", 1_000_000)).await.status, 200);
    }
    let ledger = simulator.ledger();
    assert_eq!((ledger.market_requests("M001"), ledger.totals.served), (3, 3));
    assert_eq!((ledger.pairs_requested(), ledger.pair("M001", "product-1000000")), (0, None));
}

#[tokio::test]
async fn the_ledger_is_read_and_cleared_over_http() {
    let simulator = start(Faults::default()).await;
    let mut client = Client::of(&simulator).await;
    client.get("/markets").await;
    client.get("/markets/M001/products").await;
    client.get(&price("M001", 1)).await;
    client.get(&price("M001", 1)).await;
    client.get(&price("M002", 7)).await;
    let ledger = client.get("/control/ledger").await.json();
    assert_eq!(ledger["totals"]["requests"], 3);
    assert_eq!(ledger["totals"]["served"], 3);
    assert_eq!(ledger["listings"], 2);
    assert_eq!(ledger["requests_per_pair"], serde_json::json!({"1": 1, "2": 1}));
    assert_eq!(ledger["markets"]["M001"]["max_in_flight"], 1);
    assert_eq!(ledger["markets"]["M001"]["listings"], 1);
    let pairs = client.get("/control/ledger/pairs").await.json();
    assert_eq!((&pairs[0]["product"], &pairs[0]["requests"]), (&"product-0000001".into(), &2.into()));
    let cleared = client.request("DELETE", "/control/ledger", "").await.unwrap().json();
    assert_eq!(cleared["totals"]["requests"], 0);
    assert_eq!(simulator.ledger().total_requests(), 0);
}
