//! Cached prices: a table of a market, and the words that go with one price.

use price_cache_api_types::PriceEntry;

use super::table::{Cell, Table, left, right};
use super::{Theme, Tone, number, text};

/// One row per product. Titles stand above the first page only.
#[must_use]
pub fn price_list(entries: &[PriceEntry], is_first_page: bool, theme: Theme) -> String {
    let mut table =
        Table::new(&[left("PRODUCT"), right("AMOUNT"), left("CURRENCY"), right("AGE"), left("NOTE")]);
    for entry in entries {
        let (amount, currency) = match &entry.price {
            Some(price) => (price.amount.as_str(), price.currency.as_str()),
            None => ("-", ""),
        };
        table.row([
            text::id(&entry.product_id).into(),
            amount.into(),
            currency.into(),
            entry.age_seconds.map(number::age).unwrap_or_default().into(),
            note(entry),
        ]);
    }
    if is_first_page { table.render(theme) } else { table.render_rows(theme) }
}

/// When a price was fetched and what is wrong with it, as one line.
#[must_use]
pub fn price_note(entry: &PriceEntry) -> String {
    let fetched = match (&entry.fetched_at, entry.age_seconds) {
        (Some(at), Some(age)) => format!("fetched {} ago, {} UTC", number::age(age), text::moment(at)),
        (Some(at), None) => format!("fetched {} UTC", text::moment(at)),
        (None, _) => "no price has been fetched".to_owned(),
    };
    let stale = if entry.stale && entry.price.is_some() { "; stale" } else { "" };
    let failed = match &entry.last_error {
        Some(error) => format!("; the latest fetch failed: {}: {}", error.class, error.message),
        None => String::new(),
    };
    text::clean(&format!("{fetched}{stale}{failed}")).into_owned()
}

fn note(entry: &PriceEntry) -> Cell {
    match (&entry.last_error, entry.stale) {
        (Some(error), _) => Cell::toned(Tone::Bad, format!("{}: {}", error.class, error.message)),
        (None, true) => Cell::toned(Tone::Warn, "stale"),
        (None, false) => Cell::default(),
    }
}

#[cfg(test)]
mod tests {
    use price_cache_api_types::{LastError, Price, PriceEntry};

    use super::{Theme, price_list, price_note};

    fn entries() -> [PriceEntry; 2] {
        let entry = |product: &str, amount: Option<&str>, last_error: Option<LastError>| PriceEntry {
            market_id: "uk".to_owned(),
            product_id: product.to_owned(),
            price: amount.map(|amount| Price { amount: amount.to_owned(), currency: "GBP".to_owned() }),
            fetched_at: amount.map(|_| "2026-11-23T10:00:00Z".to_owned()),
            age_seconds: amount.map(|_| 125),
            run_id: Some("r1".to_owned()),
            stale: last_error.is_some(),
            last_error,
        };
        let error = LastError {
            class: "timeout".to_owned(),
            message: "no answer within 10 s".to_owned(),
            at: "2026-11-23T10:00:01Z".to_owned(),
        };
        [entry("B2s  ", Some("0.024000"), None), entry("D4", None, Some(error))]
    }

    #[test]
    fn digits_are_shown_as_they_came() {
        assert_eq!(
            price_list(&entries(), true, Theme::PLAIN),
            "\
PRODUCT    AMOUNT  CURRENCY    AGE  NOTE
\"B2s  \"  0.024000  GBP       2 min
D4              -                   timeout: no answer within 10 s"
        );
    }

    #[test]
    fn a_note_says_how_old_and_why() {
        let [good, bad] = entries();
        assert_eq!(price_note(&good), "fetched 2 min ago, 2026-11-23 10:00:00 UTC");
        assert_eq!(
            price_note(&bad),
            "no price has been fetched; the latest fetch failed: timeout: no answer within 10 s"
        );
    }
}
