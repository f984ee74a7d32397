//! The store: encodes on the caller's thread, queues writes to the storage thread, reads directly.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use price_cache_domain::{BoxFuture, Entry, MarketId, PlanPageKey, ProductId, Run, RunId, Store, StoreError};
use price_cache_records::{
    DecodeError, decode_entry, decode_plan_page, decode_run, encode_entry, encode_plan_page, encode_run, keys,
};
use tokio::sync::oneshot;

use crate::error::from_io;
use crate::folder::Folder;
use crate::open;
use crate::options::QUEUED_WRITES_MAX;
use crate::reader::Readers;
use crate::reserve::Reserve;
use crate::shared::Shared;
use crate::writer::{Change, Health, Message, State, Task, Write, Writer};
use crate::{Backend, EmbeddedOptions, OpenError, Table};

/// Reads of at most this many records are done on the caller's thread: they take microseconds from
/// memory and well under a millisecond from the disk.
const READ_INLINE_RECORDS_MAX: usize = 8;

/// A [`Store`] on an embedded database.
///
/// `record` never waits: it queues and returns a future. At most [`QUEUED_WRITES_MAX`] writes may be
/// queued; the engine's window of unsynced writes keeps far below. Dropping the store finishes what
/// is queued, closes the database and gives the folder free.
pub struct EmbeddedStore<B: Backend> {
    pub(crate) shared: Arc<Shared<B>>,
    pub(crate) readers: Readers<B>,
    messages: Option<SyncSender<Message>>,
    writer: Option<JoinHandle<()>>,
    pub(crate) rebuilt: Option<String>,
}

impl<B: Backend> EmbeddedStore<B> {
    /// Opens the store in a folder, or makes it. Blocks while every record is read, unless the store is large and was
    /// closed.
    ///
    /// # Errors
    /// The store cannot be opened safely; nothing was changed.
    pub fn open(options: EmbeddedOptions) -> Result<Self, OpenError> {
        let folder = Folder::open(&options.path)?;
        open::check_kind::<B>(&folder)?;
        let reserve = Reserve::new(folder.path(), options.reserve_bytes);
        let opened = open::open::<B>(&folder, &options, &reserve)?;
        let health = if opened.handle.is_look {
            Health::read_only(Instant::now())
        } else {
            match reserve.ensure() {
                Ok(()) => Health::Good,
                Err(error) => {
                    tracing::error!(%error, "there is no space for the reserve; only reading is possible");
                    Health::without_reserve(from_io(&error), Instant::now())
                }
            }
        };
        let (path, rebuilt) = (options.path.clone(), opened.rebuilt.clone());
        let failed = |error: std::io::Error| OpenError::from_io(&path, &error);
        let (handle, state) = State::of(opened);
        let shared = Arc::new(Shared::new(options, folder, reserve, handle));
        let readers = Readers::start(&shared).map_err(failed)?;
        let (messages, queued) = sync_channel(QUEUED_WRITES_MAX);
        let writer = Writer::new(Arc::clone(&shared), health, state);
        let writer = thread::Builder::new()
            .name("price-cache-storage".to_owned())
            .spawn(move || writer.run(&queued))
            .map_err(failed)?;
        Ok(Self { shared, readers, messages: Some(messages), writer: Some(writer), rebuilt })
    }

    /// Opens the store in a folder for reading, without changing a byte in it, whatever state it is in.
    ///
    /// # Errors
    /// There is no store, another process has it open, or it cannot be read.
    pub fn look(options: EmbeddedOptions) -> Result<Self, OpenError> {
        let folder = Folder::look(&options.path)?;
        open::check_kind::<B>(&folder)?;
        let reserve = Reserve::new(folder.path(), options.reserve_bytes);
        let handle = open::look::<B>(&folder, &options)?;
        let path = options.path.clone();
        let shared = Arc::new(Shared::new(options, folder, reserve, handle));
        let readers = Readers::start(&shared).map_err(|error| OpenError::from_io(&path, &error))?;
        Ok(Self { shared, readers, messages: None, writer: None, rebuilt: None })
    }

    /// Returns the folder.
    pub fn path(&self) -> &Path {
        self.shared.folder.path()
    }

    /// Returns the folder of the database itself, which a reset replaces.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn database_path(&self) -> std::io::Result<PathBuf> {
        let newest = self.shared.folder.newest()?;
        Ok(self.shared.folder.generation(newest.unwrap_or_default()))
    }

    /// Whether it was opened for writing.
    pub(crate) fn is_writable(&self) -> bool {
        self.messages.is_some()
    }

    /// Queues a write at once; the future tells when it is durable.
    pub(crate) fn write(
        &self,
        write: Result<Write, StoreError>,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let (acknowledge, acknowledged) = oneshot::channel();
        let queued = write.and_then(|write| {
            let messages = self.messages.as_ref().ok_or(StoreError::Closed)?;
            messages.try_send(Message::Write(write, acknowledge)).map_err(|error| match error {
                TrySendError::Full(_) => {
                    StoreError::Io(format!("more than {QUEUED_WRITES_MAX} writes wait for the disk"))
                }
                TrySendError::Disconnected(_) => StoreError::Closed,
            })
        });
        Box::pin(async move {
            queued?;
            acknowledged.await.unwrap_or(Err(StoreError::Closed))
        })
    }

    /// Reads about `records` records: here where they are few, else on a thread for it.
    async fn read<T: Send + 'static>(
        &self,
        records: usize,
        work: impl FnOnce(&B) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let result = if records <= READ_INLINE_RECORDS_MAX {
            self.shared.read(work)
        } else {
            self.readers.read(work).await
        };
        self.nudged(result)
    }

    /// Has the storage thread look after a handle that a reader found broken.
    pub(crate) fn nudged<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if result.is_err()
            && let Some(messages) = &self.messages
        {
            // With a full queue, the storage thread has enough to wake up for.
            let _ = messages.try_send(Message::Mend);
        }
        result
    }
}

