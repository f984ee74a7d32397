//! One call of the source in the logs.

use price_cache_api_types as api;
use price_cache_engine::LoggedRequest;

use super::{rfc3339, whole_millis};

/// The log entry of a call; `url` has its secrets masked.
pub(crate) fn log_entry(call: &LoggedRequest, url: String) -> api::LogEntry {
    api::LogEntry {
        id: call.id(),
        timestamp: rfc3339(call.at),
        url,
        product_id: call.product.as_str().to_owned(),
        market_id: call.market.as_str().to_owned(),
        success: call.failure.is_none(),
        duration_ms: whole_millis(call.duration),
        error: call.failure.as_ref().map(ToString::to_string),
        status_code: call.status_code,
    }
}
