//! The status in words: the headline, why the run waits, and a table with a bar per market.

use price_cache_api_types::{MarketState, MarketStatus, RunStatus, StateDocument, Status};

use super::table::{Cell, Table, left, right};
use super::{Theme, Tone, bar, number, text};

/// Columns of a market's bar where there is room for it.
const BAR_WIDTH: usize = 20;
/// Columns of a market's bar on a narrow terminal.
const BAR_WIDTH_NARROW: usize = 8;
/// Terminals with fewer columns are narrow.
const WIDTH_NARROW: u16 = 100;
/// On terminals with fewer columns the table has fewer columns as well.
const WIDTH_TINY: u16 = 64;

/// Products of all markets: with an outcome, in total, failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Products with an outcome.
    pub completed: u64,
    /// All products of the run.
    pub total: u64,
    /// Products that failed.
    pub failed: u64,
}

impl Totals {
    /// Adds up the markets.
    #[must_use]
    pub fn of(status: &Status) -> Self {
        status.markets.values().fold(Self::default(), |sum, market| Self {
            completed: sum.completed.saturating_add(market.completed),
            total: sum.total.saturating_add(market.total),
            failed: sum.failed.saturating_add(market.failed),
        })
    }
}

/// The whole status: headline, dates, numbers and the table.
#[must_use]
pub fn status(status: &Status, theme: Theme) -> String {
    let state = &status.current_state;
    let mut lines =
        vec![format!("{}  {}", theme.paint(tone(state.status), state.status.as_str()), summary(status))];
    if let Some(why) = why(status) {
        lines.push(format!("waiting: {why}"));
    }
    lines.extend(dates(state));
    let analytics = &status.analytics;
    if analytics.total_requests > 0 {
        lines.push(format!(
            "{}, {} each on average, {} of the products with a price",
            number::counted(analytics.total_requests, "request"),
            number::milliseconds(analytics.avg_time_per_request_ms),
            number::percent(analytics.success_rate),
        ));
    }
    if let Some(width) = theme.width {
        lines = lines.iter().map(|line| text::wrap(line, width.into())).collect();
    }
    if !status.markets.is_empty() {
        lines.push(String::new());
        let is_tiny = theme.width.is_some_and(|width| width < WIDTH_TINY);
        lines.push(if is_tiny { few_columns(status, theme) } else { markets(status, theme) });
    }
    lines.join("\n")
}

/// The colour of a state.
#[must_use]
pub const fn tone(status: RunStatus) -> Tone {
    match status {
        RunStatus::Idle => Tone::Faint,
        RunStatus::Initializing | RunStatus::Processing | RunStatus::Completed => Tone::Good,
        RunStatus::Paused => Tone::Warn,
        RunStatus::Error => Tone::Bad,
    }
}

/// Progress, failures and what is expected in one line: `42.0 %, 420 of 1,000 products, 3 failed, 12 min left`.
#[must_use]
pub fn summary(status: &Status) -> String {
    let totals = Totals::of(status);
    if totals.total == 0 {
        return match status.current_state.status {
            RunStatus::Idle => "nothing has been started".to_owned(),
            RunStatus::Initializing => "listing markets and products".to_owned(),
            RunStatus::Completed => "no products".to_owned(),
            RunStatus::Processing | RunStatus::Paused | RunStatus::Error => "no products yet".to_owned(),
        };
    }
    let mut text = format!(
        "{}, {} of {}",
        number::percent(status.overall_progress),
        number::count(totals.completed),
        number::counted(totals.total, "product"),
    );
    if totals.failed > 0 {
        text.push_str(&format!(", {} failed", number::count(totals.failed)));
    }
    if let (RunStatus::Processing, Some(eta)) = (status.current_state.status, eta_total(status)) {
        text.push_str(&format!(", {eta} left"));
    }
    if let (true, Some(pace)) = (status.current_state.status.is_running(), &status.pace_limit)
        && pace.slowed_down
    {
        let rate = number::rate(pace.requests_per_second);
        text.push_str(&format!(", slowed down to {rate} because the upstream refused requests"));
    }
    text
}

/// Why nothing moves, or nothing will; `None` while requests are being made or the run is over.
#[must_use]
pub fn why(status: &Status) -> Option<String> {
    let state = &status.current_state;
    let why = match state.status {
        RunStatus::Idle | RunStatus::Completed => None,
        _ if state.status.is_running() && state.stop_requested => Some("stopping".to_owned()),
        RunStatus::Initializing => None,
        RunStatus::Processing => {
            let is_moving = status
                .markets
                .values()
                .any(|market| market.state == MarketState::Active && market.waiting.is_none());
            let waiting = status.markets.iter().filter_map(|(id, market)| {
                market.waiting.as_ref().map(|waiting| format!("{}: {waiting}", text::id(id)))
            });
            if is_moving { None } else { waiting.into_iter().next() }
        }
        RunStatus::Paused => {
            let reason = state.paused_reason.as_deref().unwrap_or("paused");
            Some(format!("{reason}; start resumes"))
        }
        RunStatus::Error => {
            let message = state.error_message.as_deref().unwrap_or("the run cannot go on");
            Some(match &state.retry_at {
                Some(at) => format!("{message}; tries again by itself at {} UTC", text::moment(at)),
                None => format!("{message}; start tries again"),
            })
        }
    };
    why.map(|why| text::clean(&why).into_owned())
}

