//! The price of one pair, in every dialect, with the faults of its attempt.

use std::borrow::Cow;

use bytes::Bytes;
use hyper::header::{ETAG, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Deserialize;

use super::answers::{self, push_string};
use super::dialect::{Dialect, Form};
use super::{Answer, Call, fault_answers};
use crate::body::AnswerBody;
use crate::faults::Verdict;
use crate::hash;
use crate::ledger::Delivery;
use crate::money::minor_units;
use crate::{Catalogue, FaultKind};

/// The code of a wrong currency: ISO 4217 has none that begins with Q.
const WRONG_CURRENCY: &str = "QQQ";
const HUGE_PRICE_DIGITS: usize = 100_000;

/// What is asked for, and how.
pub(super) struct Ask<'a> {
    pub(super) market: &'a str,
    pub(super) product: &'a str,
    pub(super) dialect: Dialect,
    pub(super) form: Form,
    pub(super) if_none_match: Option<&'a str>,
}

/// The body of `POST /prices`.
#[derive(Deserialize)]
pub(super) struct PairBody {
    pub(super) market: String,
    pub(super) product: String,
}

/// The body of `POST /graphql`. The query itself is not looked at: there is only one.
#[derive(Deserialize)]
pub(super) struct GraphQlBody {
    #[serde(rename = "query")]
    _query: String,
    #[serde(default)]
    variables: GraphQlVariables,
}

#[derive(Default, Deserialize)]
struct GraphQlVariables {
    channel: Option<String>,
    id: Option<String>,
}

pub(super) async fn graphql(call: &Call, body: &GraphQlBody) -> Answer {
    let (Some(market), Some(product)) = (&body.variables.channel, &body.variables.id) else {
        let message = "the variables channel and id are required";
        let (status, body) = Dialect::GraphQl.failure(StatusCode::BAD_REQUEST, message);
        return Ok(answers::json(status, body));
    };
    let ask = Ask { market, product, dialect: Dialect::GraphQl, form: Form::Minor, if_none_match: None };
    answer(call, ask).await
}

pub(super) async fn answer(call: &Call, ask: Ask<'_>) -> Answer {
    let mut ticket = call.shared.ledger.begin(ask.market, ask.product, &call.peer);
    let plan = call.shared.plan();
    call.shared.delay(&plan, ask.market, ask.product, ticket.attempt()).await;
    let verdict = if call.denied {
        Verdict::Mode(FaultKind::Status(401))
    } else if !call.shared.admits() {
        Verdict::Mode(FaultKind::RateLimitedSeconds(1))
    } else {
        plan.price(ask.market, ask.product, ticket.attempt())
    };
    let (Verdict::Fault(kind) | Verdict::Mode(kind)) = verdict else {
        let composed = compose(&call.shared.catalogue(), &ask, None, call.shared.etags);
        ticket.intends(composed.delivery);
        return Ok(composed.response().map(|body| body.with_ticket(ticket)));
    };

    ticket.meets(kind);
    if let (FaultKind::Status(code), Verdict::Fault(_)) = (kind, verdict) {
        // An API that says 200 and means failure says so of every failure of its own.
        let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (status, body) = ask.dialect.failure(status, "the simulator fails as configured");
        return Ok(answers::json(status, body).map(|body| body.with_ticket(ticket)));
    }
    let composed = compose(&call.shared.catalogue(), &ask, Some(kind), call.shared.etags);
    if kind.concerns_the_price() {
        return Ok(composed.response().map(|body| body.with_ticket(ticket)));
    }
    if kind.answers_in_the_end() {
        ticket.intends(composed.delivery);
    }
    fault_answers::answer(kind, &call.peer, composed.response(), Some(ticket)).await
}

/// An answer before it meets a fault of the connection.
struct Composed {
    status: StatusCode,
    body: Bytes,
    etag: Option<String>,
    delivery: Delivery,
}

impl Composed {
    fn response(self) -> Response<AnswerBody> {
        let mut response = answers::json(self.status, self.body);
        if let Some(etag) = self.etag.and_then(|etag| HeaderValue::try_from(etag).ok()) {
            response.headers_mut().insert(ETAG, etag);
        }
        response
    }
}

fn compose(catalogue: &Catalogue, ask: &Ask<'_>, fault: Option<FaultKind>, etags: bool) -> Composed {
    let failed = |status, message: &str, delivery| {
        let (status, body) = ask.dialect.failure(status, message);
        Composed { status, body, etag: None, delivery }
    };
    let Some(price) = catalogue.price(ask.market, ask.product) else {
        let message = format!("there is no product {:?} in the market {:?}", ask.product, ask.market);
        return failed(StatusCode::NOT_FOUND, &message, Delivery::Unknown);
    };
    let digits = match ask.form {
        Form::Number | Form::Text => price.amount,
        Form::Minor => match minor_units(&price.amount, &price.currency) {
            Some(units) => Cow::Owned(units),
            None => {
                let message =
                    format!("{} {} is not a whole number of minor units", price.amount, price.currency);
                return failed(StatusCode::UNPROCESSABLE_ENTITY, &message, Delivery::Spoiled);
            }
        },
    };
    let amount = amount_token(&digits, ask.form, fault);
    let currency = if fault == Some(FaultKind::WrongCurrency) { WRONG_CURRENCY } else { &*price.currency };
    let spoiled = fault.is_some_and(FaultKind::concerns_the_price);
    let etag = (etags && !spoiled).then(|| {
        let form = hash::mix(ask.form as u64 + 16 * ask.dialect as u64);
        format!("\"{:016x}\"", hash::texts(form, &[ask.market, ask.product, &amount, currency]))
    });
    if let (Some(etag), Some(known)) = (&etag, ask.if_none_match)
        && known.split(',').any(|tag| tag.trim() == etag || tag.trim() == "*")
    {
        let status = StatusCode::NOT_MODIFIED;
        let etag = Some(etag.clone());
        return Composed { status, body: Bytes::new(), etag, delivery: Delivery::NotModified };
    }
    let body = ask.dialect.price(ask.market, ask.product, &amount, currency);
    let delivery = if spoiled { Delivery::Spoiled } else { Delivery::Price };
    Composed { status: StatusCode::OK, body, etag, delivery }
}

/// The amount as it stands in the JSON text: the digits themselves, never a number made of them.
fn amount_token<'a>(digits: &'a str, form: Form, fault: Option<FaultKind>) -> Cow<'a, str> {
    let digits = match fault {
        Some(FaultKind::NullPrice) => return Cow::Borrowed("null"),
        Some(FaultKind::CommaPrice) => return Cow::Borrowed("\"4,99\""),
        Some(FaultKind::NegativePrice) if digits.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) => {
            Cow::Owned(format!("-{}", digits.trim_start_matches('-')))
        }
        // Minus zero would not be below zero.
        Some(FaultKind::NegativePrice) => Cow::Borrowed("-1"),
        Some(FaultKind::NanPrice) => Cow::Borrowed("NaN"),
        Some(FaultKind::HugePrice) => Cow::Owned("9".repeat(HUGE_PRICE_DIGITS)),
        _ => Cow::Borrowed(digits),
    };
    if form != Form::Text {
        return digits;
    }
    let mut quoted = Vec::with_capacity(digits.len() + 2);
    push_string(&mut quoted, &digits);
    Cow::Owned(String::from_utf8(quoted).unwrap_or_default())
}
