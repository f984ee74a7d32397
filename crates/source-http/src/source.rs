//! The port: requests go out, answers come back as what they mean.

use price_cache_domain::{
    BoxFuture, Failure, FailureClass, Fault, Fetched, MarketId, PageCursor, PriceSource, ProductId,
    ProductLists, ProductPage, SkippedItems,
};
use reqwest::StatusCode;
use reqwest::header::{HeaderValue, IF_NONE_MATCH};

use crate::answer::start_of;
use crate::compiled::{Compiled, Ids, MarketList, ProductList};
use crate::config::SourceConfig;
use crate::http::{Answer, Call, Exchanger, client, status_fault};
use crate::listing::{Place, invalid};
use crate::problem::SourceError;
use crate::request::append;
use crate::template::Variables;

/// How much of a path a message shows, in characters.
const PATH_SHOWN_CHARS: usize = 60;

/// The same for the path and query of a list.
const LIST_PATH_SHOWN_CHARS: usize = 100;

/// A pricing API over HTTP, as described by a [`SourceConfig`].
pub struct HttpPriceSource {
    pub(crate) compiled: Compiled,
    pub(crate) exchanger: Exchanger,
}

impl std::fmt::Debug for HttpPriceSource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("HttpPriceSource")
            .field("base_url", &self.compiled.base.as_str())
            .finish_non_exhaustive()
    }
}

