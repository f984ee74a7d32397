//! The lists that are not paged: markets, and the products of all markets together.

use hyper::StatusCode;

use super::answers::{self, push_items};
use super::listing::serve;
use super::{Answer, Call};

/// `{"markets":[{"id":"US"}]}`, or `["US"]` when `plain`.
pub(super) async fn markets(call: &Call, plain: bool) -> Answer {
    serve(call, None, |catalogue| {
        let mut body = Vec::new();
        body.extend_from_slice(if plain { b"[".as_slice() } else { b"{\"markets\":[" });
        push_items(&mut body, catalogue.markets().iter().map(|market| market.id()), !plain);
        body.extend_from_slice(if plain { b"]".as_slice() } else { b"]}" });
        answers::json(StatusCode::OK, body)
    })
    .await
}

/// `["tier-1", ...]`
pub(super) async fn all_products(call: &Call) -> Answer {
    serve(call, None, |catalogue| {
        let mut body = vec![b'['];
        push_items(&mut body, catalogue.all_product_ids().into_iter(), false);
        body.push(b']');
        answers::json(StatusCode::OK, body)
    })
    .await
}
