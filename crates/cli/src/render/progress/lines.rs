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

    /// The next status is said at once: it is the news that there are news again.
    pub(super) fn lost(&mut self, sentence: &str) {
        self.say(sentence);
        self.said = None;
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use price_cache_api_types::{MarketState, RunStatus};

    use super::Lines;
    use crate::render::sample::status;
    use crate::test_server::Kept;

    #[test]
    fn a_line_every_ten_seconds_and_at_every_change_of_state() {
        let output = Kept::default();
        let mut lines = Lines::new(Box::new(output.clone()));
        let start = Instant::now();
        let processing = |completed| {
            status(
                RunStatus::Processing,
                &[
                    ("a", MarketState::Active, completed, 100, 0),
                    ("b", MarketState::Waiting, 0, 100, 0),
                    ("c", MarketState::Active, 0, 100, 0),
                    ("d", MarketState::Active, 0, 100, 0),
                    ("e", MarketState::Pending, 0, 100, 0),
                ],
            )
        };
        for second in 0..=20 {
            lines.update(&processing(second), start + Duration::from_secs(second));
        }
        lines.update(&status(RunStatus::Paused, &[]), start + Duration::from_secs(21));
        lines.finish();
        assert_eq!(
            output.text(),
            "\
PROCESSING  0.0 %, 0 of 500 products; now a, b, c and 1 more
PROCESSING  2.0 %, 10 of 500 products; now a, b, c and 1 more
PROCESSING  4.0 %, 20 of 500 products; now a, b, c and 1 more
PAUSED  no products yet; waiting: paused; start resumes
"
        );
    }

    #[test]
    fn after_a_silence_the_next_status_is_said_at_once() {
        let output = Kept::default();
        let mut lines = Lines::new(Box::new(output.clone()));
        let start = Instant::now();
        let market = status(RunStatus::Processing, &[("a", MarketState::Pending, 1, 2, 0)]);
        lines.update(&market, start);
        lines.update(&market, start);
        lines.lost("no answer");
        lines.update(&market, start);
        let line = "PROCESSING  50.0 %, 1 of 2 products\n";
        assert_eq!(output.text(), format!("{line}no answer\n{line}"));
    }

    #[test]
    fn the_last_status_is_said_at_the_end() {
        let output = Kept::default();
        let mut lines = Lines::new(Box::new(output.clone()));
        let start = Instant::now();
        let market = |completed| status(RunStatus::Completed, &[("a", MarketState::Done, completed, 2, 0)]);
        lines.update(&market(1), start);
        lines.update(&market(2), start);
        lines.finish();
        lines.finish();
        assert_eq!(
            output.text(),
            "COMPLETED  50.0 %, 1 of 2 products\nCOMPLETED  100.0 %, 2 of 2 products\n"
        );
    }
}
