//! A URL template after RFC 6570 whose result cannot point somewhere unexpected.

use iri_string::spec::UriSpec;
use iri_string::template::UriTemplateString;
use iri_string::template::context::{Context, Visitor};
use reqwest::Url;

use super::Variables;
use crate::secrets::Filled;

/// A compiled URL template.
pub(crate) struct UrlTemplate {
    real: UriTemplateString,
    /// With masks instead of secrets; none where it would be the same.
    shown: Option<UriTemplateString>,
    /// Whether the template itself names the server; otherwise a variable has a part in that.
    pub(crate) names_server: bool,
}

impl Context for Variables<'_> {
    fn visit<V: Visitor>(&self, visitor: V) -> V::Result {
        match self.get(visitor.var_name().as_str()) {
            Some(value) => visitor.visit_string(value),
            None => visitor.visit_undefined(),
        }
    }
}

impl UrlTemplate {
    /// Compiles a template that may use the variables in `known`. A path is appended to `base`.
    ///
    /// # Errors
    /// The template has mistakes, or uses another variable.
    pub(crate) fn new(base: &Url, template: &Filled, known: &[&str]) -> Result<Self, String> {
        let compile = |text: &str| {
            UriTemplateString::try_from(absolute(base, text)).map_err(|error| {
                format!("{:?} is not a URL template: {error}", text.chars().take(80).collect::<String>())
            })
        };
        let real = compile(&template.real)?;
        if let Some(unknown) = real.variables().find(|name| !known.contains(&name.as_str())) {
            return Err(format!(
                "there is no variable {{{}}} here; known are {}",
                unknown.as_str(),
                known.iter().map(|name| format!("{{{name}}}")).collect::<Vec<_>>().join(", ")
            ));
        }
        let text = real.as_str();
        let names_server = match text.split_once("://") {
            Some((scheme, rest)) => {
                let server = rest.split(['/', '?', '#']).next().unwrap_or_default();
                !scheme.contains('{') && !server.contains('{')
            }
            None => false,
        };
        let shown = if template.has_secret() { Some(compile(&template.shown)?) } else { None };
        Ok(Self { real, shown, names_server })
    }

    /// Whether the template uses the variable.
    pub(crate) fn uses(&self, name: &str) -> bool {
        self.real.variables().any(|known| known.as_str() == name)
    }

    /// The URL to ask, as text.
    pub(crate) fn expand(&self, variables: Variables<'_>) -> String {
        expand(&self.real, variables)
    }

    /// The URL to show.
    pub(crate) fn expand_shown(&self, variables: Variables<'_>) -> String {
        expand(self.shown.as_ref().unwrap_or(&self.real), variables)
    }
}

fn expand(template: &UriTemplateString, variables: Variables<'_>) -> String {
    // The template was checked when it was compiled, and every value is a string: nothing can fail.
    template.expand::<UriSpec, _>(&variables).map(|url| url.to_string()).unwrap_or_default()
}

/// Paths go below the base URL, also below its own path.
fn absolute(base: &Url, text: &str) -> String {
    if text.starts_with("http://") || text.starts_with("https://") {
        return text.to_owned();
    }
    let base = base.as_str().trim_end_matches('/');
    let slash = if text.starts_with(['/', '?']) || text.is_empty() { "" } else { "/" };
    format!("{base}{slash}{text}")
}

/// Reads an expanded template as a URL.
///
/// # Errors
/// It is no URL, or reading it as one would change what it says: a path segment `.` or `..` would be
/// resolved, a fragment not sent.
pub(crate) fn parse(text: &str) -> Result<Url, String> {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let dots =
        |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    if (path.contains("/.") || path.contains("/%2")) && path.split('/').any(dots) {
        return Err("an id `.` or `..` cannot be a part of a path; put it into the query".to_owned());
    }
    let url = Url::parse(text).map_err(|error| format!("the template does not give a URL: {error}"))?;
    if url.fragment().is_some() {
        return Err("the URL contains `#`; write {product} instead of {+product}".to_owned());
    }
    Ok(url)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use percent_encoding::percent_decode_str;
    use proptest::prelude::{prop_assert_eq, prop_assume, proptest};

    fn template(text: &str) -> Result<UrlTemplate, String> {
        let base = Url::parse("https://api.shop.example/v2/").unwrap();
        let filled = Filled { real: text.to_owned(), shown: text.to_owned() };
        UrlTemplate::new(&base, &filled, &["market", "product"])
    }

    fn expanded(text: &str, market: &str, product: &str) -> String {
        template(text).unwrap().expand(Variables(&[("market", market), ("product", product)]))
    }

    #[test]
    fn paths_go_below_the_base_and_ids_are_encoded() {
        for (text, expected) in [
            ("/p/{product}", "https://api.shop.example/v2/p/a%2Fb%20%C3%B6"),
            ("p{?market,product}", "https://api.shop.example/v2/p?market=US&product=a%2Fb%20%C3%B6"),
            ("https://cdn.example/{market}", "https://cdn.example/US"),
            ("/p?id={product}", "https://api.shop.example/v2/p?id=a%2Fb%20%C3%B6"),
        ] {
            assert_eq!(expanded(text, "US", "a/b ö"), expected);
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (text, part) in [("/p/{prodct}", "{prodct}"), ("/p/{product", "not a URL template")] {
            let message = template(text).err().unwrap();
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn a_variable_in_the_place_of_the_server_is_noticed() {
        assert!(template("/p/{product}").unwrap().names_server);
        assert!(template("https://x.example/{product}").unwrap().names_server);
        assert!(!template("https://{market}.example/p").unwrap().names_server);
        assert!(!template("https://x.example:{market}/p").unwrap().names_server);
    }

    #[test]
    fn dots_are_refused_where_they_would_climb() {
        for product in [".", ".."] {
            assert!(parse(&expanded("/p/{product}", "US", product)).is_err());
            assert!(parse(&expanded("/p?id={product}", "US", product)).is_ok());
        }
        assert!(parse(&expanded("/p/{+product}", "US", "%2E%2e/x")).is_err());
        assert!(parse(&expanded("/p/{product}", "US", "../x")).is_ok());
        assert!(parse(&expanded("/p/{+product}", "US", "a#b")).is_err());
    }

    proptest! {
        #[test]
        fn every_id_arrives_as_it_is(product in "\\PC{1,40}") {
            prop_assume!(product != "." && product != "..");
            let path = parse(&expanded("/p/{product}", "US", &product)).unwrap();
            let segment = path.path_segments().unwrap().next_back().unwrap();
            prop_assert_eq!(percent_decode_str(segment).decode_utf8().unwrap(), product.as_str());
            let query = parse(&expanded("/p{?market,product}", "US", &product)).unwrap();
            let sent = query.query_pairs().find(|(name, _)| name == "product").unwrap().1;
            prop_assert_eq!(sent.as_ref(), product.as_str());
        }
    }
}
