//! Linux.

use std::fs;
use std::path::Path;

use crate::error::{Error, Kind, Op, Result};

/// Exists while the module is loaded.
const MODULE: &str = "/sys/module/zfs";

/// Newest first. OpenZFS 2.4 has 7, 2.3 has 6, 2.1 and 2.2 have 4; the rest are for what may come.
pub(crate) const LIBZFS_SONAMES: &[&str] = &[
    "libzfs.so.7",
    "libzfs.so.6",
    "libzfs.so.4",
    "libzfs.so.8",
    "libzfs.so.9",
    "libzfs.so.10",
];

/// ZFS reports a bad checksum as `EBADE`.
pub(crate) const ECKSUM: i32 = libc::EBADE;

/// Numbers that only some systems have, with what they mean to ZFS.
pub(crate) const ERRNO_NAMES: &[(i32, &str, &str)] = &[
    (libc::EBADE, "ECKSUM", "checksum mismatch"),
    (libc::ECHRNG, "ECHRNG", "run time error in the program"),
    (libc::ETIME, "ETIME", "instruction limit reached"),
];

/// `umount2(2)`: detach although files are open, as far as the system can.
pub(crate) const MOUNT_FORCE: i32 = libc::MNT_FORCE;

/// How a descriptor for temporary holds has to be opened.
pub(crate) const CLEANUP_FD_FLAGS: i32 = 0;

/// What the loaded kernel module says of itself.
pub(crate) fn kernel_version() -> Option<String> {
    let text = fs::read_to_string(Path::new(MODULE).join("version")).ok()?;
    Some(text.trim().to_owned())
}

/// Nothing to check: `libzfs_core` works as soon as the device is there.
#[expect(clippy::unnecessary_wraps, reason = "other systems can refuse")]
pub(crate) fn check_module() -> Result<()> {
    Ok(())
}

/// `libzfs` runs modprobe unless it sees the module here.
pub(crate) fn check_for_libzfs() -> Result<()> {
    if Path::new(MODULE).exists() {
        return Ok(());
    }
    let text = "it does not exist: the ZFS kernel module is not loaded, or /sys is hidden";
    Err(Error::new(Op::Open, MODULE, Kind::NoDevice, text))
}
