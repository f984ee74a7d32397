//! The parts of an OpenAPI document that this API needs, and how endpoints become one.

use price_cache_api_types as api;
use schemars::SchemaGenerator;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::endpoint::{Answer, Content, Endpoint};
use super::examples::Examples;
use super::parameter::Parameter;
use super::tag::Tag;
use super::{of_answers, of_requests};

/// The whole document.
#[derive(Serialize)]
pub(crate) struct Document {
    openapi: &'static str,
    info: Value,
    tags: Vec<Value>,
    paths: api::OrderedMap<api::OrderedMap<Operation>>,
    components: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Operation {
    operation_id: &'static str,
    tags: [&'static str; 1],
    summary: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'static str,
    /// A key, or where none is configured either a key or nothing.
    security: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<Parameter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_body: Option<Value>,
    responses: api::OrderedMap<Response>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Response {
    Shared(Value),
    Own {
        description: &'static str,
        #[serde(skip_serializing_if = "Map::is_empty")]
        headers: Map<String, Value>,
        #[serde(skip_serializing_if = "api::OrderedMap::is_empty")]
        content: api::OrderedMap<MediaType>,
    },
}

#[derive(Serialize)]
struct MediaType {
    schema: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<Example>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Example {
    Recorded(Box<RawValue>),
    Text(&'static str),
}

/// What any request may be answered with: status, name and sentence.
const BY_ANY_REQUEST: [(u16, &str, &str); 5] = [
    (400, "BadRequest", "The path, a parameter or the body cannot be understood; the sentence names it."),
    (403, "Forbidden", "The `Host` is not allowed, or a page of another origin tries to change something."),
    (414, "UriTooLong", "The path and query are longer than allowed."),
    (431, "HeadersTooLarge", "There are too many headers, or they are too large."),
    (503, "Unavailable", "The store fails or is still being opened; `Retry-After` says when to ask again."),
];
/// What those may be answered with that need a key where keys are configured.
const BY_NO_KEY: (u16, &str, &str) =
    (401, "Unauthorized", "Keys are configured, and the request carries none of them.");
/// What those may be answered with whose body is read.
const BY_BODY: [(u16, &str, &str); 2] = [
    (408, "BodyTooSlow", "The body did not arrive in time."),
    (413, "BodyTooLarge", "The body is larger than allowed."),
];

/// Everything that has a name of its own.
struct Shared {
    answers: SchemaGenerator,
    requests: SchemaGenerator,
    examples: Examples,
}

impl Document {
    pub(crate) fn of(endpoints: &[Endpoint], with_keys: bool) -> Self {
        let mut shared =
            Shared { answers: of_answers(), requests: of_requests(), examples: Examples::recorded() };
        let mut paths: Vec<(&str, api::OrderedMap<Operation>)> = Vec::new();
        for endpoint in endpoints {
            let operation = operation(endpoint, with_keys, &mut shared);
            match paths.iter_mut().find(|(path, _)| *path == endpoint.path) {
                Some((_, operations)) => operations.push(endpoint.method, operation),
                None => {
                    paths.push((endpoint.path, [(endpoint.method, operation)].into_iter().collect()));
                }
            }
        }
        let responses = BY_ANY_REQUEST.iter().chain([&BY_NO_KEY]).chain(&BY_BODY);
        let responses: Map<String, Value> = responses
            .map(|(status, name, description)| ((*name).to_owned(), shared.problem(*status, description)))
            .collect();
        let mut schemas = shared.answers.take_definitions(true);
        schemas.extend(shared.requests.take_definitions(true));
        Self {
            openapi: "3.1.0",
            info: json!({
                "title": "Auto Price Cache",
                "version": env!("CARGO_PKG_VERSION"),
                "summary": "Walks every market and product of a pricing API and keeps the prices.",
                "description": "Times are RFC 3339 in UTC, rates are percent (0-100), ids are any text. A member that is \
                    unknown is null; only those that are not required may be missing, and there may be more than are \
                    listed. Every error is a problem document (RFC 9457) whose `detail`, also as `error`, says what to do. \
                    GET has no side effect and may be asked as HEAD.",
                "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
            }),
            tags: Tag::ALL.map(|tag| json!({"name": tag.name(), "description": tag.description()})).to_vec(),
            paths: paths.into_iter().collect(),
            components: json!({
                "schemas": schemas,
                "responses": responses,
                "headers": headers(),
                "securitySchemes": {
                    "key": {
                        "type": "http",
                        "scheme": "bearer",
                        "description": "One of the keys of `server.api_keys`. Where none is configured, none is needed, \
                            and the server answers loopback callers only.",
                    },
                },
            }),
        }
    }
}

fn operation(endpoint: &Endpoint, with_keys: bool, shared: &mut Shared) -> Operation {
    let reads_body = endpoint.method != "get";
    let mut responses: Vec<(u16, Response)> =
        endpoint.answers.iter().map(|answer| (answer.status, own(endpoint.name, answer, shared))).collect();
    let common = BY_ANY_REQUEST
        .iter()
        .chain(endpoint.needs_key().then_some(&BY_NO_KEY))
        .chain(BY_BODY.iter().filter(|_| reads_body));
    for (status, name, _) in common {
        if !responses.iter().any(|(own, _)| own == status) {
            let reference = json!({"$ref": format!("#/components/responses/{name}")});
            responses.push((*status, Response::Shared(reference)));
        }
    }
    responses.sort_by_key(|(status, _)| *status);
    let request_body = endpoint.body.as_ref().map(|body| {
        let schema = (body.schema)(&mut shared.requests);
        json!({"content": {"application/json": {"schema": schema, "example": body.example}}})
    });
    let mut security = Vec::new();
    if endpoint.needs_key() {
        security.push(json!({"key": []}));
        security.extend((!with_keys).then(|| json!({})));
    }
    Operation {
        operation_id: endpoint.name,
        tags: [endpoint.tag.name()],
        summary: endpoint.summary,
        description: endpoint.description,
        security,
        parameters: endpoint.parameters.clone(),
        request_body,
        responses: responses.into_iter().map(|(status, response)| (status.to_string(), response)).collect(),
    }
}

fn own(name: &str, answer: &Answer, shared: &mut Shared) -> Response {
    let content = match &answer.content {
        Content::Nothing => None,
        Content::Json(json) => {
            let schema = (json.schema)(&mut shared.answers).to_value();
            let example = shared.examples.of(name, answer.status).map(Example::Recorded);
            Some((json.media_type, MediaType { schema, example }))
        }
        Content::Text { media_type, example } => {
            let schema = json!({"type": "string"});
            Some((*media_type, MediaType { schema, example: example.map(Example::Text) }))
        }
    };
    let mut content: api::OrderedMap<MediaType> = content.into_iter().collect();
    let is_of_any = BY_ANY_REQUEST.iter().any(|(status, ..)| *status == answer.status);
    if is_of_any && !content.keys().any(|media_type| media_type == api::Problem::MEDIA_TYPE) {
        content.push(api::Problem::MEDIA_TYPE, shared.problem_content(answer.status));
    }
    let headers = answer.headers.iter();
    Response::Own {
        description: answer.description,
        headers: headers
            .map(|name| ((*name).to_owned(), json!({"$ref": format!("#/components/headers/{name}")})))
            .collect(),
        content,
    }
}

impl Shared {
    /// What a request is answered with that met something which any request may meet.
    fn problem_content(&mut self, status: u16) -> MediaType {
        let schema = self.answers.subschema_for::<api::Problem>().to_value();
        MediaType { schema, example: self.examples.of("any", status).map(Example::Recorded) }
    }

    /// A response that many operations share.
    fn problem(&mut self, status: u16, description: &str) -> Value {
        let mut headers = Map::new();
        for (with, name) in [(503, "Retry-After"), (401, "WWW-Authenticate")] {
            if with == status {
                headers.insert(name.to_owned(), json!({"$ref": format!("#/components/headers/{name}")}));
            }
        }
        json!({
            "description": description,
            "headers": headers,
            "content": {api::Problem::MEDIA_TYPE: self.problem_content(status)},
        })
    }
}

/// The headers that answers are documented with.
fn headers() -> Value {
    let text = |description: &str| json!({"description": description, "schema": {"type": "string"}});
    let seconds =
        |description: &str| json!({"description": description, "schema": {"type": "integer", "minimum": 0}});
    json!({
        "ETag": text("Tells this answer from others; give it back as `If-None-Match`."),
        "Last-Modified": text("When the price was fetched."),
        "Age": seconds("How old the price is, in seconds."),
        "Retry-After": seconds("When to come again, in seconds."),
        "WWW-Authenticate": text("`Bearer`: what is wanted."),
    })
}
