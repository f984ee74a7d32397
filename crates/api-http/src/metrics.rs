//! What is counted since the server began, and the page at `/metrics`.

mod exposition;
mod histogram;
mod http;
mod markets;
mod process;
mod products;
mod ratio;
mod text;

pub(crate) use self::exposition::exposition;
use self::http::HttpRequests;
pub(crate) use self::products::Products;
pub(crate) use self::text::MEDIA_TYPE;

/// Counters that only grow while the server runs.
#[derive(Default)]
pub(crate) struct Metrics {
    pub(crate) http: HttpRequests,
    pub(crate) products: Products,
}
