//! The OpenAPI document as a judge: every answer that a test of this crate gets has to be one that it describes.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use jsonschema::Validator;
use price_cache_api_http::openapi_document;
use serde_json::Value;

use crate::client::Answer;

/// The document of a server without keys.
pub(crate) static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(&openapi_document(false).unwrap()).unwrap());

/// The schemas in use, by their text.
static VALIDATORS: LazyLock<Mutex<HashMap<String, Validator>>> = LazyLock::new(Mutex::default);

/// The statuses of requests that are refused before they reach an operation, and of OPTIONS.
const WITHOUT_OPERATION: [u16; 9] = [204, 400, 401, 403, 404, 405, 414, 431, 503];

/// Follows a reference within the document.
pub(crate) fn resolved(value: &Value) -> &Value {
    let Some(reference) = value["$ref"].as_str() else { return value };
    DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap_or_else(|| panic!("{reference} leads nowhere"))
}

/// The operation that answers a request.
fn operation(method: &str, target: &str) -> Option<&'static Value> {
    let path: Vec<&str> = target.split('?').next().unwrap().split('/').collect();
    let matches = |template: &str| {
        let template: Vec<&str> = template.split('/').collect();
        let same = |(part, template): (&&str, &&str)| {
            part == template || (template.starts_with('{') && !part.is_empty())
        };
        template.len() == path.len() && path.iter().zip(&template).all(same)
    };
    let (_, operations) =
        DOCUMENT["paths"].as_object().unwrap().iter().find(|(template, _)| matches(template))?;
    operations.get(if method == "HEAD" { "get".to_owned() } else { method.to_ascii_lowercase() })
}

/// Fails the test where the document does not describe the answer.
#[track_caller]
pub(crate) fn describes(method: &str, target: &str, answer: &Answer) {
    let Some(operation) = operation(method, target) else {
        assert!(WITHOUT_OPERATION.contains(&answer.status), "{method} {target}: {}", answer.status);
        return;
    };
    let status = answer.status.to_string();
    // Other methods of a path may be asked for in the answer to OPTIONS.
    let response = operation["responses"].get(&status);
    let response = response.unwrap_or_else(|| panic!("{method} {target}: {status} is not documented"));
    let Some(content) = resolved(response).get("content").and_then(Value::as_object) else {
        assert!(answer.body.is_empty(), "{method} {target}: {status} has a body");
        return;
    };
    let media_type = answer.header("content-type").unwrap_or_default();
    let described = content.get(media_type).or_else(|| content.get("*/*"));
    let described =
        described.unwrap_or_else(|| panic!("{method} {target}: {media_type} is not documented for {status}"));
    if media_type.ends_with("json") && method != "HEAD" && described["schema"]["type"] != "string" {
        is_valid(&described["schema"], &answer.json(), &format!("{method} {target}"));
    }
}

/// Requires that a value is valid under a schema of the document.
#[track_caller]
pub(crate) fn is_valid(schema: &Value, value: &Value, what: &str) {
    let mut validators = VALIDATORS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let validator = validators.entry(schema.to_string()).or_insert_with(|| {
        let mut whole = schema.clone();
        whole["components"] = DOCUMENT["components"].clone();
        jsonschema::options().should_validate_formats(true).build(&whole).unwrap()
    });
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}\n{value}");
}
