//! One endpoint: its route and handler, and what the document says of it. The router and the document are
//! both made from these, so that neither has a route that the other lacks.

use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, get, on};
use price_cache_api_types as api;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;

use super::{Parameter, Tag};
use crate::app::App;

/// One method of one path.
pub(crate) struct Endpoint {
    pub(crate) path: &'static str,
    /// In lower case, as the document has it.
    pub(crate) method: &'static str,
    pub(crate) handler: MethodRouter<App>,
    /// The name of the operation.
    pub(crate) name: &'static str,
    pub(crate) tag: Tag,
    pub(crate) summary: &'static str,
    pub(crate) description: &'static str,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    pub(crate) answers: Vec<Answer>,
}

/// The JSON that a request may carry.
pub(crate) struct Body {
    pub(crate) schema: SchemaOf,
    pub(crate) example: serde_json::Value,
}

/// Makes the schema of one type, and names it.
pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// One status that the endpoint itself answers with; those that any request may meet are added by the document.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) description: &'static str,
    pub(crate) headers: &'static [&'static str],
    pub(crate) content: Content,
}

/// The body of an answer.
pub(crate) enum Content {
    /// None.
    Nothing,
    /// JSON of a type.
    Json(Json),
    /// A text of this media type.
    Text { media_type: &'static str, example: Option<&'static str> },
}

/// A type that answers have.
pub(crate) struct Json {
    pub(crate) media_type: &'static str,
    pub(crate) schema: SchemaOf,
    /// Whether a text is one of this type.
    #[cfg(test)]
    pub(crate) reads: fn(&str) -> serde_json::Result<()>,
}

impl Json {
    fn of<T: JsonSchema + DeserializeOwned>(media_type: &'static str) -> Self {
        Self {
            media_type,
            schema: |generator| generator.subschema_for::<T>(),
            #[cfg(test)]
            reads: |text| serde_json::from_str::<T>(text).map(drop),
        }
    }
}

impl Endpoint {
    fn new(
        method: &'static str,
        path: &'static str,
        handler: MethodRouter<App>,
        (name, tag, summary): (&'static str, Tag, &'static str),
    ) -> Self {
        let (parameters, answers) = (Vec::new(), Vec::new());
        Self { path, method, handler, name, tag, summary, description: "", parameters, body: None, answers }
    }

    /// Something to read.
    pub(crate) fn get<T: 'static>(
        path: &'static str,
        handler: impl Handler<T, App>,
        named: (&'static str, Tag, &'static str),
    ) -> Self {
        Self::new("get", path, get(handler), named)
    }

    /// Something to do.
    pub(crate) fn post<T: 'static>(
        path: &'static str,
        handler: impl Handler<T, App>,
        named: (&'static str, Tag, &'static str),
    ) -> Self {
        Self::new("post", path, on(MethodFilter::POST, handler), named)
    }

    /// Something to clear.
    pub(crate) fn delete<T: 'static>(
        path: &'static str,
        handler: impl Handler<T, App>,
        named: (&'static str, Tag, &'static str),
    ) -> Self {
        Self::new("delete", path, on(MethodFilter::DELETE, handler), named)
    }

    /// More than the summary says.
    pub(crate) fn described(self, description: &'static str) -> Self {
        Self { description, ..self }
    }

    pub(crate) fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// JSON that the request may carry.
    pub(crate) fn body<T: JsonSchema>(self, example: serde_json::Value) -> Self {
        Self { body: Some(Body { schema: |generator| generator.subschema_for::<T>(), example }), ..self }
    }

    /// JSON of this type; an example of it stands in `examples.json`.
    pub(crate) fn answer<T: JsonSchema + DeserializeOwned>(
        self,
        status: u16,
        description: &'static str,
    ) -> Self {
        self.with(status, description, Content::Json(Json::of::<T>("application/json")))
    }

    /// A problem document; an example of it stands in `examples.json`.
    pub(crate) fn problem(self, status: u16, description: &'static str) -> Self {
        let content = Content::Json(Json::of::<api::Problem>(api::Problem::MEDIA_TYPE));
        self.with(status, description, content)
    }

    /// A text of this media type.
    pub(crate) fn text(
        self,
        media_type: &'static str,
        description: &'static str,
        example: Option<&'static str>,
    ) -> Self {
        self.with(200, description, Content::Text { media_type, example })
    }

    /// An answer without a body.
    pub(crate) fn nothing(self, status: u16, description: &'static str) -> Self {
        self.with(status, description, Content::Nothing)
    }

    /// What the client keeps is still right.
    pub(crate) fn not_modified(self) -> Self {
        let known = "Entity tags of earlier answers; 304 when one of them still holds.";
        self.parameter(Parameter::header("If-None-Match", known))
            .nothing(304, "What the client has is what there is.")
            .headers(&["ETag"])
    }

    /// Headers of the answer that was added last.
    pub(crate) fn headers(mut self, headers: &'static [&'static str]) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.headers = headers;
        }
        self
    }

    fn with(mut self, status: u16, description: &'static str, content: Content) -> Self {
        self.answers.push(Answer { status, description, headers: &[], content });
        self
    }

    /// Whether a key is wanted where keys are configured.
    pub(crate) fn needs_key(&self) -> bool {
        crate::guard::needs_key(self.path)
    }
}
