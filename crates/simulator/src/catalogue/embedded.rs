//! The compressed copies of real prices in the program. Their sources and licences are in `data/*/SOURCE.md`.

use std::io::Read;

use super::CatalogueError;

/// More than any of the sets needs; a damaged copy cannot fill the memory.
const EMBEDDED_BYTES_MAX: u64 = 16 * 1024 * 1024;

pub(super) fn azure_vm() -> Result<String, CatalogueError> {
    decompress("azure-vm", include_bytes!("../../data/azure-vm/prices.csv.gz"))
}

pub(super) fn big_mac() -> Result<String, CatalogueError> {
    decompress("big-mac", include_bytes!("../../data/big-mac/prices.csv.gz"))
}

pub(super) fn app_store() -> Result<String, CatalogueError> {
    decompress("app-store-tiers", include_bytes!("../../data/app-store-tiers/prices.csv.gz"))
}

fn decompress(data_set: &'static str, bytes: &[u8]) -> Result<String, CatalogueError> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes)
        .take(EMBEDDED_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(|source| CatalogueError::Embedded { data_set, source })?;
    Ok(text)
}
