//! Progress as bars on a terminal: one per active market as far as the screen reaches, and one for the whole run.
//!
//! All bars are one block of text, so that a status is one drawing: a screen of bars that are drawn one by one flickers.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use price_cache_api_types::{MarketState, MarketStatus, RunStatus, Status};

use crate::render::{Theme, Tone, bar, number, status, text};

/// Market bars at most, however high the terminal is: more cannot be followed.
const MARKET_BARS_MAX: usize = 24;
/// Lines of the screen left to what was there before, the whole run and the line being typed.
const LINES_KEPT: usize = 4;
/// Size assumed when the terminal does not tell.
const SIZE_DEFAULT: Size = Size { height: 24, width: 80 };
/// Terminals with fewer columns are narrow.
const WIDTH_NARROW: usize = 64;
/// What stands before the last news when there are none.
const LOST: &str = "NO ANSWER";

/// How many columns the parts of a line take.
#[derive(Clone, Copy, Debug)]
struct Columns {
    /// The name of a market or the state.
    name: usize,
    bar: usize,
}

impl Columns {
    const WIDE: Self = Self { name: 16, bar: 20 };
    /// So that a count and its failures are still seen on 40 columns.
    const NARROW: Self = Self { name: 12, bar: 6 };

    const fn of(size: Size) -> Self {
        if size.width < WIDTH_NARROW { Self::NARROW } else { Self::WIDE }
    }
}

/// Lines and columns of a terminal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) height: usize,
    pub(super) width: usize,
}

pub(super) struct Bars {
    block: ProgressBar,
    /// The last status.
    lines: Vec<String>,
    theme: Theme,
    size: fn() -> Option<Size>,
}

impl Bars {
    pub(super) fn new(target: ProgressDrawTarget, theme: Theme, size: fn() -> Option<Size>) -> Self {
        let block = ProgressBar::with_draw_target(None, target);
        // A constant template is never refused; the default one would show the message too.
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            block.set_style(style);
        }
        Self { block, lines: Vec::new(), theme, size }
    }

    pub(super) fn update(&mut self, status: &Status) {
        // Asked each time, because windows change their size.
        let size = (self.size)().unwrap_or(SIZE_DEFAULT);
        let shown = shown_markets(status, size.height.saturating_sub(LINES_KEPT).min(MARKET_BARS_MAX));
        let columns = Columns::of(size);
        let mut lines: Vec<String> = Vec::with_capacity(shown.len() + 1);
        for (id, market) in &shown {
            let (completed, total) = (market.completed, market.total);
            let message = market_message(market);
            lines.push(self.line(columns, &text::id(id), Tone::Good, (completed, total), &message));
        }
        let totals = status::Totals::of(status);
        let state = status.current_state.status;
        let message = run_message(status, totals, shown.len());
        let counts = (totals.completed, totals.total);
        lines.push(self.line(columns, state.as_str(), status::tone(state), counts, &message));
        self.lines = lines;
        self.draw(size, None);
    }

    /// The last status stays, with a line below it that says since when it is old.
    pub(super) fn lost(&self, sentence: &str) {
        let label = self.theme.paint(Tone::Bad, LOST);
        self.draw((self.size)().unwrap_or(SIZE_DEFAULT), Some(format!("{label}  {}", text::clean(sentence))));
    }

    fn draw(&self, size: Size, last: Option<String>) {
        let lines: Vec<String> =
            self.lines.iter().chain(&last).map(|line| text::cut(line, size.width)).collect();
        // A clone is the same bar; setting the message this way does not draw yet.
        drop(self.block.clone().with_message(lines.join("\n")));
        self.block.force_draw();
    }

    pub(super) fn say(&self, sentence: &str) {
        self.block.println(text::clean(sentence));
    }

    pub(super) fn finish(&self) {
        self.block.finish_and_clear();
    }

    fn line(
        &self,
        columns: Columns,
        name: &str,
        tone: Tone,
        (completed, total): (u64, u64),
        message: &str,
    ) -> String {
        let name = text::fit(name, columns.name);
        // Nothing of nothing is full in a table, but at the start of a run it would look finished.
        let bar = self.theme.paint(tone, &bar(completed, total.max(1), columns.bar));
        format!("{name} {bar} {message}")
    }
}

/// The markets being walked in the order of the run, then the parked ones if there is room.
fn shown_markets(status: &Status, room: usize) -> Vec<(&str, &MarketStatus)> {
    let in_state = |states: &'static [MarketState]| {
        status.markets.iter().filter(move |(_, market)| states.contains(&market.state))
    };
    if !status.current_state.status.is_running() {
        return Vec::new();
    }
    in_state(&[MarketState::Active, MarketState::Waiting])
        .chain(in_state(&[MarketState::Parked]))
        .take(room)
        .collect()
}

fn market_message(market: &MarketStatus) -> String {
    let mut message = format!("{}/{}", number::count(market.completed), number::count(market.total));
    if market.failed > 0 {
        message.push_str(&format!(", {} failed", number::count(market.failed)));
    }
    let eta = status::eta_market(market);
    if !eta.is_empty() {
        message.push_str(&format!(", {eta} left"));
    }
    if market.low_success_rate {
        message.push_str(", low success rate");
    }
    if let Some(waiting) = &market.waiting {
        message.push_str(&format!(", {}", text::clean(waiting)));
    }
    message
}

