//! The failed products as a table.

use price_cache_api_types::FailedProduct;

use super::table::{Cell, Table, left, right};
use super::{Theme, Tone, number, text};

/// One row per failed product.
#[must_use]
pub fn failed_products(errors: &[FailedProduct], theme: Theme) -> String {
    let mut table = Table::new(&[
        left("TIME (UTC)"),
        left("MARKET"),
        left("PRODUCT"),
        left("CLASS"),
        right("ATTEMPTS"),
        right("STATUS"),
        left("MESSAGE"),
    ]);
    for error in errors {
        let status = error.last_status_code.map_or_else(String::new, |code| code.to_string());
        table.row([
            Cell::toned(Tone::Faint, text::moment(&error.at)),
            text::id(&error.market).into(),
            text::id(&error.product).into(),
            Cell::toned(Tone::Bad, &error.class),
            number::count(error.attempts).into(),
            status.into(),
            (&error.message).into(),
        ]);
    }
    table.render(theme)
}

#[cfg(test)]
mod tests {
    use price_cache_api_types::FailedProduct;

    use super::{Theme, failed_products};

    #[test]
    fn a_row_per_product() {
        let failed = |product: &str, class: &str, code, message: &str| FailedProduct {
            market: "uk".to_owned(),
            product: product.to_owned(),
            class: class.to_owned(),
            message: message.to_owned(),
            attempts: 4,
            last_status_code: code,
            at: "2026-11-23T10:00:00.5Z".to_owned(),
        };
        let errors = [
            failed("Standard_B2s  ", "server_error", Some(503), "the server answered 503"),
            failed("b", "timeout", None, "no answer within 10 s"),
        ];
        assert_eq!(
            failed_products(&errors, Theme::PLAIN),
            "\
TIME (UTC)           MARKET  PRODUCT           CLASS         ATTEMPTS  STATUS  MESSAGE
2026-11-23 10:00:00  uk      \"Standard_B2s  \"  server_error         4     503  the server answered 503
2026-11-23 10:00:00  uk      b                 timeout              4          no answer within 10 s"
        );
    }
}
