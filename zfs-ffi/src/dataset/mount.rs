//! Mounting.

use std::ffi::{CStr, CString, OsString, c_char, c_void};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::ptr;

use super::Dataset;
use crate::error::{Error, Kind, Op, Result};
use crate::os;
use crate::sys::boolean_t;

impl Dataset<'_> {
    /// Mounts the filesystem at its mountpoint, making the directory if need be.
    ///
    /// Does nothing, successfully, where nothing is to be mounted: `canmount=off`, `mountpoint=none` or
    /// `legacy`. Ask [`is_mounted`](Self::is_mounted) afterwards.
    ///
    /// Corresponds to `zfs_mount`.
    #[doc(alias = "zfs_mount")]
    pub fn mount(&self) -> Result<()> {
        self.handle.forget_error();
        // SAFETY: the dataset's handle lives; the options may be null.
        let rc = unsafe { self.functions().zfs_mount(self.as_ptr(), ptr::null(), 0) };
        self.check(Op::Mount, rc)
    }

    /// Mounts the filesystem read-only at `directory`, which must be there and empty, whatever its properties say of mounting.
    ///
    /// As at every mount, the kernel first applies what stands in the filesystem's intent log, although the mount is read-only: what
    /// programs had flushed before a crash, and no transaction had taken up. Fails where the key of an encrypted one is not loaded, or
    /// where the caller may not mount.
    ///
    /// Corresponds to `zfs_mount_at`, which illumos does not have: there it is [`Kind::Unsupported`].
    #[doc(alias = "zfs_mount_at")]
    pub fn mount_readonly_at(&self, directory: &Path) -> Result<()> {
        let functions = self.functions();
        if functions.zfs_mount_at.is_err() {
            let text = "this libzfs cannot mount at another place than the mountpoint";
            return Err(Error::new(Op::Mount, self.name(), Kind::Unsupported, text));
        }
        let place = c_path(directory, Op::Mount, self.name())?;
        self.handle.forget_error();
        // SAFETY: the dataset's handle lives, the function is there, and both texts are NUL terminated and live during the call.
        let rc = unsafe { functions.zfs_mount_at(self.as_ptr(), c"ro".as_ptr(), 0, place.as_ptr()) };
        self.check(Op::Mount, rc)
    }

    /// Unmounts the filesystem from `directory`, and from nowhere else.
    ///
    /// Corresponds to `zfs_unmount`.
    pub fn unmount_from(&self, directory: &Path) -> Result<()> {
        let place = c_path(directory, Op::Unmount, self.name())?;
        self.handle.forget_error();
        // SAFETY: the dataset's handle lives, and the text is NUL terminated and lives during the call.
        let rc = unsafe { self.functions().zfs_unmount(self.as_ptr(), place.as_ptr(), 0) };
        self.check(Op::Unmount, rc)
    }

    /// Mounts a mounted filesystem anew where it is, by the options that its properties say now. Who uses it goes on with it, and so does what is
    /// mounted below.
    ///
    /// On failure it stays mounted as it was. Some systems have no such thing.
    ///
    /// Corresponds to `zfs_mount` with the option `remount`.
    pub fn remount(&self) -> Result<()> {
        self.handle.forget_error();
        // SAFETY: the dataset's handle lives; the options are NUL terminated, and copied by the library.
        let rc = unsafe { self.functions().zfs_mount(self.as_ptr(), c"remount".as_ptr(), 0) };
        self.check(Op::Mount, rc)
    }

    /// Unmounts the filesystem, if it is mounted. With `force` also if files are open, as far as the
    /// system can.
    ///
    /// Corresponds to `zfs_unmount`.
    #[doc(alias = "zfs_unmount")]
    pub fn unmount(&self, force: bool) -> Result<()> {
        let flags = if force { os::MOUNT_FORCE } else { 0 };
        self.handle.forget_error();
        // SAFETY: the dataset's handle lives; without a mountpoint the library looks for it.
        let rc = unsafe { self.functions().zfs_unmount(self.as_ptr(), ptr::null(), flags) };
        self.check(Op::Unmount, rc)
    }

    /// Where the filesystem is mounted, if it is.
    ///
    /// Corresponds to `zfs_is_mounted`.
    #[doc(alias = "zfs_is_mounted")]
    pub fn is_mounted(&self) -> Option<PathBuf> {
        let mut place: *mut c_char = ptr::null_mut();
        // SAFETY: the dataset's handle lives; the call stores a text that becomes ours, or nothing.
        let mounted = unsafe { self.functions().zfs_is_mounted(self.as_ptr(), &raw mut place) };
        if mounted == boolean_t::B_FALSE || place.is_null() {
            return None;
        }
        // SAFETY: the text is NUL terminated and not freed yet.
        let bytes = unsafe { CStr::from_ptr(place) }.to_bytes().to_vec();
        // SAFETY: the library allocated the text with malloc for the caller to free; it is not used
        // any more.
        unsafe { libc::free(place.cast::<c_void>()) };
        Some(OsString::from_vec(bytes).into())
    }
}

fn c_path(path: &Path, op: Op, dataset: &str) -> Result<CString> {
    CString::new(path.as_os_str().as_bytes())
        .map_err(|_| Error::new(op, dataset, Kind::Invalid, "a directory with a NUL in its name"))
}
