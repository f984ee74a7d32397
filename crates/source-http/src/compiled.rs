//! The whole configuration, checked and compiled.

use price_cache_domain::{MarketId, ProductId};
use reqwest::{Method, Url};

use crate::config::{self, DEPTH_MAX, LimitsConfig, MarketsConfig, ProductsConfig, SourceConfig};
use crate::listing::{ListReader, Pager};
use crate::price::PriceReader;
use crate::problem::{ConfigProblem, Problems};
use crate::request::{Common, RequestConfig, RequestPlan, headers};
use crate::secrets::{Environment, Secrets};

/// Where ids come from.
pub(crate) enum Ids<I, U> {
    /// They are configured.
    List(Vec<I>),
    /// They are asked for.
    Url(U),
}

/// A list without pages.
pub(crate) struct MarketList {
    pub(crate) request: RequestPlan,
    pub(crate) reader: ListReader,
}

/// A list with pages.
pub(crate) struct ProductList {
    pub(crate) request: RequestPlan,
    pub(crate) reader: ListReader,
    pub(crate) pager: Pager,
}

/// The request before a product's first.
pub(crate) struct Purge {
    pub(crate) request: RequestPlan,
    pub(crate) required: bool,
}

/// A configuration without problems.
pub(crate) struct Compiled {
    pub(crate) secrets: Secrets,
    pub(crate) base: Url,
    pub(crate) allowed: Vec<Url>,
    pub(crate) markets: Ids<MarketId, MarketList>,
    pub(crate) products: Ids<ProductId, ProductList>,
    pub(crate) shared: bool,
    pub(crate) price: RequestPlan,
    pub(crate) reader: PriceReader,
    pub(crate) purge: Option<Purge>,
    pub(crate) limits: LimitsConfig,
}

impl Compiled {
    /// Checks and compiles.
    ///
    /// # Errors
    /// All problems that were found.
    pub(crate) fn new(
        config: &SourceConfig,
        environment: Environment<'_>,
    ) -> Result<Self, Vec<ConfigProblem>> {
        let mut problems = Problems::default();
        let mut secrets = Secrets::default();
        check_limits(&config.limits, &mut problems);
        let allowed: Vec<Url> = config
            .limits
            .allow_redirects_to
            .iter()
            .filter_map(|text| problems.check("source.limits.allow_redirects_to", server(text)))
            .collect();
        let base = problems.check("source.base_url", server(&config.base_url));
        let own = headers("source.headers", &config.headers, environment, &mut secrets, &mut problems);
        // Without a base URL the rest is checked against another, so that its problems are reported too.
        let base = match base.or_else(|| Url::parse("http://localhost").ok()) {
            Some(base) => base,
            None => return Err(problems.0),
        };
        let common = Common { base: &base, allowed: &allowed, headers: &own, environment };
        let depth = config.limits.depth;
        let markets = markets(&config.markets, depth, &common, &mut secrets, &mut problems);
        let products = products(&config.products, depth, &common, &mut secrets, &mut problems);
        let price = price(&config.price, &common, &mut secrets, &mut problems);
        let reader = PriceReader::new(&config.price, depth, &mut problems);
        if let (Some(Ids::List(markets)), Some(price), Some(reader)) = (&markets, &price, &reader) {
            reader.check_markets(markets, &mut problems);
            if markets.len() > 1 && !price.uses("market") {
                let message =
                    "with several markets, the URL or the body must name the one; write {market} into it";
                problems.push("source.price.url", message);
            }
        }
        let purge = config.purge.as_ref().map(|config| purge(config, &common, &mut secrets, &mut problems));
        let purge = match purge {
            Some(None) => None,
            Some(Some(purge)) => Some(Some(purge)),
            None => Some(None),
        };
        match (markets, products, price, reader, purge) {
            (Some(markets), Some(products), Some(price), Some(reader), Some(purge))
                if problems.0.is_empty() =>
            {
                let shared = config.products.shared || matches!(products, Ids::List(_));
                let limits = config.limits.clone();
                Ok(Self { secrets, base, allowed, markets, products, shared, price, reader, purge, limits })
            }
            _ => Err(problems.0),
        }
    }
}

