//! Where a key stands in a TOML file.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Line and column, from 1, of the dotted `key`, or of the nearest table around it that is there.
pub(super) fn of(text: &str, key: &str) -> (usize, usize) {
    let Ok(table) = DeTable::parse(text) else { return (1, 1) };
    let mut offset = 0;
    let mut table = Some(table.get_ref());
    for part in key.split('.') {
        let found = table.and_then(|table| table.iter().find(|(name, _)| name.get_ref() == part));
        let Some((name, value)) = found else { break };
        offset = name.span().start;
        table = as_table(value);
    }
    line_and_column(text, offset)
}

fn as_table<'a, 'text>(value: &'a Spanned<DeValue<'text>>) -> Option<&'a DeTable<'text>> {
    if let DeValue::Table(table) = value.get_ref() { Some(table) } else { None }
}

fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_in_tables_and_missing_ones_at_their_table() {
        let text = "[source]\nbase_url = \"x\"\n\n[source.price]\n  url = \"y\"\n";
        assert_eq!(of(text, "source.base_url"), (2, 1));
        assert_eq!(of(text, "source.price.url"), (5, 3));
        assert_eq!(of(text, "source.price.amount"), (4, 9));
        assert_eq!(of(text, "nothing"), (1, 1));
    }
}
