//! Every price of the three sets leaves with the digits it has in the CSV.

use std::io::Read;

use price_cache_simulator::{Catalogue, Options, Simulator};

use crate::client::Client;

const CONNECTIONS: usize = 4;

/// Reads the stored CSV by itself, so that a mistake of the catalogue's reader would show.
fn rows(compressed: &[u8]) -> Vec<[String; 4]> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(compressed).read_to_string(&mut text).unwrap();
    let fields = |line: &str| -> [String; 4] {
        line.split(',').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap()
    };
    text.lines().skip(1).map(fields).collect()
}

async fn walk(catalogue: Catalogue, rows: Vec<[String; 4]>) {
    let pairs = catalogue.pair_count();
    assert_eq!(rows.len(), pairs);
    let simulator = Simulator::start(Options::new(catalogue)).await.unwrap();
    let mut walks = tokio::task::JoinSet::new();
    for part in rows.chunks(rows.len().div_ceil(CONNECTIONS)) {
        let (part, mut client) = (part.to_vec(), Client::of(&simulator).await);
        walks.spawn(async move {
            for [market, product, currency, amount] in part {
                let target = format!("/markets/{market}/products/{}/price", product.replace(' ', "%20"));
                let expected = format!(
                    r#"{{"product":"{product}","market":"{market}","amount":{amount},"currency":"{currency}"}}"#
                );
                assert_eq!(client.get(&target).await.text, expected);
            }
        });
    }
    walks.join_all().await;
    let ledger = simulator.ledger();
    assert_eq!((ledger.pairs_requested(), ledger.totals.served as usize), (pairs, pairs));
    assert!(ledger.requests_over(1).is_empty());
}

#[tokio::test]
async fn big_mac_digits_are_those_of_the_csv() {
    let rows = rows(include_bytes!("../../data/big-mac/prices.csv.gz"));
    assert!(rows.iter().any(|row| row[3] == "4e+06"));
    walk(Catalogue::big_mac().unwrap(), rows).await;
}

#[tokio::test]
async fn app_store_digits_are_those_of_the_csv() {
    let rows = rows(include_bytes!("../../data/app-store-tiers/prices.csv.gz"));
    walk(Catalogue::app_store().unwrap(), rows).await;
}

#[tokio::test]
async fn azure_digits_are_those_of_the_csv() {
    let rows = rows(include_bytes!("../../data/azure-vm/prices.csv.gz"));
    assert!(rows.iter().any(|row| row[1].ends_with("  ")));
    walk(Catalogue::azure_vm().unwrap(), rows).await;
}
