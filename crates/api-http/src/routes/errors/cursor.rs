//! The `next` of a page of failed products as text: letters, digits, `-`, `.`, `_` and `~` only, so that
//! it means the same in a URL with and without encoding, on a terminal and in a shell.

use percent_encoding::percent_decode_str;
use price_cache_domain::{MarketId, ProductId};
use price_cache_engine::FailedProductsCursor;

/// Between the market and the product.
const SEPARATOR: char = '~';
/// Before the two hexadecimal digits of any other byte.
const ESCAPE: char = '_';

/// The cursor of the page after this product.
pub(super) fn write(market: &MarketId, product: &ProductId) -> String {
    let mut text = String::new();
    escape(market.as_str(), &mut text);
    text.push(SEPARATOR);
    escape(product.as_str(), &mut text);
    text
}

/// What [`write`] may write, as a regular expression: bytes that stand for themselves, and escapes of those
/// characters that do not and that an id may have.
pub(super) fn pattern() -> String {
    const ONE_BYTE: &str = "_2[0-9A-CF]|_3[A-F]|_40|_5[B-F]|_60|_7[B-E]";
    const MORE_BYTES: &str = "_C2_[AB][0-9A-F]|_(?:C[3-9A-F]|D[0-9A-F])_[89AB][0-9A-F]\
        |_E0_[AB][0-9A-F]_[89AB][0-9A-F]|_E[1-9A-CEF](?:_[89AB][0-9A-F]){2}|_ED_[89][0-9A-F]_[89AB][0-9A-F]\
        |_F0_[9AB][0-9A-F](?:_[89AB][0-9A-F]){2}|_F[1-3](?:_[89AB][0-9A-F]){3}|_F4_8[0-9A-F](?:_[89AB][0-9A-F]){2}";
    let id = format!("(?:[-.0-9A-Za-z]|{ONE_BYTE}|{MORE_BYTES})+");
    format!("^{id}{SEPARATOR}{id}$")
}

/// What [`write`] wrote.
pub(super) fn parse(text: &str) -> Result<FailedProductsCursor, String> {
    let parsed = text.split_once(SEPARATOR).and_then(|(market, product)| {
        Some(FailedProductsCursor {
            market: MarketId::new(unescape(market)?).ok()?,
            product: ProductId::new(unescape(product)?).ok()?,
        })
    });
    // Only one text means a place, so whatever was cut or added to one is noticed.
    let same = |cursor: &FailedProductsCursor| write(&cursor.market, &cursor.product) == text;
    parsed.filter(same).ok_or_else(|| "this is not the `next` of an earlier answer".to_owned())
}

fn escape(id: &str, text: &mut String) {
    for byte in id.bytes() {
        match byte {
            b'-' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => text.push(char::from(byte)),
            other => text.push_str(&format!("{ESCAPE}{other:02X}")),
        }
    }
}

fn unescape(text: &str) -> Option<String> {
    let encoded = text.replace(ESCAPE, "%");
    percent_decode_str(&encoded).decode_utf8().ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn any_pair_survives_and_needs_no_escaping() {
        for (market, product) in [
            ("uk", "p-1"),
            ("a~b", "c_41"),
            ("Größe", "a/b c?d#e%41&f=g+h "),
            ("..", "<script>"),
            ("_", "~"),
            ("%", "%2F"),
        ] {
            let (market, product) = (MarketId::new(market).unwrap(), ProductId::new(product).unwrap());
            let text = write(&market, &product);
            assert!(
                text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)),
                "{text}"
            );
            assert_eq!(parse(&text).unwrap(), FailedProductsCursor { market, product });
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "~", "uk", "uk~", "~p", "uk~p~q", "uk~p_4", "uk~p_41", "uk~_FF", "uk~a b", "uk~%41"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
