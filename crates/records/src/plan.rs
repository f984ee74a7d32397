//! A page of a plan as it is stored.

use minicbor::{Decode, Encode};
use price_cache_domain::{ProductId, StoreError};

use crate::seal::{DecodeError, seal, unseal};

#[derive(Encode, Decode)]
#[cbor(map)]
struct PageRecord<'a> {
    #[b(0)]
    products: Vec<&'a str>,
}

/// Encodes a page of a plan under its key.
///
/// # Errors
/// It is too large for the format.
pub fn encode_plan_page(key: &[u8], products: &[ProductId]) -> Result<Vec<u8>, StoreError> {
    let products: Vec<&str> = products.iter().map(ProductId::as_str).collect();
    let bytes = products.iter().map(|product| product.len() + 3).sum::<usize>() + 8;
    seal(key, &PageRecord { products }, bytes)
}

/// Decodes the page of a plan under a key.
///
/// # Errors
/// The bytes are not a page under this key, or a newer version wrote them.
pub fn decode_plan_page(key: &[u8], bytes: &[u8]) -> Result<Vec<ProductId>, DecodeError> {
    let record: PageRecord<'_> = unseal(key, bytes)?;
    record.products.into_iter().map(|id| ProductId::new(id).map_err(DecodeError::damaged)).collect()
}
