//! Halves of surrogate pairs in JSON, which cut texts leave behind (`"Mug \ud83d"`).

/// What stands in for such a half: a character that no text has, so that no id or code with it is
/// taken for a real one.
pub(crate) const LONE: char = '\u{FFFF}';

/// Replaces each half of a pair without its other half; none where there is none. Nothing moves: every
/// digit and every quote stays where it was.
pub(crate) fn mended(text: &str) -> Option<String> {
    let unit = |at: usize| {
        let escape = text.get(at..at.checked_add(6)?)?;
        let digits = escape.strip_prefix("\\u")?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_hex.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
    };
    let mut whole = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('\\')) {
        at += found;
        at += match (unit(at), unit(at + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                whole.push_str(text.get(copied..at)?);
                whole.push_str("\\uffff");
                copied = at + 6;
                6
            }
            (Some(_), _) => 6,
            // The backslash and the letter after it, which is another backslash perhaps.
            (None, _) => 1 + text.get(at + 1..)?.chars().next().map_or(0, char::len_utf8),
        };
    }
    whole.push_str(text.get(copied..)?);
    (copied > 0).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};

    #[test]
    fn halves_are_replaced_and_pairs_and_other_escapes_stay() {
        for (text, expected) in [
            (r#""Mug \ud83d""#, Some(r#""Mug \uffff""#)),
            (r#""\uDE00 Mug \uD83D\uD83D""#, Some(r#""\uffff Mug \uffff\uffff""#)),
            (r#""\ud83d\ude00\ud83d\u0041""#, Some(r#""\ud83d\ude00\uffff\u0041""#)),
            (r#""\ud83d\ude00""#, None),
            (r#""\\ud83d""#, None),
            (r#""\\\ud83d""#, Some(r#""\\\uffff""#)),
            (r#""\ud8""#, None),
            (r#""größe""#, None),
            (r"\", None),
            ("", None),
        ] {
            assert_eq!(mended(text).as_deref(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_was_mended_is_json(parts in prop::collection::vec("[a\u{e4}]|\\\\ud8[0-9a-f]{2}|\\\\udc[0-9a-f]{2}|\\\\\\\\|\\\\u0041", 0..20)) {
            let text = format!("\"{}\"", parts.concat());
            let mended = mended(&text).unwrap_or_else(|| text.clone());
            prop_assert!(serde_json::from_str::<String>(&mended).is_ok(), "{}", mended);
            prop_assert_eq!(mended.len(), text.len());
        }
    }
}
