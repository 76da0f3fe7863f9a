//! Snapshots: make, destroy, roll back.

use std::ffi::{CStr, c_char};
use std::ptr;

use super::{Core, flag_list, several};
use crate::error::{Error, Op, Result, check, check_list};
use crate::name::{DatasetName, SnapshotName};
use crate::nvlist::{NvList, Out};
use crate::sys::{self, core as c};

/// Room for any dataset name that C may write.
pub(super) const NAME_BUFFER: usize = c::ZFS_MAX_DATASET_NAME_LEN as usize;

/// What to do with a snapshot that is held or has clones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defer {
    /// Refuse to destroy it.
    No,
    /// Destroy it when the last hold is released and the last clone is gone.
    Yes,
}

impl Core {
    /// Takes snapshots of any number of datasets of one pool, all at the same moment.
    ///
    /// `props` are user properties (`module:name`) that every one of the new snapshots gets.
    ///
    /// Atomic: all snapshots are made with their properties, or none is. Waits for one transaction
    /// group, whatever the number; three more if one of the datasets had a snapshot taken in the same
    /// group.
    ///
    /// # Errors
    ///
    /// [`Exists`](crate::Kind::Exists): a name is taken. [`NotFound`](crate::Kind::NotFound): a dataset
    /// is missing. [`Busy`](crate::Kind::Busy): a dataset is being received.
    /// [`Invalid`](crate::Kind::Invalid): different pools, or two snapshots of one dataset, or a
    /// property that is not a user property. [`Error::items`] says which.
    ///
    /// Corresponds to `lzc_snapshot`.
    #[doc(alias = "lzc_snapshot")]
    pub fn snapshot(&self, snapshots: &[SnapshotName], props: &[(&str, &str)]) -> Result<()> {
        if snapshots.is_empty() {
            return Ok(());
        }
        let list = flag_list(snapshots)?;
        let mut values = NvList::new();
        for (name, value) in props {
            values.add(name, *value)?;
        }
        let values = if props.is_empty() {
            ptr::null_mut()
        } else {
            values.as_ptr()
        };
        let mut failed = Out::new();
        // SAFETY: the library is initialised; both lists are only read and live during the call, the
        // second may be null; the list of failures becomes ours.
        let rc = unsafe { c::lzc_snapshot(list.as_ptr(), values, failed.as_mut()) };
        check_list(Op::Snapshot, several(snapshots), rc, failed.take().as_ref())
    }

    /// Destroys snapshots of one pool. Missing ones are ignored.
    ///
    /// Atomic: all are destroyed, or none is. Waits for one transaction group; the space is freed later
    /// in the background.
    ///
    /// # Errors
    ///
    /// [`Busy`](crate::Kind::Busy): held or being sent. [`Exists`](crate::Kind::Exists): has clones.
    /// Neither with [`Defer::Yes`].
    ///
    /// Corresponds to `lzc_destroy_snaps`.
    #[doc(alias = "lzc_destroy_snaps")]
    pub fn destroy_snapshots(&self, snapshots: &[SnapshotName], defer: Defer) -> Result<()> {
        if snapshots.is_empty() {
            return Ok(());
        }
        let list = flag_list(snapshots)?;
        let defer = sys::boolean(defer == Defer::Yes);
        let mut failed = Out::new();
        // SAFETY: the library is initialised; the list is only read and lives during the call; the
        // list of failures becomes ours.
        let rc = unsafe { c::lzc_destroy_snaps(list.as_ptr(), defer, failed.as_mut()) };
        check_list(Op::DestroySnapshots, several(snapshots), rc, failed.take().as_ref())
    }

    /// Rolls a dataset back to its latest snapshot, whichever that is, and says which it was.
    ///
    /// Atomic. Waits for one transaction group. Prefer [`rollback_to`](Self::rollback_to), which
    /// cannot lose a snapshot's worth of changes to a race.
    ///
    /// Corresponds to `lzc_rollback`.
    #[doc(alias = "lzc_rollback")]
    pub fn rollback(&self, dataset: &DatasetName) -> Result<SnapshotName> {
        let mut buffer: [c_char; NAME_BUFFER] = [0; NAME_BUFFER];
        let (start, len) = (buffer.as_mut_ptr(), NAME_BUFFER as i32);
        // SAFETY: the library is initialised; the name is NUL terminated; at most `len` bytes are
        // written to the buffer, which has that many.
        let rc = unsafe { c::lzc_rollback(dataset.as_c().as_ptr(), start, len) };
        check(Op::Rollback, dataset, rc)?;
        SnapshotName::new(&from_buffer(&buffer)).map_err(Error::from)
    }

    /// Rolls a dataset back to this snapshot, which must be its latest.
    ///
    /// Atomic. Waits for one transaction group.
    ///
    /// # Errors
    ///
    /// [`Exists`](crate::Kind::Exists): newer snapshots or bookmarks exist.
    /// [`NotFound`](crate::Kind::NotFound): no such snapshot.
    ///
    /// Corresponds to `lzc_rollback_to`.
    #[doc(alias = "lzc_rollback_to")]
    pub fn rollback_to(&self, snapshot: &SnapshotName) -> Result<()> {
        let dataset = snapshot.dataset();
        let (dataset, name) = (dataset.as_c().as_ptr(), snapshot.as_c().as_ptr());
        // SAFETY: the library is initialised; both names are NUL terminated and live during the call.
        let rc = unsafe { c::lzc_rollback_to(dataset, name) };
        check(Op::Rollback, snapshot, rc)
    }
}

/// The text up to the first NUL.
pub(super) fn from_buffer(buffer: &[c_char]) -> String {
    let bytes: Vec<u8> = buffer.iter().map(|byte| *byte as u8).collect();
    CStr::from_bytes_until_nul(&bytes)
        .map(|text| text.to_string_lossy().into_owned())
        .unwrap_or_default()
}
