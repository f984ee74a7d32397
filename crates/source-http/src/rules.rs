//! What an answer means beyond its status: conditions on its body and headers, and the API's own words.

use price_cache_domain::{Failure, FailureClass, Fault};
use serde_json::Value;

use crate::answer::{Condition, excerpt};
use crate::config::{ConditionConfig, PriceConfig};
use crate::http::{Answer, Refusal, retry_after, status_fault};
use crate::json::{Document, JsonPath};
use crate::problem::Problems;
use crate::secrets::Secrets;

/// How much of an API's own error message is passed on, in characters.
const MESSAGE_SHOWN_CHARS: usize = 120;

/// Where APIs usually write why they refuse.
const USUAL_REASONS: [&str; 10] = [
    "/error/message",
    "/message",
    "/detail",
    "/error_description",
    "/errors/0/message",
    "/errors/0/detail",
    "/error/description",
    "/title",
    "/errors/0",
    "/error",
];

/// The conditions of `[source.price]`, compiled. Those on refusals hold for lists as for prices.
pub(crate) struct Rules {
    success: Option<Condition>,
    error_path: Option<JsonPath>,
    not_found_when: Option<Condition>,
    rate_limited_when: Option<Condition>,
}

impl Rules {
    /// Compiles them; none where they have problems, which are noted.
    pub(crate) fn new(config: &PriceConfig, problems: &mut Problems) -> Option<Self> {
        let error_path = match &config.error_path {
            Some(text) => problems.check("source.price.error_path", JsonPath::new(text)).map(Some),
            None => Some(None),
        };
        let mut condition = |name: &str, config: &Option<ConditionConfig>| match config {
            Some(config) => Condition::new(&format!("source.price.{name}"), config, problems).map(Some),
            None => Some(None),
        };
        let success = condition("success", &config.success);
        let not_found_when = condition("not_found_when", &config.not_found_when);
        let rate_limited_when = condition("rate_limited_when", &config.rate_limited_when);
        Some(Self {
            success: success?,
            error_path: error_path?,
            not_found_when: not_found_when?,
            rate_limited_when: rate_limited_when?,
        })
    }

    /// The paths that are looked at in a list that was answered with success.
    pub(crate) fn paths_in_lists(&self) -> impl Iterator<Item = &JsonPath> {
        self.rate_limited_when.iter().filter_map(Condition::path).chain(&self.error_path)
    }

    /// The fault for a status that is not one of success; an API may say more exactly what it means in
    /// the body or in a header. At most so many characters of the body are shown.
    pub(crate) fn refusal(
        &self,
        answer: &Answer,
        depth_max: usize,
        secrets: &Secrets,
        chars_max: usize,
    ) -> Fault {
        let status = answer.status;
        let document = Document::parse(&answer.body, depth_max).ok();
        let value = document.as_ref().map(|document| &document.value);
        let said = value.and_then(|value| self.error_message(value, secrets));
        let said = said.unwrap_or_else(|| reason_or_start(answer, value, secrets, chars_max));
        // That something is missing says little where the whole answer is about something else.
        let unclear = status.is_client_error() && !matches!(status.as_u16(), 401 | 403 | 407 | 429);
        let holds = |condition: &Option<Condition>| {
            condition.as_ref().is_some_and(|condition| {
                (unclear || !condition.is_absence()) && condition.holds(value, &answer.headers)
            })
        };
        let mut fault = status_fault(status, &answer.headers, &said);
        if holds(&self.rate_limited_when) {
            fault = limited(&said, answer);
            fault.failure = Failure::new(FailureClass::RateLimited, with_status(status.as_u16(), &said));
        } else if holds(&self.not_found_when) && fault.failure.class() != FailureClass::RateLimited {
            fault.failure = Failure::new(FailureClass::NotFound, with_status(status.as_u16(), &said));
        }
        fault.with_status(status.as_u16())
    }

