//! FreeBSD.

use std::ffi::CStr;
use std::ptr;

use crate::error::{Error, Kind, Op, Result};

/// The major number does not move with OpenZFS releases.
pub(crate) const LIBZFS_SONAMES: &[&str] = &["libzfs.so.4", "libzfs.so.5", "libzfs.so.3"];

/// ZFS reports a bad checksum as `EINTEGRITY`.
pub(crate) const ECKSUM: i32 = 97;

/// Numbers that only some systems have, with what they mean to ZFS.
pub(crate) const ERRNO_NAMES: &[(i32, &str, &str)] = &[
    (ECKSUM, "ECKSUM", "checksum mismatch"),
    (libc::ETIMEDOUT, "ETIMEDOUT", "instruction limit reached"),
];

/// `unmount(2)`: detach although files are open.
pub(crate) const MOUNT_FORCE: i32 = libc::MNT_FORCE;

/// How a descriptor for temporary holds has to be opened.
pub(crate) const CLEANUP_FD_FLAGS: i32 = 0;

/// What the loaded kernel module says of itself.
pub(crate) fn kernel_version() -> Option<String> {
    sysctl_string(c"vfs.zfs.version.module")
}

/// `libzfs_core` ends the process when the module does not tell its ioctl generation.
pub(crate) fn check_module() -> Result<()> {
    if sysctl_size(c"vfs.zfs.version.ioctl").is_some() {
        return Ok(());
    }
    let text = "sysctl vfs.zfs.version.ioctl is missing: the kernel module is not OpenZFS 2";
    Err(Error::new(Op::Open, "vfs.zfs", Kind::NoDevice, text))
}

fn sysctl_size(name: &CStr) -> Option<usize> {
    let mut size = 0;
    // SAFETY: `name` is NUL terminated; with no output buffer sysctlbyname only stores the size it
    // would need, into `size`, which is ours.
    let rc = unsafe { libc::sysctlbyname(name.as_ptr(), ptr::null_mut(), &raw mut size, ptr::null(), 0) };
    (rc == 0).then_some(size)
}

fn sysctl_string(name: &CStr) -> Option<String> {
    let mut buffer = vec![0_u8; sysctl_size(name)?];
    let mut size = buffer.len();
    let out = buffer.as_mut_ptr().cast();
    // SAFETY: `out` has room for `size` bytes, which is what sysctlbyname is told; it writes no more.
    let rc = unsafe { libc::sysctlbyname(name.as_ptr(), out, &raw mut size, ptr::null(), 0) };
    let text = CStr::from_bytes_until_nul(&buffer).ok()?;
    (rc == 0).then(|| text.to_string_lossy().into_owned())
}

/// Nothing to check besides: `libzfs` loads no module once the device is there.
#[expect(clippy::unnecessary_wraps, reason = "other systems can refuse")]
pub(crate) fn check_for_libzfs() -> Result<()> {
    Ok(())
}
