//! One filesystem, volume or snapshot, as `libzfs` sees it.

mod guard;
mod iterate;
mod mount;
mod properties;

use std::ffi::CString;
use std::os::fd::RawFd;
use std::ptr::NonNull;

pub use self::iterate::SnapshotInfo;
pub(crate) use self::iterate::collect_names;
pub use self::properties::{Properties, Property, PropertyValue, Source};

use crate::error::{Error, Kind, Op, Result};
use crate::handle::Handle;
use crate::library;
use crate::sys::core as c;
use crate::sys::libzfs::{Libzfs, zfs_handle_t};

/// What a [`Dataset`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DatasetType {
    /// Files.
    Filesystem,
    /// A block device.
    Volume,
    /// A snapshot of either.
    Snapshot,
    /// A bookmark.
    Bookmark,
    /// Something newer than this crate, by its number.
    Other(u32),
}

/// How far a send has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes written to the descriptor.
    pub bytes: u64,
    /// Blocks visited.
    pub blocks: u64,
}

/// One filesystem, volume or snapshot.
///
/// It belongs to the [`Handle`] it was opened from and stays on its thread. Its properties are those
/// of the moment when it was opened, until [`refresh`](Self::refresh), [`set`](Self::set) or
/// [`inherit`](Self::inherit) read them again.
#[derive(Debug)]
pub struct Dataset<'h> {
    handle: &'h Handle,
    raw: NonNull<zfs_handle_t>,
    name: String,
}

impl<'h> Dataset<'h> {
    /// Takes over a handle that C gave away.
    ///
    /// # Safety
    ///
    /// `raw` was made from `handle`, and nobody else closes it.
    pub(crate) unsafe fn from_raw(handle: &'h Handle, raw: NonNull<zfs_handle_t>) -> Self {
        // SAFETY: the dataset's handle lives; the text is inside it.
        let name = unsafe { handle.functions().zfs_get_name(raw.as_ptr()) };
        // SAFETY: NUL terminated, and no call comes in between.
        let name = unsafe { library::text(name) };
        Self { handle, raw, name }
    }

    /// The whole name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is.
    ///
    /// Corresponds to `zfs_get_type`.
    #[doc(alias = "zfs_get_type")]
    pub fn kind(&self) -> DatasetType {
        // SAFETY: the dataset's handle lives.
        match unsafe { self.functions().zfs_get_type(self.as_ptr()) } {
            c::ZFS_TYPE_FILESYSTEM => DatasetType::Filesystem,
            c::ZFS_TYPE_VOLUME => DatasetType::Volume,
            c::ZFS_TYPE_SNAPSHOT => DatasetType::Snapshot,
            c::ZFS_TYPE_BOOKMARK => DatasetType::Bookmark,
            other => DatasetType::Other(other),
        }
    }

    /// Reads the properties again. If the dataset is gone, the old ones stay: `libzfs` does not say.
    ///
    /// Corresponds to `zfs_refresh_properties`.
    #[doc(alias = "zfs_refresh_properties")]
    pub fn refresh(&mut self) {
        // SAFETY: the dataset's handle lives; what was read from its lists has been copied.
        unsafe { self.functions().zfs_refresh_properties(self.as_ptr()) };
    }

    /// How far the send of this snapshot into `fd` has come; `None` if none is running.
    ///
    /// `fd` is the number of the descriptor that was given to [`Core::send`](crate::Core::send), in the same
    /// process. It is compared and not used, so it may be closed by now. In a release that puts a pipe of its own in between this finds nothing unless `fd` is a
    /// pipe.
    ///
    /// Corresponds to `zfs_send_progress`.
    #[doc(alias = "zfs_send_progress")]
    pub fn send_progress(&self, fd: RawFd) -> Result<Option<Progress>> {
        let functions = self.functions();
        if functions.zfs_send_progress.is_err() {
            let text = "this libzfs has no zfs_send_progress";
            return Err(Error::new(Op::Progress, self.name(), Kind::Unsupported, text));
        }
        let (mut bytes, mut blocks) = (0, 0);
        let out = self.as_ptr();
        // SAFETY: the dataset's handle lives; two numbers are stored.
        match unsafe { functions.zfs_send_progress(out, fd, &raw mut bytes, &raw mut blocks) } {
            0 => Ok(Some(Progress { bytes, blocks })),
            libc::ENOENT => Ok(None),
            errno => Err(Error::from_errno(Op::Progress, self.name(), errno)),
        }
    }

    /// How many bytes were written since the snapshot `short` of the same dataset.
    ///
    /// # Errors
    ///
    /// [`NotFound`](Kind::NotFound): there is no such snapshot.
    ///
    /// Corresponds to `zfs_prop_get_written_int`.
    #[doc(alias = "zfs_prop_get_written_int")]
    pub fn written_since(&self, short: &str) -> Result<u64> {
        let property = self.c_string(Op::ReadProperties, &format!("written@{short}"))?;
        let mut written = 0;
        let out = self.as_ptr();
        // SAFETY: the dataset's handle lives; the name is NUL terminated; one number is stored.
        let rc = unsafe {
            self.functions()
                .zfs_prop_get_written_int(out, property.as_ptr(), &raw mut written)
        };
        // The reason is the errno of the ioctl; libzfs does not keep one for this call.
        let why = std::io::Error::last_os_error();
        match rc {
            0 => Ok(written),
            _ => Err(Error::from_io(
                Op::ReadProperties,
                format!("{}@{short}", self.name),
                &why,
            )),
        }
    }

    fn functions(&self) -> &'static Libzfs {
        self.handle.functions()
    }

    fn as_ptr(&self) -> *mut zfs_handle_t {
        self.raw.as_ptr()
    }

    /// Turns the result of a call on this dataset into ours. Call
    /// [`forget_error`](Handle::forget_error) before it.
    fn check(&self, op: Op, rc: i32) -> Result<()> {
        match rc {
            0 => Ok(()),
            _ => Err(self.handle.last_error(op, self.name())),
        }
    }

    fn c_string(&self, op: Op, text: &str) -> Result<CString> {
        CString::new(text).map_err(|_| Error::new(op, self.name(), Kind::Invalid, format!("a zero byte in {text:?}")))
    }
}

impl Drop for Dataset<'_> {
    fn drop(&mut self) {
        // SAFETY: this is the only owner, and the `Handle` it was made from is still borrowed.
        unsafe { self.functions().zfs_close(self.as_ptr()) };
    }
}
