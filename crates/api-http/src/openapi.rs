//! The OpenAPI 3.1 document: made from the table of endpoints and the types of the wire, so that neither can
//! say something else than the server does.

mod document;
mod endpoint;
mod examples;
mod parameter;
mod tag;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;

use document::Document;
pub(crate) use endpoint::Endpoint;
pub(crate) use parameter::Parameter;
pub(crate) use tag::Tag;

use crate::routes;

/// The document of this version of the API, as JSON: of a server with API keys configured, or of one without.
///
/// # Errors
/// Only a defect of this crate: an example that is not JSON.
pub fn openapi_document(with_keys: bool) -> serde_json::Result<String> {
    serde_json::to_string(&Document::of(&routes::endpoints(), with_keys))
}

/// Where JSON Schema keeps what is named; in OpenAPI it has its own place.
fn generator(settings: SchemaSettings) -> SchemaGenerator {
    settings
        .with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        })
        .into_generator()
}

/// Makes the schemas of what is answered: every member that is always written is required.
fn of_answers() -> SchemaGenerator {
    generator(SchemaSettings::draft2020_12().for_serialize())
}

/// Makes the schemas of what is asked: a member with a default is not required.
fn of_requests() -> SchemaGenerator {
    generator(SchemaSettings::draft2020_12().for_deserialize())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use super::endpoint::Content;
    use super::examples::Examples;
    use super::*;

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