fn run_message(status: &Status, totals: status::Totals, shown: usize) -> String {
    let state = status.current_state.status;
    let mut message = if totals.total == 0 {
        status::summary(status)
    } else {
        format!(
            "{}, {}/{}",
            number::percent(status.overall_progress),
            number::count(totals.completed),
            number::count(totals.total)
        )
    };
    if totals.failed > 0 {
        message.push_str(&format!(", {} failed", number::count(totals.failed)));
    }
    if state == RunStatus::Processing {
        if let Some(eta) = status::eta_total(status) {
            message.push_str(&format!(", {eta} left"));
        }
        let count = |states: &[MarketState]| {
            status.markets.values().filter(|market| states.contains(&market.state)).count()
        };
        message.push_str(&format!(", {}/{} markets", count(&[MarketState::Done]), status.markets.len()));
        let active = count(&[MarketState::Active, MarketState::Waiting, MarketState::Parked]);
        let hidden = active.saturating_sub(shown);
        if hidden > 0 {
            message.push_str(&format!(", {hidden} more active"));
        }
    }
    if let Some(why) = status::why(status) {
        message.push_str(&format!("; waiting: {why}"));
    }
    message
}

#[cfg(test)]
mod tests {
    use indicatif::{InMemoryTerm, ProgressDrawTarget};
    use price_cache_api_types::{MarketState, RunStatus};

    use super::{Bars, Size};
    use crate::render::Theme;
    use crate::render::sample::status;

    fn bars(terminal: &InMemoryTerm) -> Bars {
        let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        Bars::new(target, Theme::PLAIN, || Some(Size { height: 10, width: 100 }))
    }

    #[test]
    fn active_markets_and_the_run() {
        let terminal = InMemoryTerm::new(10, 100);
        let mut bars = bars(&terminal);
        let mut run = status(
            RunStatus::Processing,
            &[
                ("uk", MarketState::Done, 1000, 1000, 1),
                ("a-market-with-a-long-name", MarketState::Active, 500, 1000, 0),
                ("価格", MarketState::Parked, 0, 1000, 0),
                ("fr", MarketState::Pending, 0, 1000, 0),
            ],
        );
        run.total_eta_minutes = Some(12);
        bars.update(&run);
        assert_eq!(
            terminal.contents(),
            "\
a-market-with-a… ██████████░░░░░░░░░░ 500/1,000
価格             ░░░░░░░░░░░░░░░░░░░░ 0/1,000, 2 min left, next request in 3.2 s: Retry-After
PROCESSING       ███████░░░░░░░░░░░░░ 37.5 %, 1,500/4,000, 1 failed, 12 min left, 1/4 markets"
        );
        bars.say("something\nhappened");
        assert!(terminal.contents().starts_with("something happened\na-market"), "{}", terminal.contents());
        bars.update(&status(RunStatus::Completed, &[("uk", MarketState::Done, 7, 7, 0)]));
        assert_eq!(
            terminal.contents(),
            "something happened\nCOMPLETED        ████████████████████ 100.0 %, 7/7"
        );
        bars.finish();
        assert_eq!(terminal.contents(), "something happened");
    }

    #[test]
    fn without_news_the_last_ones_stay_and_the_reason_stands_below_them() {
        let terminal = InMemoryTerm::new(10, 100);
        let mut bars = bars(&terminal);
        let run = status(RunStatus::Processing, &[("uk", MarketState::Active, 1, 4, 0)]);
        bars.update(&run);
        let before = terminal.contents();
        bars.lost("nobody is there");
        assert_eq!(terminal.contents(), format!("{before}\nNO ANSWER  nobody is there"));
        bars.update(&run);
        assert_eq!(terminal.contents(), before);
    }

    #[test]
    fn counts_are_seen_on_a_narrow_screen() {
        let terminal = InMemoryTerm::new(10, 40);
        let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        let mut bars = Bars::new(target, Theme::PLAIN, || Some(Size { height: 10, width: 40 }));
        bars.update(&status(RunStatus::Processing, &[("uk", MarketState::Active, 142, 500, 5)]));
        assert_eq!(
            terminal.contents(),
            "\
uk           █░░░░░ 142/500, 5 failed
PROCESSING   █░░░░░ 28.4 %, 142/500, 5 …"
        );
    }

    #[test]
    fn five_hundred_markets_fit_on_the_screen() {
        let terminal = InMemoryTerm::new(10, 100);
        let mut bars = bars(&terminal);
        let names: Vec<String> = (0..500).map(|number| format!("m{number}")).collect();
        for round in 0..20 {
            let markets: Vec<_> = names
                .iter()
                .enumerate()
                .map(|(index, name)| {
                    let state = if index < round * 5 { MarketState::Done } else { MarketState::Active };
                    (name.as_str(), state, 1, 2, 0)
                })
                .collect();
            bars.update(&status(RunStatus::Processing, &markets));
        }
        let contents = terminal.contents();
        let lines: Vec<&str> = contents.lines().collect();
        assert_eq!(lines.len(), 7, "{contents}");
        assert!(lines.first().is_some_and(|line| line.starts_with("m95 ")), "{contents}");
        assert!(contents.ends_with("95/500 markets, 399 more active"), "{contents}");
    }
}
