//! The port to an embedded key-value database: what each of them has to do, and nothing more.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use price_cache_domain::StoreError;

/// One of the three tables of a database; each maps keys to values, both bytes, ordered by key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Table {
    /// One record per (market, product).
    Entries,
    /// The pages of plans.
    Plans,
    /// The run, and a few facts about the store itself.
    Meta,
}

impl Table {
    /// All tables.
    pub const ALL: [Self; 3] = [Self::Entries, Self::Plans, Self::Meta];

    /// Returns the name of the table in the database and in files beside it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Entries => "entries",
            Self::Plans => "plans",
            Self::Meta => "meta",
        }
    }
}

/// How a database that may have been killed is opened without risking the only copy of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Opening may rewrite what is there: it happens on a copy, which replaces the original once every record was read.
    OnACopy,
    /// A look that writes nothing reads every record first; then opening in place cannot destroy anything.
    AfterALook,
}

/// What a backend needs to know beside the folder.
#[derive(Clone, Default)]
pub struct BackendSettings {
    /// Memory for pages in use, in bytes.
    pub cache_bytes: u64,
    /// Called between the changes of a group and its commit: a slow disk for tests.
    pub before_commit: Option<Arc<dyn Fn() + Send + Sync>>,
}

/// The changes of a group, made durable together by [`Backend::write`].
pub trait WriteGroup {
    /// Puts a value in place of the earlier one and returns that of an entry; for other tables it may return `None`.
    ///
    /// # Errors
    /// The database refuses.
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Removes a value and returns that of an entry; for other tables it may return `None`.
    ///
    /// # Errors
    /// The database refuses.
    fn remove(&mut self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
}

/// Visits a key and its value; says whether to go on.
pub type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, StoreError> + 'a;

/// An open handle on one database, which lies in a folder of its own.
///
/// Reads see durable values only: while a group is on its way to the disk, each read gives what was there before it. No
/// read waits for a group. After an error in [`write`](Self::write) the handle is dropped and another one opened: the
/// group may then be there or not, for a database that is atomic whole or not at all.
pub trait Backend: Send + Sync + Sized + 'static {
    /// The name of the kind in the configuration.
    const KIND: &'static str;
    /// How a database of this kind is recovered.
    const RECOVERY: Recovery;
    /// Whether a kill leaves a group whole or not at all; otherwise it may leave the first part of one.
    const GROUPS_ARE_ATOMIC: bool;
    /// What the names of the database's own threads begin with.
    const THREAD_PREFIX: Option<&'static str> = None;

    /// Whether the files in a folder are a database of this kind, as far as their names tell.
    fn is_in(folder: &Path) -> bool;

    /// Opens the database in a folder, or makes an empty one. May write. What it shows is durable.
    ///
    /// # Errors
    /// The files cannot be read or written.
    fn open(folder: &Path, settings: &BackendSettings) -> Result<Self, StoreError>;

    /// Opens the database in a folder that is a copy of the original, so that nothing is lost where it has to be rewritten.
    ///
    /// # Errors
    /// The files cannot be read or written.
    fn open_copy(folder: &Path, settings: &BackendSettings) -> Result<Self, StoreError> {
        Self::open(folder, settings)
    }

    /// Opens the database in a folder for reading without changing a byte in it, whatever state it is in. `scratch` is an
    /// empty folder elsewhere for what has to be kept meanwhile. Checks all that the database itself can check.
    ///
    /// # Errors
    /// The files cannot be read, or are damaged.
    fn look(folder: &Path, settings: &BackendSettings, scratch: &Path) -> Result<Self, StoreError>;

    /// Opens a damaged database like [`look`](Self::look), but for reading what can still be read: it need not check anything.
    ///
    /// # Errors
    /// Nothing can be read.
    fn salvage(folder: &Path, settings: &BackendSettings, scratch: &Path) -> Result<Self, StoreError> {
        Self::look(folder, settings, scratch)
    }

    /// Returns the values of keys, in their order.
    ///
    /// # Errors
    /// The database cannot be read.
    fn get_many(&self, table: Table, keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, StoreError>;

    /// Visits the keys from `from` on, up to but without `to` where there is one, in their order.
    ///
    /// # Errors
    /// The database cannot be read, or the visitor's own.
    fn scan(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        visit: &mut Visit<'_>,
    ) -> Result<(), StoreError>;

    /// Runs `work`, which makes the changes of a group, and makes them durable. Called by one thread at a time.
    ///
    /// # Errors
    /// The work's own, or the database refuses: then the handle is of no use any more.
    fn write(
        &self,
        work: &mut dyn FnMut(&mut dyn WriteGroup) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// Closes the database, so that its next open has nothing to recover. Other handles of the same process may then be
    /// opened at once.
    ///
    /// # Errors
    /// The files cannot be written.
    fn close(self) -> Result<(), StoreError>;

    /// Returns the value of a key.
    ///
    /// # Errors
    /// The database cannot be read.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.get_many(table, &[key])?.pop().flatten())
    }
}
