//! This machine's own ZFS, through libzfs_core and libzfs. The only module that calls zfs-ffi, and that sees descriptors.

use std::io::{PipeReader, PipeWriter};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Applied, BatchError, Error, ErrorKind, Host, Received};
use crate::lock;
use crate::model::{Snapshot, State};
use crate::plan::lock::Seen;
use crate::plan::{Action, Transfer};
use crate::props::Tag;
use zfs_ffi::{Core, DatasetName, Handle, Reader};

mod calls;
mod error;
mod expect;
mod mounts;
mod observe;
mod program;
mod stream;

pub use observe::token;

/// The local ZFS.
#[derive(Debug)]
pub struct Local {
    core: Core,
    /// Reads without libzfs, where that can be done.
    reader: Option<Reader>,
    /// Whether the kernel module answers as the reader expects.
    reader_fits: AtomicBool,
    /// libzfs handles that are not in use. One must not be used by two threads at once, and each costs a little to make.
    idle: Mutex<Vec<Handle>>,
    /// Whether channel programs are worth trying: only root may run them.
    programs: AtomicBool,
}

impl Local {
    /// Opens the local ZFS. Does not load the kernel module.
    pub fn open() -> Result<Self, Error> {
        let core = Core::open().map_err(error::from_ffi)?;
        let programs = AtomicBool::new(rustix::process::geteuid().is_root());
        let reader = match Reader::open() {
            Ok(reader) => Some(reader),
            Err(error) if error.kind() == zfs_ffi::Kind::Unsupported => None,
            Err(error) => return Err(error::from_ffi(error)),
        };
        Ok(Self {
            core,
            reader,
            reader_fits: AtomicBool::new(true),
            idle: Mutex::new(Vec::new()),
            programs,
        })
    }

    fn reader(&self) -> Option<&Reader> {
        self.reader
            .as_ref()
            .filter(|_| self.reader_fits.load(Ordering::Relaxed))
    }

    /// Runs `work` with a handle that nobody else uses meanwhile.
    fn with_handle<T>(&self, work: impl FnOnce(&Handle) -> Result<T, Error>) -> Result<T, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let handle = match idle {
            Some(handle) => handle,
            None => Handle::open().map_err(error::from_ffi)?,
        };
        let result = work(&handle);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(handle);
        result
    }

    /// Whether the batch can be one channel program.
    fn is_program(&self, batch: &[Action]) -> bool {
        // N.B. a program waits for a transaction group even if it changes nothing.
        let changes = batch.iter().any(|action| !action.is_condition());
        changes && self.programs.load(Ordering::Relaxed) && batch.iter().all(program::can_do)
    }

    /// Applies one part of a batch, by a program if the whole part is fit for one.
    fn apply_part(&self, part: &[Action]) -> Result<Vec<Applied>, BatchError> {
        if !self.is_program(part) {
            return self.apply_by_calls(part);
        }
        match self.apply_by_program(part) {
            Err(BatchError {
                begun: false,
                error: Error {
                    kind: ErrorKind::Permission,
                    ..
                },
                ..
            }) => {
                // Root in a container: it may own datasets, but not run programs.
                self.programs.store(false, Ordering::Relaxed);
                self.apply_by_calls(part)
            }
            applied => applied,
        }
    }
}

impl Host for Local {
    fn observe(&self, dataset: &DatasetName) -> Result<Option<State>, Error> {
        self.state(dataset)
    }

    fn glance(&self, dataset: &DatasetName) -> Result<Option<State>, Error> {
        self.state_alone(dataset)
    }

    fn snapshots_since(&self, dataset: &DatasetName, txg: u64) -> Result<Vec<Snapshot>, Error> {
        self.read_snapshots(dataset, txg + 1)
    }

    fn settle(&self, pool: &str) -> Result<(), Error> {
        self.core.wait_synced(pool).map_err(error::from_ffi)
    }

    fn with_property(&self, property: &str) -> Result<Vec<DatasetName>, Error> {
        self.having(property)
    }

    fn observe_below(&self, dataset: &DatasetName) -> Result<Vec<State>, Error> {
        self.states_below(dataset)
    }

    fn children(&self, dataset: &DatasetName) -> Result<Vec<DatasetName>, Error> {
        self.names_below(dataset)
    }

    fn apply(&self, batch: &[Action]) -> Result<Vec<Applied>, BatchError> {
        let mut applied = Vec::with_capacity(batch.len());
        for part in batch.chunk_by(|one, next| program::can_do(one) == program::can_do(next)) {
            let before = applied.len();
            let shift = |failed: BatchError| BatchError {
                index: before + failed.index,
                begun: failed.begun || before > 0,
                ..failed
            };
            applied.extend(self.apply_part(part).map_err(shift)?);
        }
        Ok(applied)
    }

    fn send(&self, transfer: &Transfer, out: PipeWriter, watch: Option<&(dyn Fn(u64) + Sync)>) -> Result<(), Error> {
        self.send_stream(transfer, out, watch)
    }

    fn receive(&self, transfer: &Transfer, input: PipeReader) -> Result<Received, Error> {
        self.receive_stream(transfer, input, None, &|| Ok(()))
    }

    fn receive_begun(
        &self,
        transfer: &Transfer,
        input: PipeReader,
        within: Duration,
        begun: &dyn Fn() -> Result<(), Error>,
    ) -> Result<Received, Error> {
        self.receive_stream(transfer, input, Some(within), begun)
    }

    fn lock_seen(&self, state: &State, tag: &Tag) -> Seen {
        lock::seen(state, tag, std::process::id())
    }

    fn estimate(&self, transfer: &Transfer) -> Result<u64, Error> {
        self.core
            .send_space(&transfer.snapshot, &stream::options(transfer))
            .map_err(error::from_ffi)
    }
}

/// The versions of the two halves of ZFS, as far as they are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// What the loaded kernel module says of itself.
    pub kernel: Option<String>,
    /// The file name of the libzfs that is loaded at run time.
    pub library: Option<String>,
}

/// What the loaded kernel module says of itself. Does not load libzfs.
pub fn kernel_version() -> Option<String> {
    zfs_ffi::Versions::detect().kernel
}

/// Looks for the versions. Needs no ZFS.
pub fn versions() -> Versions {
    // The library is found when a handle is made; without the kernel module there is none to be made.
    drop(Handle::open());
    let zfs_ffi::Versions { userland, kernel } = zfs_ffi::Versions::detect();
    Versions {
        kernel,
        library: userland,
    }
}
