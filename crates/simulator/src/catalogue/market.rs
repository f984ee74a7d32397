//! One market: its id and its ordered products, stored or computed.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::product::{Price, Product};
use super::synthetic::Synthetic;

/// A market and its ordered products.
#[derive(Clone, Debug)]
pub struct Market {
    id: Arc<str>,
    products: Products,
}

#[derive(Clone, Debug)]
enum Products {
    Stored { products: Vec<Product>, positions: HashMap<Arc<str>, usize> },
    Computed(Synthetic),
}

impl Market {
    /// A market of these products in this order.
    #[must_use]
    pub fn new(id: impl Into<Arc<str>>, products: Vec<Product>) -> Self {
        Self { id: id.into(), products: Products::stored(products) }
    }

    pub(super) fn synthetic(number: u32, products: u32) -> Self {
        let id = format!("M{number:03}").into();
        Self { id, products: Products::Computed(Synthetic { market: number, products }) }
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn shared_id(&self) -> Arc<str> {
        Arc::clone(&self.id)
    }

    /// The number of products, repeated ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.products {
            Products::Stored { products, .. } => products.len(),
            Products::Computed(synthetic) => synthetic.products as usize,
        }
    }

    /// Whether the market has no product.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The ids of at most `limit` products from the position `offset` on.
    pub fn ids(&self, offset: usize, limit: usize) -> impl Iterator<Item = Cow<'_, str>> {
        let end = offset.saturating_add(limit).min(self.len());
        (offset.min(end)..end).filter_map(|position| self.id_at(position))
    }

    /// The price of the first product of this id.
    #[must_use]
    pub fn price(&self, product: &str) -> Option<Price<'_>> {
        match &self.products {
            Products::Stored { products, positions } => {
                let found = products.get(*positions.get(product)?)?;
                Some(Price {
                    amount: Cow::Borrowed(&*found.amount),
                    currency: Cow::Borrowed(&*found.currency),
                })
            }
            Products::Computed(synthetic) => synthetic.price(product),
        }
    }

    /// The same market with its first `limit` products.
    #[must_use]
    pub fn first(&self, limit: usize) -> Self {
        let products = match &self.products {
            Products::Stored { products, .. } => {
                Products::stored(products.iter().take(limit).cloned().collect())
            }
            Products::Computed(synthetic) => {
                let limit = u32::try_from(limit).unwrap_or(u32::MAX);
                Products::Computed(Synthetic {
                    market: synthetic.market,
                    products: synthetic.products.min(limit),
                })
            }
        };
        Self { id: self.shared_id(), products }
    }

    /// Changes the products in any way. A synthetic market becomes a stored one by it.
    pub fn edit<R>(&mut self, change: impl FnOnce(&mut Vec<Product>) -> R) -> R {
        let mut products = match &mut self.products {
            Products::Stored { products, .. } => std::mem::take(products),
            Products::Computed(synthetic) => synthetic.stored(),
        };
        let result = change(&mut products);
        self.products = Products::stored(products);
        result
    }

    fn id_at(&self, position: usize) -> Option<Cow<'_, str>> {
        match &self.products {
            Products::Stored { products, .. } => {
                products.get(position).map(|product| Cow::Borrowed(&*product.id))
            }
            Products::Computed(_) => Some(Cow::Owned(Synthetic::id_at(position))),
        }
    }
}

impl Products {
    fn stored(products: Vec<Product>) -> Self {
        let mut positions = HashMap::with_capacity(products.len());
        for (position, product) in products.iter().enumerate() {
            positions.entry(Arc::clone(&product.id)).or_insert(position);
        }
        Self::Stored { products, positions }
    }
}