/// A URL of a server, without secrets or variables in it.
fn server(text: &str) -> Result<Url, String> {
    let url = Url::parse(text)
        .map_err(|error| format!("{text:?} is not a URL such as \"https://api.shop.example/v2\": {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(format!("{text:?} must begin with http:// or https:// and name a server"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "a user name and password do not belong into the URL; put them into source.headers".to_owned()
        );
    }
    if url.query().is_some() || url.fragment().is_some() || text.contains(['{', '}']) {
        return Err(
            "a query, a fragment or a variable does not belong here; write it into the `url` of a section"
                .to_owned(),
        );
    }
    Ok(url)
}

fn check_limits(limits: &LimitsConfig, problems: &mut Problems) {
    for (name, span) in
        [("connect", limits.connect), ("first_byte", limits.first_byte), ("total", limits.total)]
    {
        if span.duration().is_zero() {
            problems.push(&format!("source.limits.{name}"), "a limit of no time lets nothing through");
        }
    }
    for (name, number) in [
        ("body_bytes", limits.body_bytes),
        ("listing_body_bytes", limits.listing_body_bytes),
        ("listing_pages_max", limits.listing_pages_max),
        ("products_max", limits.products_max),
        ("markets_max", u64::try_from(limits.markets_max).unwrap_or(u64::MAX)),
    ] {
        if number == 0 {
            problems.push(&format!("source.limits.{name}"), "a limit of 0 lets nothing through");
        }
    }
    if !(1..=DEPTH_MAX).contains(&limits.depth) {
        problems.push("source.limits.depth", format_args!("must be from 1 to {DEPTH_MAX}"));
    }
    if reqwest::header::HeaderValue::from_str(&limits.user_agent).is_err() {
        problems.push("source.limits.user_agent", "has characters that no header may have");
    }
}

fn method(method: config::Method) -> Method {
    match method {
        config::Method::Get => Method::GET,
        config::Method::Post => Method::POST,
    }
}

/// Notes keys that would have no effect.
fn check_body(key: &str, method: config::Method, body: Option<&String>, problems: &mut Problems) {
    match (method, body) {
        (config::Method::Get, Some(_)) => {
            problems.push(&format!("{key}.body"), "a GET has no body; add method = \"POST\"");
        }
        (config::Method::Post, None) => {
            problems.push(&format!("{key}.method"), "a POST needs a `body`");
        }
        (config::Method::Get, None) | (config::Method::Post, Some(_)) => {}
    }
}

/// The configured ids, each once.
fn listed<I, E: std::fmt::Display>(
    key: &str,
    list: &[String],
    make: impl Fn(&str) -> Result<I, E>,
    problems: &mut Problems,
) -> Option<Vec<I>> {
    if list.is_empty() {
        problems.push(key, "the list is empty");
    }
    let mut seen = std::collections::HashSet::new();
    let mut ids = Vec::with_capacity(list.len());
    for text in list {
        if !seen.insert(text) {
            problems.push(key, format_args!("{text:?} is listed twice"));
        }
        ids.push(problems.check(key, make(text))?);
    }
    Some(ids)
}

/// Which of `list` and `url` is used, where exactly one is.
fn list_or_url<'a>(
    key: &str,
    list: Option<&'a Vec<String>>,
    url: Option<&'a String>,
    items: Option<&'a String>,
    problems: &mut Problems,
) -> Option<Ids<&'a String, (&'a str, &'a str)>> {
    match (list, url, items) {
        (Some(list), None, None) => Some(Ids::List(list.iter().collect())),
        (None, Some(url), Some(items)) => Some(Ids::Url((url, items))),
        (None, Some(_), None) => {
            problems.push(
                &format!("{key}.items"),
                "`url` needs `items`, the JSONPath of the array in the answer",
            );
            None
        }
        (None, None, _) => {
            problems.push(key, "needs `list`, or `url` with `items`");
            None
        }
        (Some(_), _, _) => {
            problems.push(key, "has both `list` and `url` or `items`; keep one");
            None
        }
    }
}

