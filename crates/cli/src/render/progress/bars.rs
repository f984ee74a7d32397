//! Progress as bars on a terminal: one per active market as far as the screen reaches, and one for the whole run.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use price_cache_api_types::{MarketState, MarketStatus, RunStatus, Status};

use crate::render::{Theme, number, status, text};

/// Market bars at most, however high the terminal is: more cannot be followed.
const MARKET_BARS_MAX: usize = 24;
/// Lines of the screen left to what was there before, the whole run and the line being typed.
const LINES_KEPT: usize = 4;
/// Height assumed when the terminal does not tell, in lines.
const HEIGHT_DEFAULT: usize = 24;
/// Columns for the name of a market or the state.
const NAME_WIDTH: usize = 16;

pub(super) struct Bars {
    all: MultiProgress,
    markets: Vec<ProgressBar>,
    run: ProgressBar,
    market_style: ProgressStyle,
    height: fn() -> Option<u16>,
}

impl Bars {
    pub(super) fn new(target: ProgressDrawTarget, theme: Theme, height: fn() -> Option<u16>) -> Self {
        let all = MultiProgress::with_draw_target(target);
        let run = all.add(ProgressBar::new(0).with_style(style(theme, "cyan")));
        Self { all, markets: Vec::new(), run, market_style: style(theme, "green"), height }
    }

    pub(super) fn update(&mut self, status: &Status) {
        let shown = shown_markets(status, market_bars_max((self.height)()));
        while self.markets.len() > shown.len() {
            if let Some(bar) = self.markets.pop() {
                bar.finish_and_clear();
                self.all.remove(&bar);
            }
        }
        while self.markets.len() < shown.len() {
            let bar = ProgressBar::new(0).with_style(self.market_style.clone());
            self.markets.push(self.all.insert_before(&self.run, bar));
        }
        for (bar, (id, market)) in self.markets.iter().zip(&shown) {
            let name = text::cut(&text::id(id), NAME_WIDTH);
            set(bar, name, market.completed, market.total, market_message(market));
            bar.tick();
        }
        let totals = status::Totals::of(status);
        let name = status.current_state.status.as_str().to_owned();
        set(&self.run, name, totals.completed, totals.total, run_message(status, shown.len()));
        // What was drawn so far may have been held back to spare the terminal: now everything is shown.
        self.run.force_draw();
    }

    pub(super) fn say(&self, sentence: &str) {
        // When the terminal is gone nobody is left to tell.
        let _ = self.all.println(text::clean(sentence));
    }

    pub(super) fn finish(&mut self) {
        for bar in self.markets.drain(..) {
            bar.finish_and_clear();
        }
        self.run.finish_and_clear();
        let _ = self.all.clear();
    }
}

/// The template is constant and tested; should it ever be wrong, a plain bar is better than none.
fn style(theme: Theme, color: &str) -> ProgressStyle {
    let color = if theme.color { format!(".{color}/dim") } else { String::new() };
    let template = format!("{{prefix:{NAME_WIDTH}}} {{bar:20{color}}} {{wide_msg}}");
    ProgressStyle::with_template(&template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("█░")
}

/// Sets everything without drawing; a clone of a bar is the same bar.
fn set(bar: &ProgressBar, name: String, completed: u64, total: u64, message: String) {
    // An empty bar of nothing would be drawn full.
    let total = total.max(1);
    if bar.length() != Some(total) {
        bar.set_length(total);
    }
    drop(bar.clone().with_prefix(name).with_message(message).with_position(completed));
}

fn market_bars_max(height: Option<u16>) -> usize {
    height.map_or(HEIGHT_DEFAULT, usize::from).saturating_sub(LINES_KEPT).min(MARKET_BARS_MAX)
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

fn run_message(status: &Status, shown: usize) -> String {
    let mut message = status::summary(status);
    if status.current_state.status == RunStatus::Processing {
        let count = |states: &[MarketState]| {
            status.markets.values().filter(|market| states.contains(&market.state)).count()
        };
        message.push_str(&format!(", {}/{} markets done", count(&[MarketState::Done]), status.markets.len()));
        let hidden = count(&[MarketState::Active, MarketState::Waiting, MarketState::Parked]) - shown;
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

    use super::Bars;
    use crate::render::Theme;
    use crate::render::sample::status;

    fn bars(terminal: &InMemoryTerm) -> Bars {
        let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        Bars::new(target, Theme { width: Some(100), color: false }, || Some(10))
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
PROCESSING       ███████░░░░░░░░░░░░░ 37.5 %, 1,500 of 4,000 products, 1 failed, 12 min left, 1/4 ma"
        );
        bars.say("something\nhappened");
        assert!(terminal.contents().starts_with("something happened\na-market"), "{}", terminal.contents());
        bars.update(&status(RunStatus::Completed, &[("uk", MarketState::Done, 7, 7, 0)]));
        assert_eq!(
            terminal.contents(),
            "something happened\nCOMPLETED        ████████████████████ 100.0 %, 7 of 7 products"
        );
        bars.finish();
        assert_eq!(terminal.contents(), "something happened");
    }

    #[test]
    fn five_hundred_markets_fit_on_the_screen() {
        let terminal = InMemoryTerm::new(10, 120);
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
        assert!(contents.ends_with("95/500 markets done, 399 more active"), "{contents}");
    }
}
