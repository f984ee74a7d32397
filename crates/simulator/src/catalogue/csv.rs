//! Reads `market,product,currency,amount` lines into markets, keeping every character of every field.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{CatalogueError, Market, Product};
use crate::money::is_json_number;

const HEADER: &str = "market,product,currency,amount";

pub(super) fn markets(text: &str) -> Result<Vec<Market>, CatalogueError> {
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default();
    if header != HEADER {
        return Err(CatalogueError::Header { expected: HEADER, found: header.to_owned() });
    }
    let mut order: Vec<(Arc<str>, Vec<Product>)> = Vec::new();
    let mut positions: HashMap<Arc<str>, usize> = HashMap::new();
    let mut known = Interned::default();
    for (index, content) in lines.enumerate() {
        if content.is_empty() {
            continue;
        }
        let line = index + 2;
        let [market, product, currency, amount] = fields(content).ok_or(CatalogueError::Fields { line })?;
        if !is_json_number(&amount) {
            return Err(CatalogueError::Amount { line, amount });
        }
        let market = known.get(&market);
        let position = *positions.entry(Arc::clone(&market)).or_insert_with(|| {
            order.push((market, Vec::new()));
            order.len() - 1
        });
        let product =
            Product { id: known.get(&product), amount: amount.into(), currency: known.get(&currency) };
        if let Some((_, products)) = order.get_mut(position) {
            products.push(product);
        }
    }
    Ok(order.into_iter().map(|(id, products)| Market::new(id, products)).collect())
}

/// Ids and currencies repeat in every market: one copy of each is enough.
#[derive(Default)]
struct Interned(HashSet<Arc<str>>);

impl Interned {
    fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(found) = self.0.get(text) {
            return Arc::clone(found);
        }
        let made: Arc<str> = text.into();
        self.0.insert(Arc::clone(&made));
        made
    }
}

fn fields(line: &str) -> Option<[String; 4]> {
    if !line.contains('"') {
        let mut parts = line.split(',').map(str::to_owned);
        let found = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
        return parts.next().is_none().then_some(found);
    }
    let mut found = Vec::new();
    let mut rest = Some(line);
    while let Some(text) = rest {
        let (field, after) = match text.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => match text.split_once(',') {
                Some((field, after)) => (field.to_owned(), Some(after)),
                None => (text.to_owned(), None),
            },
        };
        found.push(field);
        rest = after;
    }
    found.try_into().ok()
}

/// Reads up to the closing quote; a doubled quote stands for one.
fn quoted_field(text: &str) -> Option<(String, Option<&str>)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"')?;
        field.push_str(before);
        if let Some(more) = after.strip_prefix('"') {
            field.push('"');
            rest = more;
        } else if after.is_empty() {
            return Some((field, None));
        } else {
            return Some((field, Some(after.strip_prefix(',')?)));
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn quoted_fields_may_hold_commas_and_quotes() {
        let line = "A,\"a \"\"b\"\", c\",EUR,1.50";
        assert_eq!(fields(line).unwrap(), ["A", "a \"b\", c", "EUR", "1.50"]);
        assert!(fields("A,\"open,EUR,1").is_none());
        assert!(fields("A,b,EUR").is_none());
        assert!(fields("A,b,EUR,1,2").is_none());
    }

    #[test]
    fn a_bad_line_is_named() {
        let error = markets("market,product,currency,amount\nA,b,EUR,1\nA,b,EUR,\n").unwrap_err();
        assert!(error.to_string().starts_with("line 3 "), "{error}");
        assert!(matches!(markets("a,b\n").unwrap_err(), CatalogueError::Header { .. }));
    }
}
