//! A folder with a configuration and a store, on the file system of the build.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rustix::fs::Advice;
use tempfile::TempDir;

use super::programs::Upstream;

/// A kind of store.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// `storage-redb`.
    Redb,
    /// `storage-sled`.
    Sled,
}

impl Kind {
    /// Every one, in the order of the columns.
    pub(crate) const ALL: [Self; 2] = [Self::Redb, Self::Sled];

    /// Its name in the configuration.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Redb => "redb",
            Self::Sled => "sled",
        }
    }
}

/// What a configuration says beyond what all of them say.
#[derive(Clone, Copy, Default)]
pub(crate) struct Settings<'a> {
    /// Another line of `[run]`.
    pub(crate) run: &'a str,
    /// The kind of store; the default without it.
    pub(crate) kind: Option<Kind>,
    /// Switches the copy to fall back on off.
    pub(crate) has_no_copy: bool,
    /// Logs each transition, as JSON.
    pub(crate) logs_transitions: bool,
}

/// A folder with a configuration and a store.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    /// Makes one with the default settings.
    pub(crate) fn new(upstream: &Upstream, parallel_markets: u32) -> anyhow::Result<Self> {
        Self::with(upstream, parallel_markets, Settings::default())
    }

    /// Makes one.
    pub(crate) fn with(
        upstream: &Upstream,
        parallel_markets: u32,
        settings: Settings<'_>,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("figures-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let place = Self { folder };
        place.configure(upstream, parallel_markets, settings)?;
        Ok(place)
    }

    /// Writes the configuration, another one for the same store perhaps.
    pub(crate) fn configure(
        &self,
        upstream: &Upstream,
        parallel_markets: u32,
        settings: Settings<'_>,
    ) -> anyhow::Result<()> {
        let kind = settings.kind.map(|kind| format!("kind = \"{}\"\n", kind.name())).unwrap_or_default();
        let copy = if settings.has_no_copy { "fallback_copy.enabled = false\n" } else { "" };
        let log = if settings.logs_transitions {
            "level = \"info\"\nformat = \"json\"\n"
        } else {
            "level = \"warn\"\n"
        };
        let configuration = format!(
            "[source]\nbase_url = \"{}\"\n\n\
             [source.markets]\nurl = \"/markets\"\nitems = \"$.markets\"\n\n\
             [source.products]\nurl = \"/markets/{{market}}/products\"\nitems = \"$.items\"\n\
             pagination = {{ style = \"page\", size_param = \"size\", size = 5000, total_pages = \"$.pages\" }}\n\n\
             [source.price]\nurl = \"/markets/{{market}}/products/{{product}}/price\"\n\
             amount = \"$.amount\"\ncurrency = \"$.currency\"\n\n\
             [run]\nparallel_markets = {parallel_markets}\n{}\n\n\
             [server]\nlisten = \"127.0.0.1:0\"\n\n\
             [storage]\npath = {:?}\n{kind}{copy}\n[log]\n{log}",
            upstream.api.url(),
            settings.run,
            self.store(),
        );
        fs::write(self.configuration(), configuration)?;
        Ok(())
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The configuration.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.path().join("price-cache.toml")
    }

    /// What the server writes to stderr.
    pub(crate) fn stderr(&self) -> PathBuf {
        self.path().join("stderr")
    }

    fn store(&self) -> PathBuf {
        self.path().join("data")
    }

    /// Adds up what the store takes on the disk, in bytes, without the reserve for a full disk.
    pub(crate) fn store_bytes(&self) -> anyhow::Result<u64> {
        let mut bytes = 0;
        for file in self.files()? {
            if !file.file_name().is_some_and(|name| name.to_string_lossy().contains("reserve")) {
                bytes += fs::metadata(file)?.len();
            }
        }
        Ok(bytes)
    }

    /// Has the system forget what it has of the store in memory, so that the next start reads from the disk. No process may have it open.
    pub(crate) fn forget_cached(&self) -> anyhow::Result<()> {
        for file in self.files()? {
            let file = File::open(file)?;
            // Only pages that are on the disk are forgotten.
            file.sync_all()?;
            rustix::fs::fadvise(&file, 0, None, Advice::DontNeed)?;
        }
        Ok(())
    }

    fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let (mut folders, mut files) = (vec![self.store()], Vec::new());
        while let Some(folder) = folders.pop() {
            for item in fs::read_dir(folder)? {
                let item = item?;
                if item.file_type()?.is_dir() { &mut folders } else { &mut files }.push(item.path());
            }
        }
        Ok(files)
    }
}
