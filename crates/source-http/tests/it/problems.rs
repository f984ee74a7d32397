//! Mistakes in the configuration: all of them at once, each with its key.

use price_cache_source_http::{HttpPriceSource, SourceError};

use crate::support::{File, config, plain};

const GOOD: &str = r#"
[source]
base_url = "https://api.shop.example"
markets.list = ["US"]
products.list = ["p"]
price = { url = "/p/{product}", amount = "$.amount", currency = "EUR" }
"#;

/// The keys and messages of the problems after each `from` in the good configuration became `to`.
fn problems(from: &str, to: &str) -> Vec<(String, String)> {
    assert!(GOOD.contains(from), "{from}");
    let config = config(&GOOD.replace(from, to));
    let problems = config.validate().err().unwrap_or_default();
    problems.into_iter().map(|problem| (problem.key, problem.message)).collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table, read as a whole")]
fn each_mistake_is_told_with_its_key() {
    assert!(config(GOOD).validate().is_ok());
    for (from, to, key, part) in [
        ("https://api.shop.example", "api.shop.example", "source.base_url", "is not a URL"),
        ("https://api.shop.example", "ftp://shop.example", "source.base_url", "http:// or https://"),
        ("https://api.shop.example", "https://me:pw@shop.example", "source.base_url", "source.headers"),
        ("https://api.shop.example", "https://shop.example/?key=1", "source.base_url", "query"),
        ("markets.list = [\"US\"]", "markets = {}", "source.markets", "needs `list`, or `url`"),
        ("markets.list = [\"US\"]", "markets.list = []", "source.markets.list", "empty"),
        (
            "markets.list = [\"US\"]",
            "markets.list = [\"US\", \"US\"]",
            "source.markets.list",
            "\"US\" is listed twice",
        ),
        ("markets.list = [\"US\"]", "markets.list = [\"a\\nb\"]", "source.markets.list", "control character"),
        ("markets.list = [\"US\"]", "markets = { url = \"/m\" }", "source.markets.items", "JSONPath"),
        (
            "products.list = [\"p\"]",
            "products = { list = [\"p\"], url = \"/x\" }",
            "source.products",
            "keep one",
        ),
        (
            "products.list = [\"p\"]",
            "products = { url = \"/x/{market}\", items = \"$\", shared = true }",
            "source.products.shared",
            "{market}",
        ),
        (
            "products.list = [\"p\"]",
            "products = { url = \"/x\", items = \"$\", pagination = { style = \"cursor\", next = \"next\" } }",
            "source.products.pagination.next",
            "JSONPath",
        ),
        ("/p/{product}", "/p/{prodct}", "source.price.url", "{prodct}"),
        ("/p/{product}", "/p/1", "source.price.url", "{product}"),
        ("/p/{product}", "/p/{product", "source.price.url", "not a URL template"),
        ("/p/{product}", "https://{product}.example/", "source.price.url", "allow_redirects_to"),
        ("\"$.amount\"", "\"amount\"", "source.price.amount", "JSONPath"),
        ("\"EUR\"", "\"EURO\"", "source.price.currency", "ISO 4217"),
        ("\"EUR\"", "{ US = \"us dollars\" }", "source.price.currency.US", "ISO 4217"),
        ("[\"US\"]", "[\"US\", \"DE\"]", "source.price.url", "{market}"),
        ("\"EUR\"", "{ DE = \"EUR\" }", "source.price.currency", "market US"),
        ("\"EUR\"", "\"EUR\", exponent = 2", "source.price.exponent", "minor_units"),
        ("\"EUR\"", "\"EUR\", method = \"POST\"", "source.price.method", "body"),
        ("\"EUR\"", "\"EUR\", body = \"{}\"", "source.price.body", "POST"),
        (
            "\"EUR\"",
            "\"EUR\", method = \"POST\", body = '{\"id\": \"{{ product }}\"}'",
            "source.price.body",
            "tojson",
        ),
        (
            "\"EUR\"",
            "\"EUR\", headers = { \"a b\" = \"x\" }",
            "source.price.headers.a b",
            "not the name of a header",
        ),
        ("\"EUR\"", "\"EUR\", headers = { Host = \"x\" }", "source.price.headers.Host", "by the client"),
        (
            "\"EUR\"",
            "\"EUR\", success = { path = \"$.ok\", header = \"X-Ok\" }",
            "source.price.success",
            "either `path`",
        ),
        ("\"EUR\"", "\"EUR\", success = { equals = 1 }", "source.price.success", "either `path`"),
        (
            "\"EUR\"",
            "\"EUR\", success = { header = \"a b\" }",
            "source.price.success.header",
            "not the name of a header",
        ),
        ("[source]", "[source.limits]\ndepth = 1000\n[source]", "source.limits.depth", "from 1 to 120"),
        ("[source]", "[source.limits]\ntotal = \"0s\"\n[source]", "source.limits.total", "no time"),
        (
            "[source]",
            "[source.limits]\nallow_redirects_to = [\"x\"]\n[source]",
            "source.limits.allow_redirects_to",
            "not a URL",
        ),
        ("[source]", "[source.purge]\nurl = \"/{x}\"\n[source]", "source.purge.url", "{x}"),
        (
            "[source]",
            "[source.purge]\nurl = \"/x\"\nmethod = \"a b\"\n[source]",
            "source.purge.method",
            "method",
        ),
    ] {
        let found = problems(from, to);
        assert!(
            found.iter().any(|(found, message)| found == key && message.contains(part)),
            "{to}: {key} {part:?} is not in {found:?}"
        );
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = GOOD
        .replace("https://api.shop.example", "nonsense")
        .replace("$.amount", "amount")
        .replace("EUR", "EURO");
    let keys: Vec<String> =
        config(&text).validate().unwrap_err().into_iter().map(|problem| problem.key).collect();
    assert_eq!(keys, ["source.base_url", "source.price.amount", "source.price.currency"]);
}

#[test]
fn what_toml_itself_finds_names_the_key_or_the_choice() {
    for (to, part) in [
        ("\"EUR\", colour = 1", "unknown field `colour`"),
        ("\"EUR\", form = \"cents\"", "unknown variant `cents`"),
        ("7", "a currency code such as \"EUR\""),
        ("\"EUR\", success = { path = \"$.ok\", equals = 1.5 }", "a text, a whole number, true or false"),
    ] {
        let error = toml::from_str::<File>(&GOOD.replace("\"EUR\"", to)).err().unwrap().to_string();
        assert!(error.contains(part), "{error}");
    }
    for (limits, part) in
        [("total = 3", "with its unit in quotes"), ("total = \"3\"", "\"3\" is not a length of time")]
    {
        let text = format!("{GOOD}\n[source.limits]\n{limits}");
        let error = toml::from_str::<File>(&text).err().unwrap().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn an_unset_variable_is_named_with_its_key() {
    let config = plain("http://localhost", "[source.headers]\nX-Api-Key = \"${NOT_SET}\"");
    assert!(config.validate().is_ok());
    let Err(SourceError::Config(problems)) = HttpPriceSource::new(&config, &|_| None) else {
        panic!("built without its key");
    };
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].key, "source.headers.X-Api-Key");
    assert!(problems[0].message.contains("NOT_SET is not set"), "{}", problems[0]);
}

#[test]
fn a_configuration_survives_being_written() {
    let text = include_str!("../../examples/graphql.toml");
    let config = config(text);
    let written = toml::to_string(&std::collections::BTreeMap::from([("source", &config)])).unwrap();
    assert_eq!(toml::from_str::<File>(&written).unwrap().source, config);
}

#[test]
fn the_schema_describes_every_section() {
    let schema = schemars::schema_for!(price_cache_source_http::SourceConfig).to_value().to_string();
    for part in ["base_url", "next_url", "not_found_when", "allow_redirects_to", "minor_units", "\"GET\""] {
        assert!(schema.contains(part), "{part}");
    }
}
