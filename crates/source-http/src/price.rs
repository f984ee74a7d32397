//! What an answer to a request for a price means.

use price_cache_domain::{Amount, FailureClass, Fault, Fetched, MarketId, Price, ProductId, Quote};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_ENCODING, ETAG, HeaderMap};
use serde_json::Value;

use crate::answer::{BODY_SHOWN_CHARS, CurrencyPlan, excerpt, kind_of, start_of, text_of};
use crate::config::{AmountForm, PriceConfig};
use crate::http::Answer;
use crate::json::{Document, Found, JsonPath};
use crate::problem::Problems;
use crate::rules::Rules;
use crate::secrets::Secrets;

/// The longest validator that is kept, in bytes.
const ETAG_BYTES_MAX: usize = 256;

/// `[source.price]` without its request, compiled.
pub(crate) struct PriceReader {
    amount: JsonPath,
    form: AmountForm,
    exponent: Option<u8>,
    currency: CurrencyPlan,
    expected_currency: Option<CurrencyPlan>,
    product_check: Option<JsonPath>,
    market_check: Option<JsonPath>,
    conditional: bool,
    depth_max: usize,
}

fn invalid(message: String) -> Fault {
    Fault::new(FailureClass::InvalidAnswer, message)
}

impl PriceReader {
    /// Compiles the section; none where it has problems, which are noted.
    pub(crate) fn new(config: &PriceConfig, depth_max: usize, problems: &mut Problems) -> Option<Self> {
        let mut path = |name: &str, text: &Option<String>| match text {
            Some(text) => problems.check(&format!("source.price.{name}"), JsonPath::new(text)).map(Some),
            None => Some(None),
        };
        let product_check = path("product_check", &config.product_check);
        let market_check = path("market_check", &config.market_check);
        let amount = problems.check("source.price.amount", JsonPath::new(&config.amount));
        let currency = CurrencyPlan::new("source.price.currency", &config.currency, problems);
        let expected_currency = match &config.expected_currency {
            Some(config) => CurrencyPlan::new("source.price.expected_currency", config, problems).map(Some),
            None => Some(None),
        };
        if config.exponent.is_some() && config.form == AmountForm::Decimal {
            problems
                .push("source.price.exponent", "only amounts with form = \"minor_units\" have an exponent");
        }
        if config.exponent.is_some_and(|exponent| exponent > 18) {
            problems.push("source.price.exponent", "a minor unit has at most 18 decimals");
        }
        Some(Self {
            amount: amount?,
            form: config.form,
            exponent: config.exponent,
            currency: currency?,
            expected_currency: expected_currency?,
            product_check: product_check?,
            market_check: market_check?,
            conditional: config.conditional,
            depth_max,
        })
    }

    /// Notes the markets for which no currency is configured.
    pub(crate) fn check_markets(&self, markets: &[MarketId], problems: &mut Problems) {
        let currencies = [
            ("source.price.currency", Some(&self.currency)),
            ("source.price.expected_currency", self.expected_currency.as_ref()),
        ];
        for (key, currency) in currencies {
            let lacks = |market: &&MarketId| currency.is_some_and(|currency| currency.lacks(market));
            if let Some(market) = markets.iter().find(lacks) {
                problems.push(key, format_args!("names no currency for market {market}"));
            }
        }
    }

    /// Whether to send a validator.
    pub(crate) const fn is_conditional(&self) -> bool {
        self.conditional
    }

