//! `GET /openapi.json`: what this server answers, for programs and for the page at `/docs`.

use std::sync::LazyLock;

use axum::extract::State;
use axum::response::Response;
use hyper::HeaderMap;

use super::dashboard::send;
use crate::app::App;
use crate::assets::Asset;
use crate::openapi::{Endpoint, Tag, openapi_document};
use crate::problem::Problem;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::get("/openapi.json", handle, ("getOpenApi", Tag::Pages, "This description, for programs"))
        .text("application/json", "An OpenAPI 3.1 document.", None)
        .headers(&["ETag"])
        .not_modified()
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
