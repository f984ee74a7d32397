//! The log of calls as a table.

use price_cache_api_types::LogEntry;

use super::table::{Cell, Table, left, right};
use super::{Theme, Tone, number, text};

/// One row per call, newest first.
#[must_use]
pub fn logs<'a>(entries: impl IntoIterator<Item = &'a LogEntry>, theme: Theme) -> String {
    let mut table = Table::new(&[
        left("TIME (UTC)"),
        left("MARKET"),
        left("PRODUCT"),
        left("RESULT"),
        right("STATUS"),
        right("TOOK"),
        left("ERROR"),
    ]);
    for entry in entries {
        let result =
            if entry.success { Cell::toned(Tone::Good, "ok") } else { Cell::toned(Tone::Bad, "failed") };
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of one request are few")]
        let took = number::milliseconds(entry.duration_ms as f64);
        table.row([
            Cell::toned(Tone::Faint, text::moment(&entry.timestamp)),
            text::id(&entry.market_id).into(),
            text::id(&entry.product_id).into(),
            result,
            entry.status_code.map_or_else(String::new, |code| code.to_string()).into(),
            took.into(),
            entry.error.as_deref().unwrap_or_default().into(),
        ]);
    }
    table.render(theme)
}

#[cfg(test)]
mod tests {
    use price_cache_api_types::LogEntry;

    use super::{Theme, logs};

    #[test]
    fn a_row_per_call() {
        let entry = |success, duration_ms, error: Option<&str>, status_code| LogEntry {
            id: "1".to_owned(),
            timestamp: "2026-11-23T10:00:00Z".to_owned(),
            url: "https://shop.test/1".to_owned(),
            product_id: "1".to_owned(),
            market_id: "uk".to_owned(),
            success,
            duration_ms,
            error: error.map(str::to_owned),
            status_code,
        };
        let entries = [entry(true, 12, None, Some(200)), entry(false, 10_000, Some("no answer"), None)];
        assert_eq!(
            logs(&entries, Theme::PLAIN),
            "\
TIME (UTC)           MARKET  PRODUCT  RESULT  STATUS    TOOK  ERROR
2026-11-23 10:00:00  uk      1        ok         200   12 ms
2026-11-23 10:00:00  uk      1        failed          10.0 s  no answer"
        );
    }
}
