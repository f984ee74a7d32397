//! The files of the pages, inside the program: with their media type, validators and a smaller copy.

use std::io::Write;
use std::sync::LazyLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// One file of the dashboard.
pub(crate) struct Asset {
    pub(crate) media_type: &'static str,
    /// As it stands in the folder.
    pub(crate) plain: Representation,
    /// Compressed, where that is smaller.
    pub(crate) gzip: Option<Representation>,
}

/// What is sent for a file.
pub(crate) struct Representation {
    pub(crate) bytes: Bytes,
    /// Strong: the hash of exactly these bytes.
    pub(crate) etag: String,
}

impl Representation {
    fn new(bytes: Bytes) -> Self {
        let hash = Sha256::digest(&bytes);
        let etag: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self { bytes, etag: format!("\"{etag}\"") }
    }
}

/// The dashboard itself.
pub(crate) const INDEX: &str = "index.html";
/// The page that describes the API.
pub(crate) const DOCS: &str = "docs.html";

macro_rules! files {
    ($($name:literal)*) => {
        /// Name and content of every file that is served.
        const FILES: &[(&str, &[u8])] = &[$(($name, include_bytes!(concat!("../dashboard/", $name)))),*];
    };
}

files! {
    "api.js"
    "chart.js"
    "clock.js"
    "connection.js"
    "controls.js"
    "docs-schema.js"
    "docs.css"
    "docs.html"
    "docs.js"
    "dom.js"
    "event-stream.js"
    "failures.js"
    "favicon.svg"
    "format.js"
    "history.js"
    "index.html"
    "key-dialog.js"
    "log.js"
    "main.js"
    "markets.js"
    "model.js"
    "overview.js"
    "price-lookup.js"
    "reset-dialog.js"
    "run.css"
    "samples.js"
    "scheduler.js"
    "search.js"
    "style.css"
    "tables.css"
    "tabs.js"
    "virtual-list.js"
}

/// The names of those files that are not pages, in order.
pub(crate) fn names() -> Vec<&'static str> {
    FILES.iter().map(|(name, _)| *name).filter(|name| ![INDEX, DOCS].contains(name)).collect()
}

/// Hashed and compressed at the first request, in the order of [`FILES`].
static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    FILES.iter().map(|(name, bytes)| Asset::new(media_type(name), Bytes::from_static(bytes))).collect()
});

/// The file of this name.
pub(crate) fn find(name: &str) -> Option<&'static Asset> {
    let index = FILES.iter().position(|(known, _)| *known == name)?;
    ASSETS.get(index)
}

impl Asset {
    pub(crate) fn new(media_type: &'static str, bytes: Bytes) -> Self {
        let smaller = gzip(&bytes).filter(|gzip| gzip.len() < bytes.len());
        let gzip = smaller.map(|gzip| Representation::new(gzip.into()));
        Self { media_type, plain: Representation::new(bytes), gzip }
    }
}

fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_served_and_no_other() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboard");
        let served: BTreeSet<String> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        let there: BTreeSet<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "README.md" && !name.starts_with('.'))
            .collect();
        assert_eq!(served, there, "the list in assets.rs is not what stands in the folder");
    }

    #[test]
    fn validators_are_of_the_bytes_and_every_type_is_known() {
        let mut seen = BTreeMap::new();
        for (name, bytes) in FILES {
            let asset = find(name).unwrap();
            assert_ne!(asset.media_type, "application/octet-stream", "{name}");
            let representations = std::iter::once(&asset.plain).chain(&asset.gzip);
            for representation in representations {
                assert_eq!(representation.etag.len(), 34, "{name}");
                let other = seen.insert(representation.etag.clone(), representation.bytes.clone());
                assert!(other.is_none_or(|other| other == representation.bytes), "{name}");
            }
            assert_eq!(asset.plain.bytes, *bytes);
        }
        assert!(find("README.md").is_none() && find("").is_none());
    }
}
