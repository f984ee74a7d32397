//! Progress as bars on a terminal: one per active market as far as the screen reaches, and one for the whole run.

use console::Term;
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
}

impl Bars {
    pub(super) fn new(target: ProgressDrawTarget, theme: Theme) -> Self {
        let all = MultiProgress::with_draw_target(target);
        let run = all.add(ProgressBar::new(0).with_style(style(theme, "cyan")));
        Self { all, markets: Vec::new(), run, market_style: style(theme, "green") }
    }

    pub(super) fn update(&mut self, status: &Status) {
        let room = market_bars_max();
        let shown = shown_markets(status, room);
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
            bar.set_length(market.total);
            bar.set_position(market.completed);
            bar.set_prefix(text::cut(&text::id(id), NAME_WIDTH));
            bar.set_message(market_message(market));
        }
        let totals = status::Totals::of(status);
        self.run.set_length(totals.total.max(1));
        self.run.set_position(totals.completed);
        self.run.set_prefix(status.current_state.status.as_str());
        self.run.set_message(run_message(status, shown.len()));
        self.run.tick();
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

fn market_bars_max() -> usize {
    let height = Term::stderr().size_checked().map_or(HEIGHT_DEFAULT, |(height, _)| usize::from(height));
    height.saturating_sub(LINES_KEPT).min(MARKET_BARS_MAX)
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
