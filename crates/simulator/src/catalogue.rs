//! What the simulator sells: ordered markets of ordered products, each with the text of its amount.
//!
//! Prices are text from the CSV to the answer; no number type is between them. Products may repeat within
//! a market, as they do in real catalogues: a price is then the first one's.

mod csv;
mod embedded;
mod error;
mod market;
mod product;
mod synthetic;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

pub use error::CatalogueError;
pub use market::Market;
pub use product::{Price, Product};

/// Ordered markets of ordered products with their prices.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    markets: Vec<Market>,
    positions: HashMap<Arc<str>, usize>,
}

impl Catalogue {
    /// A catalogue of these markets, in this order. A market id may repeat; prices are then the first one's.
    #[must_use]
    pub fn new(markets: Vec<Market>) -> Self {
        let mut catalogue = Self { markets, positions: HashMap::new() };
        catalogue.index();
        catalogue
    }

    /// 67,672 hourly prices of virtual machines in 57 markets, in USD with six decimals.
    pub fn azure_vm() -> Result<Self, CatalogueError> {
        Self::from_csv(&embedded::azure_vm()?)
    }

    /// 2,373 prices of a hamburger in 73 markets and 58 currencies, some without decimals, one as `4e+06`.
    pub fn big_mac() -> Result<Self, CatalogueError> {
        Self::from_csv(&embedded::big_mac()?)
    }

    /// 4,560 prices of 95 tiers in 48 markets and 24 currencies.
    pub fn app_store() -> Result<Self, CatalogueError> {
        Self::from_csv(&embedded::app_store()?)
    }

    /// A data set by its name: `azure-vm`, `big-mac`, `app-store-tiers` or `synthetic:MARKETSxPRODUCTS`.
    pub fn named(name: &str) -> Result<Self, CatalogueError> {
        let unknown = || CatalogueError::UnknownDataSet { name: name.to_owned() };
        match name {
            "azure-vm" => Self::azure_vm(),
            "big-mac" => Self::big_mac(),
            "app-store-tiers" => Self::app_store(),
            other => {
                let sizes = other.strip_prefix("synthetic:").ok_or_else(unknown)?;
                let (markets, products) = sizes.split_once('x').ok_or_else(unknown)?;
                let markets = markets.parse().map_err(|_| unknown())?;
                let products = products.parse().map_err(|_| unknown())?;
                Ok(Self::synthetic(markets, products))
            }
        }
    }

    /// Reads lines of `market,product,currency,amount` below a line with these names. Markets and their products
    /// keep the order of their first appearance. Fields may be quoted as in RFC 4180, on one line.
    pub fn from_csv(text: &str) -> Result<Self, CatalogueError> {
        Ok(Self::new(csv::markets(text)?))
    }

    /// Markets `M001`, `M002`, ... of the same products `product-0000001`, ... each. Prices in EUR with two decimals are
    /// computed when asked for, so that the memory does not depend on the number of products.
    #[must_use]
    pub fn synthetic(markets: u32, products_per_market: u32) -> Self {
        Self::new((1..=markets).map(|number| Market::synthetic(number, products_per_market)).collect())
    }

    /// The first `markets` markets with the first `products` products each.
    #[must_use]
    pub fn subset(&self, markets: usize, products: usize) -> Self {
        Self::new(self.markets.iter().take(markets).map(|market| market.first(products)).collect())
    }

    /// The markets with these ids, in the order of `ids`; unknown ids are left out.
    #[must_use]
    pub fn select_markets(&self, ids: &[&str]) -> Self {
        Self::new(ids.iter().filter_map(|id| self.market(id).cloned()).collect())
    }

    /// The markets in order.
    #[must_use]
    pub fn markets(&self) -> &[Market] {
        &self.markets
    }

    /// The first market of this id.
    #[must_use]
    pub fn market(&self, id: &str) -> Option<&Market> {
        self.positions.get(id).and_then(|position| self.markets.get(*position))
    }

