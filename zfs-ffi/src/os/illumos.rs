//! illumos.

use crate::error::Result;

/// One name for all releases.
pub(crate) const LIBZFS_SONAMES: &[&str] = &["libzfs.so.1"];

/// ZFS reports a bad checksum as `EBADE`.
pub(crate) const ECKSUM: i32 = 50;

/// Numbers that only some systems have, with what they mean to ZFS.
pub(crate) const ERRNO_NAMES: &[(i32, &str, &str)] = &[
    (ECKSUM, "ECKSUM", "checksum mismatch"),
    (37, "ECHRNG", "run time error in the program"),
    (62, "ETIME", "instruction limit reached"),
];

/// `umount2(2)`: detach although files are open.
pub(crate) const MOUNT_FORCE: i32 = 0x0400;

/// Temporary holds belong to an exclusive open of the device.
pub(crate) const CLEANUP_FD_FLAGS: i32 = libc::O_EXCL;

/// The module is part of the kernel and has no version of its own.
pub(crate) fn kernel_version() -> Option<String> {
    None
}

/// Nothing to check: `libzfs_core` works as soon as the device is there.
#[expect(clippy::unnecessary_wraps, reason = "other systems can refuse")]
pub(crate) fn check_module() -> Result<()> {
    Ok(())
}

/// Nothing to check besides: `libzfs` loads no module once the device is there.
#[expect(clippy::unnecessary_wraps, reason = "other systems can refuse")]
pub(crate) fn check_for_libzfs() -> Result<()> {
    Ok(())
}
