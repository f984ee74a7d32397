//! A disk in memory that notes each operation, fails or stops at a chosen one, and loses power.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use fastrand::Rng;
use redb::StorageBackend;

const SECTOR: usize = 512;

/// What changes a disk.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Write(u64, Vec<u8>),
    SetLen(u64),
    Sync,
}

/// What happens at the operation with the number of a disk's fault.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// It is not done, and reports this.
    Error(io::ErrorKind),
    /// A write is done to its half, and reports this.
    Partly(io::ErrorKind),
    /// A sync fails, and of what it was to make durable each operation is done, not done, or in parts, by a draw with this seed:
    /// what an open finds that has the pages in memory forgotten. Any other operation is done.
    LostSync(u64),
    /// Neither it nor any later one is done.
    Stop,
}

#[derive(Debug, Default)]
struct State {
    image: Vec<u8>,
    /// The image at the last sync, and how many operations it has.
    durable: Vec<u8>,
    synced: usize,
    log: Vec<Operation>,
    fault: Option<(usize, Fault)>,
    stopped: bool,
}

impl State {
    fn note_sync(&mut self) {
        self.log.push(Operation::Sync);
        self.synced = self.log.len();
        self.durable.clone_from(&self.image);
    }
}

/// A disk; its clones are the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

impl Disk {
    pub(crate) fn new(image: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(State { durable: image.clone(), image, ..State::default() })))
    }

    /// A disk as a killed process leaves it: all is done, and some of it not yet durable.
    pub(crate) fn killed(durable: Vec<u8>, unsynced: &[Operation]) -> Self {
        let disk = Self::new(durable);
        for operation in unsynced {
            let mut state = disk.state();
            operation.apply(&mut state.image);
            state.log.push(operation.clone());
        }
        disk
    }

    /// Returns what a loss of power now leaves.
    pub(crate) fn after_a_loss_of_power(&self, random: &mut Rng) -> Vec<u8> {
        let state = self.state();
        lose_power(&state.durable, &state.log[state.synced..], random)
    }

    pub(crate) fn failing(image: Vec<u8>, at: usize, fault: Fault) -> Self {
        let disk = Self::new(image);
        disk.state().fault = Some((at, fault));
        disk
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn image(&self) -> Vec<u8> {
        self.state().image.clone()
    }

    /// All operations until now.
    pub(crate) fn log(&self) -> Vec<Operation> {
        self.state().log.clone()
    }

    pub(crate) fn operations(&self) -> usize {
        self.state().log.len()
    }

    fn change(&self, operation: Operation) -> io::Result<()> {
        let mut state = self.state();
        if state.stopped {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let fault = state.fault.filter(|(at, _)| *at == state.log.len()).map(|(_, fault)| fault);
        match (fault, operation) {
            (Some(Fault::Stop), _) => {
                state.stopped = true;
                Err(io::ErrorKind::BrokenPipe.into())
            }
            (Some(Fault::Partly(kind)), Operation::Write(offset, mut data)) => {
                data.truncate(data.len() / 2);
                let operation = Operation::Write(offset, data);
                operation.apply(&mut state.image);
                state.log.push(operation);
                Err(kind.into())
            }
            (Some(Fault::LostSync(seed)), Operation::Sync) => {
                let mut random = Rng::with_seed(seed);
                state.image = lose_power(&state.durable, &state.log[state.synced..], &mut random);
                state.note_sync();
                Err(io::ErrorKind::Other.into())
            }
            (Some(Fault::Error(kind) | Fault::Partly(kind)), _) => {
                state.log.push(Operation::Write(0, Vec::new()));
                Err(kind.into())
            }
            (None, Operation::Sync) => {
                state.note_sync();
                Ok(())
            }
            (None | Some(Fault::LostSync(_)), operation) => {
                operation.apply(&mut state.image);
                state.log.push(operation);
                Ok(())
            }
        }
    }
}

impl Operation {
    pub(crate) fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Self::Write(offset, data) => {
                let begin = usize::try_from(*offset).unwrap();
                let end = begin + data.len();
                if image.len() < end {
                    image.resize(end, 0);
                }
                image[begin..end].copy_from_slice(data);
            }
            Self::SetLen(len) => image.resize(usize::try_from(*len).unwrap(), 0),
            Self::Sync => {}
        }
    }

    /// Done, not done, or in parts: what a loss of power leaves of an operation that was not synced.
    fn apply_by_chance(&self, image: &mut Vec<u8>, random: &mut Rng) {
        match (self, random.u8(0..3)) {
            (_, 0) => {}
            (Self::Write(offset, data), 1) => {
                for (number, sector) in data.chunks(SECTOR).enumerate() {
                    if random.bool() {
                        Self::Write(offset + (number * SECTOR) as u64, sector.to_vec()).apply(image);
                    }
                }
            }
            _ => self.apply(image),
        }
    }
}

/// Returns what a loss of power leaves when these operations were not synced.
pub(crate) fn lose_power(durable: &[u8], unsynced: &[Operation], random: &mut Rng) -> Vec<u8> {
    let mut image = durable.to_vec();
    for operation in unsynced {
        operation.apply_by_chance(&mut image, random);
    }
    image
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().image.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        let begin = usize::try_from(offset).unwrap();
        let found = begin.checked_add(out.len()).and_then(|end| state.image.get(begin..end));
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(Operation::SetLen(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.change(Operation::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change(Operation::Write(offset, data.to_vec()))
    }
}
