//! The store: encodes on the caller's thread, queues writes to the storage thread, reads directly.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use price_cache_domain::{BoxFuture, Entry, MarketId, PlanPageKey, ProductId, Run, RunId, Store, StoreError};
use tokio::sync::oneshot;

use crate::codec::{
    DecodeError, decode_entry, decode_plan_page, decode_run, encode_entry, encode_plan_page, encode_run,
};
use crate::database::Database;
use crate::error::{from_io, from_sled};
use crate::folder::{Folder, bytes_under};
use crate::options::QUEUED_WRITES_MAX;
use crate::reader::Readers;
use crate::reserve::Reserve;
use crate::shared::Shared;
use crate::verify::{RecordKey, Verification, verify};
use crate::writer::{Health, Message, Write, Writer};
use crate::{OpenError, SledOptions, chunks, keys, set_aside};

/// Reads of at most this many records are done on the caller's thread: they take microseconds from
/// memory and well under a millisecond from the disk.
const READ_INLINE_RECORDS_MAX: usize = 8;

/// A [`Store`] on sled.
///
/// `record` never waits: it queues and gives a future. At most [`QUEUED_WRITES_MAX`] writes may be
/// queued; the engine's window of undurable products keeps far below. Dropping the store finishes what
/// is queued, closes the database and gives the folder free.
pub struct SledStore {
    shared: Arc<Shared>,
    readers: Readers,
    messages: Option<SyncSender<Message>>,
    writer: Option<JoinHandle<()>>,
}

impl SledStore {
    /// Opens the store in a folder, or makes it. Blocks: opening a million entries after a kill takes
    /// about half a second.
    pub fn open(options: SledOptions) -> Result<Self, OpenError> {
        let folder = Folder::open(&options.path)?;
        let reserve = Reserve::new(folder.path(), options.reserve_bytes);
        let database = match Database::open(&folder, &options) {
            Err(OpenError::Full { .. }) => {
                reserve.release();
                Database::open(&folder, &options)?
            }
            opened => opened?,
        };
        let health = match reserve.ensure() {
            Ok(()) => Health::Good,
            Err(error) => {
                tracing::error!(%error, "there is no space for the reserve; only reading is possible");
                Health::without_reserve(from_io(&error), Instant::now())
            }
        };
        let path = options.path.clone();
        let failed = |error: std::io::Error| OpenError::from_io(&path, &error);
        let shared = Arc::new(Shared::new(options, folder, reserve, database));
        let readers = Readers::start(&shared).map_err(failed)?;
        let (messages, queued) = sync_channel(QUEUED_WRITES_MAX);
        let writer = Writer::new(Arc::clone(&shared), health);
        let writer = thread::Builder::new()
            .name("price-cache-storage".to_owned())
            .spawn(move || writer.run(&queued))
            .map_err(failed)?;
        Ok(Self { shared, readers, messages: Some(messages), writer: Some(writer) })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.shared.folder.path()
    }

    /// The bytes of all files of the database, without the reserve and what was moved aside.
    pub fn disk_bytes(&self) -> u64 {
        self.shared.database().map_or(0, |database| bytes_under(database.path()))
    }

    /// Reads every record and reports those that cannot be read, instead of failing at the first.
    pub async fn verify(&self) -> Result<Verification, StoreError> {
        let verified = self.readers.read(verify).await;
        self.nudged(verified)
    }

    /// Takes records out of the store, after a copy of each is in a file beside it: `set-aside-N.jsonl`, a line of JSON
    /// for each key, with key and value as hexadecimal digits. Gives the file; the one of an earlier call is gone on with.
    ///
    /// # Errors
    /// The file or the store cannot be written. Nothing is taken out that is not in the file.
    pub async fn set_aside(
        &self,
        records: Vec<RecordKey>,
        file: Option<PathBuf>,
    ) -> Result<PathBuf, StoreError> {
        let file = match file {
            Some(file) => file,
            None => self.shared.folder.make_set_aside().map_err(|error| from_io(&error))?,
        };
        let (copied, to) = (records.clone(), file.clone());
        self.readers.read(move |database| set_aside::copy(database, &copied, &to)).await?;
        self.write(Ok(Write::Remove { records })).await?;
        Ok(file)
    }

