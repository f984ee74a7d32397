//! A kind of request, compiled from the configuration; filled in for a market and a product it is a call.

use price_cache_domain::{FailureClass, Fault};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use crate::config::HeadersConfig;
use crate::http::{Call, same_origin};
use crate::problem::Problems;
use crate::secrets::{Environment, MASK, Place, Secrets, percent_encoded};
use crate::template::{BodyTemplate, UrlTemplate, Variables};

/// What all kinds of requests have in common.
pub(crate) struct Common<'a> {
    /// The base URL.
    pub(crate) base: &'a Url,
    /// The other servers that may be asked.
    pub(crate) allowed: &'a [Url],
    /// The headers for the server of the base URL.
    pub(crate) headers: &'a HeaderMap,
    /// Where `${NAME}` comes from.
    pub(crate) environment: Environment<'a>,
}

/// One kind of request as configured.
pub(crate) struct RequestConfig<'a> {
    /// The key of its section, such as `source.price`.
    pub(crate) section: &'static str,
    /// The method, already checked.
    pub(crate) method: Method,
    /// The URL template.
    pub(crate) url: &'a str,
    /// The body template.
    pub(crate) body: Option<&'a str>,
    /// Its own headers.
    pub(crate) headers: &'a HeadersConfig,
    /// The variables that its templates may use.
    pub(crate) variables: &'static [&'static str],
}

/// A compiled kind of request.
pub(crate) struct RequestPlan {
    section: &'static str,
    /// The method.
    pub(crate) method: Method,
    /// The URL template.
    pub(crate) url: UrlTemplate,
    /// The body template.
    pub(crate) body: Option<BodyTemplate>,
    base: Url,
    /// The server that the template itself names, where that is another.
    named: Option<Url>,
    allowed: Vec<Url>,
    headers_at_base: HeaderMap,
    headers_elsewhere: HeaderMap,
}

impl RequestPlan {
    /// Compiles one kind of request; none where it has problems, which are noted.
    pub(crate) fn new(
        config: &RequestConfig<'_>,
        common: &Common<'_>,
        secrets: &mut Secrets,
        problems: &mut Problems,
    ) -> Option<Self> {
        let key = |name: &str| format!("{}.{name}", config.section);
        let own = headers(&key("headers"), config.headers, common.environment, secrets, problems);
        let is_json = own
            .get(CONTENT_TYPE)
            .or_else(|| common.headers.get(CONTENT_TYPE))
            .is_none_or(|kind| kind.to_str().is_ok_and(|kind| kind.contains("json")));
        let body = config.body.map(|text| {
            let filled = secrets.fill(text, Place::Body, common.environment);
            let template = filled.and_then(|filled| BodyTemplate::new(&filled, config.variables, is_json));
            problems.check(&key("body"), template)
        });
        let filled = secrets.fill(config.url, Place::Url, common.environment);
        let url = filled.and_then(|filled| UrlTemplate::new(common.base, &filled, config.variables));
        let url = problems.check(&key("url"), url)?;
        let named = match problems.check(&key("url"), named_server(&url, config.variables, common))? {
            Some(named) if !same_origin(&named, common.base) => Some(named),
            _ => None,
        };
        let body = match body {
            Some(None) => return None,
            Some(Some(body)) => Some(body),
            None => None,
        };
        let mut headers_elsewhere = own;
        if body.is_some() && !headers_elsewhere.contains_key(CONTENT_TYPE) {
            let kind = common.headers.get(CONTENT_TYPE).cloned();
            headers_elsewhere
                .insert(CONTENT_TYPE, kind.unwrap_or(HeaderValue::from_static("application/json")));
        }
        if !headers_elsewhere.contains_key(ACCEPT) {
            let kind = common.headers.get(ACCEPT).cloned();
            headers_elsewhere.insert(ACCEPT, kind.unwrap_or(HeaderValue::from_static("application/json")));
        }
        let mut headers_at_base = common.headers.clone();
        for (name, value) in &headers_elsewhere {
            headers_at_base.insert(name.clone(), value.clone());
        }
        Some(Self {
            section: config.section,
            method: config.method.clone(),
            url,
            body,
            base: common.base.clone(),
            named,
            allowed: common.allowed.to_vec(),
            headers_at_base,
            headers_elsewhere,
        })
    }

    /// The call for these variables, with parameters added to its query.
    ///
    /// # Errors
    /// The variables cannot be put into the templates, or lead to a server that is not allowed.
    pub(crate) fn call(&self, variables: Variables<'_>, query: &[(&str, &str)]) -> Result<Call, Fault> {
        let mut text = self.url.expand(variables);
        append(&mut text, query);
        let url = crate::template::parse_url(&text).map_err(|reason| self.refused("url", &reason))?;
        let named = self.named.as_ref().is_some_and(|named| same_origin(named, &url));
        if !named && !self.may_ask(&url) {
            let origin = url.origin().ascii_serialization();
            return Err(self.refused(
                "url",
                &format!(
                    "leads to another server; allow it with source.limits.allow_redirects_to = [{origin:?}]"
                ),
            ));
        }
        let body = match &self.body {
            Some(template) => {
                Some(template.expand(variables).map_err(|reason| self.refused("body", &reason))?)
            }
            None => None,
        };
        Ok(self.to(url, body))
    }