fn markets(
    config: &MarketsConfig,
    depth: usize,
    common: &Common<'_>,
    secrets: &mut Secrets,
    problems: &mut Problems,
) -> Option<Ids<MarketId, MarketList>> {
    const KEY: &str = "source.markets";
    match list_or_url(KEY, config.list.as_ref(), config.url.as_ref(), config.items.as_ref(), problems)? {
        Ids::List(_) => {
            listed("source.markets.list", config.list.as_deref()?, |id| MarketId::new(id), problems)
                .map(Ids::List)
        }
        Ids::Url((url, items)) => {
            check_body(KEY, config.method, config.body.as_ref(), problems);
            let request = RequestConfig {
                section: KEY,
                method: method(config.method),
                url,
                body: config.body.as_deref(),
                headers: &config.headers,
                variables: &[],
            };
            let request = RequestPlan::new(&request, common, secrets, problems);
            let reader = ListReader::new(KEY, items, config.id.as_deref(), depth, problems);
            Some(Ids::Url(MarketList { request: request?, reader: reader? }))
        }
    }
}

fn products(
    config: &ProductsConfig,
    depth: usize,
    common: &Common<'_>,
    secrets: &mut Secrets,
    problems: &mut Problems,
) -> Option<Ids<ProductId, ProductList>> {
    const KEY: &str = "source.products";
    match list_or_url(KEY, config.list.as_ref(), config.url.as_ref(), config.items.as_ref(), problems)? {
        Ids::List(_) => {
            listed("source.products.list", config.list.as_deref()?, |id| ProductId::new(id), problems)
                .map(Ids::List)
        }
        Ids::Url((url, items)) => {
            check_body(KEY, config.method, config.body.as_ref(), problems);
            let request = RequestConfig {
                section: KEY,
                method: method(config.method),
                url,
                body: config.body.as_deref(),
                headers: &config.headers,
                variables: &["market", "page", "offset", "cursor", "size"],
            };
            let request = RequestPlan::new(&request, common, secrets, problems);
            let reader = ListReader::new(KEY, items, config.id.as_deref(), depth, problems);
            let pager = Pager::new(&config.pagination, problems);
            let request = request?;
            if config.shared && request.uses("market") {
                problems.push(
                    "source.products.shared",
                    "a shared list is asked for once, so its request cannot use {market}",
                );
            }
            Some(Ids::Url(ProductList { request, reader: reader?, pager: pager? }))
        }
    }
}

fn price(
    config: &config::PriceConfig,
    common: &Common<'_>,
    secrets: &mut Secrets,
    problems: &mut Problems,
) -> Option<RequestPlan> {
    check_body("source.price", config.method, config.body.as_ref(), problems);
    let request = RequestConfig {
        section: "source.price",
        method: method(config.method),
        url: &config.url,
        body: config.body.as_deref(),
        headers: &config.headers,
        variables: &["market", "product"],
    };
    let request = RequestPlan::new(&request, common, secrets, problems)?;
    if !request.uses("product") {
        problems.push(
            "source.price.url",
            "neither the URL nor the body names the product; write {product} into one of them",
        );
    }
    Some(request)
}

fn purge(
    config: &config::PurgeConfig,
    common: &Common<'_>,
    secrets: &mut Secrets,
    problems: &mut Problems,
) -> Option<Purge> {
    let method = Method::from_bytes(config.method.as_bytes())
        .map_err(|_| "this is not a method such as PURGE, BAN or POST");
    let request = RequestConfig {
        section: "source.purge",
        method: problems.check("source.purge.method", method)?,
        url: &config.url,
        body: config.body.as_deref(),
        headers: &config.headers,
        variables: &["market", "product"],
    };
    let request = RequestPlan::new(&request, common, secrets, problems)?;
    Some(Purge { request, required: config.required })
}
