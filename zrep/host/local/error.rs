//! From the library's errors to ours.

use crate::host::{Error, ErrorKind};
use zfs_ffi::Kind;

/// The same error in the words that callers branch on. The text names the operation, the dataset and the cause already.
pub(super) fn from_ffi(error: zfs_ffi::Error) -> Error {
    Error::new(kind(error.kind()), error.to_string())
}

fn kind(kind: Kind) -> ErrorKind {
    match kind {
        Kind::NotFound => ErrorKind::NotFound,
        Kind::Exists => ErrorKind::Exists,
        Kind::Busy => ErrorKind::Busy,
        Kind::Permission => ErrorKind::Permission,
        Kind::NoSpace | Kind::Quota => ErrorKind::NoSpace,
        Kind::Modified => ErrorKind::Modified,
        Kind::WrongBase | Kind::NotAncestor => ErrorKind::WrongBase,
        Kind::Truncated | Kind::Interrupted | Kind::ReaderGone => ErrorKind::Interrupted,
        Kind::BadStream => ErrorKind::BadStream,
        Kind::KeyUnavailable => ErrorKind::KeyUnavailable,
        Kind::NoDevice => ErrorKind::NoZfs,
        Kind::Suspended | Kind::PoolGone | Kind::ReadOnly => ErrorKind::PoolUnavailable,
        // `Kind` grows with the library; what it does not name yet needs no branch here.
        _ => ErrorKind::Other,
    }
}

/// The kind of an error number that a channel program returns.
pub(super) fn kind_of_errno(errno: i32) -> ErrorKind {
    match errno {
        libc::ENOENT => ErrorKind::NotFound,
        libc::EEXIST => ErrorKind::Exists,
        libc::EBUSY => ErrorKind::Busy,
        libc::EPERM | libc::EACCES => ErrorKind::Permission,
        libc::ENOSPC | libc::EDQUOT => ErrorKind::NoSpace,
        libc::EROFS | libc::ENXIO => ErrorKind::PoolUnavailable,
        _ => ErrorKind::Other,
    }
}
