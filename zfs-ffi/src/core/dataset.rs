//! Filesystems and volumes: create, clone, promote, rename, destroy.

use std::ffi::{CString, c_char};

use super::snapshot::{NAME_BUFFER, from_buffer};
use super::{Core, WrappingKey};
use crate::error::{Error, ItemError, Op, Result, check};
use crate::name::{DatasetName, SnapshotName};
use crate::nvlist::NvList;
use crate::sys::core as c;

/// What a dataset holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DatasetKind {
    /// Files.
    Filesystem,
    /// A block device.
    Volume,
}

impl Core {
    /// Creates a dataset. It is not mounted.
    ///
    /// `props` have the types of the kernel: strings for user properties and for those whose value is
    /// text (`mountpoint`), [`U64`](crate::Value::U64) for all others (`readonly`, `canmount`,
    /// `volsize`). The parent must exist.
    ///
    /// Atomic. Waits for one transaction group, and one more if there are properties.
    ///
    /// Corresponds to `lzc_create`.
    #[doc(alias = "lzc_create")]
    pub fn create(&self, name: &DatasetName, kind: DatasetKind, props: &NvList) -> Result<()> {
        self.create_with_key(name, kind, props, &[])
    }

    /// Creates a dataset that is the root of its own encryption. The properties must say `encryption`
    /// and `keyformat`, as numbers.
    ///
    /// As [`create`](Self::create) otherwise. The key is loaded afterwards.
    ///
    /// Corresponds to `lzc_create`.
    #[doc(alias = "lzc_create")]
    pub fn create_encrypted(
        &self,
        name: &DatasetName,
        kind: DatasetKind,
        props: &NvList,
        key: &WrappingKey,
    ) -> Result<()> {
        self.create_with_key(name, kind, props, key.as_bytes())
    }

    fn create_with_key(&self, name: &DatasetName, kind: DatasetKind, props: &NvList, key: &[u8]) -> Result<()> {
        let kind = match kind {
            DatasetKind::Filesystem => c::LZC_DATSET_TYPE_ZFS,
            DatasetKind::Volume => c::LZC_DATSET_TYPE_ZVOL,
        };
        let (start, len) = super::key::raw(key);
        let target = name.as_c().as_ptr();
        // SAFETY: the library is initialised; the name is NUL terminated; the properties and the key
        // are only read, `len` bytes of it or none if it is null.
        let rc = unsafe { c::lzc_create(target, kind, props.as_ptr(), start, len) };
        check(Op::Create, name, rc)
    }

    /// Makes a writable dataset from a snapshot of the same pool. It is not mounted.
    ///
    /// Atomic. Waits for one transaction group, and one more if there are properties.
    ///
    /// Corresponds to `lzc_clone`.
    #[doc(alias = "lzc_clone")]
    pub fn clone_snapshot(&self, origin: &SnapshotName, new: &DatasetName, props: &NvList) -> Result<()> {
        let (target, from) = (new.as_c().as_ptr(), origin.as_c().as_ptr());
        // SAFETY: the library is initialised; both names are NUL terminated; the properties are only
        // read. All live during the call.
        let rc = unsafe { c::lzc_clone(target, from, props.as_ptr()) };
        check(Op::Clone, format_args!("{origin} to {new}"), rc)
    }

    /// Swaps the roles of a clone and the dataset it was made from.
    ///
    /// Atomic. Waits for one transaction group.
    ///
    /// # Errors
    ///
    /// [`Exists`](crate::Kind::Exists): both have a snapshot of the same name, which
    /// [`Error::items`] tells.
    ///
    /// Corresponds to `lzc_promote`.
    #[doc(alias = "lzc_promote")]
    pub fn promote(&self, dataset: &DatasetName) -> Result<()> {
        let mut buffer: [c_char; NAME_BUFFER] = [0; NAME_BUFFER];
        let (start, len) = (buffer.as_mut_ptr(), NAME_BUFFER as i32);
        // SAFETY: the library is initialised; the name is NUL terminated; at most `len` bytes are
        // written to the buffer, which has that many.
        let rc = unsafe { c::lzc_promote(dataset.as_c().as_ptr(), start, len) };
        check(Op::Promote, dataset, rc).map_err(|error| with_conflict(error, &from_buffer(&buffer)))
    }

    /// Renames a dataset, within its pool. What is below moves with it.
    ///
    /// Atomic. Waits for one transaction group. Mounts are not touched: unmount first.
    ///
    /// Corresponds to `lzc_rename`.
    #[doc(alias = "lzc_rename")]
    pub fn rename(&self, from: &DatasetName, to: &DatasetName) -> Result<()> {
        let subject = format!("{from} to {to}");
        // SAFETY: the library is initialised; both names are NUL terminated and live during the call.
        let rc = unsafe { c::lzc_rename(from.as_c().as_ptr(), to.as_c().as_ptr()) };
        check(Op::Rename, subject, rc)
    }

    /// Gives a snapshot another name on its dataset.
    ///
    /// Atomic. Waits for one transaction group.
    ///
    /// Corresponds to `lzc_rename`.
    #[doc(alias = "lzc_rename")]
    pub fn rename_snapshot(&self, snapshot: &SnapshotName, new_short: &str) -> Result<()> {
        let to = snapshot.dataset().snapshot(new_short)?;
        let subject = format!("{snapshot} to {to}");
        // SAFETY: the library is initialised; both names are NUL terminated and live during the call.
        let rc = unsafe { c::lzc_rename(snapshot.as_c().as_ptr(), to.as_c().as_ptr()) };
        check(Op::Rename, subject, rc)
    }

    /// Destroys one dataset. It must have no children, no snapshots, and must not be mounted.
    ///
    /// Atomic. Waits for one transaction group; the space is freed later in the background.
    ///
    /// Corresponds to `lzc_destroy`.
    #[doc(alias = "lzc_destroy")]
    pub fn destroy(&self, dataset: &DatasetName) -> Result<()> {
        // SAFETY: the library is initialised; the name is NUL terminated.
        let rc = unsafe { c::lzc_destroy(dataset.as_c().as_ptr()) };
        check(Op::Destroy, dataset, rc)
    }

    /// Throws away what an interrupted resumable receive left behind in an existing dataset.
    ///
    /// The dataset itself is as it was before that receive. A dataset that the receive would have
    /// created is different: it has no hidden part, is itself incomplete and goes by
    /// [`destroy`](Self::destroy).
    ///
    /// Atomic. Waits for one transaction group.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Kind::NotFound): nothing was left behind.
    ///
    /// Corresponds to `lzc_destroy`.
    #[doc(alias = "lzc_destroy")]
    #[doc(alias = "zfs receive -A")]
    pub fn discard_partial_receive(&self, dataset: &DatasetName) -> Result<()> {
        let hidden = format!("{dataset}/%recv");
        // A checked name has no NUL.
        let name = CString::new(hidden.as_str()).unwrap_or_default();
        // SAFETY: the library is initialised; the name is NUL terminated.
        let rc = unsafe { c::lzc_destroy(name.as_ptr()) };
        check(Op::Destroy, hidden, rc)
    }
}

/// The name that C stored, if it stored one, is a snapshot's short name.
fn with_conflict(error: Error, conflict: &str) -> Error {
    match error.errno() {
        Some(errno) if !conflict.is_empty() => error.with_items(vec![ItemError {
            name: conflict.to_owned(),
            errno,
        }]),
        _ => error,
    }
}
