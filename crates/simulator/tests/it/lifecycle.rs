//! Start, stop, start again on the same port, and a catalogue that changes meanwhile.

use price_cache_simulator::{Catalogue, FaultKind, Faults, Options, Product, Simulator};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::client::{Client, begin};

#[tokio::test]
async fn a_stopped_upstream_is_gone_and_comes_back() {
    let options = Options::new(Catalogue::synthetic(1, 3));
    let simulator = Simulator::start(options).await.unwrap();
    let target = "/markets/M001/products/product-0000001/price";
    Client::of(&simulator).await.get(target).await;
    simulator.set_faults(Faults::everywhere(FaultKind::Hang)).unwrap();
    let mut hung = begin(simulator.address(), target).await;
    simulator.wait_until(|ledger| ledger.total_requests() == 2).await;

    simulator.stop().await;
    assert!(TcpStream::connect(simulator.address()).await.is_err());
    let mut rest = Vec::new();
    // Closed or reset, but at once and without a byte.
    let _ = hung.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
    assert_eq!(simulator.ledger().total_requests(), 2);

    simulator.set_faults(Faults::default()).unwrap();
    simulator.restart().await.unwrap();
    assert_eq!(Client::of(&simulator).await.get(target).await.status, 200);
    assert_eq!(simulator.ledger().requests("M001", "product-0000001"), 3);
}

#[tokio::test]
async fn another_simulator_can_take_the_port_of_a_stopped_one() {
    let first = Simulator::start(Options::new(Catalogue::synthetic(1, 1))).await.unwrap();
    let mut client = Client::of(&first).await;
    client.get("/markets").await;
    first.stop().await;
    let options = Options { listen: first.address(), ..Options::new(Catalogue::synthetic(2, 1)) };
    let second = Simulator::start(options).await.unwrap();
    assert_eq!(first.base_url(), second.base_url());
    let markets = Client::of(&second).await.get("/markets/plain").await.text;
    assert_eq!(markets, r#"["M001","M002"]"#);
}

#[tokio::test]
async fn impossible_faults_are_refused_at_the_start() {
    let faults = Faults::per_attempt([(FaultKind::Html, 1001)]);
    let options = Options { faults, ..Options::new(Catalogue::synthetic(1, 1)) };
    let error = Simulator::start(options).await.unwrap_err();
    assert!(error.to_string().contains("1001"), "{error}");
}

#[tokio::test]
async fn the_catalogue_changes_while_it_is_served() {
    let simulator = Simulator::start(Options::new(Catalogue::synthetic(1, 3))).await.unwrap();
    let mut client = Client::of(&simulator).await;
    simulator.catalogue_mut(|catalogue| {
        catalogue.insert_at_head("M001", Product::new("new", "1e-2", "KWD"));
        catalogue.remove_product("M001", "product-0000002");
        catalogue.duplicate_product("M001", "new");
    });
    let list = client.get("/markets/M001/products").await.text;
    let ids = r#"[{"id":"new"},{"id":"product-0000001"},{"id":"product-0000003"},{"id":"new"}]"#;
    assert_eq!(list, format!(r#"{{"items":{ids},"page":1,"pages":1}}"#));
    let price = client.get("/markets/M001/products/new/price").await.text;
    assert!(price.contains("\"amount\":1e-2,"), "{price}");
    assert_eq!(client.get("/markets/M001/products/product-0000002/price").await.status, 404);
    simulator.catalogue_mut(|catalogue| *catalogue = Catalogue::default());
    assert_eq!(client.get("/markets/plain").await.text, "[]");
}