impl HttpPriceSource {
    /// Builds the source. `environment` looks up the variables that the configuration names.
    ///
    /// # Errors
    /// The configuration has problems, a variable is not set, or the HTTP client cannot be set up.
    pub fn new(
        config: &SourceConfig,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, SourceError> {
        let compiled = Compiled::new(config, environment).map_err(SourceError::Config)?;
        let mut servers = compiled.price.servers();
        if let Ids::Url(list) = &compiled.markets {
            servers.extend(list.request.servers());
        }
        if let Ids::Url(list) = &compiled.products {
            servers.extend(list.request.servers());
        }
        if let Some(purge) = &compiled.purge {
            servers.extend(purge.request.servers());
        }
        let client = client(&compiled.base, &servers, &compiled.limits)?;
        let exchanger =
            Exchanger { client, limits: compiled.limits.clone(), allowed: compiled.allowed.clone() };
        Ok(Self { compiled, exchanger })
    }

    /// The call for one price.
    pub(crate) fn price_call(
        &self,
        market: &MarketId,
        product: &ProductId,
        etag: Option<&str>,
    ) -> Result<(Call, bool), Fault> {
        let variables = [("market", market.as_str()), ("product", product.as_str())];
        let mut call = self.compiled.price.call(Variables(&variables), &[])?;
        call.body_bytes_max = self.compiled.limits.body_bytes;
        call.body_limit = "source.limits.body_bytes";
        let etag = etag.filter(|_| self.compiled.reader.is_conditional());
        let etag = etag.and_then(|etag| HeaderValue::from_str(etag).ok());
        let is_conditional = etag.is_some();
        if let Some(etag) = etag {
            call.headers.insert(IF_NONE_MATCH, etag);
        }
        Ok((call, is_conditional))
    }

    /// The same fault with what was asked, and without secrets.
    pub(crate) fn told(&self, fault: Fault, method: &str, shown_url: &str) -> Fault {
        let path = shown_url.split('?').next().unwrap_or_default();
        self.told_with(fault, method, path, PATH_SHOWN_CHARS)
    }

    /// The same for a list, whose query says which page it is.
    fn told_of_list(&self, fault: Fault, method: &str, shown_url: &str) -> Fault {
        self.told_with(fault, method, shown_url, LIST_PATH_SHOWN_CHARS)
    }

    fn told_with(&self, fault: Fault, method: &str, shown_url: &str, chars_max: usize) -> Fault {
        // Masked first: what is cut may have gone through a secret.
        let shown_url = self.compiled.secrets.mask(shown_url);
        let mut message = self.compiled.secrets.mask(fault.failure.message()).into_owned();
        let after_scheme = shown_url.split_once("://").map_or(&*shown_url, |(_, rest)| rest);
        let path = after_scheme.find('/').map_or("/", |at| &after_scheme[at..]);
        let shown: String = path.chars().take(chars_max).collect();
        let more = if shown.len() < path.len() { "..." } else { "" };
        let asked = format!(" ({method} {shown}{more})");
        let bytes_max = price_cache_domain::MESSAGE_BYTES_MAX.saturating_sub(asked.len() + 3);
        if message.len() > bytes_max {
            message.truncate(message.floor_char_boundary(bytes_max));
            message.push_str("...");
        }
        Fault { failure: Failure::new(fault.failure.class(), message + &asked), ..fault }
    }

    async fn price_now(
        &self,
        market: &MarketId,
        product: &ProductId,
        etag: Option<&str>,
    ) -> Result<Fetched, Fault> {
        let (call, is_conditional) = self.price_call(market, product, etag)?;
        let answer = self.exchanger.send(call).await?;
        self.understood(&answer, market, product, is_conditional)
    }

    /// What an answer to a request for a price means.
    pub(crate) fn understood(
        &self,
        answer: &Answer,
        market: &MarketId,
        product: &ProductId,
        is_conditional: bool,
    ) -> Result<Fetched, Fault> {
        let Compiled { reader, rules, secrets, .. } = &self.compiled;
        let read = reader.read(answer, market, product, is_conditional, rules, secrets);
        read.map_err(|fault| fault.with_status(answer.status.as_u16()))
    }

    async fn markets_now(&self) -> Result<Vec<MarketId>, Fault> {
        let list = match &self.compiled.markets {
            Ids::List(markets) => return Ok(markets.clone()),
            Ids::Url(list) => list,
        };
        let fetch = async {
            let answer = self.list_answer(list.request.call(Variables(&[]), &[])?).await?;
            self.markets_in(list, &answer).map_err(|fault| fault.with_status(answer.status.as_u16()))
        };
        let shown = || list.request.url.expand_shown(Variables(&[]));
        fetch.await.map_err(|fault| self.told_of_list(fault, list.request.method.as_str(), &shown()))
    }

    fn markets_in(&self, list: &MarketList, answer: &Answer) -> Result<Vec<MarketId>, Fault> {
        let Compiled { rules, secrets, limits, .. } = &self.compiled;
        if !answer.status.is_success() {
            return Err(list.reader.refusal(answer, rules, secrets));
        }
        let listed = list.reader.read(answer, rules, &[], secrets, |id| MarketId::new(id))?;
        if let Some(example) = &listed.example {
            if listed.skipped.saturating_mul(2) > listed.items() {
                return Err(list.reader.mostly_unusable(listed.skipped, listed.items(), example));
            }
            tracing::warn!(skipped = listed.skipped, example, "items of the market list are no markets");
        }
        let found = listed.ids.len();
        if found == 0 {
            return Err(invalid("the list of markets is empty".to_owned()));
        }
        let limit = limits.markets_max;
        if found > limit {
            return Err(invalid(format!("{found} markets, more than {limit} (source.limits.markets_max)")));
        }
        Ok(listed.ids)
    }

    async fn products_now(
        &self,
        market: &MarketId,
        cursor: Option<&PageCursor>,
    ) -> Result<ProductPage, Fault> {
        let list = match &self.compiled.products {
            Ids::List(products) => return Ok(ProductPage::new(products.clone(), None)),
            Ids::Url(list) => list,
        };
        let mut shown = list.request.url.expand_shown(Variables(&[("market", market.as_str())]));
        let page = self.page(list, market, cursor, &mut shown).await;
        page.map_err(|fault| self.told_of_list(fault, list.request.method.as_str(), &shown))
    }

    /// One page; `shown` becomes its URL.
    async fn page(
        &self,
        list: &ProductList,
        market: &MarketId,
        cursor: Option<&PageCursor>,
        shown: &mut String,
    ) -> Result<ProductPage, Fault> {
        let Compiled { rules, secrets, limits, .. } = &self.compiled;
        let place = match cursor {
            Some(cursor) => Place::of(cursor, secrets)?,
            None => list.pager.first(),
        };
        if place.pages >= limits.listing_pages_max {
            let limit = limits.listing_pages_max;
            return Err(invalid(format!(
                "more than {limit} pages of products (source.limits.listing_pages_max)"
            )));
        }
        let call = match list.pager.url(&place) {
            Some(url) => {
                url.clone_into(shown);
                list.request.call_to(url)?
            }
            None => {
                let size = list.pager.size();
                let mut variables = list.pager.variables(&place, &size);
                variables.push(("market", market.as_str()));
                let query = list.pager.query(&place, &size, |name| list.request.uses(name));
                *shown = list.request.url.expand_shown(Variables(&variables));
                append(shown, &query);
                list.request.call(Variables(&variables), &query)?
            }
        };
        let answer = self.list_answer(call).await?;
        let status = answer.status;
        let is_end = list.pager.ends_with(&place, status);
        if !status.is_success() {
            let fault = list.reader.refusal(&answer, rules, secrets);
            if !is_end || fault.failure.class() == FailureClass::RateLimited {
                return Err(fault);
            }
        }
        let is_nothing = matches!(answer.body.trim_ascii(), b"" | b"{}" | b"[]" | b"null");
        if is_end || status == StatusCode::NO_CONTENT || (is_nothing && place.pages > 0) {
            return Ok(ProductPage { announced: place.announced, ..ProductPage::default() });
        }
        let page = self.page_in(list, &place, &answer);
        page.map_err(|fault| fault.with_status(status.as_u16()))
    }

    /// The page in an answer with success.
    fn page_in(&self, list: &ProductList, place: &Place, answer: &Answer) -> Result<ProductPage, Fault> {
        let Compiled { rules, secrets, limits, .. } = &self.compiled;
        let listed =
            list.reader.read(answer, rules, &list.pager.paths(), secrets, |id| ProductId::new(id))?;
        let count = place.products.saturating_add(listed.items());
        let skipped = place.skipped.saturating_add(listed.skipped);
        if let Some(example) = &listed.example
            && skipped.saturating_mul(2) > count
        {
            return Err(list.reader.mostly_unusable(skipped, count, example));
        }
        // A relative URL is relative to where the answer came from.
        let next = list.pager.next(place, &listed, &answer.headers, &answer.url)?;
        if count > limits.products_max {
            let limit = limits.products_max;
            return Err(invalid(format!("more than {limit} products (source.limits.products_max)")));
        }
        Ok(ProductPage {
            announced: list.pager.announced(place, &listed.rest),
            products: listed.ids,
            next: next.map(|next| next.cursor(secrets)),
            skipped: SkippedItems { count: listed.skipped, example: listed.example },
        })
    }

    async fn list_answer(&self, call: Call) -> Result<Answer, Fault> {
        let body_bytes_max = self.compiled.limits.listing_body_bytes;
        let call = Call { body_bytes_max, body_limit: "source.limits.listing_body_bytes", ..call };
        self.exchanger.send(call).await
    }

    async fn purge_now(&self, market: &MarketId, product: &ProductId) -> Result<(), Fault> {
        let Some(purge) = &self.compiled.purge else { return Ok(()) };
        let variables = [("market", market.as_str()), ("product", product.as_str())];
        let fetch = async {
            let mut call = purge.request.call(Variables(&variables), &[])?;
            call.body_bytes_max = self.compiled.limits.body_bytes;
            call.body_limit = "source.limits.body_bytes";
            let answer = self.exchanger.send(call).await?;
            if answer.status.is_success() {
                return Ok(());
            }
            let said = start_of(&answer.body, &self.compiled.secrets);
            Err(status_fault(answer.status, &answer.headers, &said))
        };
        let Err(fault) = fetch.await else { return Ok(()) };
        let shown = purge.request.url.expand_shown(Variables(&variables));
        let fault = self.told(fault, purge.request.method.as_str(), &shown);
        if purge.required {
            return Err(fault);
        }
        tracing::warn!(%market, %product, %fault, "the purge failed; the price is fetched all the same");
        Ok(())
    }
}

impl PriceSource for HttpPriceSource {
    fn markets(&self) -> BoxFuture<'_, Result<Vec<MarketId>, Fault>> {
        Box::pin(self.markets_now())
    }

    fn product_lists(&self) -> ProductLists {
        if self.compiled.shared { ProductLists::Shared } else { ProductLists::PerMarket }
    }

    fn products<'a>(
        &'a self,
        market: &'a MarketId,
        cursor: Option<&'a PageCursor>,
    ) -> BoxFuture<'a, Result<ProductPage, Fault>> {
        Box::pin(self.products_now(market, cursor))
    }

    fn purge<'a>(&'a self, market: &'a MarketId, product: &'a ProductId) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(self.purge_now(market, product))
    }

    fn price<'a>(
        &'a self,
        market: &'a MarketId,
        product: &'a ProductId,
        etag: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Fetched, Fault>> {
        Box::pin(async move {
            let fetched = self.price_now(market, product, etag).await;
            fetched.map_err(|fault| {
                let url = self.price_url(market, product);
                self.told(fault, self.compiled.price.method.as_str(), &url)
            })
        })
    }

    fn price_url(&self, market: &MarketId, product: &ProductId) -> String {
        let variables = [("market", market.as_str()), ("product", product.as_str())];
        let url = self.compiled.price.url.expand_shown(Variables(&variables));
        self.compiled.secrets.mask(&url).into_owned()
    }
}