/// What is expected of the whole run; `None` when unknown.
#[must_use]
pub fn eta_total(status: &Status) -> Option<String> {
    if let Some(seconds) = status.total_eta_seconds {
        return Some(number::duration(seconds));
    }
    status.total_eta_minutes.map(|minutes| match minutes {
        0 | 1 => "under 1 min".to_owned(),
        #[expect(clippy::cast_precision_loss, reason = "minutes of a run are few")]
        minutes => number::duration(minutes as f64 * 60.0),
    })
}

/// What is expected of a market; empty when unknown or done.
#[must_use]
pub fn eta_market(market: &MarketStatus) -> String {
    match (market.state, market.eta_seconds, market.eta_minutes) {
        (MarketState::Done, _, _) => String::new(),
        (_, Some(seconds), _) => number::duration(seconds),
        #[expect(clippy::cast_precision_loss, reason = "minutes of a run are few")]
        (_, None, Some(minutes)) => number::duration(minutes as f64 * 60.0),
        (_, None, None) => String::new(),
    }
}

fn dates(state: &StateDocument) -> Option<String> {
    let mut parts = Vec::new();
    if let Some(run) = &state.run_id {
        parts.push(format!("run {}", text::id(run)));
    }
    for (word, moment) in [
        ("started", &state.started_at),
        ("paused", &state.paused_at),
        ("completed", &state.completed_at),
        ("expected to end", &state.estimated_end_at),
    ] {
        if let Some(moment) = moment {
            parts.push(format!("{word} {} UTC", text::moment(moment)));
        }
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn markets(status: &Status, theme: Theme) -> String {
    let bar_width =
        if theme.width.is_some_and(|width| width < WIDTH_NARROW) { BAR_WIDTH_NARROW } else { BAR_WIDTH };
    let mut table = Table::new(&[
        left("MARKET"),
        left("STATE"),
        left("PROGRESS"),
        right("DONE"),
        right("TOTAL"),
        right("FAILED"),
        right("SUCCESS"),
        right("ETA"),
        left("NOTE"),
    ]);
    for (id, market) in status.markets.iter() {
        let failed = if market.failed > 0 { Tone::Warn } else { Tone::Faint };
        let success =
            if market.completed == 0 { String::new() } else { number::percent(market.success_rate) };
        table.row([
            text::id(id).into(),
            Cell::toned(market_tone(market.state), market.state.as_str()),
            Cell::toned(market_tone(market.state), bar(market.completed, market.total, bar_width)),
            number::count(market.completed).into(),
            number::count(market.total).into(),
            Cell::toned(failed, number::count(market.failed)),
            success.into(),
            eta_market(market).into(),
            note(market).map_or_else(Cell::default, |(tone, note)| Cell::toned(tone, note)),
        ]);
    }
    table.render(theme)
}

/// The table where there is no room for all of it; the notes follow line by line.
fn few_columns(status: &Status, theme: Theme) -> String {
    let mut table =
        Table::new(&[left("MARKET"), left("PROGRESS"), right("DONE"), right("FAILED"), right("ETA")]);
    let mut notes = Vec::new();
    for (id, market) in status.markets.iter() {
        let failed = if market.failed > 0 { Tone::Warn } else { Tone::Faint };
        #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
        let done = market.completed as f64 * 100.0 / market.total.max(1) as f64;
        table.row([
            text::id(id).into(),
            Cell::toned(market_tone(market.state), bar(market.completed, market.total, BAR_WIDTH_NARROW)),
            if market.total == 0 { Cell::default() } else { number::percent(done).into() },
            Cell::toned(failed, number::count(market.failed)),
            eta_market(market).into(),
        ]);
        if let Some((tone, note)) = note(market) {
            notes.push(format!("{}: {}", text::id(id), theme.paint(tone, &text::clean(note))));
        }
    }
    let width = theme.width.map_or(usize::MAX, usize::from);
    let notes = notes.iter().map(|note| format!("\n{}", text::wrap(note, width)));
    std::iter::once(table.render(theme)).chain(notes).collect()
}

const fn market_tone(state: MarketState) -> Tone {
    match state {
        MarketState::Pending => Tone::Faint,
        MarketState::Active => Tone::Plain,
        MarketState::Waiting => Tone::Warn,
        MarketState::Parked => Tone::Bad,
        MarketState::Done => Tone::Good,
    }
}

fn note(market: &MarketStatus) -> Option<(Tone, &str)> {
    match (&market.waiting, market.low_success_rate) {
        (Some(waiting), _) => Some((Tone::Warn, waiting)),
        (None, true) => Some((Tone::Bad, "low success rate")),
        (None, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use price_cache_api_types::{MarketState, PaceLimit, RunStatus};

    use super::{status, summary, why};
    use crate::render::{Theme, sample};

    #[test]
    fn a_run_that_is_slowed_down_says_so_while_it_goes_on() {
        let mut run = sample::status(RunStatus::Processing, &[("de", MarketState::Active, 5, 10, 0)]);
        let pace = PaceLimit { requests_per_second: 4.256, slowed_down: true };
        run.pace_limit = Some(pace.clone());
        assert!(summary(&run).ends_with(", slowed down to 4.26/s because the upstream refused requests"));
        run.pace_limit = Some(PaceLimit { slowed_down: false, ..pace });
        assert!(!summary(&run).contains("slowed"));
    }

    #[test]
    fn a_run_at_a_glance() {
        let mut run = sample::status(
            RunStatus::Processing,
            &[
                ("uk", MarketState::Done, 1000, 1000, 0),
                ("de ", MarketState::Waiting, 420, 1000, 3),
                ("fr", MarketState::Pending, 0, 500, 0),
            ],
        );
        run.total_eta_minutes = Some(12);
        run.current_state.run_id = Some("r7".to_owned());
        run.current_state.started_at = Some("2026-11-23T10:00:00Z".to_owned());
        run.analytics.total_requests = 1500;
        run.analytics.avg_time_per_request_ms = 12.5;
        run.analytics.success_rate = 99.79;
        assert_eq!(
            status(&run, Theme::PLAIN),
            "\
PROCESSING  56.8 %, 1,420 of 2,500 products, 3 failed, 12 min left
waiting: \"de \": next request in 3.2 s: Retry-After
run r7, started 2026-11-23 10:00:00 UTC
1,500 requests, 12 ms each on average, 99.7 % of the products with a price

MARKET  STATE    PROGRESS               DONE  TOTAL  FAILED  SUCCESS    ETA  NOTE
uk      done     ████████████████████  1,000  1,000       0  100.0 %
\"de \"   waiting  ████████░░░░░░░░░░░░    420  1,000       3   99.2 %  2 min  next request in 3.2 s: Retry-After
fr      pending  ░░░░░░░░░░░░░░░░░░░░      0    500       0"
        );
    }

    #[test]
    fn a_narrow_terminal_is_not_overrun() {
        let run = sample::status(RunStatus::Processing, &[("uk", MarketState::Waiting, 5, 10, 0)]);
        let text = status(&run, Theme { width: Some(80), color: false });
        let table: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("MARKET")).collect();
        assert!(table.iter().all(|line| console::measure_text_width(line) <= 80), "{text}");
        for width in 0..80 {
            assert!(!status(&run, Theme { width: Some(width), color: true }).is_empty());
        }
    }

    #[test]
    fn on_forty_columns_what_matters_is_still_a_table() {
        let run = sample::status(
            RunStatus::Processing,
            &[("uk", MarketState::Waiting, 5, 10, 1), ("de", MarketState::Active, 1, 3, 0)],
        );
        assert_eq!(
            status(&run, Theme { width: Some(40), color: false }),
            "\
PROCESSING  46.1 %, 6 of 13 products, 1
failed

MARKET  PROGRESS    DONE  FAILED    ETA
uk      ████░░░░  50.0 %       1  2 min
de      ██░░░░░░  33.3 %       0
uk: next request in 3.2 s: Retry-After"
        );
    }

    #[test]
    fn before_the_first_run() {
        let idle = sample::status(RunStatus::Idle, &[]);
        assert_eq!(status(&idle, Theme::PLAIN), "IDLE  nothing has been started");
    }

    #[test]
    fn why_says_what_to_do_or_what_to_wait_for() {
        let mut run = sample::status(RunStatus::Error, &[]);
        run.current_state.error_message = Some("the store is full".to_owned());
        assert_eq!(why(&run).as_deref(), Some("the store is full; start tries again"));
        run.current_state.retry_at = Some("2026-11-23T10:00:00Z".to_owned());
        assert_eq!(
            why(&run).as_deref(),
            Some("the store is full; tries again by itself at 2026-11-23 10:00:00 UTC")
        );

        let mut run = sample::status(RunStatus::Paused, &[]);
        run.current_state.paused_reason = Some("interrupted".to_owned());
        assert_eq!(why(&run).as_deref(), Some("interrupted; start resumes"));

        let mut run = sample::status(
            RunStatus::Processing,
            &[("uk", MarketState::Parked, 0, 1, 0), ("de", MarketState::Active, 0, 1, 0)],
        );
        assert_eq!(why(&run), None, "one market moves");
        run.current_state.stop_requested = true;
        assert_eq!(why(&run).as_deref(), Some("stopping"));
    }

    #[test]
    fn nothing_is_said_to_be_left_when_nothing_is_known() {
        let run = sample::status(RunStatus::Processing, &[("uk", MarketState::Active, 0, 10, 0)]);
        assert_eq!(summary(&run), "0.0 %, 0 of 10 products");
    }
}
