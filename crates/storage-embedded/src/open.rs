//! Opens the newest generation of a store without risking the only copy of it.

use std::fs;
use std::path::Path;

use price_cache_domain::{Run, StoreError};

use crate::error::from_io;
use crate::examine::{Examined, Loss, examine, stored_totals};
use crate::fallback_copy;
use crate::folder::{Folder, bytes_under, copy_folder, remove_folder};
use crate::layout::{check_format, finish_clearing, make};
use crate::panics::{guard, panics_go_to_the_log};
use crate::rebuild::{Damaged, Rebuilt, rebuild};
use crate::reserve::Reserve;
use crate::shared::Handle;
use crate::space::{OPEN_IN_PLACE_BYTES, make_room, make_room_to_open};
use crate::totals::{self, Totals};
use crate::watermark::{self, Mark, Watermark};
use crate::{Backend, EmbeddedOptions, OpenError, Recovery, Table};

/// A database that was closed and is larger than this is opened without reading every record, in bytes.
const EXAMINED_ALWAYS_BYTES: u64 = 16 * 1024 * 1024;

/// An open store.
pub(crate) struct Opened<B> {
    pub(crate) handle: Handle<B>,
    pub(crate) totals: Totals,
    /// `None` where the disk is full and the handle can only be read.
    pub(crate) watermark: Option<Watermark>,
    /// What it was rebuilt from, in a sentence.
    pub(crate) rebuilt: Option<String>,
}

impl<B: Backend> Opened<B> {
    /// A store that can only be read until its disk has room.
    fn read_only(database: B, scratch: tempfile::TempDir, totals: Totals) -> Self {
        Self { handle: Handle::look(database, scratch), totals, watermark: None, rebuilt: None }
    }
}

/// Opens the newest generation, or makes the first one, and finishes what a crash left unfinished.
pub(crate) fn open<B: Backend>(
    folder: &Folder,
    options: &EmbeddedOptions,
    reserve: &Reserve,
) -> Result<Opened<B>, OpenError> {
    panics_go_to_the_log(B::THREAD_PREFIX);
    opened(folder, options, reserve).map_err(|error| OpenError::from_store(folder.path(), error))
}

/// Opens the newest generation for reading, without changing a byte of it.
pub(crate) fn look<B: Backend>(folder: &Folder, options: &EmbeddedOptions) -> Result<Handle<B>, OpenError> {
    panics_go_to_the_log(B::THREAD_PREFIX);
    let newest = folder.newest().map_err(|error| OpenError::from_io(folder.path(), &error))?;
    let newest = newest.ok_or_else(|| OpenError::Absent { path: folder.path().to_owned() })?;
    let looked = || {
        let scratch = tempfile::tempdir().map_err(|error| from_io(&error))?;
        let database = guard(|| B::look(&folder.generation(newest), &options.backend, scratch.path()))?;
        check_format(&database)?;
        Ok(Handle::look(database, scratch))
    };
    looked().map_err(|error| OpenError::from_store(folder.path(), error))
}

/// Returns an error where the newest database of a folder is of another kind.
pub(crate) fn check_kind<B: Backend>(folder: &Folder) -> Result<(), OpenError> {
    match folder.newest().map_err(|error| OpenError::from_io(folder.path(), &error))? {
        Some(newest) if !B::is_in(&folder.generation(newest)) && !is_empty(&folder.generation(newest)) => {
            Err(OpenError::OtherKind { path: folder.path().to_owned(), expected: B::KIND })
        }
        _ => Ok(()),
    }
}

/// Whether nothing is left of a database: then it is a damaged one of the kind that is expected.
fn is_empty(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut items| items.next().is_none())
}

fn opened<B: Backend>(
    folder: &Folder,
    options: &EmbeddedOptions,
    reserve: &Reserve,
) -> Result<Opened<B>, StoreError> {
    let present = match folder.newest().map_err(|error| from_io(&error))? {
        Some(present) => present,
        None => {
            make::<B>(folder, options, 1, &Run::new(), 0)?;
            1
        }
    };
    let mark = watermark::read(folder.path(), present);
    let opening = Opening { folder, options, reserve, present, mark };
    let is_trusted = mark.is_some_and(|mark| mark.is_closed)
        && bytes_under(&folder.generation(present)) > EXAMINED_ALWAYS_BYTES;
    let trusted = if is_trusted { opening.trusted() } else { Ok(None) };
    match trusted {
        Ok(Some(opened)) => Ok(opened),
        Ok(None) | Err(StoreError::Damaged(_)) => opening.recovered(),
        Err(error) => Err(error),
    }
}

