//! The OpenAPI 3.1 document: made from the table of endpoints and the types of the wire, so that neither can
//! say something else than the server does.

mod document;
mod endpoint;
mod examples;
mod parameter;
mod tag;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;

pub(crate) use document::Document;
#[cfg(test)]
pub(crate) use endpoint::Content;
pub(crate) use endpoint::Endpoint;
#[cfg(test)]
pub(crate) use examples::Examples;
pub(crate) use parameter::Parameter;
pub(crate) use tag::Tag;

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
