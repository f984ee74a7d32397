//! Progress of a run while it goes on: bars on a terminal, a plain line now and then elsewhere.

mod bars;
mod lines;

use std::io::Write;
use std::time::Instant;

use console::Term;
use indicatif::ProgressDrawTarget;
use price_cache_api_types::Status;

pub use lines::LINE_INTERVAL;

use self::bars::{Bars, Size};
use self::lines::Lines;
use super::Theme;

/// Shows one status after the other; [`crate::Streams::progress`] chooses how.
pub struct Progress {
    mode: Mode,
}

enum Mode {
    Bars(Bars),
    Lines(Lines),
}

impl Progress {
    /// Bars on stderr, which is a terminal, drawn in place.
    #[must_use]
    pub fn bars(theme: Theme) -> Self {
        let size = || {
            let (height, width) = Term::stderr().size_checked()?;
            Some(Size { height: height.into(), width: width.into() })
        };
        Self { mode: Mode::Bars(Bars::new(ProgressDrawTarget::stderr(), theme, size)) }
    }

    /// Lines on the given output: one at every change of state and one every [`LINE_INTERVAL`].
    #[must_use]
    pub fn lines(output: impl Write + Send + 'static) -> Self {
        Self { mode: Mode::Lines(Lines::new(Box::new(output))) }
    }

    /// Shows a status. Call it as often as there is one, a few times a second at most; `now` decides on the lines.
    pub fn update(&mut self, status: &Status, now: Instant) {
        match &mut self.mode {
            Mode::Bars(bars) => bars.update(status),
            Mode::Lines(lines) => lines.update(status, now),
        }
    }

    /// Shows a sentence: above the bars, or as a line.
    pub fn say(&mut self, sentence: &str) {
        match &mut self.mode {
            Mode::Bars(bars) => bars.say(sentence),
            Mode::Lines(lines) => lines.say(sentence),
        }
    }

    /// Says that there is no news, and why: below the bars until there is, or as a line.
    pub fn lost(&mut self, sentence: &str) {
        match &mut self.mode {
            Mode::Bars(bars) => bars.lost(sentence),
            Mode::Lines(lines) => lines.lost(sentence),
        }
    }

    /// Takes the bars away, so that what follows stands on clean lines. Lines say the last status once more if it
    /// has not been said.
    pub fn finish(&mut self) {
        match &mut self.mode {
            Mode::Bars(bars) => bars.finish(),
            Mode::Lines(lines) => lines.finish(),
        }
    }
}
