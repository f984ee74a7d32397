//! `GET /openapi.json`: what this server answers, for programs and for the page at `/docs`.

use std::sync::LazyLock;

use axum::extract::State;
use axum::response::Response;
use hyper::HeaderMap;

use super::dashboard::send;
use crate::app::App;
use crate::assets::Asset;
use crate::openapi::{Document, Endpoint, Tag};
use crate::problem::Problem;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::get("/openapi.json", handle, ("getOpenApi", Tag::Pages, "This description, for programs"))
        .text("application/json", "An OpenAPI 3.1 document.", None)
        .headers(&["ETag"])
        .not_modified()
}

/// Returns the document of this version of the API, as JSON: of a server with API keys configured, or of one without.
///
/// # Errors
/// Only a defect of this crate: an example that is not JSON.
pub fn openapi_document(with_keys: bool) -> serde_json::Result<String> {
    serde_json::to_string(&Document::of(&super::endpoints(), with_keys))
}

/// Of a server without keys, and of one with them.
static DOCUMENTS: LazyLock<[Option<Asset>; 2]> = LazyLock::new(|| [false, true].map(document));

fn document(with_keys: bool) -> Option<Asset> {
    let document = openapi_document(with_keys);
    let document =
        document.inspect_err(|error| tracing::error!(%error, "the OpenAPI document cannot be written"));
    document.ok().map(|document| Asset::new("application/json", document.into()))
}

async fn handle(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let document = &DOCUMENTS[usize::from(!app.options.api_keys.is_empty())];
    let document =
        document.as_ref().ok_or_else(|| Problem::unavailable("the document cannot be made".to_owned()))?;
    Ok(send(document, &headers))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use crate::openapi::{Content, Examples};
    use crate::routes;

    #[test]
    fn every_recorded_answer_is_of_the_documented_type_and_each_is_used() {
        let examples = Examples::recorded();
        let mut used = 0;
        for endpoint in routes::endpoints() {
            for answer in endpoint.answers {
                let Content::Json(json) = answer.content else { continue };
                let example = examples.of(endpoint.name, answer.status);
                let example = example.unwrap_or_else(|| panic!("{} {}", endpoint.name, answer.status));
                (json.reads)(example.get()).unwrap();
                used += 1;
            }
        }
        assert_eq!(used, examples.of_operations());
    }
}