    /// The price in the answer. `asked_if_changed` is whether a validator was sent.
    ///
    /// # Errors
    /// What the answer says instead.
    pub(crate) fn read(
        &self,
        answer: &Answer,
        market: &MarketId,
        product: &ProductId,
        asked_if_changed: bool,
        rules: &Rules,
        secrets: &Secrets,
    ) -> Result<Fetched, Fault> {
        let status = answer.status;
        if status == StatusCode::NOT_MODIFIED {
            return match asked_if_changed {
                true => Ok(Fetched::NotModified),
                false => Err(invalid("status 304 though nothing was asked for by its ETag".to_owned())),
            };
        }
        if !status.is_success() {
            return Err(rules.refusal(answer, self.depth_max, secrets, BODY_SHOWN_CHARS));
        }
        rules.check_headers(answer)?;
        let document = Document::parse(&answer.body, self.depth_max)
            .map_err(|reason| invalid(not_json(&reason, answer, secrets)))?;
        rules.check_price(&document.value, answer, secrets)?;
        self.check_identity(&self.product_check, "product_check", product.as_str(), &document, secrets)?;
        self.check_identity(&self.market_check, "market_check", market.as_str(), &document, secrets)?;
        let price = self.price(&document, market).map_err(|reason| {
            let start = start_of(&answer.body, secrets);
            invalid(if reason.ends_with("nothing") { format!("{reason} in {start}") } else { reason })
        })?;
        let etag = if self.conditional { etag(&answer.headers) } else { None };
        Ok(Fetched::Price(Quote { price, etag }))
    }

    fn check_identity(
        &self,
        path: &Option<JsonPath>,
        name: &str,
        wanted: &str,
        document: &Document<'_>,
        secrets: &Secrets,
    ) -> Result<(), Fault> {
        let Some(path) = path else { return Ok(()) };
        let key = format!("source.price.{name} = {:?}", path.text);
        match path.find(&document.value) {
            Found::One(value) => match text_of(value) {
                Some(text) if text == wanted => Ok(()),
                Some(text) => {
                    let text = excerpt(text.as_bytes(), secrets, 60);
                    Err(invalid(format!("{key}: asked for {wanted:?}, the answer is about {text:?}")))
                }
                None => Err(invalid(format!("{key} leads to {}, not to an id", kind_of(value)))),
            },
            Found::Nothing => Err(invalid(format!("{key} matched nothing"))),
            Found::Several(several) => Err(invalid(format!("{key} matched {several} values"))),
        }
    }

    fn price(&self, document: &Document<'_>, market: &MarketId) -> Result<Price, String> {
        let key = || format!("source.price.amount = {:?}", self.amount.text);
        let text = match self.amount.find(&document.value) {
            Found::One(Value::String(text)) => text.as_str(),
            Found::One(Value::Number(_)) => self.amount.text_in(document).unwrap_or_default(),
            Found::One(other) => {
                return Err(format!("{} leads to {}, not to an amount", key(), kind_of(other)));
            }
            Found::Nothing => return Err(format!("{} matched nothing", key())),
            Found::Several(several) => return Err(format!("{} matched {several} values, not one", key())),
        };
        let currency = self.currency.of("source.price.currency", market, document)?;
        if let Some(expected) = &self.expected_currency {
            let expected = expected.of("source.price.expected_currency", market, document)?;
            if expected != currency {
                return Err(format!(
                    "the price is in {currency}, but source.price.expected_currency is {expected}"
                ));
            }
        }
        let amount = match self.form {
            AmountForm::Decimal => Amount::parse(text),
            AmountForm::MinorUnits => {
                let exponent = self.exponent.or_else(|| currency.exponent()).ok_or_else(|| {
                    format!("{currency} has no minor unit; set source.price.exponent, or form = \"decimal\"")
                })?;
                Amount::from_minor_units(text, exponent)
            }
        };
        let amount = amount.map_err(|error| format!("{}: {error}", key()))?;
        Ok(Price { amount, currency })
    }
}

/// The message for a body that is not JSON.
pub(crate) fn not_json(reason: &str, answer: &Answer, secrets: &Secrets) -> String {
    let status = answer.status.as_u16();
    // What the client can decompress it has, and has taken the header away.
    let encoding = answer.headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    if let Some(encoding) = encoding.filter(|encoding| *encoding != "identity") {
        let shown: String = encoding.chars().take(20).collect();
        return format!("status {status}, but the body is encoded as {shown}, which was not asked for");
    }
    let start = start_of(&answer.body, secrets);
    let colon = if start.is_empty() { "" } else { ": " };
    format!("status {status}, but {reason}{colon}{start}")
}

/// The validator of an answer, where it is one that can be sent back.
fn etag(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(ETAG)?.to_str().ok()?;
    (!text.is_empty() && text.len() <= ETAG_BYTES_MAX).then(|| text.to_owned())
}
