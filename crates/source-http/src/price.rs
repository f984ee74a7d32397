//! What an answer to a request for a price means.

use price_cache_domain::{Amount, FailureClass, Fault, Fetched, MarketId, Price, ProductId, Quote};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_ENCODING, ETAG, HeaderMap};
use serde_json::Value;

use crate::answer::{Condition, CurrencyPlan, excerpt, kind_of, start_of, text_of};
use crate::config::{AmountForm, PriceConfig};
use crate::http::{Answer, Refusal, retry_after, status_fault};
use crate::json::{Document, Found, JsonPath};
use crate::problem::Problems;
use crate::secrets::Secrets;

/// The longest validator that is kept, in bytes.
const ETAG_BYTES_MAX: usize = 256;

/// How much of an API's own error message is passed on, in characters.
const MESSAGE_SHOWN_CHARS: usize = 120;

/// `[source.price]` without its request, compiled.
pub(crate) struct PriceReader {
    amount: JsonPath,
    form: AmountForm,
    exponent: Option<u8>,
    currency: CurrencyPlan,
    expected_currency: Option<CurrencyPlan>,
    product_check: Option<JsonPath>,
    market_check: Option<JsonPath>,
    success: Option<Condition>,
    error_path: Option<JsonPath>,
    not_found_when: Option<Condition>,
    rate_limited_when: Option<Condition>,
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
        let error_path = path("error_path", &config.error_path);
        let mut condition = |name: &str, config: &Option<crate::config::ConditionConfig>| match config {
            Some(config) => Condition::new(&format!("source.price.{name}"), config, problems).map(Some),
            None => Some(None),
        };
        let success = condition("success", &config.success);
        let not_found_when = condition("not_found_when", &config.not_found_when);
        let rate_limited_when = condition("rate_limited_when", &config.rate_limited_when);
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
            success: success?,
            error_path: error_path?,
            not_found_when: not_found_when?,
            rate_limited_when: rate_limited_when?,
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
            return Err(self.refusal(answer, secrets));
        }
        let document = Document::parse(&answer.body, self.depth_max)
            .map_err(|reason| invalid(not_json(&reason, answer, secrets)))?;
        self.check_meaning(&document.value, answer, secrets)?;
        self.check_identity(&self.product_check, "product_check", product.as_str(), &document)?;
        self.check_identity(&self.market_check, "market_check", market.as_str(), &document)?;
        let price = self.price(&document, market).map_err(|reason| {
            let start = start_of(&answer.body, secrets);
            invalid(if reason.ends_with("nothing") { format!("{reason} in {start}") } else { reason })
        })?;
        let etag = if self.conditional { etag(&answer.headers) } else { None };
        Ok(Fetched::Price(Quote { price, etag }))
    }

    /// What a status that is not one of success means; an API may say it more exactly in the body.
    fn refusal(&self, answer: &Answer, secrets: &Secrets) -> Fault {
        let status = answer.status;
        let document = Document::parse(&answer.body, self.depth_max).ok();
        let said = document
            .as_ref()
            .and_then(|document| self.error_message(&document.value, secrets))
            .unwrap_or_else(|| start_of(&answer.body, secrets));
        let unclear = status.is_client_error() && !matches!(status.as_u16(), 401 | 403 | 407 | 429);
        let is = |condition: &Option<Condition>| {
            let value = document.as_ref().map(|document| &document.value);
            unclear && condition.as_ref().zip(value).is_some_and(|(condition, value)| condition.holds(value))
        };
        let mut fault = status_fault(status, &answer.headers, &said);
        let class = if is(&self.rate_limited_when) {
            fault.retry_after = retry_after(&answer.headers, Refusal::Limited);
            FailureClass::RateLimited
        } else if is(&self.not_found_when) {
            FailureClass::NotFound
        } else {
            return fault;
        };
        fault.failure = price_cache_domain::Failure::new(class, fault.failure.message());
        fault
    }

    /// Finds the answers that say 200 and mean no.
    fn check_meaning(&self, value: &Value, answer: &Answer, secrets: &Secrets) -> Result<(), Fault> {
        let holds = |condition: &Option<Condition>| {
            condition.as_ref().is_some_and(|condition| condition.holds(value))
        };
        let said = || self.error_message(value, secrets);
        let mut fault = if holds(&self.rate_limited_when) {
            let said = said().unwrap_or_else(|| "the API asks for fewer requests".to_owned());
            Fault::new(FailureClass::RateLimited, said)
        } else if holds(&self.not_found_when) {
            let said = said().unwrap_or_else(|| "the API has no price for this product here".to_owned());
            Fault::new(FailureClass::NotFound, said)
        } else if let Some(success) = self.success.as_ref().filter(|success| !success.holds(value)) {
            let said = said().unwrap_or_else(|| start_of(&answer.body, secrets));
            let path = success.path_text();
            Fault::new(FailureClass::Rejected, format!("source.price.success ({path}) does not hold: {said}"))
        } else if let Some(said) = said() {
            Fault::new(FailureClass::Rejected, format!("the API says: {said}"))
        } else {
            return Ok(());
        };
        let is_limited = fault.failure.class() == FailureClass::RateLimited;
        let refusal = if is_limited { Refusal::Limited } else { Refusal::Other };
        fault.retry_after = retry_after(&answer.headers, refusal);
        Err(fault)
    }

    /// The error message in an answer; null, false and empty values are none.
    fn error_message(&self, value: &Value, secrets: &Secrets) -> Option<String> {
        let path = self.error_path.as_ref()?;
        let text = match path.find_all(value).first()? {
            Value::Null | Value::Bool(false) => return None,
            Value::String(text) => text.clone(),
            Value::Array(values) if values.is_empty() => return None,
            Value::Object(members) if members.is_empty() => return None,
            other => other.to_string(),
        };
        let shown = excerpt(text.as_bytes(), secrets, MESSAGE_SHOWN_CHARS);
        (!shown.is_empty()).then_some(shown)
    }

    fn check_identity(
        &self,
        path: &Option<JsonPath>,
        name: &str,
        wanted: &str,
        document: &Document<'_>,
    ) -> Result<(), Fault> {
        let Some(path) = path else { return Ok(()) };
        let key = format!("source.price.{name} = {:?}", path.text);
        match path.find(&document.value) {
            Found::One(value) => match text_of(value) {
                Some(text) if text == wanted => Ok(()),
                Some(text) => {
                    let text: String = text.chars().take(60).collect();
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
