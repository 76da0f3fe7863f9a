//! What differs between operating systems: library names, numbers and where the module is found.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind};

use crate::error::{Error, Kind, Op, Result};

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(target_os = "freebsd", path = "freebsd.rs")]
#[cfg_attr(target_os = "illumos", path = "illumos.rs")]
mod current;

pub(crate) use current::{
    CLEANUP_FD_FLAGS, ECKSUM, ERRNO_NAMES, LIBZFS_SONAMES, MOUNT_FORCE, check_for_libzfs, kernel_version,
};

/// The device all ZFS ioctls go through.
pub(crate) const DEVICE: &str = "/dev/zfs";

/// Refuses early, and with a reason, where the C libraries would load a kernel module, wait for it
/// or end the process.
pub(crate) fn check_device() -> Result<()> {
    check_device_at(DEVICE)?;
    current::check_module()
}

fn check_device_at(path: &str) -> Result<()> {
    match OpenOptions::new().read(true).write(true).open(path) {
        Ok(_) => Ok(()),
        Err(why) => Err(no_device(path, &why)),
    }
}

/// Why the device cannot be used.
pub(crate) fn no_device(path: &str, why: &io::Error) -> Error {
    let not_loaded = "the ZFS kernel module is not loaded";
    let text = match (why.kind(), why.raw_os_error()) {
        (ErrorKind::NotFound, _) => format!("{path} does not exist: {not_loaded}"),
        (ErrorKind::PermissionDenied, _) => format!("permission denied for {path}"),
        // The device file may be there without a driver behind it.
        (_, Some(libc::ENXIO | libc::ENODEV)) => not_loaded.to_owned(),
        _ => why.to_string(),
    };
    Error::new(Op::Open, path, Kind::NoDevice, text).with_errno(why.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_device_is_said_to_be_a_missing_module() {
        let error = check_device_at("/dev/no such device").expect_err("there is no such device");
        assert_eq!(error.kind(), Kind::NoDevice);
        assert_eq!(error.errno(), Some(libc::ENOENT));
        assert!(error.to_string().contains("module is not loaded"), "{error}");
    }

    #[test]
    fn a_device_without_a_driver_is_said_to_be_a_missing_module() {
        let error = no_device("/dev/zfs", &io::Error::from_raw_os_error(libc::ENXIO));
        assert_eq!(error.kind(), Kind::NoDevice);
        assert!(error.to_string().contains("module is not loaded"), "{error}");
    }

    #[test]
    fn an_openable_device_is_accepted() {
        check_device_at("/dev/null").expect("anybody may open /dev/null");
    }
}