    /// The same request to another page's URL.
    ///
    /// # Errors
    /// The URL is none, or leads to a server that is not allowed.
    pub(crate) fn call_to(&self, url: &str) -> Result<Call, Fault> {
        let invalid = |message: String| Fault::new(FailureClass::InvalidAnswer, message);
        let url =
            Url::parse(url).map_err(|error| invalid(format!("the next page's URL is none: {error}")))?;
        let named = self.named.as_ref().is_some_and(|named| same_origin(named, &url));
        if !named && !self.may_ask(&url) {
            let origin = url.origin().ascii_serialization();
            return Err(invalid(format!(
                "the next page is on another server; allow it with source.limits.allow_redirects_to = [{origin:?}]"
            )));
        }
        Ok(self.to(url, None))
    }

    /// Whether a template uses the variable.
    pub(crate) fn uses(&self, name: &str) -> bool {
        self.url.uses(name) || self.body.as_ref().is_some_and(|body| body.uses(name))
    }

    /// The servers that this request may be sent to.
    pub(crate) fn servers(&self) -> Vec<&Url> {
        std::iter::once(&self.base).chain(&self.named).chain(&self.allowed).collect()
    }

    fn may_ask(&self, url: &Url) -> bool {
        same_origin(&self.base, url) || self.allowed.iter().any(|allowed| same_origin(allowed, url))
    }

    fn to(&self, url: Url, body: Option<String>) -> Call {
        let at_base = same_origin(&self.base, &url);
        let headers = if at_base { &self.headers_at_base } else { &self.headers_elsewhere };
        Call {
            method: self.method.clone(),
            url,
            headers: headers.clone(),
            body,
            body_bytes_max: u64::MAX,
            body_limit: "",
        }
    }

    fn refused(&self, key: &str, reason: &str) -> Fault {
        Fault::new(FailureClass::Rejected, format!("{}.{key}: {reason}", self.section))
    }
}

/// The server that a template names itself, which its author has allowed by that.
fn named_server(
    template: &UrlTemplate,
    variables: &[&'static str],
    common: &Common<'_>,
) -> Result<Option<Url>, String> {
    let samples: Vec<(&'static str, &str)> = variables.iter().map(|name| (*name, "1")).collect();
    let sample = Url::parse(&template.expand(Variables(&samples)));
    if template.names_server {
        let url = sample.map_err(|error| format!("does not give a URL: {error}"))?;
        crate::template::parse_url(url.as_str())?;
        return Ok(Some(url));
    }
    if common.allowed.is_empty() {
        return Err(
            "a variable has a part in the name of the server; list the servers that may be asked in \
                    source.limits.allow_redirects_to"
                .to_owned(),
        );
    }
    Ok(None)
}

/// Adds parameters to the query of a URL.
pub(crate) fn append(url: &mut String, query: &[(&str, &str)]) {
    for (name, value) in query {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(&percent_encoded(name));
        url.push('=');
        url.push_str(&percent_encoded(value));
    }
}

/// Reads configured headers; those with something from the environment are marked as sensitive.
pub(crate) fn headers(
    key: &str,
    config: &HeadersConfig,
    environment: Environment<'_>,
    secrets: &mut Secrets,
    problems: &mut Problems,
) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, text) in &config.0 {
        let key = format!("{key}.{name}");
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| "this is not the name of a header");
        let Some(parsed) = problems.check(&key, parsed) else { continue };
        if ["host", "content-length", "transfer-encoding", "connection", "accept-encoding"]
            .contains(&parsed.as_str())
        {
            problems.push(&key, "this header is set by the client itself; take it out");
            continue;
        }
        let Some(filled) = problems.check(&key, secrets.fill(text, Place::Header, environment)) else {
            continue;
        };
        let value = HeaderValue::from_str(&filled.real)
            .map_err(|_| "the value has characters that no header may have");
        let Some(mut value) = problems.check(&key, value) else { continue };
        secrets.add_header(parsed.as_str(), &filled.real, is_telling(parsed.as_str()));
        value.set_sensitive(filled.has_secret() || is_telling(parsed.as_str()));
        headers.insert(parsed, value);
    }
    headers
}

/// Whether a header of this name usually carries a secret, also where it does not come from the environment.
fn is_telling(name: &str) -> bool {
    const PARTS: [&str; 9] =
        ["auth", "cookie", "key", "token", "secret", "password", "session", "credential", "signature"];
    PARTS.iter().any(|part| name.contains(part))
}

/// Headers as a person may see them.
pub(crate) fn shown_headers(headers: &HeaderMap, secrets: &Secrets) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let text = String::from_utf8_lossy(value.as_bytes());
            let hide = value.is_sensitive() || is_telling(name.as_str());
            (name.to_string(), if hide { MASK.to_owned() } else { secrets.shown(&text, false) })
        })
        .collect()
}