    /// Queues a write at once; the future tells when it is durable.
    fn write(&self, write: Result<Write, StoreError>) -> BoxFuture<'static, Result<(), StoreError>> {
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
        work: impl FnOnce(&Database) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let result = if records <= READ_INLINE_RECORDS_MAX {
            self.shared.read(work)
        } else {
            self.readers.read(work).await
        };
        self.nudged(result)
    }

    /// Has the storage thread look after a handle that a reader found broken.
    fn nudged<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if result.is_err()
            && let Some(messages) = &self.messages
        {
            // With a full queue, the storage thread has enough to wake up for.
            let _ = messages.try_send(Message::Mend);
        }
        result
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        self.messages = None;
        if let Some(writer) = self.writer.take() {
            // The storage thread ends after what is queued; its work is guarded against panics.
            let _ = writer.join();
        }
    }
}

impl std::fmt::Debug for SledStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SledStore").field("path", &self.path()).finish_non_exhaustive()
    }
}

impl Store for SledStore {
    fn load_run(&self) -> BoxFuture<'_, Result<Run, StoreError>> {
        Box::pin(self.read(1, |database| {
            let _whole = database.chunked.read().unwrap_or_else(std::sync::PoisonError::into_inner);
            match chunks::get(&database.meta, keys::RUN)? {
                Some(value) => decode_run(&value).map_err(|error| error.of(|| "the run".to_owned())),
                None => Ok(Run::new()),
            }
        }))
    }

    fn save_run(&self, run: Run) -> BoxFuture<'_, Result<(), StoreError>> {
        self.write(encode_run(&run).map(|value| Write::Run { value }))
    }

    fn save_plan_page(
        &self,
        key: PlanPageKey,
        products: Vec<ProductId>,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        let key = keys::plan_page(key);
        self.write(encode_plan_page(&key, &products).map(|value| Write::PlanPage { key, value }))
    }

    fn plan_page(&self, key: PlanPageKey) -> BoxFuture<'_, Result<Option<Vec<ProductId>>, StoreError>> {
        Box::pin(self.read(1, move |database| {
            let key = keys::plan_page(key);
            let _whole = database.chunked.read().unwrap_or_else(std::sync::PoisonError::into_inner);
            let value = chunks::get(&database.plans, &key)?;
            let page = value.map(|value| {
                decode_plan_page(&key, &value).map_err(|error| error.of(|| keys::describe_plan_page(&key)))
            });
            page.transpose()
        }))
    }

    fn drop_plans_except(&self, keep: Option<RunId>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.write(Ok(Write::DropPlans { keep }))
    }

    fn record(
        &self,
        market: &MarketId,
        product: &ProductId,
        entry: Entry,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let key = keys::entry(market, product);
        self.write(encode_entry(&key, &entry).map(|value| Write::Entry { key, value }))
    }

    fn entries_of<'a>(
        &'a self,
        market: &'a MarketId,
        products: &'a [ProductId],
    ) -> BoxFuture<'a, Result<Vec<Option<Entry>>, StoreError>> {
        let keys: Vec<_> = products.iter().map(|product| keys::entry(market, product)).collect();
        Box::pin(self.read(keys.len(), move |database| {
            let entry_of = |key: &Vec<u8>| match database.entries.get(key) {
                Ok(Some(value)) => decode_entry(key, &value)
                    .map(Some)
                    .map_err(|error| error.of(|| keys::describe_entry(key))),
                Ok(None) => Ok(None),
                Err(error) => Err(from_sled(&error)),
            };
            keys.iter().map(entry_of).collect()
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
            for item in database.entries.range(start..end).take(limit) {
                let (key, value) = item.map_err(|error| from_sled(&error))?;
                let describe = || keys::describe_entry(&key);
                let product = keys::parse_entry(&key)
                    .and_then(|(_, product)| ProductId::new(product).ok())
                    .ok_or_else(|| DecodeError::foreign_key().of(describe))?;
                page.push((product, decode_entry(&key, &value).map_err(|error| error.of(describe))?));
            }
            Ok(page)
        }))
    }

    fn markets(&self) -> BoxFuture<'_, Result<Vec<MarketId>, StoreError>> {
        Box::pin(self.read(usize::MAX, |database| {
            let mut markets = Vec::new();
            let mut from = Vec::new();
            // From market to market: the entries between are never touched.
            while let Some(item) = database.entries.range(from..).next() {
                let (key, _) = item.map_err(|error| from_sled(&error))?;
                let market = keys::parse_entry(&key)
                    .and_then(|(market, _)| MarketId::new(market).ok())
                    .ok_or_else(|| DecodeError::foreign_key().of(|| keys::describe_entry(&key)))?;
                from = keys::market_end(market.as_str());
                markets.push(market);
            }
            Ok(markets)
        }))
    }

    fn clear(&self, idle: Run, keep_prices: bool) -> BoxFuture<'_, Result<(), StoreError>> {
        self.write(encode_run(&idle).map(|value| Write::Clear { idle, value, keep_prices }))
    }
}
