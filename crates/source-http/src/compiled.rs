//! The whole configuration, checked and compiled.

mod checks;

use price_cache_domain::{MarketId, ProductId};
use reqwest::{Method, Url};

use self::checks::{check_body, check_limits, list_or_url, listed, server};
use crate::config::{self, LimitsConfig, MarketsConfig, ProductsConfig, SourceConfig};
use crate::listing::{ListReader, Pager};
use crate::price::PriceReader;
use crate::problem::{ConfigProblem, Problems};
use crate::request::{Common, RequestConfig, RequestPlan, headers};
use crate::rules::Rules;
use crate::secrets::{Environment, Secrets};

impl SourceConfig {
    /// Looks for everything that could not work, without the network or the environment.
    ///
    /// # Errors
    /// All problems, each with the key it is about.
    pub fn validate(&self) -> Result<(), Vec<ConfigProblem>> {
        // Which variables are set is only known where the source will run.
        Compiled::new(self, &|_| Some("value".to_owned())).map(drop)
    }
}

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
    pub(crate) rules: Rules,
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
        let rules = Rules::new(&config.price, &mut problems);
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
        match (markets, products, price, reader, rules, purge) {
            (Some(markets), Some(products), Some(price), Some(reader), Some(rules), Some(purge))
                if problems.0.is_empty() =>
            {
                let shared = config.products.shared || matches!(products, Ids::List(_));
                let limits = config.limits.clone();
                Ok(Self {
                    secrets,
                    base,
                    allowed,
                    markets,
                    products,
                    shared,
                    price,
                    reader,
                    rules,
                    purge,
                    limits,
                })
            }
            _ => Err(problems.0),
        }
    }
}

fn method(method: config::Method) -> Method {
    match method {
        config::Method::Get => Method::GET,
        config::Method::Post => Method::POST,
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