    /// The price of the first product of this id in the first market of this id.
    #[must_use]
    pub fn price(&self, market: &str, product: &str) -> Option<Price<'_>> {
        self.market(market)?.price(product)
    }

    /// How many pairs of a market and a product are listed, repeated ones included.
    #[must_use]
    pub fn pair_count(&self) -> usize {
        self.markets.iter().map(Market::len).sum()
    }

    /// Every product of any market once, in the order of first appearance.
    #[must_use]
    pub fn all_product_ids(&self) -> Vec<Cow<'_, str>> {
        let mut seen = HashSet::new();
        let mut ids = Vec::new();
        for id in self.markets.iter().flat_map(|market| market.ids(0, usize::MAX)) {
            if seen.insert(id.clone()) {
                ids.push(id);
            }
        }
        ids
    }

    /// Changes the markets themselves: insert, remove, reorder, repeat.
    pub fn edit_markets<R>(&mut self, change: impl FnOnce(&mut Vec<Market>) -> R) -> R {
        let result = change(&mut self.markets);
        self.index();
        result
    }

    /// Changes the products of the first market of this id in any way; `None` when there is no such market.
    /// A synthetic market becomes a stored one by it.
    pub fn edit_products<R>(
        &mut self,
        market: &str,
        change: impl FnOnce(&mut Vec<Product>) -> R,
    ) -> Option<R> {
        let position = *self.positions.get(market)?;
        Some(self.markets.get_mut(position)?.edit(change))
    }

    /// Puts a product before all others; false when there is no such market.
    pub fn insert_at_head(&mut self, market: &str, product: Product) -> bool {
        self.edit_products(market, |products| products.insert(0, product)).is_some()
    }

    /// Removes every product of this id from a market; says whether there was one.
    pub fn remove_product(&mut self, market: &str, product: &str) -> bool {
        self.edit_products(market, |products| {
            let before = products.len();
            products.retain(|kept| &*kept.id != product);
            products.len() < before
        })
        .unwrap_or(false)
    }

    /// Turns the order of a market's products round; false when there is no such market.
    pub fn reverse_products(&mut self, market: &str) -> bool {
        self.edit_products(market, |products| products.reverse()).is_some()
    }

    /// Lists a product a second time, at the end; says whether it was there.
    pub fn duplicate_product(&mut self, market: &str, product: &str) -> bool {
        self.edit_products(market, |products| {
            let copy = products.iter().find(|known| &*known.id == product).cloned();
            let found = copy.is_some();
            products.extend(copy);
            found
        })
        .unwrap_or(false)
    }

    /// Gives the products of this id another price; says whether there was one.
    pub fn set_price(&mut self, market: &str, product: &str, amount: &str, currency: &str) -> bool {
        self.edit_products(market, |products| {
            let mut found = false;
            for known in products.iter_mut().filter(|known| &*known.id == product) {
                known.amount = amount.into();
                known.currency = currency.into();
                found = true;
            }
            found
        })
        .unwrap_or(false)
    }

    fn index(&mut self) {
        self.positions.clear();
        for (position, market) in self.markets.iter().enumerate() {
            self.positions.entry(market.shared_id()).or_insert(position);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn small() -> Catalogue {
        Catalogue::from_csv("market,product,currency,amount\nA,p,EUR,1\nB,q,EUR,2\nA,r,EUR,3.0\n").unwrap()
    }

    fn ids(catalogue: &Catalogue, market: &str) -> Vec<String> {
        catalogue.market(market).unwrap().ids(0, usize::MAX).map(Cow::into_owned).collect()
    }

    #[test]
    fn the_embedded_sets_have_the_size_their_source_states() {
        let sizes = |catalogue: Catalogue| (catalogue.markets().len(), catalogue.pair_count());
        assert_eq!(sizes(Catalogue::azure_vm().unwrap()), (57, 67_672));
        assert_eq!(sizes(Catalogue::big_mac().unwrap()), (73, 2_373));
        assert_eq!(sizes(Catalogue::app_store().unwrap()), (48, 4_560));
    }

    #[test]
    fn an_id_keeps_the_spaces_at_its_end() {
        let azure = Catalogue::azure_vm().unwrap();
        let with_spaces =
            azure.markets().iter().filter(|market| market.price("Standard_NM16ads_MA35D  ").is_some());
        assert_eq!(with_spaces.count(), 9);
    }

    #[test]
    fn changes_of_the_catalogue_are_seen_in_order() {
        let mut catalogue = small();
        assert!(catalogue.insert_at_head("A", Product::new("new", "9.9", "EUR")));
        assert_eq!(ids(&catalogue, "A"), ["new", "p", "r"]);
        assert!(catalogue.remove_product("A", "p"));
        assert!(!catalogue.remove_product("A", "p"));
        assert!(catalogue.duplicate_product("A", "new"));
        assert!(catalogue.reverse_products("A"));
        assert_eq!(ids(&catalogue, "A"), ["new", "r", "new"]);
        assert!(catalogue.set_price("A", "r", "4e+06", "TRL"));
        assert_eq!(catalogue.price("A", "r").unwrap().amount, "4e+06");
        assert!(catalogue.price("A", "p").is_none());
        catalogue.edit_markets(|markets| markets.reverse());
        assert_eq!(catalogue.markets()[0].id(), "B");
        assert_eq!(catalogue.price("B", "q").unwrap().amount, "2");
        assert!(!catalogue.reverse_products("nowhere"));
    }

    #[test]
    fn the_shared_list_names_each_product_once() {
        let mut catalogue = small();
        catalogue.insert_at_head("B", Product::new("p", "1", "EUR"));
        assert_eq!(catalogue.all_product_ids(), ["p", "r", "q"]);
    }

    #[test]
    fn a_part_keeps_the_order() {
        let part = Catalogue::synthetic(5, 100).subset(2, 3);
        assert_eq!(part.pair_count(), 6);
        assert_eq!(ids(&part, "M002"), ["product-0000001", "product-0000002", "product-0000003"]);
        assert_eq!(small().select_markets(&["B", "X"]).pair_count(), 1);
    }

    #[test]
    fn data_sets_have_names() {
        assert_eq!(Catalogue::named("synthetic:3x7").unwrap().pair_count(), 21);
        assert_eq!(Catalogue::named("big-mac").unwrap().pair_count(), 2_373);
        assert!(Catalogue::named("synthetic:3").unwrap_err().to_string().contains("synthetic:3"));
    }
}
