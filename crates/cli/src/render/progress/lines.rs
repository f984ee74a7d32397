//! Progress as plain lines, for log files and pipes.

use std::io::Write;
use std::time::{Duration, Instant};

use price_cache_api_types::{MarketState, RunStatus, Status};

use crate::render::{status, text};

/// Time between two lines while the state stays the same.
pub const LINE_INTERVAL: Duration = Duration::from_secs(10);
/// How many active markets a line names.
const NAMES_MAX: usize = 3;

pub(super) struct Lines {
    output: Box<dyn Write + Send>,
    said: Option<(RunStatus, Instant, String)>,
    unsaid: Option<String>,
}

impl Lines {
    pub(super) fn new(output: Box<dyn Write + Send>) -> Self {
        Self { output, said: None, unsaid: None }
    }

    pub(super) fn update(&mut self, status: &Status, now: Instant) {
        let state = status.current_state.status;
        let line = line(status);
        let is_due = match &self.said {
            None => true,
            Some((said, at, _)) => *said != state || now.saturating_duration_since(*at) >= LINE_INTERVAL,
        };
        let is_known = self.said.as_ref().is_some_and(|(_, _, said)| *said == line);
        if is_due {
            self.say(&line);
            self.said = Some((state, now, line));
            self.unsaid = None;
        } else {
            self.unsaid = (!is_known).then_some(line);
        }
    }

    /// Nobody is left to tell when stderr is gone, and the run must go on.
    pub(super) fn say(&mut self, sentence: &str) {
        let _ = writeln!(self.output, "{}", text::clean(sentence)).and_then(|()| self.output.flush());
    }

    pub(super) fn finish(&mut self) {
        if let Some(line) = self.unsaid.take() {
            self.say(&line);
        }
    }
}

/// One status as one line.
fn line(status: &Status) -> String {
    let mut line = format!("{}  {}", status.current_state.status, status::summary(status));
    let active: Vec<String> = status
        .markets
        .iter()
        .filter(|(_, market)| matches!(market.state, MarketState::Active | MarketState::Waiting))
        .map(|(id, _)| text::id(id))
        .collect();
    if let (RunStatus::Processing, Some(named)) =
        (status.current_state.status, active.get(..active.len().min(NAMES_MAX)))
        && !named.is_empty()
    {
        line.push_str(&format!("; now {}", named.join(", ")));
        if active.len() > named.len() {
            line.push_str(&format!(" and {} more", active.len() - named.len()));
        }
    }
    if let Some(why) = status::why(status) {
        line.push_str(&format!("; waiting: {why}"));
    }
    line
}