    /// Finds the answers about a price that say 200 and mean no.
    ///
    /// # Errors
    /// What the answer means.
    pub(crate) fn check_price(&self, value: &Value, answer: &Answer, secrets: &Secrets) -> Result<(), Fault> {
        let holds = |condition: &Option<Condition>| {
            condition.as_ref().is_some_and(|condition| condition.holds(Some(value), &answer.headers))
        };
        let said = || self.error_message(value, secrets);
        let mut fault = if holds(&self.rate_limited_when) {
            return Err(limited(&said().unwrap_or_default(), answer));
        } else if holds(&self.not_found_when) {
            let said = said().unwrap_or_else(|| "the API has no price for this product here".to_owned());
            Fault::new(FailureClass::NotFound, said)
        } else if let Some(success) =
            self.success.as_ref().filter(|success| !success.holds(Some(value), &answer.headers))
        {
            let said = said().unwrap_or_else(|| crate::answer::start_of(&answer.body, secrets));
            let what = success.shown();
            Fault::new(FailureClass::Rejected, format!("source.price.success ({what}) does not hold: {said}"))
        } else if let Some(said) = said() {
            Fault::new(FailureClass::Rejected, format!("the API says: {said}"))
        } else {
            return Ok(());
        };
        fault.retry_after = retry_after(&answer.headers, Refusal::Other);
        Err(fault)
    }

    /// Finds the lists that say 200 and ask for fewer requests.
    ///
    /// # Errors
    /// It is one.
    pub(crate) fn check_list(&self, value: &Value, answer: &Answer, secrets: &Secrets) -> Result<(), Fault> {
        let is_limited = self.rate_limited_when.as_ref().is_some_and(|condition| {
            !condition.is_absence() && condition.holds(Some(value), &answer.headers)
        });
        match is_limited {
            true => Err(limited(&self.error_message(value, secrets).unwrap_or_default(), answer)),
            false => Ok(()),
        }
    }

    /// Finds the answers whose headers alone ask for fewer requests, whatever their body is.
    ///
    /// # Errors
    /// It is one.
    pub(crate) fn check_headers(&self, answer: &Answer) -> Result<(), Fault> {
        let holds = |condition: &Condition| condition.holds(None, &answer.headers);
        match self.rate_limited_when.as_ref().is_some_and(holds) {
            true => Err(limited("", answer)),
            false => Ok(()),
        }
    }

    /// The error message in an answer; null, false and empty values are none.
    pub(crate) fn error_message(&self, value: &Value, secrets: &Secrets) -> Option<String> {
        let path = self.error_path.as_ref()?;
        let text = match path.find_all(value).first()? {
            Value::Null | Value::Bool(false) => return None,
            Value::String(text) => text.clone(),
            Value::Array(values) if values.is_empty() => return None,
            Value::Object(members) if members.is_empty() => return None,
            other => other.to_string(),
        };
        let shown = excerpt(text.as_bytes(), secrets, MESSAGE_SHOWN_CHARS);
        (!shown.is_empty()).then_some(shown)
    }
}

fn with_status(status: u16, said: &str) -> String {
    let colon = if said.is_empty() { "" } else { ": " };
    format!("status {status}{colon}{said}")
}

fn limited(said: &str, answer: &Answer) -> Fault {
    let said = if said.is_empty() { "the API asks for fewer requests" } else { said };
    let mut fault = Fault::new(FailureClass::RateLimited, said);
    fault.retry_after = retry_after(&answer.headers, Refusal::Limited);
    fault
}

/// The start of the body; where that is not all of it, what the API usually calls its reason.
fn reason_or_start(answer: &Answer, value: Option<&Value>, secrets: &Secrets, chars_max: usize) -> String {
    let start = excerpt(&answer.body, secrets, chars_max);
    if !start.ends_with("...") {
        return start;
    }
    let Some(value) = value else { return start };
    let reason = USUAL_REASONS.iter().find_map(|place| value.pointer(place)?.as_str());
    match reason.filter(|reason| !reason.trim().is_empty()) {
        Some(reason) => excerpt(reason.as_bytes(), secrets, chars_max),
        None => start,
    }
}
