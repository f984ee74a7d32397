//! A market whose ids and prices are computed from their number, for walks of a million products.

use std::borrow::Cow;

use super::product::{Price, Product};
use crate::hash::mix;

const PREFIX: &str = "product-";
const CURRENCY: &str = "EUR";
/// The largest price, in cents.
const CENTS_MAX: u64 = 99_999;

#[derive(Clone, Copy, Debug)]
pub(super) struct Synthetic {
    /// The number of the market, so that markets have different prices.
    pub(super) market: u32,
    pub(super) products: u32,
}

impl Synthetic {
    pub(super) fn id_at(position: usize) -> String {
        format!("{PREFIX}{:07}", position + 1)
    }

    pub(super) fn price(self, id: &str) -> Option<Price<'static>> {
        let digits = id.strip_prefix(PREFIX)?;
        let number: u32 = digits.parse().ok()?;
        // Exactly one spelling of each number is an id.
        let padded = digits.len() == 7 || (digits.len() > 7 && !digits.starts_with('0'));
        let listed = (1..=self.products).contains(&number);
        (padded && listed && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| Price { amount: Cow::Owned(self.amount(number)), currency: Cow::Borrowed(CURRENCY) })
    }

    pub(super) fn stored(self) -> Vec<Product> {
        (1..=self.products)
            .map(|number| Product::new(&Self::id_at(number as usize - 1), &self.amount(number), CURRENCY))
            .collect()
    }

    fn amount(self, number: u32) -> String {
        let cents = 1 + mix((u64::from(self.market) << 32) | u64::from(number)) % CENTS_MAX;
        format!("{}.{:02}", cents / 100, cents % 100)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn ids_and_prices_belong_together() {
        let market = Synthetic { market: 1, products: 1_000_000 };
        for product in (Synthetic { market: 1, products: 50 }).stored() {
            assert_eq!(market.price(&product.id).unwrap().amount, *product.amount);
        }
        assert!(market.price(&Synthetic::id_at(999_999)).is_some());
        for unknown in
            ["product-0000000", "product-1000001", "product-1", "product-00000001", "product-+000001", "x"]
        {
            assert!(market.price(unknown).is_none(), "{unknown}");
        }
    }
}
