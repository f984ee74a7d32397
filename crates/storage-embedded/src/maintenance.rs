//! What the store does for those who look after it.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use price_cache_domain::{
    BoxFuture, CopyOutcome, FallbackCopy, MarketId, ProductId, RecordKey, StoreError, StoreMaintenance,
    Timestamp, Verification,
};
use price_cache_records::keys;

use crate::error::from_io;
use crate::examine::{examine, stored_totals};
use crate::fallback_copy::{self, CopyWriter, Header};
use crate::folder::bytes_under;
use crate::shared::Shared;
use crate::space::free_bytes;
use crate::totals::Totals;
use crate::writer::{Change, Task, Write};
use crate::{Backend, EmbeddedStore, Table, set_aside, watermark};

/// The number of records between two looks at the time that is left.
const RECORDS_BETWEEN_LOOKS: u64 = 4_096;

impl<B: Backend> StoreMaintenance for EmbeddedStore<B> {
    fn kind(&self) -> &'static str {
        B::KIND
    }

    fn location(&self) -> String {
        self.path().display().to_string()
    }

    fn disk_bytes(&self) -> u64 {
        self.database_path().map_or(0, |path| bytes_under(&path))
    }

    fn verify(&self) -> BoxFuture<'_, Result<Verification, StoreError>> {
        let newest = self.shared.folder.newest().ok().flatten();
        let mark = newest.and_then(|newest| watermark::read(self.path(), newest));
        Box::pin(async move {
            let examined = self.readers.read(examine).await;
            let examined = self.nudged(examined)?;
            // Opening it for writing has settled what a kill may have left of a group.
            let is_settled = self.is_writable() || mark.is_some_and(|mark| mark.is_closed);
            let loss = examined.loss::<B>(mark, is_settled).map(|loss| loss.sentence);
            // Records that cannot be read are the reason then, and are named.
            let loss = loss.filter(|_| examined.records.problems_total == 0);
            Ok(Verification { loss, ..examined.records })
        })
    }

    fn entry_key(&self, market: &MarketId, product: &ProductId) -> RecordKey {
        RecordKey::Entry(keys::entry(market, product))
    }

    fn set_aside(
        &self,
        records: Vec<RecordKey>,
        continued: Option<PathBuf>,
    ) -> BoxFuture<'_, Result<PathBuf, StoreError>> {
        Box::pin(async move {
            let file = match continued {
                Some(file) => file,
                None => self.shared.folder.make_set_aside().map_err(|error| from_io(&error))?,
            };
            let (copied, to) = (records.clone(), file.clone());
            self.readers.read(move |database| set_aside::copy(database, &copied, &to)).await?;
            self.write(Ok(Write::Change(Change::Remove { records }))).await?;
            Ok(file)
        })
    }

    fn accept_loss(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.write(Ok(Write::Task(Task::AcceptLoss)))
    }

    fn make_fallback_copy(
        &self,
        now: Timestamp,
        at_most: Option<Duration>,
    ) -> BoxFuture<'_, Result<CopyOutcome, StoreError>> {
        Box::pin(async move {
            let deadline = at_most.map(|at_most| Instant::now() + at_most);
            self.readers.read_shared(move |shared| Copying { shared, now, deadline }.copy()).await
        })
    }

    fn fallback_copy(&self) -> Option<FallbackCopy> {
        fallback_copy::fallback_copy_in(self.path())
    }

    fn rebuilt(&self) -> Option<String> {
        self.rebuilt.clone()
    }
}

/// One attempt to make a copy.
struct Copying<'a, B> {
    shared: &'a Shared<B>,
    now: Timestamp,
    deadline: Option<Instant>,
}

/// Why a copy ended before its end.
enum Ended {
    Because(CopyOutcome),
    Failed(StoreError),
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl From<std::io::Error> for Ended {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(from_io(&error))
    }
}

impl<B: Backend> Copying<'_, B> {
    fn copy(&self) -> Result<CopyOutcome, StoreError> {
        match self.copied() {
            Ok(copy) => Ok(CopyOutcome::Made(copy)),
            Err(Ended::Because(outcome)) => Ok(outcome),
            Err(Ended::Failed(error)) => Err(error),
        }
    }

    fn copied(&self) -> Result<FallbackCopy, Ended> {
        let (folder, options) = (self.shared.folder.path(), self.shared.options.fallback_copy);
        if !options.is_on {
            return Err(Ended::Because(CopyOutcome::Off));
        }
        let begun_at = self.shared.sequence();
        let stored = self.shared.read(stored_totals)?.unwrap_or_default();
        let present = fallback_copy::header(folder);
        if present.is_some_and(|present| !self.is_due(present, options.interval, stored)) {
            return Err(Ended::Because(CopyOutcome::NotDue));
        }
        // A copy must never fill the disk that the store itself needs.
        let newest = self.shared.folder.newest()?.unwrap_or_default();
        if free_bytes(folder)? < bytes_under(&self.shared.folder.generation(newest)) {
            return Err(Ended::Because(CopyOutcome::Abandoned));
        }
        let mut writer = CopyWriter::begin(folder, Header { made_at: self.now, sequence: stored.sequence })?;
        let mut found = Totals::default();
        let mut records = 0_u64;
        for table in Table::ALL {
            let mut ended = None;
            self.shared.read(|database| {
                database.scan(table, &[], None, &mut |key, value| {
                    records += 1;
                    if table == Table::Entries {
                        found.add(key, value);
                    }
                    match self.push(&mut writer, table, key, value, records) {
                        Ok(()) => Ok(ControlFlow::Continue(())),
                        Err(why) => {
                            ended = Some(why);
                            Ok(ControlFlow::Break(()))
                        }
                    }
                })
            })?;
            if let Some(why) = ended {
                return Err(why);
            }
        }
        if self.shared.sequence() != begun_at {
            return Err(Ended::Because(CopyOutcome::Abandoned));
        }
        if !found.has_same_entries(&stored) {
            let reason = "the entries do not add up to what was last written".to_owned();
            return Err(Ended::Failed(StoreError::Damaged(reason)));
        }
        let bytes = writer.finish(found, options.bytes_max)?;
        let bytes = bytes.ok_or(Ended::Because(CopyOutcome::TooLarge))?;
        Ok(FallbackCopy { made_at: self.now, entries: found.entries, bytes })
    }

    /// Whether there is something new, and the copy is old enough, or of a clock that was ahead.
    fn is_due(&self, present: Header, interval: Duration, stored: Totals) -> bool {
        let age_ms = self.now.as_millis().saturating_sub(present.made_at.as_millis());
        let is_old = u64::try_from(age_ms).map_or(true, |age_ms| u128::from(age_ms) >= interval.as_millis());
        is_old && present.sequence != stored.sequence
    }

    fn push(
        &self,
        writer: &mut CopyWriter,
        table: Table,
        key: &[u8],
        value: &[u8],
        records: u64,
    ) -> Result<(), Ended> {
        let bytes = writer.push(table, key, value)?;
        if bytes > self.shared.options.fallback_copy.bytes_max {
            return Err(Ended::Because(CopyOutcome::TooLarge));
        }
        let is_late = records.is_multiple_of(RECORDS_BETWEEN_LOOKS)
            && self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if is_late { Err(Ended::Because(CopyOutcome::Abandoned)) } else { Ok(()) }
    }
}
