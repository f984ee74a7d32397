//! Every digit of every amount, through a real server.

use price_cache_domain::{Amount, PriceSource};
use price_cache_simulator::{Catalogue, Options, Simulator};

use crate::support::{config, plain, price, source};
use price_cache_simulator::raw::{RawServer, ok};

#[tokio::test]
async fn digits_and_exponents_survive() {
    for (amount, expected) in [
        ("123456789012345678.12", "123456789012345678.12"),
        ("9007199254740993", "9007199254740993"),
        ("4e+06", "4000000"),
        ("0.024000", "0.024000"),
        ("19.90", "19.90"),
        ("\"19.900\"", "19.900"),
        ("0", "0"),
    ] {
        let server = RawServer::always(ok(format!(r#"{{"x": [], "amount" : {amount} , "currency":"EUR"}}"#)))
            .await
            .unwrap();
        let found = price(&source(&plain(&server.base_url, "")), "US", "p").await;
        assert_eq!(found.unwrap(), format!("{expected} EUR"));
    }
}

#[tokio::test]
async fn minor_units_use_the_exponent_of_the_currency_or_the_given_one() {
    for (currency, keys, expected) in [
        ("EUR", "", "19.90 EUR"),
        ("JPY", "", "1990 JPY"),
        ("KWD", "", "1.990 KWD"),
        ("EUR", "exponent = 4", "0.1990 EUR"),
    ] {
        let server =
            RawServer::always(ok(format!(r#"{{"amount": 1990, "currency": "{currency}"}}"#))).await.unwrap();
        let source = source(&plain(&server.base_url, &format!("form = \"minor_units\"\n{keys}")));
        assert_eq!(price(&source, "US", "p").await.unwrap(), expected);
    }
}

/// The catalogue is the oracle: the CSV's text, written out by the domain's own rule.
#[tokio::test]
async fn all_real_prices_arrive_digit_by_digit() {
    let simulator = Simulator::start(Options::new(Catalogue::big_mac().unwrap())).await.unwrap();
    for form in ["number", "string"] {
        let source = source(&config(&format!(
            r#"
            [source]
            base_url = "{}"
            markets = {{ url = "/markets/plain", items = "$" }}
            products = {{ url = "/markets/{{market}}/products?size=10000", items = "$.items[*].id" }}
            price = {{ url = "/markets/{{market}}/products/{{product}}/price?form={form}", amount = "$.amount", currency = "$.currency", product_check = "$.product", market_check = "$.market" }}
            "#,
            simulator.base_url()
        )));
        let catalogue = simulator.catalogue();
        let mut checked = 0;
        for market in source.markets().await.unwrap() {
            for product in source.products(&market, None).await.unwrap().products {
                let found = price(&source, market.as_str(), product.as_str()).await.unwrap();
                let truth = catalogue.market(market.as_str()).unwrap().price(product.as_str()).unwrap();
                let amount = Amount::parse(&truth.amount).unwrap();
                assert_eq!(found, format!("{amount} {}", truth.currency), "{market} {product}");
                checked += 1;
            }
        }
        assert_eq!(checked, 2373);
    }
}
