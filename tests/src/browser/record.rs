//! What a page did that nobody asked for: errors on the console, exceptions, requests to other hosts.

use anyhow::ensure;
use serde_json::Value;

/// Chromium itself reports answers of these kinds as errors of the page; the page shows them in its own words.
const EXPECTED_STATUSES: [&str; 5] = ["401", "404", "409", "429", "503"];

/// Everything that is noted of one page.
#[derive(Debug, Default)]
pub(super) struct Record {
    problems: Vec<String>,
    requested: Vec<String>,
    /// The server was taken away on purpose, so that requests break off.
    pub(super) may_lose_server: bool,
}

impl Record {
    /// Notes an event of the protocol.
    pub(super) fn note(&mut self, method: &str, params: &Value) {
        match method {
            "Runtime.exceptionThrown" => {
                self.problems.push(format!("exception: {}", params["exceptionDetails"]))
            }
            "Runtime.consoleAPICalled" if params["type"] == "error" || params["type"] == "assert" => {
                self.problems.push(format!("console: {}", params["args"]));
            }
            "Log.entryAdded" if params["entry"]["level"] == "error" => {
                let entry = &params["entry"];
                let text = entry["text"].as_str().unwrap_or_default();
                if !(entry["source"] == "network" && self.is_expected(text)) {
                    self.problems.push(format!("log: {entry}"));
                }
            }
            "Network.requestWillBeSent" => {
                let url = params["request"]["url"].as_str().unwrap_or_default();
                self.requested.push(url.to_owned());
            }
            _ => {}
        }
    }

    fn is_expected(&self, text: &str) -> bool {
        let is_status = EXPECTED_STATUSES.iter().any(|status| text.contains(&format!("status of {status}")));
        is_status || (self.may_lose_server && text.contains("net::ERR_"))
    }

    /// Checks that nothing went wrong and that only this origin was asked.
    pub(super) fn check(&self, origin: &str) -> anyhow::Result<()> {
        ensure!(self.problems.is_empty(), "the page complained: {:#?}", self.problems);
        let own = |url: &&String| url.starts_with(&format!("{origin}/")) || *url == "about:blank";
        let foreign: Vec<_> = self.requested.iter().filter(|url| !own(url)).collect();
        ensure!(foreign.is_empty(), "the page asked other hosts: {foreign:?}");
        ensure!(!self.requested.is_empty(), "the page asked for nothing");
        Ok(())
    }
}