/// One attempt to open a generation.
struct Opening<'a> {
    folder: &'a Folder,
    options: &'a EmbeddedOptions,
    reserve: &'a Reserve,
    present: u64,
    mark: Option<Mark>,
}

/// What an examination leads to.
enum Examination {
    /// The database may be opened, with these totals.
    Usable(Totals),
    /// It was replaced by another generation.
    Rebuilt(Rebuilt),
}

impl Opening<'_> {
    /// Opens a database that was closed, without examining it; `None` where it does not know its totals.
    fn trusted<B: Backend>(&self) -> Result<Option<Opened<B>>, StoreError> {
        make_room(self.folder.path(), self.reserve, OPEN_IN_PLACE_BYTES)?;
        let database = guard(|| B::open(&self.folder.generation(self.present), &self.options.backend))?;
        check_format(&database)?;
        let Some(totals) = guard(|| stored_totals(&database))? else {
            guard(|| database.close())?;
            return Ok(None);
        };
        if self.mark.is_some_and(|mark| mark.sequence != totals.sequence) {
            guard(|| database.close())?;
            return Ok(None);
        }
        self.finish(database, self.present, totals, None).map(Some)
    }

    /// Reads every record before anything is changed.
    fn recovered<B: Backend>(&self) -> Result<Opened<B>, StoreError> {
        match B::RECOVERY {
            Recovery::AfterALook => self.after_a_look(),
            Recovery::OnACopy => self.on_a_copy(),
        }
    }

    fn after_a_look<B: Backend>(&self) -> Result<Opened<B>, StoreError> {
        let path = self.folder.generation(self.present);
        let scratch = tempfile::tempdir().map_err(|error| from_io(&error))?;
        let look = guard(|| B::look(&path, &self.options.backend, scratch.path()));
        let totals = match self.examined(&look)? {
            Examination::Usable(totals) => totals,
            Examination::Rebuilt(rebuilt) => return self.open_rebuilt(rebuilt),
        };
        if self.make_room::<B>().is_err() {
            // Reading needs no space.
            return Ok(Opened::read_only(look?, scratch, totals));
        }
        drop(look);
        let database = guard(|| B::open(&path, &self.options.backend))?;
        self.finish(database, self.present, totals, None)
    }

    fn on_a_copy<B: Backend>(&self) -> Result<Opened<B>, StoreError> {
        let (original, next) = (self.folder.generation(self.present), self.present + 1);
        let copy = self.folder.generation_making(next);
        let io_failed = |error: std::io::Error| from_io(&error);
        remove_folder(&copy).map_err(io_failed)?;
        if let Err(full) = self.make_room::<B>() {
            return self.elsewhere(&original).map_err(|_| full);
        }
        if let Err(error) = copy_folder(&original, &copy) {
            // Best effort: what is left is deleted before the next try.
            let _ = remove_folder(&copy);
            return Err(from_io(&error));
        }
        let database = guard(|| B::open_copy(&copy, &self.options.backend));
        match self.examined(&database)? {
            Examination::Rebuilt(rebuilt) => {
                if let Ok(database) = database {
                    let _ = guard(|| database.close());
                }
                self.open_rebuilt(rebuilt)
            }
            Examination::Usable(totals) => {
                guard(|| {
                    let database = database?;
                    // What a kill left of a group counts from now on.
                    if stored_totals(&database)? != Some(totals) {
                        database.write(&mut |group| {
                            group.put(Table::Meta, totals::KEY, &totals.encode()).map(drop)
                        })?;
                    }
                    database.close()
                })?;
                self.folder.complete(next).map_err(io_failed)?;
                let path = self.folder.generation(next);
                let database = guard(|| B::open(&path, &self.options.backend))?;
                self.finish(database, next, totals, None)
            }
        }
    }

    /// Opens a database for reading while its own disk has no room for a copy.
    fn elsewhere<B: Backend>(&self, original: &Path) -> Result<Opened<B>, StoreError> {
        let scratch = tempfile::tempdir().map_err(|error| from_io(&error))?;
        let database = guard(|| B::look(original, &self.options.backend, scratch.path()))?;
        check_format(&database)?;
        let totals = guard(|| examine(&database))?.totals(false);
        Ok(Opened::read_only(database, scratch, totals))
    }

    /// Decides what is to be done with a database by reading all of it. A store that is damaged is rebuilt where there is
    /// a copy to fall back on; otherwise what can be read of it is used.
    fn examined<B: Backend>(&self, database: &Result<B, StoreError>) -> Result<Examination, StoreError> {
        let examined = database.as_ref().map_err(Clone::clone).and_then(|database| {
            check_format(database)?;
            guard(|| examine(database))
        });
        let damage = match &examined {
            Err(StoreError::Damaged(reason)) => Loss { sentence: reason.clone(), is_tail: false },
            Err(error) => return Err(error.clone()),
            Ok(examined) => match self.damage_of::<B>(examined) {
                Some(damage) => damage,
                None => return Ok(Examination::Usable(examined.totals(false))),
            },
        };
        let stored = examined.as_ref().ok().and_then(|examined| examined.stored);
        let sequence = stored.map_or(0, |stored| stored.sequence);
        let copy = fallback_copy::header(self.folder.path());
        let can_help = match copy {
            Some(copy) => !damage.is_tail || copy.sequence > sequence,
            // Without a copy, what can be read of a database that cannot be opened is all there is.
            None => examined.is_err(),
        };
        if can_help {
            let sequence = sequence.max(self.mark.map_or(0, |mark| mark.sequence));
            let damaged = Damaged { generation: self.present, sequence, reason: &damage.sentence };
            let salvaged = self.salvaged(database);
            let salvage = database.as_ref().ok().or(salvaged.as_ref().map(|(database, _)| database));
            if let Some(rebuilt) = rebuild(self.folder, self.options, damaged, salvage)? {
                return Ok(Examination::Rebuilt(rebuilt));
            }
        }
        let examined = examined?;
        tracing::error!(
            reason = damage.sentence,
            "the store is damaged and no copy of it can help; what can be read of it is used"
        );
        Ok(Examination::Usable(examined.totals(true)))
    }

    /// Returns a handle on what can still be read of a database that could not be opened, and the folder it needs.
    fn salvaged<B: Backend>(&self, database: &Result<B, StoreError>) -> Option<(B, tempfile::TempDir)> {
        if database.is_ok() || B::RECOVERY != Recovery::AfterALook {
            return None;
        }
        let scratch = tempfile::tempdir().ok()?;
        let path = self.folder.generation(self.present);
        let database = guard(|| B::salvage(&path, &self.options.backend, scratch.path())).ok()?;
        Some((database, scratch))
    }

    fn damage_of<B: Backend>(&self, examined: &Examined) -> Option<Loss> {
        let records = &examined.records;
        let unreadable = records.problems.iter().find(|problem| !problem.is_newer);
        let unreadable = unreadable.map(|first| Loss {
            sentence: match records.problems_total {
                1 => first.to_string(),
                total => format!("{total} records cannot be read, the first: {first}"),
            },
            is_tail: false,
        });
        unreadable.or_else(|| examined.loss::<B>(self.mark, self.mark.is_some_and(|mark| mark.is_closed)))
    }

    fn open_rebuilt<B: Backend>(&self, rebuilt: Rebuilt) -> Result<Opened<B>, StoreError> {
        let path = self.folder.generation(rebuilt.generation);
        let database = guard(|| B::open(&path, &self.options.backend))?;
        tracing::error!("{}", rebuilt.sentence);
        self.finish(database, rebuilt.generation, rebuilt.totals, Some(rebuilt.sentence))
    }

    /// Finishes what a crash left of a reset, and deletes the generations before this one.
    fn finish<B: Backend>(
        &self,
        database: B,
        generation: u64,
        mut totals: Totals,
        rebuilt: Option<String>,
    ) -> Result<Opened<B>, StoreError> {
        // A group may have been cut off: numbers that were seen are not given again.
        totals.sequence = totals.sequence.max(self.mark.map_or(0, |mark| mark.sequence));
        let watermark = Watermark::open(self.folder.path(), generation, totals.sequence)
            .map_err(|error| from_io(&error))?;
        guard(|| finish_clearing(&database))?;
        self.folder.delete_generations_except(generation);
        Ok(Opened { handle: Handle::new(database), totals, watermark: Some(watermark), rebuilt })
    }

    fn make_room<B: Backend>(&self) -> Result<(), StoreError> {
        make_room_to_open::<B>(self.folder, self.reserve)
    }
}