impl<B: Backend> Drop for EmbeddedStore<B> {
    fn drop(&mut self) {
        self.messages = None;
        if let Some(writer) = self.writer.take() {
            // The storage thread ends after what is queued; its work is guarded against panics.
            let _ = writer.join();
        }
    }
}

impl<B: Backend> std::fmt::Debug for EmbeddedStore<B> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = "EmbeddedStore";
        formatter
            .debug_struct(name)
            .field("kind", &B::KIND)
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}

impl<B: Backend> Store for EmbeddedStore<B> {
    fn load_run(&self) -> BoxFuture<'_, Result<Run, StoreError>> {
        Box::pin(self.read(1, |database| match database.get(Table::Meta, keys::RUN)? {
            Some(value) => decode_run(&value).map_err(|error| error.of(|| "the run".to_owned())),
            None => Ok(Run::new()),
        }))
    }

    fn save_run(&self, run: Run) -> BoxFuture<'_, Result<(), StoreError>> {
        self.write(encode_run(&run).map(|value| Write::Change(Change::Run { value })))
    }

    fn save_plan_page(
        &self,
        key: PlanPageKey,
        products: Vec<ProductId>,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        let key = keys::plan_page(key);
        self.write(
            encode_plan_page(&key, &products).map(|value| Write::Change(Change::PlanPage { key, value })),
        )
    }

    fn plan_page(&self, key: PlanPageKey) -> BoxFuture<'_, Result<Option<Vec<ProductId>>, StoreError>> {
        Box::pin(self.read(1, move |database| {
            let key = keys::plan_page(key);
            let page = database.get(Table::Plans, &key)?.map(|value| {
                decode_plan_page(&key, &value).map_err(|error| error.of(|| keys::describe_plan_page(&key)))
            });
            page.transpose()
        }))
    }

    fn drop_plans_except(&self, keep: Option<RunId>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.write(Ok(Write::Task(Task::DropPlans { keep })))
    }

    fn record(
        &self,
        market: &MarketId,
        product: &ProductId,
        entry: Entry,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let key = keys::entry(market, product);
        self.write(encode_entry(&key, &entry).map(|value| Write::Change(Change::Entry { key, value })))
    }

    fn flush(&self) {
        if let Some(messages) = &self.messages {
            // With a full queue, there is no more waiting.
            let _ = messages.try_send(Message::Flush);
        }
    }

    fn entries_of<'a>(
        &'a self,
        market: &'a MarketId,
        products: &'a [ProductId],
    ) -> BoxFuture<'a, Result<Vec<Option<Entry>>, StoreError>> {
        let keys: Vec<_> = products.iter().map(|product| keys::entry(market, product)).collect();
        Box::pin(self.read(keys.len(), move |database| {
            let asked: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
            let values = database.get_many(Table::Entries, &asked)?;
            let decoded = values.into_iter().zip(&keys).map(|(value, key)| {
                let entry = value.map(|value| decode_entry(key, &value));
                entry.transpose().map_err(|error| error.of(|| keys::describe_entry(key)))
            });
            decoded.collect()
        }))
    }

    fn entries<'a>(
        &'a self,
        market: &'a MarketId,
        after: Option<&'a ProductId>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<(ProductId, Entry)>, StoreError>> {
        let start = after.map_or_else(
            || keys::market_start(market.as_str()),
            |after| {
                // The smallest key after that of `after`.
                let mut key = keys::entry(market, after);
                key.push(0);
                key
            },
        );
        let end = keys::market_end(market.as_str());
        Box::pin(self.read(limit, move |database| {
            let mut page = Vec::new();
            if limit == 0 {
                return Ok(page);
            }
            database.scan(Table::Entries, &start, Some(&end), &mut |key, value| {
                let describe = || keys::describe_entry(key);
                let product = keys::parse_entry(key)
                    .and_then(|(_, product)| ProductId::new(product).ok())
                    .ok_or_else(|| DecodeError::foreign_key().of(describe))?;
                page.push((product, decode_entry(key, value).map_err(|error| error.of(describe))?));
                Ok(if page.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
            })?;
            Ok(page)
        }))
    }

    fn markets(&self) -> BoxFuture<'_, Result<Vec<MarketId>, StoreError>> {
        Box::pin(self.read(usize::MAX, |database| {
            let mut markets = Vec::new();
            let mut from = Vec::new();
            // From market to market: the entries between are never touched.
            loop {
                let mut first = None;
                database.scan(Table::Entries, &from, None, &mut |key, _| {
                    first = Some(key.to_vec());
                    Ok(ControlFlow::Break(()))
                })?;
                let Some(key) = first else { return Ok(markets) };
                let market = keys::parse_entry(&key)
                    .and_then(|(market, _)| MarketId::new(market).ok())
                    .ok_or_else(|| DecodeError::foreign_key().of(|| keys::describe_entry(&key)))?;
                from = keys::market_end(market.as_str());
                markets.push(market);
            }
        }))
    }

    fn clear(&self, idle: Run, keep_prices: bool) -> BoxFuture<'_, Result<(), StoreError>> {
        self.write(encode_run(&idle).map(|value| Write::Task(Task::Clear { idle, value, keep_prices })))
    }
}
