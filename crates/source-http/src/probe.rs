//! One price, asked for and shown in full, for a person who sets up a source.

use std::time::{Duration, Instant};

use price_cache_domain::{Fault, Fetched, MarketId, PriceSource, ProductId};

use crate::HttpPriceSource;
use crate::answer::excerpt;
use crate::request::shown_headers;
use crate::template::Variables;

/// How much of the body is shown, in characters.
const BODY_SHOWN_CHARS: usize = 1_000;

/// What was asked, what came back and what was understood. Nothing in it holds secrets.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The method.
    pub method: String,
    /// The URL, with secrets masked.
    pub url: String,
    /// The headers that were sent besides those of the connection, with secrets masked.
    pub request_headers: Vec<(String, String)>,
    /// The body that was sent, with secrets masked.
    pub request_body: Option<String>,
    /// The status of the answer, where one came.
    pub status: Option<u16>,
    /// The headers of the answer, with secrets masked.
    pub response_headers: Vec<(String, String)>,
    /// The first characters of the body, on one line, with secrets masked.
    pub body_start: String,
    /// How long the exchange took.
    pub duration: Duration,
    /// The price, or why there is none.
    pub understood: Result<Fetched, Fault>,
}

impl HttpPriceSource {
    /// Asks for one price as [`PriceSource::price`] does and shows the whole exchange.
    pub async fn probe(&self, market: &MarketId, product: &ProductId) -> Exchange {
        let secrets = &self.compiled.secrets;
        let plan = &self.compiled.price;
        let variables = [("market", market.as_str()), ("product", product.as_str())];
        let start = Instant::now();
        let mut exchange = Exchange {
            method: plan.method.to_string(),
            url: self.price_url(market, product),
            request_headers: Vec::new(),
            request_body: plan.body.as_ref().map(|body| {
                let shown = body.expand_shown(Variables(&variables));
                secrets.mask(&shown).into_owned()
            }),
            status: None,
            response_headers: Vec::new(),
            body_start: String::new(),
            duration: Duration::ZERO,
            understood: Ok(Fetched::NotModified),
        };
        let understood = async {
            let (call, is_conditional) = self.price_call(market, product, None)?;
            exchange.request_headers = shown_headers(&call.headers, secrets);
            let answer = self.exchanger.send(call).await?;
            exchange.status = Some(answer.status.as_u16());
            exchange.response_headers = shown_headers(&answer.headers, secrets);
            exchange.body_start = excerpt(&answer.body, secrets, BODY_SHOWN_CHARS);
            self.understood(&answer, market, product, is_conditional)
        };
        let understood = understood.await;
        exchange.understood = understood.map_err(|fault| self.told(fault, &exchange.method, &exchange.url));
        exchange.duration = start.elapsed();
        exchange
    }
}
