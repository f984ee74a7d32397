//! A body template in which `tojson` writes values as JSON.

use std::collections::HashSet;

use minijinja::{Environment, UndefinedBehavior, Value};

use super::Variables;
use crate::secrets::Filled;

/// Templates have one name each, within their own environment.
const REAL: &str = "body";
const SHOWN: &str = "shown body";

/// A compiled body template.
pub(crate) struct BodyTemplate {
    environment: Environment<'static>,
    variables: HashSet<String>,
}

impl BodyTemplate {
    /// Compiles a template that may use the variables in `known`.
    ///
    /// # Errors
    /// The template has mistakes, uses another variable, or does not give JSON where it should.
    pub(crate) fn new(template: &Filled, known: &[&'static str], is_json: bool) -> Result<Self, String> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, text) in [(REAL, &template.real), (SHOWN, &template.shown)] {
            environment
                .add_template_owned(name, text.clone())
                .map_err(|error| format!("line {}: {}", error.line().unwrap_or(1), reason(&error)))?;
        }
        let mut variables = environment
            .get_template(REAL)
            .map(|template| template.undeclared_variables(false))
            .unwrap_or_default();
        variables.retain(|name| !environment.globals().any(|(global, _)| global == name));
        if let Some(unknown) = variables.iter().find(|name| !known.contains(&name.as_str())) {
            return Err(match known {
                [] => format!("there is no variable {unknown} here, as no variable is known here"),
                known => format!("there is no variable {unknown} here; known are {}", known.join(", ")),
            });
        }
        let compiled = Self { environment, variables };
        // A quote in each value shows where one was put between quotes by hand instead of with `tojson`.
        let samples: Vec<(&'static str, &str)> = known.iter().map(|name| (*name, "a\"b")).collect();
        let rendered = compiled.render(REAL, Variables(&samples))?;
        if is_json && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&rendered) {
            return Err(format!(
                "does not give JSON ({error}); write {{{{ product | tojson }}}} without quotes around it"
            ));
        }
        Ok(compiled)
    }

    /// Whether the template uses the variable.
    pub(crate) fn uses(&self, name: &str) -> bool {
        self.variables.contains(name)
    }

    /// The body to send.
    ///
    /// # Errors
    /// The template uses something that this request does not have.
    pub(crate) fn expand(&self, variables: Variables<'_>) -> Result<String, String> {
        self.render(REAL, variables)
    }

    /// The body to show.
    pub(crate) fn expand_shown(&self, variables: Variables<'_>) -> String {
        self.render(SHOWN, variables).unwrap_or_default()
    }

    fn render(&self, name: &str, variables: Variables<'_>) -> Result<String, String> {
        // A variable that this request does not have is null: the cursor of the first page.
        let values = Value::from_pairs(
            variables.0.iter().map(|(name, value)| (*name, Some(*value).filter(|value| !value.is_empty()))),
        );
        self.environment
            .get_template(name)
            .and_then(|template| template.render(values))
            .map_err(|error| format!("line {}: {}", error.line().unwrap_or(1), reason(&error)))
    }
}

fn reason(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => detail.to_owned(),
        None => error.kind().to_string(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn template(text: &str) -> Result<BodyTemplate, String> {
        let filled = Filled { real: text.to_owned(), shown: text.to_owned() };
        BodyTemplate::new(&filled, &["market", "product"], true)
    }

    #[test]
    fn values_become_json() {
        let body = template(r#"{"query": "query($id: ID!) { p(id: $id) { x } }", "variables": {"id": {{ product | tojson }}}}"#)
            .unwrap();
        let rendered = body.expand(Variables(&[("market", "US"), ("product", "a\"\\ö\n")])).unwrap();
        let value: serde_json::Value = serde_json::from_str(&rendered).unwrap();
        assert_eq!(value["variables"]["id"], "a\"\\ö\n");
        assert!(body.uses("product") && !body.uses("market"));
    }

    #[test]
    fn an_empty_value_is_null() {
        let body = template("{{ product | tojson }}").unwrap();
        assert_eq!(body.expand(Variables(&[("product", "")])).unwrap(), "null");
    }

    #[test]
    fn mistakes_are_found_before_any_request() {
        for text in [r#"{"id": "{{ product }}"}"#, "{{ prodct | tojson }}", "{{ product", "{"] {
            assert!(template(text).is_err(), "{text}");
        }
    }
}
