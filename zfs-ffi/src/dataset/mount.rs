//! Mounting.

use std::ffi::{CStr, OsString, c_char, c_void};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::ptr;

use super::Dataset;
use crate::error::{Op, Result};
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
