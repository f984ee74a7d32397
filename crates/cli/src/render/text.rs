//! Text from elsewhere made safe to show: no control characters, ids readable to the last space.

use std::borrow::Cow;
use std::error::Error;

/// Replaces control characters, which could move the cursor or change colours, by a visible sign.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_control) {
        text.chars()
            .map(|character| match character {
                '\n' | '\r' | '\t' => ' ',
                other if other.is_control() => '\u{fffd}',
                other => other,
            })
            .collect::<String>()
            .into()
    } else {
        text.into()
    }
}

/// An id as it is shown: in quotes when spaces at its ends would be overlooked, `-` when it is empty.
#[must_use]
pub fn id(text: &str) -> String {
    if text.is_empty() {
        "-".to_owned()
    } else if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
        format!("\"{}\"", clean(text))
    } else {
        clean(text).into_owned()
    }
}

/// Cuts a text to a width in columns, with `…` where something is missing.
#[must_use]
pub fn cut(text: &str, width: usize) -> String {
    console::truncate_str(text, width, "…").into_owned()
}

/// Cuts or fills a text to exactly a width in columns.
#[must_use]
pub fn fit(text: &str, width: usize) -> String {
    console::pad_str(text, width, console::Alignment::Left, Some("…")).into_owned()
}

/// Breaks a line at its spaces to fit a number of columns; a longer word stays whole.
#[must_use]
pub fn wrap(line: &str, width: usize) -> String {
    let (mut wrapped, mut used) = (String::with_capacity(line.len()), 0_usize);
    for word in line.split_inclusive(' ') {
        let columns = console::measure_text_width(word.trim_end());
        if used > 0 && used + columns > width {
            wrapped.truncate(wrapped.trim_end().len());
            wrapped.push('\n');
            used = 0;
        }
        wrapped.push_str(word);
        used += console::measure_text_width(word);
    }
    wrapped
}

/// An error and its causes as one line, without saying the same twice.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut line = clean(&error.to_string()).into_owned();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = clean(&error.to_string()).into_owned();
        if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = error.source();
    }
    line
}

/// A moment of the wire, to the second and without the marks of the format: `2026-11-23 10:00:00`.
#[must_use]
pub fn moment(timestamp: &str) -> String {
    match (timestamp.get(..10), timestamp.get(10..11), timestamp.get(11..19)) {
        (Some(date), Some("T"), Some(time)) => format!("{} {}", clean(date), clean(time)),
        _ => clean(timestamp).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{chain, clean, cut, fit, id, moment, wrap};

    #[test]
    fn nothing_from_elsewhere_steers_the_terminal() {
        assert_eq!(clean("plain ü"), "plain ü");
        assert_eq!(clean("a\x1b[31mred\x07\nb"), "a\u{fffd}[31mred\u{fffd} b");
    }

    #[test]
    fn ids_show_their_spaces() {
        assert_eq!(id("Standard_B2s  "), "\"Standard_B2s  \"");
        assert_eq!(id("a b"), "a b");
        assert_eq!(id(""), "-");
    }

    #[test]
    fn cutting_counts_columns() {
        assert_eq!(cut("価格価格", 5), "価格…");
        assert_eq!(cut("short", 5), "short");
        assert_eq!(fit("価格", 5), "価格 ");
        assert_eq!(fit("longer", 5), "long…");
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrap("one  two three", 9), "one  two\nthree");
        assert_eq!(wrap("one two", 7), "one two");
        assert_eq!(wrap("immeasurable it", 4), "immeasurable\nit");
        assert_eq!(wrap("", 0), "");
    }

    #[test]
    fn causes_follow_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot reach it")]
        struct Outer(#[source] std::io::Error);
        let error = Outer(std::io::Error::other("connection refused"));
        assert_eq!(chain(&error), "cannot reach it: connection refused");
    }

    #[test]
    fn moments_lose_their_fraction() {
        assert_eq!(moment("2026-11-23T10:00:00.123456Z"), "2026-11-23 10:00:00");
        assert_eq!(moment("soon"), "soon");
    }
}
