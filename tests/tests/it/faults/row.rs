//! One line of the table: a fault, and what becomes of a product that meets it.

use price_cache_simulator::raw::{Reply, Then, answer, ok};

/// The product of each fault's market that meets it; the others are sold as ever.
pub(crate) const FAULTY: &str = "fault";

/// What is asked for and answered in good order.
pub(crate) const AMOUNT: &str = "19.90";

/// When the fault is met.
#[derive(Clone, Debug)]
pub(crate) enum Met {
    /// By each request.
    Always(Reply),
    /// By the first request only.
    Once(Reply),
}

/// What becomes of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Becomes {
    /// It has failed with this class, and a person reads this.
    Failed { class: &'static str, reads: &'static str },
    /// It has this price.
    Priced(&'static str),
}

/// A fault. Its name is that of a market, too.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) fault: &'static str,
    pub(crate) met: Met,
    pub(crate) becomes: Becomes,
    /// Requests that the product takes.
    pub(crate) requests: u64,
}

impl Row {
    /// A fault that each request meets. Two are made: it might have passed.
    pub(crate) fn fails(fault: &'static str, reply: Reply, class: &'static str, reads: &'static str) -> Self {
        Self { fault, met: Met::Always(reply), becomes: Becomes::Failed { class, reads }, requests: 2 }
    }

    /// A fault that the second request does not meet any more.
    pub(crate) fn passes(fault: &'static str, reply: Reply) -> Self {
        Self { fault, met: Met::Once(reply), becomes: Becomes::Priced(AMOUNT), requests: 2 }
    }

    /// An answer that looks odd and is read at once.
    pub(crate) fn is_read(fault: &'static str, reply: Reply) -> Self {
        Self { fault, met: Met::Always(reply), becomes: Becomes::Priced(AMOUNT), requests: 1 }
    }

    /// An answer that looks odd and is a price.
    pub(crate) fn price(fault: &'static str, amount: &'static str) -> Self {
        let reply = priced(amount);
        Self { fault, met: Met::Always(reply), becomes: Becomes::Priced(amount), requests: 1 }
    }

    /// The line of the document.
    pub(crate) fn line(&self) -> String {
        let again = if self.requests > 1 { "yes" } else { "no" };
        let fault = self.fault;
        match self.becomes {
            Becomes::Failed { class, reads } => format!("| {fault} | {class} | {again} | `{reads}` |"),
            Becomes::Priced(amount) => format!("| {fault} | none | {again} | the price {amount} EUR |"),
        }
    }
}

/// Bytes, and the end of the connection.
pub(crate) fn bytes(bytes: impl AsRef<[u8]>, then: Then) -> Reply {
    Reply(bytes.as_ref().to_vec(), then)
}

/// A body of status 200.
pub(crate) fn body(body: impl AsRef<[u8]>) -> Reply {
    ok(body)
}

/// A redirect.
pub(crate) fn redirect(to: &str) -> Reply {
    answer("302 Found", &format!("Location: {to}\r\n"), "")
}

/// A good answer about the right product, with this text in the place of its amount.
pub(crate) fn priced(amount: &str) -> Reply {
    body(document(FAULTY, amount))
}

/// The document of a product.
pub(crate) fn document(product: &str, amount: &str) -> String {
    let product = serde_json::Value::from(product);
    format!(r#"{{"product": {product}, "amount": {amount}, "currency": "EUR"}}"#)
}
